"""Call Events and CDR Streaming as Python objects: what happens in calls, and their records.

Whatever DIDWW sends is kept: attributes that are not declared, or not of their type, are raw values. Times are in UTC.
Source: DIDWW's documentation, https://doc.didww.com. It leaves much open, so each attribute may be None.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self, cast

import msgspec

from didww._schema.fields import attribute
from didww._schema.record import set_attributes, set_state
from didww.callback.typed import Event

__all__ = [
    "CallEvent",
    "InboundCallConnect",
    "InboundCallEnd",
    "InboundCallEvent",
    "InboundCallStart",
    "InboundCdr",
    "OutboundCallConnect",
    "OutboundCallEnd",
    "OutboundCallEvent",
    "OutboundCallStart",
    "OutboundCdr",
    "UnknownCallEvent",
    "call_event_of",
]


class CallEvent(Event):
    """An event of a call, or its record: the base of all of them.

    Handlers of this class get every kind that has no handler of its own.
    """

    id: str | None = attribute(
        "Id of the call's record; all events of one call share it, records have one of their own."
    )

    @property
    def key(self) -> str:
        """What tells it from every other event: the same again is the same event delivered again."""
        id = self._attributes.get("id")
        if id is None:
            id = hashlib.sha256(msgspec.json.encode(self._attributes, order="deterministic")).hexdigest()
        return f"{self._attributes.get('type')}/{id}"

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> CallEvent:
        return call_event_of(fields)

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        """An event of an object `{type, id, attributes}`."""
        attributes = raw.get("attributes")
        made = cls.__new__(cls)
        flat = cast("dict[str, Any]", attributes) if isinstance(attributes, dict) else {}
        set_attributes(made, {**flat, **{name: value for name, value in raw.items() if name != "attributes"}})
        set_state(made, None)
        return made


# The attributes that two or more classes have in common.


class _Timed(CallEvent):
    time_start: datetime | None = attribute("When the call began.")
    time_connect: datetime | None = attribute("When it was answered; None if it was not.")


class _Ended(CallEvent):
    time_end: datetime | None = attribute("When the call ended.")
    duration: int | None = attribute("Seconds that it was connected.")


class InboundCallEvent(_Timed):
    """An event of a call to one of the account's DIDs."""

    did_number: str | None = attribute("The DID that was called, E.164 digits.")
    src_number: str | None = attribute("The caller's number.")
    call_id: str | None = attribute("Id of the call on the platform; not in start events.")


class InboundCallStart(InboundCallEvent, type="incoming-call-start-event"):
    """A call to a DID has begun."""


class InboundCallConnect(InboundCallEvent, type="incoming-call-connect-event"):
    """A call to a DID was answered; calls that nobody answers have no such event."""


class InboundCallEnd(_Ended, InboundCallEvent, type="incoming-call-end-event"):
    """A call to a DID has ended."""


class _Outbound(_Timed):
    source_ip: str | None = attribute("Address that the call came from.")
    source_port: int | None = attribute("Port that the call came from.")
    call_id: str | None = attribute("SIP Call-ID.")
    pop: str | None = attribute("Point of presence, e.g. `NYC`.")
    original_src_number: str | None = attribute("The caller id as it was received.")
    src_number: str | None = attribute("The caller id as it was presented.")
    dst_number: str | None = attribute("The number that was called.")
    trunk_name: str | None = attribute("Name of the outbound trunk.")
    rate: Decimal | None = attribute("US dollars a minute.")
    initial_billing_interval: int | None = attribute("Seconds that are billed at least.")
    next_billing_interval: int | None = attribute("Steps in seconds in which the rest is billed.")
    p_charge_info: str | None = attribute("The SIP header P-Charge-Info.")


class OutboundCallEvent(_Outbound):
    """An event of a call over an outbound trunk."""

    diversion: list[str] = attribute("Values of the SIP header Diversion.")


class OutboundCallStart(OutboundCallEvent, type="outbound-call-start-event"):
    """A call over an outbound trunk has begun."""


class OutboundCallConnect(OutboundCallEvent, type="outbound-call-connect-event"):
    """A call over an outbound trunk was answered; calls that nobody answers have no such event."""


class _OutboundEnd(_Ended, _Outbound):
    disconnect_code: int | None = attribute("SIP code that ended the call.")
    disconnect_reason: str | None = attribute("Text of the code.")
    success: bool | None = attribute("Whether it was answered.")
    billing_duration: int | None = attribute("Seconds that are billed.")
    price: Decimal | None = attribute("US dollars charged.")


class OutboundCallEnd(_OutboundEnd, OutboundCallEvent, type="outbound-call-end-event"):
    """A call over an outbound trunk has ended; its name and its last five attributes are not confirmed by DIDWW."""


class OutboundCdr(_OutboundEnd, type="outbound-cdr"):
    """The record of a call over an outbound trunk.

    Source: DIDWW's documentation of Call Events, https://doc.didww.com.
    """

    source_protocol: str | None = attribute("Transport of the signalling, e.g. `UDP`.")
    call_type: str | None = attribute("Class of the tariff, e.g. `INTERNATIONAL`.")
    customer_vat: Decimal | None = attribute("VAT of the customer.")
    user_agent: str | None = attribute("The caller's device.")


