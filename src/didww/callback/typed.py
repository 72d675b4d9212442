"""Typed classes for callbacks, one per type. Unknown types and fields are kept.

Source: DIDWW's documentation of callbacks, https://doc.didww.com.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import msgspec

from didww._schema.fields import attribute
from didww._schema.record import Record, set_attributes, set_state
from didww.callback.signature import text_of
from didww.enums import (
    AddressVerificationStatus,
    EmergencyVerificationStatus,
    ExportStatus,
    OrderStatus,
    VoiceOutTrunkStatus,
)
from didww.exceptions import InvalidValueError, ReadOnlyFieldError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AddressVerificationCallback",
    "Callback",
    "EmergencyVerificationCallback",
    "Event",
    "ExportCallback",
    "OrderCallback",
    "UnknownCallback",
    "VoiceOutTrunkCallback",
    "callback_of",
]


class Event(Record):
    """A notification from DIDWW: read-only declared fields, plus undeclared fields as raw values.

    Events are equal if they have the same class and content.

    Class keywords:

    Args:
        type: Value of the `type` field.
        required: Fields that every event must have.
    """

    _type_name: ClassVar[str] = ""
    _required_fields: ClassVar[tuple[str, ...]] = ()

    type: str = attribute("Type of the event, e.g. `orders`.")

    def __init_subclass__(cls, *, type: str = "", required: tuple[str, ...] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._type_name = type or cls._type_name
        cls._required_fields = required or cls._required_fields

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        event = cls.__new__(cls)
        set_attributes(event, raw)
        set_state(event, None)
        return event

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Create an event from the output of `to_dict()`, with the same checks as for a received event.

        Called on a base class, it returns an event of the class for `data["type"]`. Called on any other class, `type`
        may be omitted.

        Raises:
            InvalidValueError: `data` is not an event of this class.
        """
        method = f"{cls.__name__}.from_dict"
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"{method} must get a dict as returned by to_dict(), got {type(data).__name__}.", field="data"
            )
        fields = {str(name): copy.deepcopy(value) for name, value in data.items()}
        if cls._type_name:
            fields.setdefault("type", cls._type_name)
        try:
            event = cls._rebuilt(fields)
        except ValueError as error:
            raise InvalidValueError(f"{method} cannot read this event: {error}.", field="data") from None
        if not isinstance(event, cls):
            raise InvalidValueError(
                f"{method} must get an event of its own type, got {event.type!r:.80}. "
                f"Use {type(event).__name__}.from_dict.",
                field="type",
            )
        return event

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> Event:
        """Create an event from the fields of `to_dict()`.

        Raises:
            ValueError: The fields are not those of an event.
        """
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Unique key of the event. Two deliveries of the same event have the same key."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of all fields as received, including unknown ones."""
        return copy.deepcopy(self._attributes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return type(self) is type(other) and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash((type(self), str(self._attributes.get("id"))))


class Callback(Event):
    """Base class of the API's callbacks.

    A handler for this class gets every callback whose own class has no handler.
    """

    __slots__ = ("_key",)

    collected: ClassVar[bool] = False
    """Whether one request may contain several in an array, each with all required fields."""

    if TYPE_CHECKING:
        _key: str = attribute("")

    def __init__(self, **_: Any) -> None:
        name = type(self).__name__
        raise ReadOnlyFieldError(
            f"{name} cannot be created directly. Get it from CallbackVerifier.verify, or use "
            f"{name}.from_dict({{...}}).",
            field=name,
        )

    def __init_subclass__(cls, *, collected: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.collected = collected

    @property
    def key(self) -> str:
        """Unique key of the callback. Two deliveries of the same callback have the same key.

        An attacker who has seen a callback can split the signed text into other fields, or even other objects, without
        breaking the signature. So the key is a digest of the whole signed text. For outbound trunks, whose callbacks
        may be batched in one array, it is a digest of the event's own fields, all of which are required.

        `to_dict()` includes neither the URL nor this key, so an event from `from_dict()` has a digest of its fields
        instead: store the key with them. Copies and pickles keep the key.
        """
        return self._key

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> Callback:
        return callback_of(fields, msgspec.json.encode(fields, order="deterministic"))

    @classmethod
    def _signed(cls, fields: dict[str, Any], signed: bytes) -> Self:
        callback = cls._of(fields)
        if cls.collected:
            signed = "\n".join(
                (cls._type_name, *(text_of(fields[name]) or "" for name in cls._required_fields))
            ).encode()
        _set_key(callback, hashlib.sha256(signed).hexdigest())
        return callback

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "key": self._key}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        _set_key(self, state["key"])


_set_key = Callback.__dict__["_key"].__set__


class OrderCallback(Callback, type="orders", required=("id", "status")):
    """An order was completed or canceled.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("ID of the order.")
    status: OrderStatus = attribute("`completed` or `canceled`.")


class ExportCallback(Callback, type="exports", required=("id", "status")):
    """An export was completed.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("ID of the export.")
    status: ExportStatus = attribute("`completed`.")
    url: str | None = attribute(
        "URL of the .csv.gz file; None for exports created by an older API version. Pass it only to "
        "`download_export`, which sends the API key only to DIDWW's hosts."
    )


class _Verification(Callback):
    """Fields of both kinds of verification callbacks."""

    reject_comment: str | None = attribute("Reviewer's comment; may be empty, None if not sent.")

    @property
    def reject_reason(self) -> str | None:
        """Rejection reasons as one string, from `reject_reason` or `reject_reasons`; None if not rejected.

        Address verifications join several reasons with a comma and a space, emergency verifications with a semicolon
        and a space.
        """
        raw = self._attributes.get("reject_reason") or self._attributes.get("reject_reasons")
        return raw or None

    @property
    def reject_reasons(self) -> str | None:
        """Alias of `reject_reason`."""
        return self.reject_reason


class AddressVerificationCallback(_Verification, type="address_verifications", required=("id", "status")):
    """An address verification was approved or rejected.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("ID of the address verification.")
    status: AddressVerificationStatus = attribute("`approved` or `rejected`.")


class EmergencyVerificationCallback(_Verification, type="emergency_verifications", required=("id", "status")):
    """An emergency verification was approved or rejected.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("ID of the emergency verification.")
    status: EmergencyVerificationStatus = attribute("`approved` or `rejected`.")
    emergency_calling_service_id: str | None = attribute("ID of the emergency calling service.")


class VoiceOutTrunkCallback(
    Callback,
    type="voice_out_trunks",
    required=("id", "status", "threshold_reached", "created_at"),
    collected=True,
):
    """An outbound trunk was blocked or unblocked, by its 24-hour threshold or manually.

    Events that could not be delivered immediately are batched in one request.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("ID of the trunk.")
    status: VoiceOutTrunkStatus = attribute("`active` or `blocked`.")
    threshold_reached: bool = attribute("Whether the trunk was blocked by its `threshold_amount`.")
    created_at: datetime = attribute("Time of the event.")


class UnknownCallback(Callback):
    """A callback of an unknown type. Its fields are raw values."""

    id: str | None = attribute("ID of the record; None if not sent.")
    status: str | None = attribute("Status of the record; None if not sent.")


_CLASSES: Final[Mapping[str, type[Callback]]] = {
    cls._type_name: cls
    for cls in (
        OrderCallback,
        ExportCallback,
        AddressVerificationCallback,
        EmergencyVerificationCallback,
        VoiceOutTrunkCallback,
    )
}


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _datetime(text: str) -> str:
    datetime.fromisoformat(text)
    return text


# The signature covers text: 7 and "7", true and "true", null and "" sign the same. So each declared field is parsed
# from its text, whatever its JSON type. By field type: the parser, and the expected format for the error message.
_FROM_TEXT: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "boolean": (_boolean, "true or false"),
    "datetime": (_datetime, "a date and time (ISO 8601)"),
}


def callback_of(fields: dict[str, Any], signed: bytes, *, alone: bool = True) -> Callback:
    """Create a callback from `fields` and check its declared fields.

    Args:
        fields: The fields: strings, numbers, booleans or None.
        signed: The signed text: the URL, and all fields of the request.
        alone: Whether it is the only callback of its request.

    Raises:
        ValueError: A required field is missing, or a field has the wrong type.
    """
    type = fields.get("type")
    if not isinstance(type, str) or not type:
        raise ValueError("type is missing")
    cls = _CLASSES.get(type, UnknownCallback)
    if not alone and not cls.collected:
        raise ValueError(f"an array with several callbacks contains one of type {type:.80}")
    for name, field in cls._field_map.items():
        text = text_of(fields.get(name))
        if text is None:
            raise ValueError(f"{name} must be a string, number, boolean or null")
        if not text:
            if name in cls._required_fields:
                raise ValueError(f"{name} is missing; {type} callbacks require {', '.join(cls._required_fields)}")
            if fields.get(name) is not None and field.kind.name in _FROM_TEXT:
                fields[name] = None
            continue
        parse, expected = _FROM_TEXT.get(field.kind.name, (str, ""))
        try:
            fields[name] = parse(text)
        except ValueError:
            raise ValueError(f"{name} must be {expected}, got {text!r:.80}") from None
    return cls._signed(fields, signed)
