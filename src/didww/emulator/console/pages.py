"""The pages: each function returns a template and its values."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from didww._schema.registry import all_classes
from didww.emulator.console import accounts, calls, due, queries, reasons, records, rings, snippets
from didww.emulator.console.fault_text import describe, presets_in_force
from didww.emulator.console.formatting import pretty
from didww.emulator.console.masking import mask_parameter
from didww.emulator.controls.faults import PRESETS
from didww.emulator.engine.schema import table_of
from didww.emulator.http import control_api

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww._core.effects import Request
    from didww.emulator.console.cells import Cell
    from didww.emulator.controls.transitions import PendingRecord
    from didww.emulator.emulator import Emulator

__all__ = ["NAVIGATION", "VIEWS", "WITH_PARTS", "NoSuchPageError", "Pending"]

NAVIGATION: Final = (
    ("", "Overview"),
    ("journal", "Journal"),
    ("resources", "Resources"),
    ("pending", "Pending"),
    ("calls", "Calls"),
    ("sip", "SIP"),
    ("clock", "Clock"),
    ("faults", "Faults"),
    ("callbacks", "Callbacks"),
    ("state", "State"),
)
WITH_PARTS: Final = frozenset({"journal", "resources", "calls"})
"""The pages with further parts in their paths."""
_MAX_PENDING: Final = 100
_MAX_STREAMED: Final = 20
_COUNTED: Final = (
    ("dids", "Numbers"),
    ("voice_in_trunks", "Inbound trunks"),
    ("voice_in_trunk_groups", "Trunk groups"),
    ("voice_out_trunks", "Outbound trunks"),
    ("orders", "Orders"),
)
_HIDDEN_IN_PENDING: Final = ("status",)


class NoSuchPageError(Exception):
    """There is no such page or record."""


class Context(NamedTuple):
    """What a page is made from: the emulator, the request, the rest of the path, and the query."""

    emulator: Emulator
    request: Request
    rest: list[str]
    query: list[tuple[str, str]]


class Pending(NamedTuple):
    """A pending record, the name of its account, and what it is about."""

    record: PendingRecord
    account: str
    cells: list[Cell]


def _overview(context: Context) -> tuple[str, dict[str, Any]]:
    emulator = context.emulator
    with emulator.engine.locked() as runtime:
        counted = [(type, name, records.count_type(runtime, type)) for type, name in _COUNTED]
    errors = [entry for entry in emulator.journal.entries(limit=1000) if entry.status >= 400]
    deliveries = emulator.callbacks.deliveries()
    return "overview.html", {
        "accounts": accounts.list_accounts(emulator),
        "counted": counted,
        "pending": _pending_records(emulator, 5),
        "due_next": due.list_due(emulator, 6),
        "rules": [describe(rule) for rule in emulator.faults.rules()],
        "errors": reasons.rows_of(errors[:5]),
        "transition_rules": emulator.transitions.show(),
        "failing": [
            delivery
            for delivery in deliveries
            if delivery.state in ("failed", "refused") or (delivery.state == "waiting" and delivery.attempts)
        ][:5],
    }


def _journal(context: Context) -> tuple[str, dict[str, Any]]:
    emulator, rest = context.emulator, context.rest
    if not rest or rest == ["fragment"]:
        names = ("method", "path", "status")
        kept = [(name, value.strip()) for name, value in context.query if name in names and value.strip()]
        entries = control_api.call(emulator, "journal/entries", control_api.parse_parameters("journal/entries", kept))
        rows = reasons.rows_of(entries)
        return "entries.html" if rest else "journal.html", {
            "rows": rows,
            "several": len({row.account for row in rows}) > 1,
            "filter": dict(kept),
            "query": urlencode(kept),
        }
    if len(rest) > 1 or not (rest[0].isascii() and rest[0].isdigit()) or len(rest[0]) > 15:
        raise NoSuchPageError
    found = emulator.journal.entries(after=int(rest[0]) - 1, limit=1000)
    if not found or found[-1].id != int(rest[0]):
        raise NoSuchPageError
    entry = found[-1]
    split = urlsplit(context.request.url)
    base = f"{split.scheme}://{split.netloc}"
    return "entry.html", {
        "row": reasons.rows_of([entry])[0],
        "entry": entry,
        "next": found[-2].id if len(found) > 1 else None,
        "body": pretty(entry.body),
        "response": pretty(entry.response),
        "query": [(name, mask_parameter(value, name)) for name, value in entry.query],
        "curl": snippets.to_curl(entry, base),
        "python": snippets.to_python(entry, base),
    }


def _resources(context: Context) -> tuple[str, dict[str, Any]]:
    emulator, rest = context.emulator, context.rest
    if not rest:
        return "resources.html", {"types": records.list_types(emulator)}
    if len(rest) == 1:
        query = dict(context.query)
        number = query.get("page", "1")
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
            raise NoSuchPageError
        page = records.get_page(emulator, rest[0], int(number), query.get("q", "").strip())
        if page is None:
            raise NoSuchPageError
        return "records.html", {"page": page, "accounts": _labels(emulator)}
    record = records.get_record(emulator, rest[0], rest[1])
    if record is None:
        raise NoSuchPageError
    return "record.html", {
        "record": record,
        "pending": next((one for one in emulator.transitions.waiting() if one.id == record.id), None),
        "deliveries": emulator.callbacks.deliveries(record=record.id),
        "sends_callbacks": "callback_url" in record.attributes,
        "account": _labels(emulator).get(record.owner or 0, ""),
        "hash": _hash(emulator, record.owner),
    }


def _pending(context: Context) -> tuple[str, dict[str, Any]]:
    emulator = context.emulator
    with emulator.engine.locked() as runtime:
        outcomes = {type: list(one.outcomes) for type, one in runtime.behaviors.items() if one.outcomes}
    return "pending.html", {
        "pending": _pending_records(emulator, _MAX_PENDING),
        "transition_rules": emulator.transitions.show(),
        "outcomes": outcomes,
    }


def _calls(context: Context) -> tuple[str, dict[str, Any]]:
    emulator = context.emulator
    if context.rest:
        return _ring(emulator, *context.rest)
    today = emulator.clock.now().date()
    text = dict(context.query).get("day", "")
    try:
        day = date.fromisoformat(text) if text else today
    except ValueError:
        raise ValueError(f"day must be a date such as {today.isoformat()}, got {text[:40]!r}.") from None
    if not 1971 <= day.year <= 8998:
        raise NoSuchPageError
    return "calls.html", {
        "calls": calls.get_day(emulator, day),
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1) if day < today else None,
        "numbers": _choices(emulator, "dids", "number"),
        "trunks": _choices(emulator, "voice_out_trunks", "name"),
        "rings": rings.latest(emulator),
    }


def _ring(emulator: Emulator, id: str, part: str = "") -> tuple[str, dict[str, Any]]:
    report = rings.find_report(emulator, id)
    if report is None or part not in ("", "fragment"):
        raise NoSuchPageError
    return "ring_report.html" if part else "ring.html", {"report": report, "this_page": f"calls/{report.id}"}


def _sip(context: Context) -> tuple[str, dict[str, Any]]:
    sip = context.emulator.sip.show()
    with context.emulator.engine.locked() as runtime:
        trunks = queries.registering_trunks(runtime, _MAX_PENDING)
    return "sip.html", {"sip": sip, "trunks": trunks}


def _clock(context: Context) -> tuple[str, dict[str, Any]]:
    upcoming = due.list_due(context.emulator)
    return "clock.html", {"due_next": upcoming, "accounts": _labels(context.emulator)}


def _faults(context: Context) -> tuple[str, dict[str, Any]]:
    rules = context.emulator.faults.rules()
    return "faults.html", {
        "rules": [(rule, describe(rule)) for rule in rules],
        "presets": {name: [describe(rule) for rule in some] for name, some in PRESETS.items()},
        "in_force": presets_in_force(rules, PRESETS),
        "types": [cls._type_name for cls in all_classes() if cls._operations or cls._extra_operations],
    }


def _callbacks(context: Context) -> tuple[str, dict[str, Any]]:
    callbacks, call_events = context.emulator.callbacks, context.emulator.call_events
    return "callbacks.html", {
        "streams": call_events.show(),
        "streamed": call_events.deliveries()[:_MAX_STREAMED],
        "deliveries": callbacks.deliveries(),
        "signing": callbacks._signing,
        "hosts": sorted(callbacks._hosts),
    }


def _state(context: Context) -> tuple[str, dict[str, Any]]:
    emulator = context.emulator
    return "state.html", {"snapshots": emulator.state.snapshots(), "accounts": accounts.list_accounts(emulator)}


# Shared by several pages


def _pending_records(emulator: Emulator, limit: int) -> tuple[list[Pending], int]:
    """Return the first pending records, and the number of all."""
    waiting = emulator.transitions.waiting()
    pending: list[Pending] = []
    with emulator.engine.locked() as runtime:
        names = accounts.labels(runtime)
        for record in waiting[:limit]:
            owner, cells = records.get_summary(runtime, record.type, record.id)
            shown = [cell for cell in cells if cell.heading not in _HIDDEN_IN_PENDING]
            pending.append(Pending(record, names.get(owner or 0, "") if len(names) > 1 else "", shown))
    return pending, len(waiting)


def _labels(emulator: Emulator) -> dict[int, str]:
    with emulator.engine.locked() as runtime:
        return accounts.labels(runtime)


def _hash(emulator: Emulator, owner: int | None) -> str:
    """Return the beginning of the hash of an account's key; empty for a shared record."""
    views = accounts.list_accounts(emulator) if owner is not None else []
    return next((view.hash for view in views if view.owner == owner), "")


def _choices(emulator: Emulator, type: str, name: str) -> list[tuple[str, str]]:
    """Return id and name of the newest records of a type."""
    table = table_of(type)
    if table is None:
        return []
    with emulator.engine.locked() as runtime:
        rows = queries.rows(runtime, table, "", (), limit=200, offset=0)
    return [(row[0], str(row[table.place[name]])) for _, row in rows]


VIEWS: Final[Mapping[str, Callable[[Context], tuple[str, dict[str, Any]]]]] = {
    "": _overview,
    "journal": _journal,
    "resources": _resources,
    "pending": _pending,
    "calls": _calls,
    "sip": _sip,
    "clock": _clock,
    "faults": _faults,
    "callbacks": _callbacks,
    "state": _state,
}
