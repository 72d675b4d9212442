"""Exports: call detail records (CDRs) as a file, generated in the background."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final, Required, TypedDict
from uuid import UUID

from didww._schema.fields import attribute, status_is, writable
from didww._schema.filter_rules import UUID_TEXT, Ids, OptionalText, way_to_id
from didww._schema.forms import DIGITS, WEB_ADDRESS
from didww._schema.registry import class_named
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import Together
from didww._util.suggest import did_you_mean
from didww.enums import CallbackMethod, ExportStatus, ExportType
from didww.exceptions import InvalidValueError

# The filters of an export, by its type. Year, month and day are in responses only, of exports that were created under
# earlier versions of the API. Source: tests/contract/facts/exports.yaml.
CdrInFilters = TypedDict(
    "CdrInFilters",
    {
        "from": Required[datetime | str],
        "to": Required[datetime | str],
        "did_number": str,
        "year": str,
        "month": str,
        "day": str,
    },
    total=False,
)
CdrOutFilters = TypedDict(
    "CdrOutFilters",
    {
        "from": Required[datetime | str],
        "to": Required[datetime | str],
        "voice_out_trunk.id": str | UUID | Resource,
        "year": str,
        "month": str,
        "day": str,
    },
    total=False,
)
_ACCEPTED_DATETIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
"""The datetime formats that the service is known to accept; others are converted."""

_EXAMPLE: Final = "8d1a3c5e-0000-4000-8000-000000000001"
_PERIOD: Final = ("from", "to")
REQUESTED_FILTERS: Final[dict[str, tuple[str, ...]]] = {
    ExportType.CDR_IN: (*_PERIOD, "did_number"),
    ExportType.CDR_OUT: (*_PERIOD, "voice_out_trunk.id"),
}


class Export(
    Resource,
    type="exports",
    rules=(Together(("callback_url", "callback_method")),),
    operations=("list", "find", "create", "update"),
    outcome=WaitSpec("status", success=("completed",), terminal=("completed",)),
    filters={"id": Ids},
    columns={
        "type": "export_type",
        "status": "status",
        "from": "filters.from",
        "to": "filters.to",
        "of": ("filters.did_number", "filters.voice_out_trunk.id"),
        "created": "created_at",
        "your reference": "external_reference_id",
    },
):
    """A CDR export. Poll until `status` is `completed`, or set a `callback_url`, then download the file at `url`.

    DIDWW removes the export one month after completion.
    """

    export_type: ExportType = writable(
        "Type of the export: inbound (`cdr_in`) or outbound (`cdr_out`) call records.", on="create", required=True
    )
    status: ExportStatus = attribute(
        "Status: `pending`, `processing`, then `completed` when the file can be downloaded.", sort=True
    )
    url: str | None = attribute("Download URL of the gzip-compressed CSV file, or None until the export is completed.")
    filters: CdrInFilters | CdrOutFilters = writable(
        "Period and filters: `from` (inclusive) and `to` (exclusive) are datetimes with a time zone or text such as "
        "`2026-03-01 00:00:00` in UTC, not in the future and within the current month or the two before it. "
        "Optional: `did_number` for inbound calls, `voice_out_trunk.id` for outbound calls.",
        on="create",
        required=True,
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL to notify when the export completes, or None for no callback.", on="create", form=WEB_ADDRESS
    )
    callback_method: CallbackMethod | None = writable(
        "HTTP method of the callback, or None without a callback. Set it together with `callback_url`.", on="create"
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime | None = attribute("Date and time of creation, or None if not in the response.", sort=True)

    is_pending = status_is(ExportStatus.PENDING)
    is_processing = status_is(ExportStatus.PROCESSING)
    is_completed = status_is(ExportStatus.COMPLETED)

    def _to_send(self) -> dict[str, Any]:
        changed = super()._to_send()
        if "filters" in changed:
            _check_filters(changed["filters"], changed.get("export_type"))
        return changed


def _parse_datetime(value: object) -> datetime | None:
    """Parse text with date and time; return None for everything else, including a date without a time."""
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) and len(value) > len("2026-03-01") else None
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed is not None and parsed.tzinfo is None else parsed


def _check_filters(filters: dict[str, Any], export_type: str | None) -> None:
    """Reject filters that a known export type does not have, and an empty period.

    Datetimes in other formats are converted to the format that the service is known to accept.
    """
    known = REQUESTED_FILTERS.get(export_type or "")
    for name in filters:
        if known is not None and name not in known:
            raise InvalidValueError(
                f"Export.filters has no {name!r} for {export_type}.{did_you_mean(name, known)} "
                f"It takes: {', '.join(known)}.",
                field=f"Export.filters[{name!r}]",
            )
    number = filters.get("did_number", "0")
    if not (isinstance(number, str) and DIGITS.fits(number)):
        meant = DIGITS.meant(str(number))
        raise InvalidValueError(
            f"Export.filters['did_number'] must be {DIGITS.words}, got {number!r:.60}."
            + (f" Write {meant!r}." if meant else ""),
            field="Export.filters['did_number']",
        )
    trunk, where = filters.get("voice_out_trunk.id", _EXAMPLE), "Export.filters['voice_out_trunk.id']"
    if not (isinstance(trunk, str) and UUID_TEXT.fullmatch(trunk)):
        way = way_to_id(class_named("VoiceOutTrunk"), trunk[:80], found_first=True) if isinstance(trunk, str) else ""
        raise InvalidValueError(
            f"{where} must be a VoiceOutTrunk or its id such as {_EXAMPLE}, got {trunk!r:.80}.{way}", field=where
        )
    bounds: list[datetime] = []
    for name in _PERIOD:
        value, where = filters.get(name), f"Export.filters[{name!r}]"
        if value is None:
            raise InvalidValueError(f"{where} must be a datetime with a time zone, got None.", field=where)
        bound = _parse_datetime(value)
        if bound is None:
            raise InvalidValueError(
                f"{where} must be a datetime with a time zone, or text in UTC such as '2026-03-01 00:00:00', "
                f"got {value!r:.60}.",
                field=where,
            )
        bounds.append(bound)
        if not _ACCEPTED_DATETIME.fullmatch(value):
            filters[name] = bound.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if bounds[0] >= bounds[1]:
        raise InvalidValueError(
            f"Export.filters['from'] must be before 'to', which is not included; {filters['from']} is not before "
            f"{filters['to']}.",
            field="Export.filters['from']",
        )
