"""Exports of call and message records, prepared in the background and served as files.

The service's error texts for `to` are not known; they follow those for `from`.
"""

from __future__ import annotations

import heapq
import itertools
import re
import zlib
from datetime import UTC, datetime
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from didww._core.effects import Response
from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.date_math import add_month
from didww.emulator.behaviors.message_exports import get_message_lines, get_message_sources, ids_in
from didww.emulator.controls.messages import get_messages_per_day, get_placed_messages
from didww.emulator.controls.outages import get_outages
from didww.emulator.controls.stored_calls import get_calls_per_day, get_placed_calls
from didww.emulator.data.cdr import (
    ALWAYS_METERED,
    CDR_IN_COLUMNS,
    CDR_OUT_COLUMNS,
    SOURCES_SINCE,
    Attempt,
    Line,
    OutLine,
    cdr_in,
    cdr_out,
    csv_line,
    with_split_source,
)
from didww.emulator.data.export_file import ExportFile
from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS, MessageLine, MessageSource, sms_in, sms_out
from didww.emulator.data.row_filters import matching
from didww.emulator.engine import queries
from didww.emulator.engine.errors import HttpError
from didww.enums import ExportType
from didww.resources.export import FILTER_KEYS, requested_filters
from didww.transport.inprocess import Streamed
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww._core.effects import Request
    from didww.emulator.data.outages import Outage
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record
    from didww.resources.export import FilterKey

__all__ = ["Exports", "get_lines", "get_out_lines"]

_SMALL: Final = 1 << 20
"""Maximum size of files generated before sending, so that their Content-Length is known."""
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?Z?", re.ASCII)
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ")
_NO_KIND: Final[dict[str, Any]] = {"country": None, "did_group_type": None, "is_metered": False}


