"""Callbacks as Python objects, a class for each type; what DIDWW adds one day is kept beside it.

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
from didww.callback.request_validator import text_of
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
    """Something that DIDWW tells: declared fields, read only, and all others as they came.

    Equal to another of the same class with the same content.

    Class keywords:

    Args:
        type: Its `type` on the wire.
        required: Fields that each event has.
    """

    _type_name: ClassVar[str] = ""
    _required_fields: ClassVar[tuple[str, ...]] = ()

    type: str = attribute("What it tells of.")

    def __init_subclass__(cls, *, type: str = "", required: tuple[str, ...] = (), **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._type_name = type or cls._type_name
        cls._required_fields = required or cls._required_fields

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        set_attributes(made, raw)
        set_state(made, None)
        return made

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The event that `to_dict()` gave `data` of, after the same checks as when it came.

        A base class gives an event of the class that `data` is of; the others need no `type` in it.

        Raises:
            InvalidValueError: `data` is no such event.
        """
        where = f"{cls.__name__}.from_dict"
        if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"{where} takes a dict, as to_dict() gives it, not {type(data).__name__}.", field="data"
            )
        fields = {str(name): copy.deepcopy(value) for name, value in data.items()}
        if cls._type_name:
            fields.setdefault("type", cls._type_name)
        try:
            made = cls._rebuilt(fields)
        except ValueError as error:
            raise InvalidValueError(f"{where} takes what to_dict() gave: {error}.", field="data") from None
        if not isinstance(made, cls):
            other = type(made).__name__
            raise InvalidValueError(
                f"{where} takes its own type, not {made.type!r:.80}. Use {other}.from_dict.", field="type"
            )
        return made

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> Event:
        """The event that the fields of `to_dict()` are of.

        Raises:
            ValueError: They are of none.
        """
        raise NotImplementedError

    @property
    def key(self) -> str:
        """What tells it from every other event: the same again is the same event delivered again."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """All fields as they came, unknown ones included; the caller's own."""
        return copy.deepcopy(self._attributes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return type(self) is type(other) and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash((type(self), str(self._attributes.get("id"))))


class Callback(Event):
    """A callback of the API about a record: the base of all of them.

    Handlers of this class get every kind that has no handler of its own.
    """

    __slots__ = ("_key",)

    collected: ClassVar[bool] = False
    """Whether several may come in one array; each then has all required fields."""

    if TYPE_CHECKING:
        _key: str = attribute("")

    def __init__(self, **_: Any) -> None:
        name = type(self).__name__
        raise ReadOnlyFieldError(
            f"{name} is made of what DIDWW sent. Take it from CallbackVerifier.verify, or write "
            f"{name}.from_dict({{...}}).",
            field=name,
        )

    def __init_subclass__(cls, *, collected: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.collected = collected

    @property
    def key(self) -> str:
        """What tells it from every other callback: the same again is the same callback delivered again.

        Whoever has seen a callback can group the signed text into other fields, even other objects, without breaking
        the signature. So the key is a digest of the whole signed text; for events of outbound trunks, of which several
        may come in one array, it is a digest of the event's own members, all of which have to be there.

        `to_dict()` holds neither the address nor this key, so an event from `from_dict()` has a digest of its fields:
        keep the key beside them. A copy and a pickle have the same key.
        """
        return self._key

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> Callback:
        return callback_of(fields, msgspec.json.encode(fields, order="deterministic"))

    @classmethod
    def _signed(cls, fields: dict[str, Any], signed: bytes) -> Self:
        made = cls._of(fields)
        if cls.collected:
            signed = "\n".join(
                (cls._type_name, *(text_of(fields[name]) or "" for name in cls._required_fields))
            ).encode()
        _set_key(made, hashlib.sha256(signed).hexdigest())
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "key": self._key}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        _set_key(self, state["key"])


_set_key = Callback.__dict__["_key"].__set__


class OrderCallback(Callback, type="orders", required=("id", "status")):
    """An order is completed or canceled.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("Id of the order.")
    status: OrderStatus = attribute("`completed` or `canceled`.")


class ExportCallback(Callback, type="exports", required=("id", "status")):
    """An export is completed.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("Id of the export.")
    status: ExportStatus = attribute("`completed`.")
    url: str | None = attribute(
        "Address of the .csv.gz file; None for exports that an older API version made. Give it to `download_export` "
        "only, which keeps the API key to DIDWW's hosts."
    )


class _Verification(Callback):
    """What the callbacks of both kinds of verification share."""

    reject_comment: str | None = attribute("What the reviewer wrote; empty if nothing, None if it was not sent.")

    @property
    def reject_reason(self) -> str | None:
        """Why it was rejected, in one text; None if it was not. Read from either spelling of the field.

        Several reasons are joined with a comma and a space by address verifications, and with a semicolon and a space
        by emergency verifications.
        """
        raw = self._attributes.get("reject_reason") or self._attributes.get("reject_reasons")
        return raw or None

    @property
    def reject_reasons(self) -> str | None:
        """The same as `reject_reason`."""
        return self.reject_reason


class AddressVerificationCallback(_Verification, type="address_verifications", required=("id", "status")):
    """An address verification is approved or rejected.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("Id of the address verification.")
    status: AddressVerificationStatus = attribute("`approved` or `rejected`.")


class EmergencyVerificationCallback(_Verification, type="emergency_verifications", required=("id", "status")):
    """An emergency verification is approved or rejected.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("Id of the emergency verification.")
    status: EmergencyVerificationStatus = attribute("`approved` or `rejected`.")
    emergency_calling_service_id: str | None = attribute("Id of the emergency calling service.")


class VoiceOutTrunkCallback(
    Callback,
    type="voice_out_trunks",
    required=("id", "status", "threshold_reached", "created_at"),
    collected=True,
):
    """An outbound trunk was blocked or unblocked, by its 24-hour threshold or by hand.

    Events that could not be delivered at once come together in one request.

    Source: DIDWW's documentation of callbacks, https://doc.didww.com.
    """

    id: str = attribute("Id of the trunk.")
    status: VoiceOutTrunkStatus = attribute("`active` or `blocked`.")
    threshold_reached: bool = attribute("Whether it was the trunk's `threshold_amount` that blocked it.")
    created_at: datetime = attribute("When it happened.")


class UnknownCallback(Callback):
    """A callback of a type that this package does not know; its fields read as they came."""

    id: str | None = attribute("Id of what it tells of; None if nothing was sent.")
    status: str | None = attribute("State of what it tells of; None if nothing was sent.")


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


# The signature covers texts: 7 and "7", true and "true", null and "" are the same to it. So each declared field is read
# from its text, whichever way JSON has it. By kind: how it is read, and what it has to be.
_FROM_TEXT: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "boolean": (_boolean, "true or false"),
    "datetime": (_datetime, "a date and time (ISO 8601)"),
}


