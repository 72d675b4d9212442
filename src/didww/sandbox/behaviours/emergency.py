"""Emergency calling: the verification of an address, and the calling service that comes of it.

A verification is approved by itself shortly after it was submitted; then its service becomes active and is charged by
an order of its own. Source: scenarios sheet, section 7.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from didww.sandbox.behaviour import Behaviour
from didww.sandbox.behaviours.months import month_later
from didww.sandbox.behaviours.orders import order_reference
from didww.sandbox.behaviours.registration import SECONDS_TO_APPROVE, check, reference
from didww.sandbox.errors import Refused, relationship_error

if TYPE_CHECKING:
    from didww.sandbox.store import Record
    from didww.sandbox.world import World

__all__ = ["CallingServices", "EmergencyVerifications"]

_CAN_BE_VERIFIED = ("new", "changes_required", "active")
_CAN_BE_CANCELED = ("new", "changes_required", "active", "pending_update")


class EmergencyVerifications(Behaviour):
    """Submitted, and approved."""

    steps = ((SECONDS_TO_APPROVE, "approve"),)
    outcomes = ("approve", "reject")
    undecided = frozenset({"pending"})

    def before_create(self, world: World, record: Record) -> None:
        """Check numbers, address and identity; make the calling service, or take the one that is named."""
        service_id, dids = record["emergency_calling_service"], record["dids"]
        if service_id is not None and dids:
            raise relationship_error("emergency_calling_service", "must be blank when dids are given")
        if record["callback_url"] and not record["callback_method"]:
            raise Refused(422, "can't be blank", "callback_method - can't be blank", "/data/attributes/callback_method")
        if service_id is None:
            requirement = _requirement_of(world, dids)
            service = self._new_service(world, requirement, dids)
        else:
            service = world.get("emergency_calling_services", service_id) or {}
            if service["status"] not in _CAN_BE_VERIFIED:
                text = "Emergency Calling Service should be in NEW, CHANGES_REQUIRED or ACTIVE status"
                raise Refused(422, text, text, "/data")
            requirement = world.get("emergency_requirements", service["emergency_requirement"]) or {}
        address = world.get("addresses", record["address"]) or {}
        check(world, requirement, world.get("identities", address["identity"]), address)
        record["emergency_calling_service"] = service["id"]
        record.update(status="pending", reference=reference(world, "EV"))

    def after_create(self, world: World, record: Record) -> None:
        """The service waits for the approval."""
        service = world.get("emergency_calling_services", record["emergency_calling_service"]) or {}
        status = "pending_update" if service["status"] == "active" else "in_process"
        changes = {"status": status, "emergency_verification": record["id"], "address": record["address"]}
        world.update("emergency_calling_services", service["id"], changes)
        world.begin("emergency_verifications", {"id": record["id"]})

    def due(self, world: World, name: str, payload: Any) -> None:  # noqa: ARG002
        """Approve: the service becomes active and is charged, its numbers can call for help."""
        verification = world.get("emergency_verifications", payload["id"])
        if verification is None or verification["status"] != "pending":
            return
        world.update("emergency_verifications", payload["id"], {"status": "approved"})
        service = world.get("emergency_calling_services", verification["emergency_calling_service"])
        if service is None or service["status"] not in ("in_process", "pending_update"):
            return
        changes: dict[str, Any] = {"status": "active"}
        if service["activated_at"] is None:
            until = month_later(world.now())
            order = _charged(world, service)
            changes.update(activated_at=world.stamp(), renew_date=f"{until:%Y-%m-%d}", order=order["id"])
        world.update("emergency_calling_services", service["id"], changes)
        for did in world.related("emergency_calling_services", service["id"], "dids"):
            world.update("dids", did, {"emergency_enabled": True})

    def _new_service(self, world: World, requirement: Record, dids: list[str]) -> Record:
        country = world.get("countries", requirement["country"]) or {}
        name = reference(world, "ECS")
        return world.insert(
            "emergency_calling_services",
            {
                "name": f"{country.get('name')} {name}",
                "reference": name,
                "status": "new",
                "country": requirement["country"],
                "did_group_type": requirement["did_group_type"],
                "emergency_requirement": requirement["id"],
                "dids": dids,
            },
        )


class CallingServices(Behaviour):
    """Subscriptions."""

    def meta(self, world: World, record: Record) -> dict[str, Any] | None:
        """Its prices, those of its requirement."""
        prices = _prices(world, record)
        return {name: f"{amount:.2f}" for name, amount in prices.items()}

    def delete(self, world: World, record: Record) -> bool:
        """Cancel: the record stays, its numbers lose emergency calling."""
        if record["status"] not in _CAN_BE_CANCELED:
            text = f"Emergency Calling Service cannot be canceled in {record['status'].upper()} status"
            raise Refused(422, text, text, "/data")
        for did in world.related("emergency_calling_services", record["id"], "dids"):
            world.update("dids", did, {"emergency_enabled": False, "emergency_calling_service": None})
        changes = {"status": "canceled", "canceled_at": world.stamp(), "renew_date": None}
        world.update("emergency_calling_services", record["id"], changes)
        return True


def _requirement_of(world: World, dids: list[str]) -> Record:
    if not dids:
        raise relationship_error("dids", "can't be blank")
    groups = [(did, world.get("did_groups", (world.get("dids", did) or {}).get("did_group")) or {}) for did in dids]
    for did, group in groups:
        if "emergency" not in group["features"]:
            text = "does not support Emergency feature"
            raise Refused(422, text, f"dids - {text}", f"/data/relationships/dids/{did}")
    if len({group["did_group_type"] for _, group in groups}) > 1:
        raise relationship_error("dids", "should have the same Did Group Type")
    if len({(group["country"], group["city"]) for _, group in groups}) > 1:
        raise relationship_error("dids", "should be linked with City ID")
    first = groups[0][1]
    found = world.find("emergency_requirements", country=first["country"], did_group_type=first["did_group_type"])
    if not found:
        raise Refused(422, "Emergency Rate not found", "Emergency Rate not found", "/data")
    return found[0]


def _prices(world: World, service: Record) -> dict[str, Decimal]:
    requirement = world.get("emergency_requirements", service["emergency_requirement"])
    shown = world.setting.behaviour("emergency_requirements").meta(world, requirement or {}) if requirement else None
    return {name: Decimal((shown or {}).get(name) or 0) for name in ("setup_price", "monthly_price")}


def _charged(world: World, service: Record) -> Record:
    prices, now = _prices(world, service), world.now()
    amount = sum(prices.values(), Decimal(0))
    world.charge(amount)
    item = {
        "qty": len(world.related("emergency_calling_services", service["id"], "dids")),
        "nrc": f"{prices['setup_price']:.2f}",
        "mrc": f"{prices['monthly_price']:.2f}",
        "prorated_mrc": False,
        "billed_from": f"{now:%Y-%m-%d}",
        "billed_to": f"{month_later(now):%Y-%m-%d}",
        "emergency_calling_service_id": service["id"],
    }
    return world.insert(
        "orders",
        {
            "status": "completed",
            "reference": order_reference(world),
            "description": "Emergency",
            "amount": f"{amount:.2f}",
            "items": [{"type": "emergency_order_items", "attributes": item}],
        },
    )
