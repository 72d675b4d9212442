"""Sender ID verifications: approved sender IDs of outbound text messages."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, status_is, writable, writable_relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, Text
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww._schema.types import DateText
from didww.enums import SenderIdVerificationStatus, SenderType

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.country import Country
    from didww.resources.did import Did
    from didww.resources.identity import Identity
    from didww.resources.order import Order
    from didww.resources.sms_trunk import SmsTrunk


class SenderIdVerificationMeta(Meta):
    """Charges of a sender ID verification.

    DIDWW's documentation announces charges without their names, so these names are unconfirmed. `meta` is also a
    mapping of all members that the response has.
    """

    setup_price: Decimal | None = attribute("One-time price in US dollars, or None if not set.")
    monthly_price: Decimal | None = attribute("Monthly price in US dollars, or None if not set.")


class SenderIdVerification(
    Resource,
    type="sender_id_verifications",
    since="2026-11-19",
    operations=("list", "find", "update"),
    filters={"id": Ids},
    columns={
        "name": "name",
        "status": "status",
        "type": "sender_type",
        "senders": "sender_ids",
        "countries": "countries.iso",
        "trunk": "sms_trunk.name",
        "renews": "renew_date",
        "reference": "reference",
    },
):
    """Verified sender IDs, which messages through an SMS trunk may use as their source.

    Sender IDs are requested from DIDWW in the user panel. This API can only rename a verification, and assign it to an
    SMS trunk of the type `http_out`, `smpp_esme` or `smpp_smsc`. A closed verification cannot be assigned, nor one with
    a sender ID that another verification of the same trunk has.
    """

    name: str = writable("Name.", on="update", filter=Text, sort=True)
    status: SenderIdVerificationStatus = attribute(
        "Status: `active` if the sender IDs can be used.", filter=Text, sort=True
    )
    sender_type: SenderType = attribute("Kind of the sender IDs.", filter=Text)
    sender_ids: list[str] = attribute(
        "Sender IDs: names, or numbers. For the types `long_code` and `toll_free`, the numbers of `dids`."
    )
    reference: str = attribute("DIDWW's reference, e.g. `SID-1234`.", filter=Text)
    reject_reasons: list[str] | None = attribute(
        "Reasons for a rejection, or None if there are none. Only with the status `changes_required`."
    )
    reject_comment: str | None = attribute("Comment on a rejection, or None. Only with the status `changes_required`.")
    renew_date: DateText | None = attribute("Date of the next renewal, or None once closed.", sort=True)
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    activated_at: datetime | None = attribute("Date and time of activation, or None if not activated.")
    closed_at: datetime | None = attribute("Date and time of closing, or None if not closed.")
    sms_trunk: SmsTrunk | None = writable_relationship(
        "SMS trunk that may use the sender IDs, or None if not assigned.", on="update", filter=Ids, include=True
    )
    countries: list[Country] = relationship("Countries that the sender IDs are verified for.", include=True)
    dids: list[Did] = relationship("DIDs that are the sender IDs.", include=True)
    order: Order | None = relationship("Order of the verification, or None if there is none.", include=True)
    identity: Identity | None = relationship("Identity of the sender, or None if there is none.", include=True)
    address: Address | None = relationship("Address of the sender, or None if there is none.", include=True)
    meta = resource_meta(SenderIdVerificationMeta, "Charges of the verification.")

    is_new = status_is(SenderIdVerificationStatus.NEW)
    is_in_process = status_is(SenderIdVerificationStatus.IN_PROCESS)
    is_active = status_is(SenderIdVerificationStatus.ACTIVE)
    is_changes_required = status_is(SenderIdVerificationStatus.CHANGES_REQUIRED)
    is_closing_in_process = status_is(SenderIdVerificationStatus.CLOSING_IN_PROCESS)
    is_closed = status_is(SenderIdVerificationStatus.CLOSED)