def callback_of(fields: dict[str, Any], signed: bytes, *, alone: bool = True) -> Callback:
    """Return the callback that `fields` are, its declared fields checked.

    Args:
        fields: Its fields: text, numbers, booleans or None.
        signed: What the signature covers: the address, and all fields of the request.
        alone: Whether it is the only one of its request.

    Raises:
        ValueError: They are none: something is missing that its type always has, or is not of its kind.
    """
    type = fields.get("type")
    if not isinstance(type, str) or not type:
        raise ValueError("it has no type")
    cls = _CLASSES.get(type, UnknownCallback)
    if not alone and not cls.collected:
        raise ValueError(f"an array of several holds one of {type:.80}")
    for name, field in cls._field_map.items():
        text = text_of(fields.get(name))
        if text is None:
            raise ValueError(f"{name} must be text, a number, true, false or null")
        if not text:
            if name in cls._required_fields:
                raise ValueError(f"a callback of {type} has {' and '.join(cls._required_fields)}; {name} is missing")
            if fields.get(name) is not None and field.kind.name in _FROM_TEXT:
                fields[name] = None
            continue
        read, accepts = _FROM_TEXT.get(field.kind.name, (str, ""))
        try:
            fields[name] = read(text)
        except ValueError:
            raise ValueError(f"{name} must be {accepts}, got {text!r:.80}") from None
    return cls._signed(fields, signed)
