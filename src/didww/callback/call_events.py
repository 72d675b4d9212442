"""Typed classes for Call Events and CDR Streaming.

Undeclared attributes, and values that do not match the declared type, are kept as raw values. Times are in UTC.
Source: DIDWW's documentation, https://doc.didww.com. It does not say which attributes are always present, so each of
them may be None.
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
    """Base class of call events and call detail records (CDRs).

    A handler for this class gets every event whose own class has no handler.
    """

    id: str | None = attribute("ID of the event. All events of one call share it; each CDR has its own.")

    @property
    def key(self) -> str:
        """Unique key of the event. Two deliveries of the same event have the same key."""
        id = self._attributes.get("id")
        if id is None:
            id = hashlib.sha256(msgspec.json.encode(self._attributes, order="deterministic")).hexdigest()
        return f"{self._attributes.get('type')}/{id}"

    @staticmethod
    def _rebuilt(fields: dict[str, Any]) -> CallEvent:
        return call_event_of(fields)

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        """Create an event from a JSON object `{type, id, attributes}`."""
        attributes = raw.get("attributes")
        event = cls.__new__(cls)
        flat = cast("dict[str, Any]", attributes) if isinstance(attributes, dict) else {}
        set_attributes(event, {**flat, **{name: value for name, value in raw.items() if name != "attributes"}})
        set_state(event, None)
        return event


# Attributes shared by two or more classes.


class _Timed(CallEvent):
    time_start: datetime | None = attribute("Start of the call.")
    time_connect: datetime | None = attribute("When the call was answered; None if it was not.")


class _Ended(CallEvent):
    time_end: datetime | None = attribute("End of the call.")
    duration: int | None = attribute("Connected time in seconds.")


class InboundCallEvent(_Timed):
    """An event of a call to one of the account's DIDs."""

    did_number: str | None = attribute("Called DID, E.164 digits.")
    src_number: str | None = attribute("Caller's number.")
    call_id: str | None = attribute("ID of the call on the platform; not in start events.")


class InboundCallStart(InboundCallEvent, type="incoming-call-start-event"):
    """A call to a DID has started."""


class InboundCallConnect(InboundCallEvent, type="incoming-call-connect-event"):
    """A call to a DID was answered. Unanswered calls have no such event."""


class InboundCallEnd(_Ended, InboundCallEvent, type="incoming-call-end-event"):
    """A call to a DID has ended."""


class _Outbound(_Timed):
    source_ip: str | None = attribute("Source IP address of the call.")
    source_port: int | None = attribute("Source port of the call.")
    call_id: str | None = attribute("SIP Call-ID.")
    pop: str | None = attribute("Point of presence, e.g. `NYC`.")
    original_src_number: str | None = attribute("Caller ID as received.")
    src_number: str | None = attribute("Caller ID as presented to the called party.")
    dst_number: str | None = attribute("Called number.")
    trunk_name: str | None = attribute("Name of the outbound trunk.")
    rate: Decimal | None = attribute("US dollars per minute.")
    initial_billing_interval: int | None = attribute("Minimum billed seconds.")
    next_billing_interval: int | None = attribute("Billing increment after that, in seconds.")
    p_charge_info: str | None = attribute("Value of the SIP header P-Charge-Info.")


class OutboundCallEvent(_Outbound):
    """An event of a call over an outbound trunk."""

    diversion: list[str] = attribute("Values of the SIP header Diversion.")


class OutboundCallStart(OutboundCallEvent, type="outbound-call-start-event"):
    """A call over an outbound trunk has started."""


class OutboundCallConnect(OutboundCallEvent, type="outbound-call-connect-event"):
    """A call over an outbound trunk was answered. Unanswered calls have no such event."""


class _OutboundEnd(_Ended, _Outbound):
    disconnect_code: int | None = attribute("SIP response code that ended the call.")
    disconnect_reason: str | None = attribute("SIP reason phrase.")
    success: bool | None = attribute("Whether the call was answered.")
    billing_duration: int | None = attribute("Billed seconds.")
    price: Decimal | None = attribute("US dollars charged.")


class OutboundCallEnd(_OutboundEnd, OutboundCallEvent, type="outbound-call-end-event"):
    """A call over an outbound trunk has ended.

    DIDWW's documentation does not confirm the event type or its last five attributes.
    """


class OutboundCdr(_OutboundEnd, type="outbound-cdr"):
    """The call detail record (CDR) of a call over an outbound trunk.

    Source: DIDWW's documentation of Call Events, https://doc.didww.com.
    """

    source_protocol: str | None = attribute("Transport of the signaling, e.g. `UDP`.")
    call_type: str | None = attribute("Tariff class, e.g. `INTERNATIONAL`.")
    customer_vat: Decimal | None = attribute("Customer's VAT.")
    user_agent: str | None = attribute("User agent of the calling device.")


