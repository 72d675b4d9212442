"""Exports: records of calls (CDRs) and of text messages as a file, generated in the background."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Literal,
    NamedTuple,
    Required,
    TypeAlias,
    TypedDict,
    cast,
    get_args,
)
from uuid import UUID

from didww._schema.fields import attribute, status_is, writable
from didww._schema.filter_rules import UUID_TEXT, Ids, OptionalText, Since, Texts, Until, way_to_id
from didww._schema.forms import DIGITS, WEB_ADDRESS, Form
from didww._schema.registry import class_named
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import Together
from didww._schema.versions import EVERY_VERSION, Versions, unsupported
from didww._util.suggest import did_you_mean
from didww.enums import CallbackMethod, ExportStatus, ExportType
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from didww.version import ApiVersion

MONTHS_BEFORE: Final = 2
"""Months before the current one of which the service has calls. Source: tests/contract/facts/exports.yaml."""
KEPT: Final = timedelta(days=28)
"""Age up to which an export certainly has its file."""

_Id: TypeAlias = str | UUID | Resource

# The filters of an export, by its type. Year, month and day are in responses only, of exports that were created under
# earlier versions of the API. Sources: tests/contract/facts/exports.yaml, tests/contract/facts_2026_11_19/exports.yaml.
CdrInFilters = TypedDict(
    "CdrInFilters",
    {
        "from": Required[datetime | str],
        "to": Required[datetime | str],
        "did_number": str,
        "source_number": str,
        "source_number_out": str,
        "source_country_iso": str,
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
        "voice_out_trunk.id": _Id,
        "source": str,
        "cli": str,
        "destination": str,
        "year": str,
        "month": str,
        "day": str,
    },
    total=False,
)
SmsInStatus: TypeAlias = Literal["Success", "Failed", "Queued"]
"""Status of an inbound text message in exports."""
SmsOutStatus: TypeAlias = Literal["Routing Error", "In Progress", "Queued", "Failed", "Success"]
"""Status of an outbound text message in exports."""
SmsInTrunkType: TypeAlias = Literal["SMPP SMSC", "SMPP ESME", "Email", "HTTP IN"]
"""Type of the SMS trunk of an inbound text message in exports."""
SmsInFilters = TypedDict(
    "SmsInFilters",
    {
        "from": Required[datetime | str],
        "to": Required[datetime | str],
        "source_address_eq": str,
        "source_address_cont": str,
        "destination_address_eq": str,
        "destination_address_cont": str,
        "status": SmsInStatus,
        "trunk_type": SmsInTrunkType | Sequence[SmsInTrunkType],
        "sms_trunk.id": _Id | Sequence[_Id],
        "sms_id": str,
    },
    total=False,
)
SmsOutFilters = TypedDict(
    "SmsOutFilters",
    {
        "from": Required[datetime | str],
        "to": Required[datetime | str],
        "source_address_eq": str,
        "source_address_cont": str,
        "destination_address_eq": str,
        "destination_address_cont": str,
        "status": SmsOutStatus,
        "sms_trunk.id": _Id | Sequence[_Id],
        "sms_id": str,
        "service_type": str,
        "sender_id_verification.id": _Id | Sequence[_Id],
    },
    total=False,
)


class FilterKey(NamedTuple):
    """A filter of an export, besides its period.

    Attributes:
        form: Format of the value.
        multiple: Whether a list of values is allowed.
        target: Class of the record whose id is the value; empty for other text.
        versions: The API versions that have the filter.
    """

    form: Form
    multiple: bool = False
    target: str = ""
    versions: Versions = EVERY_VERSION

    def fits(self, value: object) -> bool:
        """Return whether a raw value is valid."""
        listed = cast("list[object]", value) if self.multiple and isinstance(value, list) else []
        values = listed or [value]
        return all(isinstance(item, str) and self.form.fits(item) for item in values)


_EXAMPLE: Final = "8d1a3c5e-0000-4000-8000-000000000001"
_SINCE: Final = Versions(since="2026-11-19")
_TEXT: Final = Form(r"(?s).*\S.*", "text that is not empty")
_COUNTRY: Final = Form("[A-Za-z]{2}", "a country code of two letters, such as 'GB'")


def _choice(*values: str) -> Form:
    return Form("|".join(map(re.escape, values)), " or ".join(map(repr, values)))


def _id(target: str) -> Form:
    return Form(f"(?i:{UUID_TEXT.pattern})", f"a {target} or its id such as {_EXAMPLE}")


def _new(form: Form, *, multiple: bool = False) -> FilterKey:
    return FilterKey(form, multiple, versions=_SINCE)


def _ids(target: str) -> FilterKey:
    return FilterKey(_id(target), multiple=True, target=target, versions=_SINCE)


_PERIOD: Final = ("from", "to")
_ADDRESSES: Final = {f"{end}_address_{how}": _new(_TEXT) for end in ("source", "destination") for how in ("eq", "cont")}
FILTER_KEYS: Final[dict[str, dict[str, FilterKey]]] = {
    ExportType.CDR_IN: {
        "did_number": FilterKey(DIGITS),
        "source_number": _new(_TEXT),
        "source_number_out": _new(_TEXT),
        "source_country_iso": _new(_COUNTRY),
    },
    ExportType.CDR_OUT: {
        "voice_out_trunk.id": FilterKey(_id("VoiceOutTrunk"), target="VoiceOutTrunk"),
        "source": _new(_TEXT),
        "cli": _new(_TEXT),
        "destination": _new(_TEXT),
    },
    ExportType.SMS_IN: {
        **_ADDRESSES,
        "status": _new(_choice(*get_args(SmsInStatus))),
        "trunk_type": _new(_choice(*get_args(SmsInTrunkType)), multiple=True),
        "sms_trunk.id": _ids("SmsTrunk"),
        "sms_id": _new(_TEXT),
    },
    ExportType.SMS_OUT: {
        **_ADDRESSES,
        "status": _new(_choice(*get_args(SmsOutStatus))),
        "sms_trunk.id": _ids("SmsTrunk"),
        "sms_id": _new(_TEXT),
        "service_type": _new(Form("[aA]2[pP]|[pP]2[pP]", "'p2p' or 'a2p', in any case")),
        "sender_id_verification.id": _ids("SenderIdVerification"),
    },
}
"""The filters by type of export, besides the period."""

_ACCEPTED_DATETIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
"""The datetime formats that the service is known to accept; others are converted."""


def requested_filters(export_type: str, version: str | None = None) -> tuple[str, ...]:
    """Return the filters that a request for an export may contain; those of all versions by default."""
    keys = FILTER_KEYS[export_type].items()
    return (*_PERIOD, *(name for name, key in keys if version is None or key.versions.includes(version)))


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
        "of": ("filters.did_number", "filters.voice_out_trunk.id", "filters.sms_trunk.id"),
        "created": "created_at",
        "your reference": "external_reference_id",
    },
):
    """An export of call or message records as a file.

    Poll until `status` is `completed`, or set a `callback_url`, then download the file at `url`. DIDWW
    removes the export one month after completion.
    """

    export_type: ExportType = writable(
        "Type of the export: inbound (`cdr_in`) or outbound (`cdr_out`) call records, inbound (`sms_in`) or outbound "
        "(`sms_out`) messages.",
        on="create",
        required=True,
        filter=Annotated[Texts, _SINCE],
    )
    status: ExportStatus = attribute(
        "Status: `pending`, `processing`, then `completed` when the file can be downloaded.",
        filter=Annotated[Texts, _SINCE],
        sort=True,
    )
    url: str | None = attribute("Download URL of the gzip-compressed CSV file, or None until the export is completed.")
    filters: CdrInFilters | CdrOutFilters | SmsInFilters | SmsOutFilters = writable(
        "Period and filters: `from` (inclusive) and `to` (exclusive) are datetimes with a time zone or text such as "
        "`2026-03-01 00:00:00` in UTC, not in the future and within the current month or the two before it. "
        "Optional: `did_number` for inbound calls, `voice_out_trunk.id` for outbound calls, and since version "
        "2026-11-19 more of them (docs/how-to/export-call-records.md). Other filters are refused.",
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
    created_at: datetime | None = attribute(
        "Date and time of creation, or None if not in the response.",
        filter_gteq=Annotated[Since, _SINCE],
        filter_lteq=Annotated[Until, _SINCE],
        sort=True,
    )

    is_pending = status_is(ExportStatus.PENDING)
    is_processing = status_is(ExportStatus.PROCESSING)
    is_completed = status_is(ExportStatus.COMPLETED)

    def _to_send(self) -> dict[str, Any]:
        changed = super()._to_send()
        if "filters" in changed:
            _check_filters(changed["filters"], changed.get("export_type"))
        return changed

    def _check_version(self, version: ApiVersion, names: Iterable[str]) -> None:
        names = tuple(names)
        super()._check_version(version, names)
        keys = FILTER_KEYS.get(self.export_type or "", {}) if "filters" in names else {}
        for name in cast("Mapping[str, Any]", self.filters) if keys else ():
            if name in keys and not keys[name].versions.includes(version):
                where = f"Export.filters[{name!r}]"
                raise unsupported(f"{where} cannot be sent", keys[name].versions, version, where)


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
    keys = FILTER_KEYS.get(export_type or "")
    for name, value in filters.items() if keys is not None else ():
        if name not in _PERIOD and keys is not None:
            if name not in keys:
                known = (*_PERIOD, *keys)
                raise InvalidValueError(
                    f"Export.filters has no {name!r} for {export_type}.{did_you_mean(name, known)} "
                    f"It takes: {', '.join(known)}.",
                    field=f"Export.filters[{name!r}]",
                )
            _check_value(name, value, keys[name])
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


def _check_value(name: str, value: object, key: FilterKey) -> None:
    if key.fits(value):
        return
    where, way = f"Export.filters[{name!r}]", ""
    text = str(value) if isinstance(value, (str, int)) else ""
    if key.target:
        way = way_to_id(class_named(key.target), text[:80], found_first=True)
    elif meant := key.form.meant(text):
        way = f" Write {meant!r}."
    several = ", or a list of them" if key.multiple else ""
    raise InvalidValueError(f"{where} must be {key.form.words}{several}, got {value!r:.80}.{way}", field=where)
