"""The web console: pages below `/_emulator/console/` that show and control the emulator.

Each form calls an operation of `control_api` and then redirects to a page. Requires jinja2, in the extra `emulator`.
"""

from __future__ import annotations

import secrets
import sqlite3
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import msgspec

from didww._core.effects import Response
from didww.emulator.controls.faults import PRESETS
from didww.emulator.http import control_api
from didww.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment

    from didww._core.effects import Request
    from didww.emulator.emulator import Emulator

__all__ = ["PREFIX", "handle"]

PREFIX: Final = "/_emulator/console/"
_HTML: Final = "text/html; charset=utf-8"
_NO_JINJA: Final = b'The console requires jinja2: pip install "didww-sdk[emulator]"\n'

# The page of each group of forms.
_PAGES: Final[dict[str, str]] = {
    "journal": "",
    "transitions": "pending",
    "clock": "clock",
    "faults": "faults",
    "callbacks": "callbacks",
    "state": "state",
    "balance": "state",
    "stock": "state",
}
_NAVIGATION: Final = (
    ("", "Journal"),
    ("resources", "Resources"),
    ("pending", "Pending"),
    ("clock", "Clock"),
    ("faults", "Faults"),
    ("callbacks", "Callbacks"),
    ("state", "State"),
)
# The operations that forms can call, and their confirmation messages.
_CONFIRMATIONS: Final[dict[str, str]] = {
    "journal/clear": "Journal cleared.",
    "transitions/set": "Transition rule set for new records.",
    "transitions/reset": "Transition rule reset to default.",
    "transitions/approve": "Approved.",
    "transitions/reject": "Rejected.",
    "transitions/complete": "Completed. An order stays pending while its numbers are out of stock.",
    "transitions/cancel": "Canceled.",
    "clock/advance": "Clock advanced.",
    "clock/freeze": "Clock frozen.",
    "clock/run": "Clock running.",
    "faults/add": "Rule added.",
    "faults/preset": "Rules added.",
    "faults/remove": "Rule removed.",
    "faults/clear": "All rules removed.",
    "callbacks/replay": "Callback queued for replay.",
    "callbacks/sign": "Signature setting updated.",
    "callbacks/allow": "Allowed hosts updated.",
    "state/reset": "Emulator reset.",
    "state/snapshot": "Snapshot taken.",
    "state/restore": "Snapshot restored.",
    "balance/put": "Balance updated.",
    "stock/put": "Stock updated.",
}


class _NoSuchPageError(Exception):
    pass


def handle(emulator: Emulator, request: Request) -> Response:
    """Return the response to a request below `/_emulator/console/`."""
    try:
        _templates()
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe"):
            raise
        return Response(501, {"content-type": "text/plain"}, _NO_JINJA)
    split = urlsplit(request.url)
    place = split.path.removeprefix(PREFIX).rstrip("/")
    if request.method == "POST":
        return _submit(emulator, request, place)
    if request.method not in ("GET", "HEAD"):
        return Response(405, {"content-type": "text/plain", "allow": "GET, HEAD, POST"}, b"Use GET to read pages.\n")
    return _page(emulator, request, place, parse_qsl(split.query))


def _submit(emulator: Emulator, request: Request, place: str) -> Response:
    """Run the operation of a form and redirect to its page, or show the page with the error."""
    page = _PAGES.get(place.partition("/")[0])
    if page is None or place not in _CONFIRMATIONS:
        return _page(emulator, request, "no-such-form", [])
    body = request.body if isinstance(request.body, bytes) else b""
    # Empty fields are omitted; the field `hosts` can hold several.
    pairs = [
        (name, part)
        for name, value in parse_qsl(body.decode("utf-8", "replace"))
        for part in (value.split() if name == "hosts" else [value.strip()])
        if part
    ]
    try:
        control_api.call(emulator, place, control_api.parse_parameters(place, pairs))
    except (
        LookupError,
        ValueError,
        TimeoutError,
        sqlite3.OperationalError,
    ) as error:  # OperationalError: the disk is full
        return _page(emulator, request, page, [], alert=control_api.error_message(error))
    return Response(303, {"location": f"{PREFIX}{page}?{urlencode({'done': place})}"}, b"")


def _page(
    emulator: Emulator, request: Request, place: str, query: list[tuple[str, str]], *, alert: str = ""
) -> Response:
    first, *rest = place.split("/")
    nonce = secrets.token_urlsafe(16)
    parameters = dict(query)
    shared = {
        "root": PREFIX,
        "here": first if first in dict(_NAVIGATION) else "",
        "navigation": _NAVIGATION,
        "nonce": nonce,
        "version": __version__,
        "now": emulator.clock.state(),
        "counts": {"pending": len(emulator.transitions.waiting()), "faults": len(emulator.faults.rules())},
        "message": _CONFIRMATIONS.get(parameters.get("done", ""), ""),
        "alert": alert,
    }
    status = 422 if alert else 200
    try:
        make = _VIEWS.get(first) if len(rest) <= 2 else None
        if make is None:
            raise _NoSuchPageError  # noqa: TRY301
        template, values = make(emulator, request, [unquote(part) for part in rest], query)
    except _NoSuchPageError:
        template, values, status = "missing.html", {}, 404
    except (ValueError, LookupError) as error:
        template, values, status = "missing.html", {"reason": control_api.error_message(error)}, 422
    text = _templates().get_template(template).render({**shared, **values})
    return Response(status, _headers(nonce), text.encode("utf-8", "replace"))


