"""`--dry-run`: reads and validations are sent; requests that would change something are printed instead."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

import click

from didww._schema.registry import class_of
from didww._util.masking import mask, mask_url
from didww.cli.objects import MASK
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww._core.effects import Opened, Request, Response
    from didww._schema.record import Record
    from didww.transport.base import Transport

__all__ = ["DryRunError", "DryRunTransport", "step"]


# POST requests that store nothing.
_CHECKS: Final = ("/address_requirement_validations", "/emergency_requirement_validations")


class DryRunError(DidwwClientError):
    """A request was printed instead of sent."""


@contextmanager
def step() -> Generator[None]:
    """Run one of several requests: in a dry run it is printed, and the next one follows."""
    with suppress(DryRunError):
        yield


class DryRunTransport:
    """A transport that sends reads only.

    Args:
        transport: Sends them.
        as_json: Whether to print one JSON object for each request.

    Attributes:
        token_url: URL of the token service: a read needs a token, too.
    """

    def __init__(self, transport: Transport, *, as_json: bool = False) -> None:
        self._transport = transport
        self._as_json = as_json
        self._lock = Lock()
        self.token_url = ""

    def send(self, request: Request, deadline: float) -> Response:
        """Send a read or a validation; print anything else and raise `DryRunError`."""
        harmless = request.url == self.token_url or request.url.endswith(_CHECKS)
        if request.method in ("GET", "HEAD") or (request.method == "POST" and harmless):
            return self._transport.send(request, deadline)
        with self._lock:
            _print(request, as_json=self._as_json)
        raise DryRunError("Not sent: this is a dry run.")

    def open(self, request: Request, deadline: float) -> Opened:
        """Open a read."""
        return self._transport.open(request, deadline)

    def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body."""
        return self._transport.read(opened)

    def release(self, opened: Opened) -> None:
        """Release the response."""
        self._transport.release(opened)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


def _print(request: Request, *, as_json: bool) -> None:
    """Print method, URL and body, with secrets masked."""
    url = mask_url(request.url)
    body: Any = None
    if isinstance(request.body, bytes) and request.body:
        body = mask(_masked(json.loads(request.body)))
    elif request.body is not None:
        body = f"({len(request.body)} bytes)"
    if as_json:
        click.echo(json.dumps({"method": request.method, "url": url, "body": body}, ensure_ascii=False))
        return
    click.echo(f"{request.method} {url}")
    if body is not None:
        click.echo(body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False))


def _masked(document: Any) -> Any:
    """Mask what the declarations of a document's records call secret, whatever its name, such as headers."""
    found = cast("dict[str, Any]", document).get("data") if isinstance(document, dict) else None
    for item in cast("list[Any]", found if isinstance(found, list) else [found]):
        record = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        cls, attributes = class_of(str(record.get("type"))), record.get("attributes")
        if cls is not None and isinstance(attributes, dict):
            _mask_fields(cls, cast("dict[str, Any]", attributes))
    return cast("Any", document)


def _mask_fields(cls: type[Record], values: dict[str, Any]) -> None:
    for name, value in values.items():
        field = cls._field_map.get(name)
        if field is None or value is None:
            continue
        if field.secret:
            values[name] = MASK
        elif field.kind.name == "object" and isinstance(value, dict):
            nested = cast("dict[str, Any]", value)
            known = (each for each in field.kind.detail if each._type_name == nested.get("type"))
            members: Any = nested.get("attributes", nested)
            if (inner := next(known, None)) is not None and isinstance(members, dict):
                _mask_fields(inner, cast("dict[str, Any]", members))
