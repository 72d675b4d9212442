"""Exports are prepared in the background, and their file is served: call records of the account's own numbers.

Rules and texts: cdr-exports sheet, sections 1 to 3. The sheet leaves the texts for `to` open; they follow those for
`from`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from didww.calls.effects import Response
from didww.sandbox.behaviour import Behaviour
from didww.sandbox.cdr import CDR_IN_COLUMNS, CDR_OUT_COLUMNS, Line, cdr_in, packed_csv
from didww.sandbox.errors import Refused

if TYPE_CHECKING:
    from didww.calls.effects import Request
    from didww.sandbox.store import Record
    from didww.sandbox.world import World

__all__ = ["Exports"]

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ")
_NARROWING = {"cdr_in": "did_number", "cdr_out": "voice_out_trunk.id"}


class Exports(Behaviour):
    """Pending, processing, completed with a file."""

    steps = ((0.2, "start"), (0.6, "complete"))
    outcomes = ("complete",)
    undecided = frozenset({"pending", "processing"})

    def before_create(self, world: World, record: Record) -> None:
        """Check the filters."""
        filters: dict[str, Any] = record["filters"]
        now = world.now()
        moments: dict[str, datetime] = {}
        for name in ("from", "to"):
            moment = _moment(filters.get(name))
            if moment is None or moment > now:
                raise _refused(f"{name} not valid")
            # The month as a number, so that two before January is November.
            if not 0 <= _month(now) - _month(moment) <= 2:
                raise _refused(f"{name} must be within the current and 2 previous months")
            moments[name] = moment
        if moments["from"] >= moments["to"]:
            raise _refused("from not valid")
        allowed = {"from", "to", _NARROWING[record["export_type"]]}
        for name in filters:
            if name not in allowed:
                raise _refused(f"{name} not valid")
        record["status"] = "pending"
        record["url"] = None

    def after_create(self, world: World, record: Record) -> None:
        """Begin shortly after."""
        world.begin("exports", {"id": record["id"], "base": world.base})

    def due(self, world: World, name: str, payload: Any) -> None:
        """Go one step further."""
        if world.get("exports", payload["id"]) is None:
            return
        if name == "start":
            world.update("exports", payload["id"], {"status": "processing"})
            return
        # The file's name is a UUID of its own.
        base = payload.get("base", world.base)
        url = f"{base}/exports/{world.new_id()}.csv.gz"
        world.update("exports", payload["id"], {"status": "completed", "url": url})

    def serve(self, world: World, request: Request, rest: str) -> Response | None:
        """The file; an unknown one is answered with 404 and an empty body, as by the service."""
        if not rest.endswith(".csv.gz") or request.method != "GET":
            return None
        for export in world.find("exports", status="completed"):
            if str(export["url"]).endswith(f"/exports/{rest}"):
                headers = {
                    "content-type": "application/octet-stream",
                    "content-disposition": f'attachment; filename="{rest}"',
                }
                return Response(200, headers, _file(world, export))
        return Response(404, {"content-type": "text/plain"}, b"")


def _file(world: World, export: Record) -> bytes:
    if export["export_type"] == "cdr_out":
        # The sandbox places no outbound calls.
        return packed_csv(CDR_OUT_COLUMNS, ())
    filters = export["filters"]
    start, end = _moment(filters["from"]), _moment(filters["to"])
    assert start is not None  # noqa: S101 checked when it was created
    assert end is not None  # noqa: S101 the same
    number = filters.get("did_number")
    dids = world.find("dids", **({"number": number} if number is not None else {}))
    return packed_csv(CDR_IN_COLUMNS, cdr_in(_lines(world, dids), start, end, world.catalogue.seed))


def _lines(world: World, dids: list[Record]) -> list[Line]:
    trunks = {trunk["id"]: trunk for trunk in world.find("voice_in_trunks")}
    groups = {group["id"]: group for group in world.find("voice_in_trunk_groups")}
    lines: list[Line] = []
    for did in dids:
        group = groups.get(did["voice_in_trunk_group"])
        trunk = trunks.get(did["voice_in_trunk"])
        if group is not None:
            members = [one for one in trunks.values() if one["voice_in_trunk_group"] == group["id"]]
            trunk = min(members, key=lambda one: (one["priority"], -one["weight"]), default=None)
        name = group["name"] if group is not None else ""
        if trunk is None:
            lines.append(Line(did["number"], group=name))
            continue
        inside = trunk["configuration"]["attributes"]
        forwarded = trunk["configuration"]["type"] == "pstn_configurations"
        destination = inside["dst"] if forwarded else f"sip:{did['number']}@{inside['host'] or 'sip.example.com'}"
        lines.append(Line(did["number"], trunk["name"], destination or "", name, forwarded))
    return lines


def _refused(title: str) -> Refused:
    return Refused(422, title, f"filters - {title}", "/data/attributes/filters")


def _month(moment: datetime) -> int:
    return moment.year * 12 + moment.month


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