class InboundCdr(_Ended, _Timed, type="inbound-cdr"):
    """The call detail record (CDR) of one attempt to route a call to a DID.

    Charges are in US dollars, None if the charge does not apply. Prefixes: `tf_` toll-free, `trm_` forwarding to the
    PSTN, `metered_channels_`, and `sub_customer_tf_` and `sub_customer_trm_` for a reseller's customer.
    Source: DIDWW's documentation of Call Events, https://doc.didww.com.
    """

    success: bool | None = attribute("Whether the call was answered.")
    src_number: str | None = attribute("Caller's number.")
    src_name: str | None = attribute("Caller's name.")
    did_number: str | None = attribute("Called DID, E.164 digits.")
    dst_number: str | None = attribute("Number or user sent to the trunk.")
    trunk_destination: str | None = attribute("Destination of the trunk, e.g. `sip:...`.")
    routing_attempt: int | None = attribute("Number of this routing attempt, starting at 1.")
    is_last_cdr: bool | None = attribute("Whether this is the last attempt of the call.")
    is_redirected: bool | None = attribute("Whether the call was redirected.")
    early_media_present: bool | None = attribute("Whether there was early media.")
    local_tag: str | None = attribute("ID of the call on the platform.")
    term_call_id: str | None = attribute("SIP Call-ID toward the trunk.")
    out_pop_id: int | None = attribute("ID of the outgoing point of presence.")
    transport_protocol_id: int | None = attribute("1 UDP, 2 TCP, 3 TLS.")
    user_agent: str | None = attribute("User agent of the answering device.")
    disconnect_initiator: int | None = attribute("Who ended the call: 3 is the caller; other values are not confirmed.")
    internal_disconnect_code: int | None = attribute("Disconnect code on DIDWW's side, e.g. 480.")
    internal_disconnect_reason: str | None = attribute("Its reason, e.g. `DID number overloaded`.")
    legb_disconnect_code: int | None = attribute("Disconnect code on the trunk's side.")
    legb_disconnect_reason: str | None = attribute("Its reason.")
    customer_vat: Decimal | None = attribute("Customer's VAT.")
    tf_rate: Decimal | None = attribute("Toll-free: rate per minute.")
    tf_connection_fee: Decimal | None = attribute("Toll-free: connection fee per call.")
    tf_initial_interval: int | None = attribute("Toll-free: minimum billed seconds.")
    tf_next_interval: int | None = attribute("Toll-free: billing increment in seconds.")
    tf_duration: int | None = attribute("Toll-free: billed seconds.")
    tf_amount: Decimal | None = attribute("Toll-free: amount charged.")
    tf_amount_no_vat: Decimal | None = attribute("Toll-free: amount charged, before VAT.")
    trm_rate: Decimal | None = attribute("Forwarding: rate per minute.")
    trm_connection_fee: Decimal | None = attribute("Forwarding: connection fee per call.")
    trm_initial_interval: int | None = attribute("Forwarding: minimum billed seconds.")
    trm_next_interval: int | None = attribute("Forwarding: billing increment in seconds.")
    trm_duration: int | None = attribute("Forwarding: billed seconds.")
    trm_amount: Decimal | None = attribute("Forwarding: amount charged.")
    trm_amount_no_vat: Decimal | None = attribute("Forwarding: amount charged, before VAT.")
    metered_channels_rate: Decimal | None = attribute("Metered channels: rate per minute.")
    metered_channels_connection_fee: Decimal | None = attribute("Metered channels: connection fee per call.")
    metered_channels_initial_interval: int | None = attribute("Metered channels: minimum billed seconds.")
    metered_channels_next_interval: int | None = attribute("Metered channels: billing increment in seconds.")
    metered_channels_duration: int | None = attribute("Metered channels: billed seconds.")
    metered_channels_amount: Decimal | None = attribute("Metered channels: amount charged.")
    metered_channels_amount_no_vat: Decimal | None = attribute("Metered channels: amount charged, before VAT.")
    sub_customer_tf_rate: Decimal | None = attribute("Reseller, toll-free: rate per minute.")
    sub_customer_tf_connection_fee: Decimal | None = attribute("Reseller, toll-free: connection fee per call.")
    sub_customer_tf_initial_interval: int | None = attribute("Reseller, toll-free: minimum billed seconds.")
    sub_customer_tf_next_interval: int | None = attribute("Reseller, toll-free: billing increment in seconds.")
    sub_customer_tf_duration: int | None = attribute("Reseller, toll-free: billed seconds.")
    sub_customer_tf_amount: Decimal | None = attribute("Reseller, toll-free: amount charged.")
    sub_customer_trm_rate: Decimal | None = attribute("Reseller, forwarding: rate per minute.")
    sub_customer_trm_connection_fee: Decimal | None = attribute("Reseller, forwarding: connection fee per call.")
    sub_customer_trm_initial_interval: int | None = attribute("Reseller, forwarding: minimum billed seconds.")
    sub_customer_trm_next_interval: int | None = attribute("Reseller, forwarding: billing increment in seconds.")
    sub_customer_trm_duration: int | None = attribute("Reseller, forwarding: billed seconds.")
    sub_customer_trm_amount: Decimal | None = attribute("Reseller, forwarding: amount charged.")


class UnknownCallEvent(CallEvent):
    """An event of an unknown type, or without one. Its attributes are raw values."""


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
    """Create the event that a JSON object describes."""
    type = raw.get("type")
    return (_CLASSES.get(type, UnknownCallEvent) if isinstance(type, str) else UnknownCallEvent)._of(raw)