def _headers(nonce: str) -> dict[str, str]:
    allowed = (
        "default-src 'none'",
        f"style-src 'nonce-{nonce}'",
        f"script-src 'nonce-{nonce}'",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "content-type": _HTML,
        "content-security-policy": "; ".join(allowed),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        # Not no-referrer: browsers would then send "Origin: null" with forms, which is cross-origin.
        "referrer-policy": "same-origin",
    }


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from didww.emulator.console.formatting import (
        format_json,
        format_time,
        highlight,
        mask_parameter,
        mask_text,
        quote_segment,
    )

    environment = Environment(
        loader=PackageLoader("didww.emulator.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        highlight=highlight,
        format_json=format_json,
        mask=mask_text,
        format_time=format_time,
        mask_parameter=mask_parameter,
        quote_segment=quote_segment,
    )
    return environment


# Views: each returns its template and values


def _journal(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:
    if not rest or rest == ["fragment"]:
        kept = [
            (name, value.strip()) for name, value in query if name in ("method", "path", "status") and value.strip()
        ]
        entries = control_api.call(emulator, "journal/entries", control_api.parse_parameters("journal/entries", kept))
        template = "entries.html" if rest else "journal.html"
        return template, {"entries": entries, "filter": dict(kept), "query": urlencode(kept), "here": ""}
    if len(rest) > 1 or not (rest[0].isascii() and rest[0].isdigit()) or len(rest[0]) > 15:
        raise _NoSuchPageError
    found = emulator.journal.entries(after=int(rest[0]) - 1, limit=1000)
    if not found or found[-1].id != int(rest[0]):
        raise _NoSuchPageError
    from didww.emulator.console import formatting

    entry = found[-1]
    split = urlsplit(request.url)
    base = f"{split.scheme}://{split.netloc}"
    return "entry.html", {
        "entry": entry,
        "next": found[-2].id if len(found) > 1 else None,
        "body": formatting.pretty(entry.body),
        "response": formatting.pretty(entry.response),
        "query": [(name, formatting.mask_parameter(value, name)) for name, value in entry.query],
        "curl": formatting.to_curl(entry, base),
        "python": formatting.to_python(entry, base),
        "here": "",
    }


def _resources(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    from didww.emulator.console import records

    if not rest:
        return "resources.html", {"types": records.list_types(emulator)}
    if len(rest) == 1:
        number = dict(query).get("page", "1")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
            raise _NoSuchPageError
        page = records.get_page(emulator, rest[0], int(number))
        if page is None:
            raise _NoSuchPageError
        return "records.html", {"page": page}
    record = records.get_record(emulator, rest[0], rest[1])
    if record is None:
        raise _NoSuchPageError
    return "record.html", {"record": record}


def _pending(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    with emulator.engine.locked() as runtime:
        outcomes = {type: list(one.outcomes) for type, one in runtime.behaviors.items() if one.outcomes}
    return "pending.html", {
        "waiting": emulator.transitions.waiting(),
        "transition_rules": emulator.transitions.show(),
        "outcomes": outcomes,
    }


def _clock(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    return "clock.html", {}


def _faults(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    from didww._schema.registry import all_classes

    def listed(fault: msgspec.Struct) -> dict[str, Any]:
        return {name: value for name, value in msgspec.to_builtins(fault).items() if name not in ("id", "hits")}

    return "faults.html", {
        "rules": [(rule, listed(rule)) for rule in emulator.faults.rules()],
        "presets": {name: [listed(rule) for rule in rules] for name, rules in PRESETS.items()},
        "types": [cls._type_name for cls in all_classes() if cls._operations or cls._extra_operations],
    }


def _callbacks(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    return "callbacks.html", {
        "deliveries": emulator.callbacks.deliveries(),
        "signing": emulator.callbacks._signing,
        "hosts": sorted(emulator.callbacks._hosts),
    }


def _state(emulator: Emulator, request: Request, rest: list[str], query: list[tuple[str, str]]) -> Any:  # noqa: ARG001
    return "state.html", {"snapshots": emulator.state.snapshots()}


_VIEWS: Final[Mapping[str, Callable[[Emulator, Request, list[str], list[tuple[str, str]]], Any]]] = {
    "": _journal,
    "journal": _journal,
    "resources": _resources,
    "pending": _pending,
    "clock": _clock,
    "faults": _faults,
    "callbacks": _callbacks,
    "state": _state,
}
