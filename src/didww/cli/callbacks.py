"""`didww callbacks`: create signed callbacks to test a receiver."""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from didww._util.shells import command_line, on_windows
from didww._util.text import printable
from didww.cli.framework import Command, Group
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["callbacks"]

_SECRET = "DIDWW_CALLBACK_SECRET"  # noqa: S105 the name of a variable


def _now(payload: dict[str, Any]) -> str:  # noqa: ARG001
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# Default values of the fields that callbacks of each type always have, besides type and id.
_DEFAULTS: dict[str, dict[str, Callable[[dict[str, Any]], object]]] = {
    "orders": {"status": lambda _: "completed"},
    "exports": {
        "status": lambda _: "completed",
        "url": lambda payload: f"https://api.example.com/v3/exports/{payload['id']}.csv.gz",
    },
    "address_verifications": {"status": lambda _: "approved"},
    "emergency_verifications": {
        "status": lambda _: "approved",
        "emergency_calling_service_id": lambda _: str(uuid.uuid4()),
    },
    "voice_out_trunks": {
        "status": lambda _: "blocked",
        "threshold_reached": lambda payload: payload["status"] == "blocked",
        "created_at": _now,
    },
}


@click.group(cls=Group)
def callbacks() -> None:
    """Create callbacks like DIDWW's."""


@callbacks.command(
    cls=Command,
    common=False,
    examples=(
        "didww callbacks sign http://127.0.0.1:8751/orders",
        "didww callbacks sign https://hooks.example.com/didww --type exports --secret-file secret.txt --json",
    ),
)
@click.argument("url")
@click.option(
    "--type",
    "type_",
    default="orders",
    show_default=True,
    help="Type: orders, exports, address_verifications, emergency_verifications or voice_out_trunks.",
)
@click.option("--id", "id_", help="ID of the record. Defaults to a random UUID.")
@click.option("--status", help="Status of the record. Defaults to the most common one.")
@click.option("--field", "fields", multiple=True, metavar="NAME=VALUE", help="Another field; repeatable.")
@click.option("--method", default="post", show_default=True, type=click.Choice(["get", "post"]), help="HTTP method.")
@click.option(
    "--secret",
    envvar=_SECRET,
    show_envvar=True,
    help="Callback secret. In the list of processes, others can see it: prefer the variable or a file.",
)
@click.option("--secret-file", metavar="FILE", help="File with the callback secret; - for standard input.")
@click.option(
    "--to", metavar="ADDRESS", help="Send to this address, still signed for URL: tests a receiver without its proxy."
)
@click.option("--send", is_flag=True, help="Send the request and print the response.")
@click.option("--json", "as_json", is_flag=True, help="Print the request as JSON.")
def sign(
    url: str,
    type_: str,
    id_: str | None,
    status: str | None,
    fields: tuple[str, ...],
    method: Any,
    secret: str | None,
    secret_file: str | None,
    to: str | None,
    send: bool,
    as_json: bool,
) -> None:
    """Create a signed request to test a receiver.

    URL is the address that DIDWW would call. Prints a curl command by default.
    """
    import msgspec

    from didww.callback.callback_request import sign_callback
    from didww.callback.signature import parts_of
    from didww.cli.secret_files import read_secret

    if secret_file is not None:
        secret = read_secret(secret_file, "--secret-file")
    if not secret:
        raise click.ClickException(
            f"The callback secret is missing. Set {_SECRET}, or pass --secret-file. The secret of `didww emulator` is "
            "emulator-callback-secret."
        )
    for name, address in (("URL", url), ("--to", to)):
        parts = None if address is None else parts_of(address)
        if address is not None and (parts is None or not (parts["rest"] or "").startswith("/")):
            raise click.ClickException(f"{name} must be an http URL with a path (at least /), got {address!r:.200}.")
    if to is not None and "?" in to:
        raise click.ClickException("--to must be an address without a query; the signed query of URL is used.")
    if type_ not in _DEFAULTS:
        click.echo(f"Warning: DIDWW sends no callbacks of type {type_}. Known types: {', '.join(_DEFAULTS)}.", err=True)
    payload: dict[str, Any] = {"id": id_ or str(uuid.uuid4()), "type": type_}
    payload |= {"status": status} if status else {}
    for field in fields:
        name, equals, value = field.partition("=")
        if not name or not equals:
            raise click.ClickException(f"--field must be NAME=VALUE, got {field!r}.")
        # The only field that is not a string: in callbacks of trunks, which are sent as JSON.
        payload[name] = value == "true" if name == "threshold_reached" and value in ("true", "false") else value
    for name, default in _DEFAULTS.get(type_, {}).items():
        payload.setdefault(name, default(payload))
    try:
        request = sign_callback(url, payload, secret=secret, method=method)
    except DidwwClientError as error:
        raise click.ClickException(str(error)) from None
    if to is not None:
        _, mark, query = request.url.partition("?")
        request = msgspec.structs.replace(request, url=f"{to}{mark}{query}")
    if as_json:
        click.echo(msgspec.json.encode(request).decode())
    elif not send:
        curl = ["curl.exe" if on_windows() else "curl", "-i"] + [
            part for name, value in request.headers.items() for part in ("-H", f"{name}: {value}")
        ]
        if request.method == "POST":
            curl += ["--data-raw", request.body]
        click.echo(command_line(*curl, request.url))
    if send:
        _send(request)


def _send(request: Any) -> None:
    import httpx2

    try:
        response = httpx2.request(
            request.method, request.url, headers=request.headers, content=request.body, timeout=60, trust_env=False
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise click.ClickException(f"No response from {request.url.partition('?')[0]}: {error}") from None
    click.echo(f"{response.status_code} {printable(response.text[:500])}".rstrip())
    if not response.is_success:
        sys.exit(1)
