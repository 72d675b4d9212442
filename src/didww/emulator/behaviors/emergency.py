"""Emergency calling: address verifications and calling services.

A verification is approved automatically soon after it is submitted; then its service becomes active and is charged by a
separate order.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.date_math import add_month, last_day
from didww.emulator.behaviors.naming import cost, order_reference
from didww.emulator.behaviors.registration import SECONDS_TO_APPROVE, check, reference, rejection_fields
from didww.emulator.behaviors.vat import add_vat
from didww.emulator.controls.callbacks import report
from didww.emulator.engine.errors import HttpError, relationship_error

if TYPE_CHECKING:
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["CallingServices", "EmergencyVerifications"]

_CAN_BE_VERIFIED = ("new", "changes_required", "active")
_CAN_BE_CANCELED = ("new", "changes_required", "active", "pending_update")


class EmergencyVerifications(Behavior):
    """Verifications, approved automatically."""

    steps = ((SECONDS_TO_APPROVE, "approve"),)
    outcomes = ("approve", "reject")
    undecided = frozenset({"pending"})

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check numbers, address and identity; create the calling service, or use the given one."""
        service_id, dids = record["emergency_calling_service"], record["dids"]
        address = session.get("addresses", record["address"]) or {}
        identity = session.get("identities", address["identity"])
        if service_id is None:
            requirement = _requirement_of(session, dids)
            for did in dids:
                _check_number(session, session.get("dids", did) or {}, identity)
        else:
            service = session.get("emergency_calling_services", service_id) or {}
            if service["status"] not in _CAN_BE_VERIFIED:
                text = "Emergency Calling Service should be in NEW, CHANGES_REQUIRED or ACTIVE status"
                raise HttpError(422, text, text, "/data")
            requirement = session.get("emergency_requirements", service["emergency_requirement"]) or {}
        check(session, requirement, identity, address)
        if service_id is None:
            service_id = self._new_service(session, requirement, dids)["id"]
        record["emergency_calling_service"] = service_id
        record.update(status="pending", reference=order_reference(session))

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Put the service in review; an active one keeps its old address meanwhile."""
        service = session.get("emergency_calling_services", record["emergency_calling_service"]) or {}
        changes: dict[str, Any] = {"status": "pending_update", "emergency_verification": record["id"]}
        if service["status"] != "active":
            changes |= {"status": "in_process", "address": record["address"]}
        session.update("emergency_calling_services", service["id"], changes)
        session.start_transitions("emergency_verifications", {"id": record["id"]})

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Approve (activate and charge the service, enable its numbers) or reject.

        Not documented, and chosen here: an insufficient balance rejects the service, and an active service whose new
        address is rejected stays active with the old one.
        """
        verification = session.get("emergency_verifications", payload["id"])
        if verification is None or verification["status"] != "pending":
            return
        service = session.get("emergency_calling_services", verification["emergency_calling_service"])
        waiting = service if service is not None and service["status"] in ("in_process", "pending_update") else None
        begins = waiting is not None and waiting["activated_at"] is None
        if begins and name == "approve" and cost(_item(session, waiting or {})) > session.balance():
            name, payload = "reject", {**payload, "reasons": ["Insufficient balance"]}
        if name == "reject":
            session.update("emergency_verifications", payload["id"], rejection_fields(payload))
            if waiting is not None:
                status = "changes_required" if begins else "active"
                session.update("emergency_calling_services", waiting["id"], {"status": status})
            return
        session.update("emergency_verifications", payload["id"], {"status": "approved"})
        if waiting is None:
            return
        changes: dict[str, Any] = {"status": "active", "address": verification["address"]}
        if begins:
            now = session.now()
            until = add_month(now)
            order = _charge(session, waiting, verification)
            changes |= {
                "activated_at": session.stamp(),
                "renew_date": f"{until:%Y-%m-%d}",
                "order": order["id"],
                "private": {"day": now.day},
            }
            _renew_later(session, waiting["id"], f"{until:%Y-%m-%d}")
        session.update("emergency_calling_services", waiting["id"], changes)
        for did in session.related("emergency_calling_services", waiting["id"], "dids"):
            session.update("dids", did, {"emergency_enabled": True})

    def _new_service(self, session: AccountSession, requirement: Record, dids: list[str]) -> Record:
        country = session.get("countries", requirement["country"]) or {}
        name = reference(session, "ECS")
        return session.insert(
            "emergency_calling_services",
            {
                "name": f"{country.get('name')} {name}",
                "reference": name,
                "status": "new",
                "country": requirement["country"],
                "did_group_type": requirement["did_group_type"],
                "number_type": requirement["number_type"],
                "emergency_requirement": requirement["id"],
                "dids": dids,
            },
        )


