"""`didww prices`: the prices of calls and text messages, by number or as a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from didww.cli import export_files, lookups, parameters, price_files
from didww.cli.framework import SINCE_TOKENS, Group
from didww.cli.output import RecordTable, print_row, print_rows
from didww.cli.parameters import OneOf
from didww.cli.terminal import transferring
from didww.exceptions import NotExactlyOneError, NotFoundError, PricePlanNotAssignedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from didww._core.prices import PriceFile
    from didww._schema.columns import Column
    from didww.cli.session import Session

__all__ = ["prices"]

SERVICES: Final = ("voice-in", "voice-out", "sms-in", "sms-out")
DOMAINS: Final = ("a2p", "p2p", "otp")
_BY_COUNTRY: Final = ("sms-in", "sms-out")
"""Services whose prices can be looked up by country, too."""

_INCREMENTS: Final = {
    "voice-in": ("initial_interval", "next_interval"),
    "voice-out": ("initial_increment", "recurring_increment"),
}
"""The first and each later billed interval of calls, in seconds."""

service_argument: Final = click.argument("service", metavar="|".join(SERVICES), type=OneOf(SERVICES))
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
    """Look up the prices of a number.

    For text messages, --country has the prices of a country. Several prices can apply to one number: they differ in
    the caller's line, the network, or in conditions that are not shown. Calls are billed in seconds: 60/1 is a first
    minute, then each second. Exits with 4 if there is no price, or if the account has no price plan.
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
    try:
        found = endpoint.lookup(digits, **options).data
    except NotFoundError as error:
        if service == "voice-in" and not isinstance(error, PricePlanNotAssignedError):
            session.advice.append("Only toll-free, shared-cost and metered numbers have prices of inbound calls.")
        raise
    if not found:
        raise NotExactlyOneError("There is no such price.")
    table = RecordTable(session.settings, endpoint._prices.record_class)
    if session.settings.for_person:
        rows = [_row(service, table.columns, price) for price in found]
        print_rows(session.settings, rows, _with_value(rows))
    else:
        table.print(found)


def _row(service: str, columns: Sequence[Column], price: Any) -> dict[str, Any]:
    """Return the columns of a price, with the billed intervals of calls after the prices."""
    row = {column.heading: column.value(price) for column in columns}
    if service not in _INCREMENTS:
        return row
    increments = [getattr(price, name) for name in _INCREMENTS[service]]
    billing = None if None in increments else "/".join(map(str, increments))
    place = [*row].index("per call") + 1
    return dict([*[*row.items()][:place], ("billing", billing), *[*row.items()][place:]])


def _with_value(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the headings; on a terminal, where width is short, those of columns with a value only."""
    names = list(rows[0]) if rows else []
    return [name for name in names if not sys.stdout.isatty() or any(row[name] not in (None, False) for row in rows)]


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
    help="Replace FILE only if the prices were changed since this command wrote it.",
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_obj
def download(
    session: Session, service: str, path: str, domain: str | None, decompress: bool, if_newer: bool, force: bool
) -> None:
    """Download all prices as a CSV file.

    FILE can be - for standard output. The file is written when it is complete, and gets the date on which the service
    changed it. --if-newer can be repeated, for instance each night: if the prices are unchanged, it says so, and exits
    with 0. It replaces a file of the same kind of prices only; --force replaces any file.
    """
    if if_newer and path == export_files.STDOUT:
        raise click.UsageError("--if-newer needs a file.")
    advice = "Pass --if-newer to replace it if the prices were changed, --force to replace it, or another FILE."
    export_files.check(path, force=force or if_newer, name="FILE", advice=advice)
    endpoint = _endpoint(session, service, domain)
    client = session.client.with_options(timeout=export_files.SECONDS)
    endpoint = type(endpoint)(client._driver, client._configuration, endpoint._prices)
    listed = endpoint._prices
    url = f"{endpoint._configuration.url_of(listed.service)}/{listed.file}"
    since = price_files.date_of(session, url, path, decompressed=decompress) if if_newer else None
    if since is None and not force and Path(path).exists():
        _check_kind(path, listed.record_class, service, decompress)

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
        price_files.note(session, url, path, decompressed=decompress)
    _print(session, service, domain, path, file)


def _check_kind(path: str, record_class: Any, service: str, decompressed: bool) -> None:
    """Check that a file may be replaced: that it has prices of the same kind, in the same form.

    Raises:
        UsageError: It has not.
    """
    if not price_files.is_of_list(path, record_class, decompressed=decompressed):
        form = "CSV" if decompressed else "gzip"
        raise click.UsageError(f"{path} is no {form} file of {service} prices. Pass --force to replace it.")


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
