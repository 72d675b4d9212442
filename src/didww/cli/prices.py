"""`didww prices`: the prices of calls and text messages, by number or as a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from didww.cli import export_files, lookups, parameters
from didww.cli.framework import SINCE_TOKENS, Group
from didww.cli.output import RecordTable, print_row
from didww.cli.terminal import transferring

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.prices import PriceFile
    from didww.cli.session import Session

__all__ = ["prices"]

SERVICES: Final = ("voice-in", "voice-out", "sms-in", "sms-out")
DOMAINS: Final = ("a2p", "p2p", "otp")
_BY_COUNTRY: Final = ("sms-in", "sms-out")
"""Services whose prices can be looked up by country, too."""

service_argument: Final = click.argument("service", metavar="|".join(SERVICES), type=click.Choice(SERVICES))
domain_option: Final = click.option(
    "--domain",
    type=click.Choice(DOMAINS),
    help="With sms-out: messages of applications (a2p), between persons (p2p), or one-time passwords (otp). Defaults "
    "to a2p.",
)


@click.group(
    cls=Group,
    versions=SINCE_TOKENS,
    examples=(
        "didww prices lookup voice-out 442079460001",
        "didww prices download sms-in prices.csv --decompress",
    ),
)
def prices() -> None:
    """Prices of the account's plans for calls and text messages, in US dollars without VAT.

    voice-in has the prices of calls to toll-free, shared-cost and metered numbers, voice-out those of calls from your
    outbound trunks, sms-in and sms-out those of text messages.
    """


def _endpoint(session: Session, service: str, domain: str | None) -> Any:
    """Return the endpoint of a price list.

    Raises:
        UsageError: It has no domain.
    """
    if domain is not None and service != "sms-out":
        raise click.UsageError("--domain goes with sms-out only.")
    lists = session.client.prices()
    return lists.sms_out(domain or DOMAINS[0]) if service == "sms-out" else getattr(lists, service.replace("-", "_"))


@prices.command(
    examples=(
        "didww prices lookup voice-in 18005550101 --from-country CA",
        "didww prices lookup voice-out 442079460001",
        "didww prices lookup sms-out --country GB --domain otp -o csv",
    )
)
@service_argument
@click.argument("number", required=False, shell_complete=parameters.complete_numbers)
@click.option(
    "--from-country",
    metavar="COUNTRY",
    shell_complete=parameters.complete_countries,
    help="With voice-in: calls from this country. Defaults to the prices for any country.",
)
@click.option(
    "--country",
    metavar="COUNTRY",
    shell_complete=parameters.complete_countries,
    help="With sms-in and sms-out: all prices of this country, or of NUMBER in it.",
)
@domain_option
@click.pass_obj
def lookup(
    session: Session,
    service: str,
    number: str | None,
    from_country: str | None,
    country: str | None,
    domain: str | None,
) -> None:
    """Look up the prices of a number, or of text messages in a country.

    Several prices can apply to one number: they differ in the caller's line, the network, or in conditions that are not
    shown. Exits with 4 if there is none, or if the account has no price plan.
    """
    if from_country is not None and service != "voice-in":
        raise click.UsageError("--from-country goes with voice-in only.")
    if country is not None and service not in _BY_COUNTRY:
        raise click.UsageError(f"--country goes with {' and '.join(_BY_COUNTRY)} only.")
    if number is None and country is None:
        raise click.UsageError(f"Pass a number{', or --country' if service in _BY_COUNTRY else ''}.")
    endpoint = _endpoint(session, service, domain)
    digits = None if number is None else lookups.plain_number(number)
    places = {"src_country_iso": from_country, "dst_country_iso": country}
    options = {name: lookups.country_code(session.client, text) for name, text in places.items() if text is not None}
    response = endpoint.lookup(digits, **options)
    RecordTable(session.settings, endpoint._prices.record_class).print(response.data)


def _file(value: Any) -> str:
    """Return the path of a file.

    Raises:
        BadParameter: It is empty.
    """
    if not str(value).strip():
        raise click.BadParameter("it must not be empty.")
    return str(value)


@prices.command(
    examples=(
        "didww prices download voice-in prices.csv.gz",
        "didww prices download voice-out prices.csv.gz --if-newer",
        "didww prices download sms-out prices.csv --domain p2p --decompress",
    )
)
@service_argument
@click.argument("path", metavar="FILE", type=_file)
@domain_option
@click.option("--decompress", "--gunzip", "decompress", is_flag=True, help="Write CSV text instead of a gzip file.")
@click.option(
    "--if-newer",
    is_flag=True,
    help="Replace FILE only if the prices were changed after its date of modification, which a download sets.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def download(
    session: Session, service: str, path: str, domain: str | None, decompress: bool, if_newer: bool, force: bool
) -> None:
    """Download all prices as a CSV file; - writes it to standard output.

    The file is written when it is complete, and gets the date on which the service changed it. So --if-newer can be
    repeated, for instance each night: if the prices are unchanged, it says so, and exits with 0.
    """
    if if_newer and path == export_files.STDOUT:
        raise click.UsageError("--if-newer needs a file.")
    export_files.check(path, force=force or if_newer)
    endpoint = _endpoint(session, service, domain)
    client = session.client.with_options(timeout=export_files.SECONDS)
    endpoint = type(endpoint)(client._driver, client._configuration, endpoint._prices)
    since = _modified(path) if if_newer else None

    def fetch(target: str) -> PriceFile:
        with transferring("Downloading", at_once=not if_newer) as progress:
            return cast(
                "PriceFile",
                endpoint.download(target, if_modified_since=since, decompress=decompress, progress=progress),
            )

    if path == export_files.STDOUT:
        _pipe(fetch)
        return
    file = fetch(path)
    if file.changed and file.last_modified is not None:
        seconds = file.last_modified.timestamp()
        os.utime(path, (seconds, seconds))
    _print(session, service, domain, path, file)


def _modified(path: str) -> datetime | None:
    """Return when a file was modified; None if there is none."""
    try:
        return datetime.fromtimestamp(int(Path(path).stat().st_mtime), UTC)
    except FileNotFoundError:
        return None


def _pipe(fetch: Callable[[str], PriceFile]) -> None:
    """Download a file, and write it to standard output when it is complete."""
    with tempfile.TemporaryDirectory() as directory:
        target = str(Path(directory, "prices"))
        fetch(target)
        with open(target, "rb") as source:  # noqa: PTH123 a path of this function
            shutil.copyfileobj(source, sys.stdout.buffer)


def _print(session: Session, service: str, domain: str | None, path: str, file: PriceFile) -> None:
    if not file.changed:
        session.say(f"Unchanged: {path} has the latest prices.")
    row: dict[str, Any] = {
        "prices": service,
        **({"domain": domain or DOMAINS[0]} if service == "sms-out" else {}),
        "file": path,
        "bytes": Path(path).stat().st_size,
        "changed": file.changed,
        "prices of": file.last_modified,
    }
    print_row(session.settings, row)
