"""Callbacks as Python objects, a class for each type; what DIDWW adds one day is kept beside it.

Source: the sheet on callbacks, section 1.
"""

from __future__ import annotations

import copy
import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import msgspec

from didww.enums import (
    AddressVerificationStatus,
    EmergencyVerificationStatus,
    ExportStatus,
    OrderStatus,
    VoiceOutTrunkStatus,
)
from didww.resources.fields import attribute
from didww.resources.record import Record, set_attributes, set_state

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        needs: Fields without which it is none.
        told_by: Fields that tell it from every other of its class.
    """

    type_: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    told_by: ClassVar[tuple[str, ...]] = ()

    type: str = attribute("What it tells of.")

    def __init_subclass__(
        cls, *, type: str = "", needs: tuple[str, ...] = (), told_by: tuple[str, ...] = (), **options: Any
    ) -> None:
        super().__init_subclass__(**options)
        cls.type_ = type or cls.type_
        cls.needs = needs or cls.needs
        cls.told_by = told_by or cls.told_by

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        made = cls.__new__(cls)
        set_attributes(made, raw)
        set_state(made, None)
        return made

    @property
    def key(self) -> str:
        """What tells it from every other event: the same again is the same event delivered again."""
        told = [self._attributes.get(name) for name in self.told_by]
        if not told or None in told:
            whole = msgspec.json.encode(self._attributes, order="deterministic")
            told = [hashlib.sha256(whole).hexdigest()]
        return "/".join(str(one) for one in (self._attributes.get("type"), *told))

    def to_dict(self) -> dict[str, Any]:
        """All fields as they came, unknown ones included; the caller's own."""
        return copy.deepcopy(self._attributes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return type(self) is type(other) and self._attributes == other._attributes

    def __hash__(self) -> int:
        return hash(self.key)


class Callback(Event):
    """A callback of the API about a record: the base of all of them.

    Handlers of this class get every kind that has no handler of its own.
    """


class OrderCallback(Callback, type="orders", needs=("id", "status"), told_by=("id", "status")):
    """An order is completed or canceled.

    Source: the sheet on callbacks, section 1.
    """

    id: str = attribute("Id of the order.")
    status: OrderStatus = attribute("`completed` or `canceled`.")


class ExportCallback(Callback, type="exports", needs=("id", "status"), told_by=("id", "status")):
    """An export is completed.

    Source: the sheet on callbacks, section 1.
    """

    id: str = attribute("Id of the export.")
    status: ExportStatus = attribute("`completed`.")
    url: str | None = attribute(
        "Address of the .csv.gz file; None for exports that an older API version made. Give it to `download_export` "
        "only, which keeps the API key to DIDWW's hosts."
    )


class _Verification(Callback):
    """What the callbacks of both kinds of verification share."""

    reject_comment: str | None = attribute("What the person who rejected it wrote; None if nothing was sent.")

    @property
    def reject_reason(self) -> str | None:
        """Why it was rejected, in one text; None if it was not. Read from either spelling of the field."""
        raw = self._attributes.get("reject_reason") or self._attributes.get("reject_reasons")
        return raw or None

    @property
    def reject_reasons(self) -> str | None:
        """The same as `reject_reason`."""
        return self.reject_reason


class AddressVerificationCallback(
    _Verification, type="address_verifications", needs=("id", "status"), told_by=("id", "status")
):
    """An address verification is approved or rejected.

    Source: the sheet on callbacks, section 1.
    """

    id: str = attribute("Id of the address verification.")
    status: AddressVerificationStatus = attribute("`approved` or `rejected`.")


class EmergencyVerificationCallback(
    _Verification, type="emergency_verifications", needs=("id", "status"), told_by=("id", "status")
):
    """An emergency verification is approved or rejected.

    Source: the sheet on callbacks, section 1.
    """

    id: str = attribute("Id of the emergency verification.")
    status: EmergencyVerificationStatus = attribute("`approved` or `rejected`.")
    emergency_calling_service_id: str | None = attribute("Id of the emergency calling service.")


class VoiceOutTrunkCallback(
    Callback, type="voice_out_trunks", needs=("id", "status"), told_by=("id", "status", "created_at")
):
    """An outbound trunk was blocked because it spent what it may in 24 hours, or was unblocked.

    Source: the sheet on callbacks, section 1.
    """

    id: str = attribute("Id of the trunk.")
    status: VoiceOutTrunkStatus = attribute("`active` or `blocked`.")
    threshold_reached: bool = attribute("Whether spending has gone over the trunk's `threshold_amount`.")
    created_at: datetime | None = attribute("When it happened.")


class UnknownCallback(Callback):
    """A callback of a type that this package does not know; its fields read as they came."""

    id: str | None = attribute("Id of what it tells of; None if nothing was sent.")
    status: str | None = attribute("State of what it tells of; None if nothing was sent.")


_CLASSES: Final[Mapping[str, type[Callback]]] = {
    cls.type_: cls
    for cls in (
        OrderCallback,
        ExportCallback,
        AddressVerificationCallback,
        EmergencyVerificationCallback,
        VoiceOutTrunkCallback,
    )
}


def callback_of(fields: dict[str, Any]) -> Callback:
    """The callback that `fields` are.

    Raises:
        ValueError: They are none: something is missing that its type always has.
    """
    type = fields.get("type")
    if not isinstance(type, str) or not type:
        raise ValueError("it has no type")
    cls = _CLASSES.get(type, UnknownCallback)
    for name in cls.needs:
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise ValueError(f"a callback of {type} has {' and '.join(cls.needs)}; {name} is missing")
    for name, field in cls._fields.items():
        # As text it would count as true; the signature does not tell one from the other.
        if field.kind.name == "boolean" and fields.get(name) in ("true", "false"):
            fields[name] = fields[name] == "true"
    return cls._of(fields)