class CallingServices(Behavior):
    """Emergency calling services."""

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        """Return the prices per number, from its requirement."""
        prices = _prices(session, record)
        return {name: f"{amount:.2f}" for name, amount in prices.items()}

    def delete(self, session: AccountSession, record: Record) -> bool:
        """Cancel the service instead of deleting it; its numbers lose emergency calling."""
        if record["status"] not in _CAN_BE_CANCELED:
            text = f"Emergency Calling Service cannot be canceled in {record['status'].upper()} status"
            raise HttpError(422, text, text, "/data")
        _cancel(session, record["id"])
        return True

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Renew the service: charge a month per number, or cancel it if the balance is insufficient."""
        service = session.get("emergency_calling_services", payload)
        if service is None or service["status"] == "canceled" or service["renew_date"] is None:
            return
        price = cost({**_item(session, service), "nrc": "0.00"})
        if price > session.balance():
            _cancel(session, service["id"])
            return
        session.charge(price)
        until = f"{add_month(session.now(), service['private'].get('day')):%Y-%m-%d}"
        session.update("emergency_calling_services", service["id"], {"renew_date": until})
        _renew_later(session, service["id"], until)


def _check_number(session: AccountSession, did: Record, identity: Record | None) -> None:
    """Refuse a number of another service or registered to another identity."""
    if did["emergency_calling_service"] is not None:
        text = "already has an Emergency Calling Service"
        raise HttpError(422, text, f"dids - {text}", f"/data/relationships/dids/{did['id']}")
    own = session.get("identities", did["identity"])
    if own is not None and (identity is None or identity["id"] != own["id"]):
        text = _identity_error(own)
        raise HttpError(422, text, f"dids - {text}", f"/data/relationships/dids/{did['id']}")


def _identity_error(identity: Record) -> str:
    name = identity["company_name"] or f"{identity['first_name']} {identity['last_name']}"
    return f"can be used only with Identity {identity['identity_type'].capitalize()} - {name}"


def _cancel(session: AccountSession, service: str) -> None:
    for did in session.related("emergency_calling_services", service, "dids"):
        session.update("dids", did, {"emergency_enabled": False, "emergency_calling_service": None})
    changes = {"status": "canceled", "canceled_at": session.stamp(), "renew_date": None}
    session.update("emergency_calling_services", service, changes)


def _renew_later(session: AccountSession, service: str, until: str) -> None:
    at = datetime.fromisoformat(until).replace(tzinfo=UTC)
    session.schedule_once(at, "emergency_calling_services", "renew", f"renew/{service}", service)


def _requirement_of(session: AccountSession, dids: list[str]) -> Record:
    groups = [(did, session.get("did_groups", (session.get("dids", did) or {}).get("did_group")) or {}) for did in dids]
    for did, group in groups:
        if "emergency" not in group["features"]:
            text = "does not support Emergency feature"
            raise HttpError(422, text, f"dids - {text}", f"/data/relationships/dids/{did}")
    if len({group["did_group_type"] for _, group in groups}) > 1:
        raise relationship_error("dids", "should have the same Did Group Type")
    if len({(group["country"], group["city"]) for _, group in groups}) > 1:
        raise relationship_error("dids", "should be linked with City ID")
    first = groups[0][1]
    requirements = session.find(
        "emergency_requirements", country=first["country"], did_group_type=first["did_group_type"]
    )
    if not requirements:
        raise HttpError(422, "Emergency Rate not found", "Emergency Rate not found", "/data")
    return requirements[0]


def _prices(session: AccountSession, service: Record) -> dict[str, Decimal]:
    requirement = session.get("emergency_requirements", service["emergency_requirement"])
    shown = session.runtime.behavior("emergency_requirements").meta(session, requirement or {}) if requirement else None
    return {name: Decimal((shown or {}).get(name) or 0) for name in ("setup_price", "monthly_price")}


def _item(session: AccountSession, service: Record) -> Record:
    """Return the order item of the current month: prices of one number, with VAT."""
    prices, now = _prices(session, service), session.now()
    return {
        "qty": len(session.related("emergency_calling_services", service["id"], "dids")),
        "nrc": f"{add_vat(session, prices['setup_price']):.2f}",
        "mrc": f"{add_vat(session, prices['monthly_price']):.2f}",
        "prorated_mrc": False,
        "billed_from": f"{now:%Y-%m-%d}",
        "billed_to": last_day(add_month(now).date()),
        "emergency_calling_service_id": service["id"],
    }


def _charge(session: AccountSession, service: Record, verification: Record) -> Record:
    item = _item(session, service)
    amount = cost(item)
    session.charge(amount)
    order = session.insert(
        "orders",
        {
            "status": "completed",
            "reference": order_reference(session),
            "description": "Emergency",
            "amount": f"{amount:.2f}",
            "items": [{"type": "emergency_order_items", "attributes": item}],
            # Not documented, and chosen here: the callback of this order goes to the URL of the verification.
            "callback_url": verification["callback_url"],
            "callback_method": verification["callback_method"],
        },
    )
    report(session, "orders", None, order)
    return order
