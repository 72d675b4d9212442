"""Call records from CDR streaming: which attribute of the stream becomes which column.

DIDWW documents the stream and the exports separately, and not which of their values are the same. What is not confirmed
is marked in `MAPPINGS`, which is also the table of docs/how-to/stream-call-records.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from didww.callback.call_events import InboundCdr, OutboundCdr
from didww.cdr.schema import MONEY
from didww.enums import CallStatus, DisconnectInitiator
from didww.exceptions import InvalidValueError
from didww.resources.call import InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.resources.call import CallRecord

__all__ = ["MAPPINGS", "Mapped", "record_of"]


class Mapped(NamedTuple):
    """How an attribute of a record is filled from the stream.

    Attributes:
        attribute: Name of the attribute of the record.
        sources: Attributes of the stream: the first that is sent and not empty.
        confirmed: Whether DIDWW's documentation describes both as the same value.
        note: What is special about it.
    """

    attribute: str
    sources: tuple[str, ...]
    confirmed: bool = True
    note: str = ""


_TIMES: Final = (
    Mapped("time_start", ("time_start",)),
    Mapped("time_connect", ("time_connect",)),
    Mapped("time_end", ("time_end",)),
    Mapped("status", ("success",), note="`true` is `Completed`, `false` is `Failed`"),
)

MAPPINGS: Final[Mapping[str, tuple[Mapped, ...]]] = {
    InboundCdr._type_name: (
        *_TIMES,
        Mapped("source", ("src_number",)),
        Mapped("source_name", ("src_name",)),
        Mapped("did_number", ("did_number",)),
        Mapped("duration", ("duration",)),
        Mapped("attempt", ("routing_attempt",)),
        Mapped("disconnect_code", ("internal_disconnect_code", "legb_disconnect_code"), confirmed=False),
        Mapped("disconnect_reason", ("internal_disconnect_reason", "legb_disconnect_reason"), confirmed=False),
        Mapped(
            "disconnect_initiator",
            ("disconnect_initiator",),
            confirmed=False,
            note="3 is `Origination`; 1 is `System`, as DIDWW's example suggests; other numbers are left empty",
        ),
        Mapped(
            "trunk",
            ("trunk_destination",),
            confirmed=False,
            note="the stream has no name of the trunk; its destination stands for it",
        ),
        Mapped("destination", ("trunk_destination", "dst_number")),
        Mapped("toll_free", ("tf_amount",), confirmed=False),
        Mapped("pstn", ("trm_amount",), confirmed=False),
        Mapped("metered", ("metered_channels_amount",), confirmed=False),
        Mapped(
            "cost",
            ("tf_amount", "trm_amount", "metered_channels_amount"),
            confirmed=False,
            note="their sum; the stream has no charge for the caller's name",
        ),
        Mapped(
            "call_id",
            ("call_id", "local_tag", "id"),
            confirmed=False,
            note="`id` also if there is no `routing_attempt`, which would tell attempts apart",
        ),
    ),
    OutboundCdr._type_name: (
        *_TIMES,
        Mapped("source", ("original_src_number",)),
        Mapped("cli", ("src_number",)),
        Mapped("destination", ("dst_number",)),
        Mapped("duration", ("duration",)),
        Mapped("billing_duration", ("billing_duration",)),
        Mapped("disconnect_code", ("disconnect_code",)),
        Mapped("disconnect_reason", ("disconnect_reason",)),
        Mapped("trunk", ("trunk_name",)),
        Mapped("call_type", ("call_type",), note="`INTERNATIONAL` is `International`, as in exports"),
        Mapped("rate", ("rate",)),
        Mapped("cost", ("price",)),
        Mapped("p_charge_info", ("p_charge_info",)),
        Mapped("call_id", ("call_id", "id"), confirmed=False, note="the SIP Call-ID"),
    ),
}
"""By type of the streamed record."""

_SAFE: Final = 2**31
"""Bound of the integers of a dataset."""

_CLASSES: Final[Mapping[str, type[CallRecord]]] = {
    InboundCdr._type_name: InboundCall,
    OutboundCdr._type_name: OutboundCall,
}
_INITIATORS: Final = {"1": DisconnectInitiator.SYSTEM, "3": DisconnectInitiator.ORIGINATION}
_CALL_TYPES: Final = {name.upper(): name for name in ("International", "Origin based", "Local")}
_DIGITS, _PLACES = MONEY
_NANO: Final = Decimal(1).scaleb(-_PLACES)
_ENVELOPE: Final = frozenset({"type"})


def record_of(fields: Mapping[str, Any]) -> CallRecord:
    """Return the call record of a streamed record.

    Args:
        fields: Its fields as received: the result of `to_dict()`.

    Raises:
        InvalidValueError: It is not a CDR, has no start, or a value has the wrong type. `field` is its name.

    Example:
        >>> call = record_of({"type": "outbound-cdr", "time_start": "2026-11-19T08:30:00+00:00", "price": 0.012})
        >>> call.cost
        Decimal('0.012')
    """
    kind = fields.get("type")
    if kind not in _CLASSES:
        raise InvalidValueError(f"type must be {' or '.join(_CLASSES)}, got {kind!r:.80}.", field="type")
    values: dict[str, Any] = {}
    used: set[str] = set()
    for mapped, convert in _conversions(kind):
        for source in mapped.sources:
            value = fields.get(source)
            if value is not None and value != "":
                values[mapped.attribute] = convert(value, source)
                used.add(source)
                break
    if "time_start" not in values:
        raise InvalidValueError("time_start is missing: a call record must have a start.", field="time_start")
    if kind == InboundCdr._type_name:
        charges = (values.get(name) for name in ("toll_free", "pstn", "metered"))
        values["cost"] = _money(sum((charge for charge in charges if charge is not None), Decimal(0)), "cost")
        initiator = values.get("disconnect_initiator")
        if initiator is None:
            used.discard("disconnect_initiator")
        if values.get("attempt") is None and fields.get("id"):
            values["call_id"] = _text(fields["id"], "id")
            used -= {"call_id", "local_tag"}
    values["extra"] = {
        str(name): _shown(value)
        for name, value in fields.items()
        if name not in used and name not in _ENVELOPE and value is not None and value != ""
    }
    return _CLASSES[cast("str", kind)](**values)


@cache
def _conversions(kind: str) -> tuple[tuple[Mapped, Callable[[Any, str], Any]], ...]:
    """Return the mappings of a type, each with the function that converts its values."""
    types = {declared.attribute: declared.type for declared in columns_of(_CLASSES[kind])}
    special: dict[str, Callable[[Any, str], Any]] = {"call_type": _call_type}
    return tuple(
        (mapped, special.get(mapped.attribute, _BY_TYPE[types[mapped.attribute]])) for mapped in MAPPINGS[kind]
    )


def _wrong(name: str, expected: str, value: object) -> InvalidValueError:
    return InvalidValueError(f"{name} must be {expected}, got {value!r:.80}.", field=name)


def _time(value: Any, name: str) -> datetime:
    expected = "a date and time (ISO 8601) in the years 1 to 9999"
    if not isinstance(value, str):
        raise _wrong(name, expected, value)
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(name, expected, value) from None


def _integer(value: Any, name: str) -> int:
    number = _number(value, name, "a whole number of at most 31 bits")
    if number.adjusted() > _DIGITS or number != number.to_integral_value() or not -_SAFE <= number < _SAFE:
        raise _wrong(name, "a whole number of at most 31 bits", value)
    return int(number)


def _money(value: Any, name: str) -> Decimal:
    """Return an amount. The service sends JSON numbers; digits after the ninth decimal place are rounded away."""
    number = _number(value, name, "a number")
    exponent = number.as_tuple().exponent
    if number.adjusted() < _DIGITS - _PLACES and isinstance(exponent, int) and exponent < -_PLACES:
        with localcontext() as context:
            context.prec = 2 * _DIGITS
            number = number.quantize(_NANO, ROUND_HALF_EVEN)
    if number.adjusted() >= _DIGITS - _PLACES:
        raise _wrong(name, f"a number below 10^{_DIGITS - _PLACES}", value)
    return number


def _number(value: Any, name: str, expected: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise _wrong(name, expected, value)
    try:
        number = Decimal(str(value))  # str of a float has the digits that were sent
    except (InvalidOperation, ValueError):
        raise _wrong(name, expected, value) from None
    if not number.is_finite():
        raise _wrong(name, expected, value)
    return number or Decimal(0)  # a zero may have a huge exponent


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _wrong(name, "text or a number", value)
    return str(value)


def _status(value: Any, name: str) -> CallStatus:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return CallStatus.COMPLETED if value else CallStatus.FAILED


def _initiator(value: Any, name: str) -> DisconnectInitiator | None:
    return _INITIATORS.get(_text(value, name))


def _call_type(value: Any, name: str) -> str:
    text = _text(value, name)
    return _CALL_TYPES.get(text.upper().replace("_", " "), text)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


_BY_TYPE: Final[Mapping[type, Callable[[Any, str], Any]]] = {
    datetime: _time,
    int: _integer,
    Decimal: _money,
    str: _text,
    CallStatus: _status,
    DisconnectInitiator: _initiator,
}