class InboundCdr(_Ended, _Timed, type="inbound-cdr"):
    """The record of one attempt to deliver a call to a DID.

    Prefixes of charges, in US dollars: `tf_` toll-free, `trm_` forwarding to the telephone network,
    `metered_channels_`, and `sub_customer_tf_` and `sub_customer_trm_` those of resellers; None if there was none.
    Source: DIDWW's documentation of Call Events, https://doc.didww.com.
    """

    success: bool | None = attribute("Whether it was answered.")
    src_number: str | None = attribute("The caller's number.")
    src_name: str | None = attribute("The caller's name.")
    did_number: str | None = attribute("The DID that was called, E.164 digits.")
    dst_number: str | None = attribute("Number or user that was sent to the trunk.")
    trunk_destination: str | None = attribute("Where the trunk leads, e.g. `sip:...`.")
    routing_attempt: int | None = attribute("Number of this attempt, from 1.")
    is_last_cdr: bool | None = attribute("Whether this is the last attempt of the call.")
    is_redirected: bool | None = attribute("Whether the call was redirected.")
    early_media_present: bool | None = attribute("Whether there was sound before the call was answered.")
    local_tag: str | None = attribute("Id of the call on the platform.")
    term_call_id: str | None = attribute("SIP Call-ID towards the trunk.")
    out_pop_id: int | None = attribute("Id of the point of presence that it left by.")
    transport_protocol_id: int | None = attribute("1 UDP, 2 TCP, 3 TLS.")
    user_agent: str | None = attribute("Device that answered.")
    disconnect_initiator: int | None = attribute("Who ended it: 3 the caller; other values are not confirmed.")
    internal_disconnect_code: int | None = attribute("Code on DIDWW's side, e.g. 480.")
    internal_disconnect_reason: str | None = attribute("Its text, e.g. `DID number overloaded`.")
    legb_disconnect_code: int | None = attribute("Code on the trunk's side.")
    legb_disconnect_reason: str | None = attribute("Its text.")
    customer_vat: Decimal | None = attribute("VAT of the customer.")
    tf_rate: Decimal | None = attribute("Toll-free: a minute.")
    tf_connection_fee: Decimal | None = attribute("Toll-free: once a call.")
    tf_initial_interval: int | None = attribute("Toll-free: seconds billed at least.")
    tf_next_interval: int | None = attribute("Toll-free: steps in seconds.")
    tf_duration: int | None = attribute("Toll-free: seconds billed.")
    tf_amount: Decimal | None = attribute("Toll-free: charged.")
    tf_amount_no_vat: Decimal | None = attribute("Toll-free: charged, before VAT.")
    trm_rate: Decimal | None = attribute("Forwarding: a minute.")
    trm_connection_fee: Decimal | None = attribute("Forwarding: once a call.")
    trm_initial_interval: int | None = attribute("Forwarding: seconds billed at least.")
    trm_next_interval: int | None = attribute("Forwarding: steps in seconds.")
    trm_duration: int | None = attribute("Forwarding: seconds billed.")
    trm_amount: Decimal | None = attribute("Forwarding: charged.")
    trm_amount_no_vat: Decimal | None = attribute("Forwarding: charged, before VAT.")
    metered_channels_rate: Decimal | None = attribute("Metered channels: a minute.")
    metered_channels_connection_fee: Decimal | None = attribute("Metered channels: once a call.")
    metered_channels_initial_interval: int | None = attribute("Metered channels: seconds billed at least.")
    metered_channels_next_interval: int | None = attribute("Metered channels: steps in seconds.")
    metered_channels_duration: int | None = attribute("Metered channels: seconds billed.")
    metered_channels_amount: Decimal | None = attribute("Metered channels: charged.")
    metered_channels_amount_no_vat: Decimal | None = attribute("Metered channels: charged, before VAT.")
    sub_customer_tf_rate: Decimal | None = attribute("Reseller, toll-free: a minute.")
    sub_customer_tf_connection_fee: Decimal | None = attribute("Reseller, toll-free: once a call.")
    sub_customer_tf_initial_interval: int | None = attribute("Reseller, toll-free: seconds billed at least.")
    sub_customer_tf_next_interval: int | None = attribute("Reseller, toll-free: steps in seconds.")
    sub_customer_tf_duration: int | None = attribute("Reseller, toll-free: seconds billed.")
    sub_customer_tf_amount: Decimal | None = attribute("Reseller, toll-free: charged.")
    sub_customer_trm_rate: Decimal | None = attribute("Reseller, forwarding: a minute.")
    sub_customer_trm_connection_fee: Decimal | None = attribute("Reseller, forwarding: once a call.")
    sub_customer_trm_initial_interval: int | None = attribute("Reseller, forwarding: seconds billed at least.")
    sub_customer_trm_next_interval: int | None = attribute("Reseller, forwarding: steps in seconds.")
    sub_customer_trm_duration: int | None = attribute("Reseller, forwarding: seconds billed.")
    sub_customer_trm_amount: Decimal | None = attribute("Reseller, forwarding: charged.")


class UnknownCallEvent(CallEvent):
    """An event of a type that this package does not know, or of none; its attributes read as they came."""


_CLASSES: Final[dict[str, type[CallEvent]]] = {
    cls._type_name: cls
    for cls in (
        InboundCallStart,
        InboundCallConnect,
        InboundCallEnd,
        OutboundCallStart,
        OutboundCallConnect,
        OutboundCallEnd,
        InboundCdr,
        OutboundCdr,
    )
}


def call_event_of(raw: dict[str, Any]) -> CallEvent:
    """The event that a JSON object is."""
    type = raw.get("type")
    return (_CLASSES.get(type, UnknownCallEvent) if isinstance(type, str) else UnknownCallEvent)._of(raw)