class Exports(Behavior):
    """Exports: pending, processing, completed."""

    steps = ((0.2, "start"), (0.6, "complete"))
    outcomes = ("complete",)
    undecided = frozenset({"pending", "processing"})

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Validate the filters."""
        filters: dict[str, Any] = record["filters"]
        now = session.now()
        times: dict[str, datetime] = {}
        for name in ("from", "to"):
            moment = _parse_time(filters.get(name))
            if moment is None or moment > now:
                raise _filter_error(f"{name} not valid")
            # Months as integers, so that differences work across years.
            if not 0 <= _month(now) - _month(moment) <= 2:
                raise _filter_error(f"{name} must be within the current and 2 previous months")
            times[name] = moment
        if times["from"] >= times["to"]:
            raise _filter_error("from not valid")
        keys = FILTER_KEYS[record["export_type"]]
        known = requested_filters(record["export_type"], session.version)
        for name, value in filters.items():
            if name not in known or (name in keys and not _fits(keys[name], value)):
                raise _filter_error(f"{name} not valid")
        record["status"] = "pending"
        record["url"] = None
        record["private"] = {**record.get("private", {}), "version": session.version}

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Schedule the processing."""
        session.start_transitions("exports", {"id": record["id"], "base": session.base})

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Run the next step; an export and its file are deleted a month after completion."""
        export = session.get("exports", payload["id"])
        if export is None:
            return
        if name == "forget":
            session.delete("exports", payload["id"])
            queries.delete_export_file(session, payload["id"])
            return
        if name == "start":
            session.update("exports", payload["id"], {"status": "processing"})
            return
        # The file name is a separate UUID.
        base = payload.get("base", session.base)
        url = f"{base}/exports/{session.new_id()}.csv.gz"
        export = session.update("exports", payload["id"], {"status": "completed", "url": url})
        _contents(session, export)
        session.schedule(add_month(session.now()), "exports", "forget", {"id": payload["id"]})

    def serve(self, session: AccountSession, request: Request, rest: str) -> Response | Callable[[], Response] | None:
        """Return the file or a range of it; an unknown file gets 404 with an empty body, as in the service."""
        if not rest.endswith(".csv.gz") or request.method != "GET":
            return None
        for export in session.find("exports", status="completed"):
            if str(export["url"]).endswith(f"/exports/{rest}"):
                return partial(_file_response, _file(session, export), rest, request)
        return Response(404, {"content-type": "text/plain"}, b"")


def _file_response(found: tuple[ExportFile, str], name: str, request: Request) -> Response:
    """Return the file or the requested range (RFC 9110, section 14; single ranges only)."""
    file, tag = found
    request_headers = {key.lower(): value.strip() for key, value in request.headers.items()}
    headers = {
        "content-type": "application/octet-stream",
        "content-disposition": f'attachment; filename="{name}"',
        "accept-ranges": "bytes",
        "etag": tag,
    }
    byte_range = _RANGE.fullmatch(request_headers.get("range", ""))
    backwards = byte_range is not None and byte_range[1] and byte_range[2] and int(byte_range[1]) > int(byte_range[2])
    if (
        byte_range is None
        or backwards
        or byte_range[1] == byte_range[2] == ""
        or request_headers.get("if-range", tag) != tag
    ):
        size = file.size(_SMALL)
        if size is not None:
            return Response(200, headers, file.read(0, size))
        return Streamed(200, headers, b"", file.read)
    size = file.size() or 0
    first = int(byte_range[1]) if byte_range[1] else max(0, size - int(byte_range[2]))
    last = min(size - 1, int(byte_range[2])) if byte_range[1] and byte_range[2] else size - 1
    if first > last:
        return Response(416, {**headers, "content-range": f"bytes */{size}"}, b"")
    length = last + 1 - first
    headers |= {"content-range": f"bytes {first}-{last}/{size}", "content-length": str(length)}
    return Streamed(206, headers, b"", lambda at, most: file.read(first + at, min(most, length - at)))


class _Contents(msgspec.Struct, array_like=True):
    """The inputs of a file, which later changes of numbers do not affect."""

    kind: str
    start: datetime
    end: datetime
    lines: list[Any]
    placed: list[tuple[str, str]]
    a_day: float
    filters: dict[str, Any]
    version: str


class _Records(NamedTuple):
    """How the records of a type of export are generated."""

    columns: tuple[str, ...]
    generate: Callable[[Any, datetime, datetime, int, float], Iterable[tuple[str, str]]]
    line: type[Any]


_RECORDS: Final = {
    ExportType.CDR_IN: _Records(CDR_IN_COLUMNS, cdr_in, Line),
    ExportType.CDR_OUT: _Records(CDR_OUT_COLUMNS, cdr_out, OutLine),
    ExportType.SMS_IN: _Records(SMS_IN_COLUMNS, sms_in, MessageLine),
    ExportType.SMS_OUT: _Records(SMS_OUT_COLUMNS, sms_out, MessageSource),
}


def _contents(session: AccountSession, export: Record) -> bytes:
    """Return the encoded inputs of an export, as of its completion."""
    stored = queries.export_file(session, export["id"])
    if stored is not None:
        return stored
    filters = export["filters"]
    start, end = _parse_time(filters["from"]), _parse_time(filters["to"])
    assert start is not None  # noqa: S101 checked when it was created
    assert end is not None  # noqa: S101 the same
    kind = export["export_type"]
    lines: list[Any]
    if kind in (ExportType.SMS_IN, ExportType.SMS_OUT):
        inbound = kind == ExportType.SMS_IN
        lines = [*(get_message_lines if inbound else get_message_sources)(session, filters)]
        chosen = {"trunks": ids_in(filters, "sms_trunk.id"), "senders": ids_in(filters, "sender_id_verification.id")}
        placed = get_placed_messages(session, kind, start, end, **chosen)
        a_day = get_messages_per_day(session)
    else:
        inbound = kind == ExportType.CDR_IN
        lines = [*(get_lines(session, filters.get("did_number")) if inbound else get_out_lines(session, filters))]
        placed = get_placed_calls(session, kind, {line[0] for line in lines}, start, end)
        a_day = get_calls_per_day(session)
    kept = {**filters}
    if "source_country_iso" in kept:
        countries = session.find("countries", iso=kept["source_country_iso"].upper())
        kept["source_country_iso"] = [country["prefix"] for country in countries if country["prefix"]]
    version = export["private"].get("version", API_VERSION)
    contents = msgspec.json.encode(_Contents(kind, start, end, lines, placed, a_day, kept, version))
    packed = zlib.compress(contents, 1)
    queries.save_export_file(session, export["id"], packed)
    return packed


def _file(session: AccountSession, export: Record) -> tuple[ExportFile, str]:
    """Return the file of an export, and its ETag."""
    packed, seed = _contents(session, export), session.catalog.seed
    tag = f'"{md5(packed + str(seed).encode(), usedforsecurity=False).hexdigest()}"'

    def make() -> ExportFile:
        contents = msgspec.json.decode(zlib.decompress(packed), type=_Contents)
        columns, generate, kind = _RECORDS[ExportType(contents.kind)]
        lines: Any = msgspec.convert(contents.lines, list[kind])  # type: ignore[valid-type]
        made = heapq.merge(
            generate(lines, contents.start, contents.end, seed, contents.a_day),
            contents.placed,
            key=lambda record: record[0],
        )
        kept = matching((line for _, line in made), columns, contents.filters)
        file = itertools.chain([csv_line(columns)], kept)
        split = contents.kind == ExportType.CDR_IN and contents.version >= SOURCES_SINCE
        return ExportFile(with_split_source(file) if split else file)

    return session.runtime.export_cache.get(tag, make), tag


def get_out_lines(session: AccountSession, filters: dict[str, Any]) -> list[OutLine]:
    """Return the outbound trunks of an account, or a given one, with their source numbers."""
    trunk_id = filters.get("voice_out_trunk.id")
    trunks = session.find("voice_out_trunks", **({"id": trunk_id} if trunk_id is not None else {}))
    anyone = tuple(did["number"] for did in session.find("dids", limit=1000))
    outages = get_outages(session)
    lines: list[OutLine] = []
    for trunk in trunks:
        own = session.find("dids", id=session.related("voice_out_trunks", trunk["id"], "dids"))
        numbers = tuple(did["number"] for did in own)
        lines.append(OutLine(trunk["id"], trunk["name"], numbers or anyone, outages.get(trunk["id"])))
    return lines


def get_lines(session: AccountSession, number: str | None) -> list[Line]:
    """Return the numbers of an account, or a given one, with their routing and prices."""
    dids = session.find("dids") if number is None else session.find("dids", number=number)
    trunks = {trunk["id"]: trunk for trunk in session.find("voice_in_trunks")}
    members: dict[str, list[Record]] = {}
    # Lowest priority value first, then highest weight.
    for trunk in sorted(trunks.values(), key=lambda item: (item["priority"], -item["weight"])):
        members.setdefault(trunk["voice_in_trunk_group"], []).append(trunk)
    groups = {group["id"]: group["name"] for group in session.find("voice_in_trunk_groups")}
    shared = {group["id"]: group for group in session.find("shared_capacity_groups")}
    free = {type["id"] for type in session.find("did_group_types") if type["name"] == "Toll-free"}
    kinds = {group["id"]: group for group in session.find("did_groups", id={did["did_group"] for did in dids})}
    pools = {pool["id"]: pool for pool in session.find("capacity_pools")}
    serving = {country: pool for pool in pools for country in session.related("capacity_pools", pool, "countries")}
    outages = get_outages(session)
    lines: list[Line] = []
    for did in dids:
        group = did["voice_in_trunk_group"]
        sent = members.get(group, []) if group else [trunks[did["voice_in_trunk"]]] if did["voice_in_trunk"] else []
        sharing = shared.get(did["shared_capacity_group"])
        kind = kinds.get(did["did_group"], _NO_KIND)
        pool = (sharing or did)["capacity_pool"] or serving.get(kind["country"])
        lines.append(
            Line(
                did["number"],
                tuple(_attempt(trunk, did["number"], outages.get(trunk["id"])) for trunk in sent),
                groups.get(group, ""),
                "" if sharing is None else sharing["name"],
                round(float(pools[pool]["metered_rate"]) * 1000) if pool in pools else 0,
                kind["did_group_type"] in free,
                _metered_share(kind, sharing),
            )
        )
    return lines


def _metered_share(kind: Record, sharing: Record | None) -> int:
    """Return how many of 16 calls exceed the channels paid per month."""
    if kind["is_metered"]:
        return ALWAYS_METERED
    if sharing is not None:
        return 4 if sharing["metered_channels_count"] else 0
    return 1


def _attempt(trunk: Record, number: str, outage: Outage | None) -> Attempt:
    inside = trunk["configuration"]["attributes"]
    if trunk["configuration"]["type"] == "pstn_configurations":
        return Attempt(trunk["name"], inside["dst"] or "", forwarded=True, outage=outage)
    user = (inside.get("username") or "{DID}").replace("{DID}", number)
    destination = f"sip:{user}@{inside['host'] or 'sip.example.com'}"
    return Attempt(trunk["name"], destination, names=bool(inside.get("cnam_lookup")), outage=outage)


def _fits(key: FilterKey, value: Any) -> bool:
    """Return whether the value of a filter is valid. An id need not be one: it matches nothing."""
    if not key.target:
        return key.fits(value)
    listed = cast("list[Any]", value) if key.multiple and isinstance(value, list) else []
    return all(isinstance(item, str) and item for item in listed or [value])


def _filter_error(title: str) -> HttpError:
    return HttpError(422, title, f"filters - {title}", "/data/attributes/filters")


def _month(moment: datetime) -> int:
    return moment.year * 12 + moment.month


def _parse_time(value: object) -> datetime | None:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return None
    for form in _FORMATS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
