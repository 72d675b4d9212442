"""Exports: call detail records (CDRs) as a file, made in the background."""

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

# What may narrow an export down, by its type (CDR export sheet, section 2). Year, month and day are in responses only,
# of exports that were made under earlier versions of the API.
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
_SENT_AS_IT_IS: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
"""The forms of a moment that the service is known to take; others are written anew."""

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
):
    """A CDR export: ask again until `status` is completed, or give a `callback_url`, then download `url`.

    DIDWW removes it a month after completion.
    """

    export_type: ExportType = writable("Which calls: incoming or outgoing.", on="create", required=True)
    status: ExportStatus = attribute("Pending, processing, then completed: the file can be downloaded.", sort=True)
    url: str | None = attribute("Where the file, gzip-compressed CSV, is downloaded; None until it is completed.")
    filters: CdrInFilters | CdrOutFilters = writable(
        "Which records: `from` (inclusive) and `to` (exclusive), datetimes with a time zone or text such as "
        "`2026-03-01 00:00:00` in UTC, neither in the future and both within this month or the two before it; "
        "`did_number` for incoming calls and `voice_out_trunk.id` for outgoing ones narrow it down.",
        on="create",
        required=True,
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL that is called when the export completes; None for no call.", on="create", form=WEB_ADDRESS
    )
    callback_method: CallbackMethod | None = writable(
        "How it is called, set together with the URL; None if it is not.", on="create"
    )
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime | None = attribute("When it was asked for; None if the service does not say.", sort=True)

    is_pending = status_is(ExportStatus.PENDING)
    is_processing = status_is(ExportStatus.PROCESSING)
    is_completed = status_is(ExportStatus.COMPLETED)

    def _to_send(self) -> dict[str, Any]:
        changed = super()._to_send()
        if "filters" in changed:
            _check_filters(changed["filters"], changed.get("export_type"))
        return changed


def _moment(value: object) -> datetime | None:
    """The moment that a text names by date and time; None for everything else, a date alone included."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and len(value) > len("2026-03-01") else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _check_filters(filters: dict[str, Any], export_type: str | None) -> None:
    """Refuse filters that the contract does not have for a known type, and a period that holds nothing.

    Moments in other forms than the service is known to take are written in that form.
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
    moments: list[datetime] = []
    for name in _PERIOD:
        value, where = filters.get(name), f"Export.filters[{name!r}]"
        if value is None:
            raise InvalidValueError(f"{where} is needed: a datetime with a time zone.", field=where)
        moment = _moment(value)
        if moment is None:
            raise InvalidValueError(
                f"{where} must be a datetime with a time zone, or text in UTC such as '2026-03-01 00:00:00', "
                f"got {value!r:.60}.",
                field=where,
            )
        moments.append(moment)
        if not _SENT_AS_IT_IS.fullmatch(value):
            filters[name] = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if moments[0] >= moments[1]:
        raise InvalidValueError(
            f"Export.filters['from'] must be before 'to', which is not included; {filters['from']} is not before "
            f"{filters['to']}.",
            field="Export.filters['from']",
        )
