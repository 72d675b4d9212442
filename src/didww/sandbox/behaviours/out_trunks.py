"""Outbound trunks: the server's defaults, and the credentials that it makes. No call is placed, so nothing is spent.

Sources: behaviour sheet, section 8 (defaults); scenarios sheet, section 10 (authentication methods).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from didww.sandbox.behaviour import Behaviour
from didww.sandbox.behaviours.trunks import random_word
from didww.sandbox.errors import attribute_error, relationship_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.sandbox.store import Record
    from didww.sandbox.world import World

__all__ = ["OutTrunks", "RegenerateCredentials"]


class OutTrunks(Behaviour):
    """Outbound trunks."""

    defaults: ClassVar[Mapping[str, Any]] = {
        "status": "active",
        "default_dst_action": "allow_all",
        "allow_any_did_as_cli": False,
        "threshold_amount": "3000.0",
        "media_encryption_mode": "disabled",
        "force_symmetric_rtp": False,
        "rtp_ping": False,
        "rtp_timeout": 30,
        "emergency_enable_all": False,
        "on_cli_mismatch_action": "reject_call",
    }

    def before_create(self, world: World, record: Record) -> None:
        """Make the credentials."""
        record["authentication_method"] = _completed(world, record["authentication_method"], {}, "creation")

    def before_update(self, world: World, record: Record, changes: Record) -> None:
        """A sent method replaces the whole one; credentials stay as long as their kind does."""
        if "authentication_method" in changes:
            there: dict[str, Any] = record["authentication_method"] or {}
            changes["authentication_method"] = _completed(world, changes["authentication_method"], there, "update")

    def meta(self, world: World, record: Record) -> dict[str, Any] | None:  # noqa: ARG002 nothing is ever spent
        """What was spent in the last 24 hours."""
        return {"spent_amount": "0.0"}


class RegenerateCredentials(Behaviour):
    """New credentials for a trunk; nothing else is stored, and the answer bears the trunk's id."""

    stored = False

    def before_create(self, world: World, record: Record) -> None:
        """Replace them; trunks of other methods have none."""
        trunk = world.get("voice_out_trunks", record["voice_out_trunk"]) or {}
        method: dict[str, Any] = trunk["authentication_method"]
        if method["type"] != "credentials_and_ip":
            raise relationship_error("voice_out_trunk")
        record["id"] = trunk["id"]
        changed = {"username": random_word(world, 10), "password": random_word(world, 16)}
        inside = {**method["attributes"], **changed}
        world.update(
            "voice_out_trunks", trunk["id"], {"authentication_method": {"type": method["type"], "attributes": inside}}
        )


def _completed(world: World, given: Any, there: Any, when: str) -> dict[str, Any]:
    kind, inside = given["type"], dict(given["attributes"])
    if kind == "ip_only":
        raise attribute_error("type", f"is not allowed for {when}", path="authentication_method/type")
    if kind == "twilio" and not inside.get("twilio_account_sid"):
        raise attribute_error(
            "twilio_account_sid", "can't be blank", path="authentication_method/attributes/twilio_account_sid"
        )
    if kind == "credentials_and_ip":
        if not inside.get("allowed_sip_ips"):
            raise attribute_error("authentication_method", "is invalid")
        # Single addresses come back as networks.
        inside["allowed_sip_ips"] = [ip if "/" in ip else f"{ip}/32" for ip in inside["allowed_sip_ips"]]
        made: dict[str, Any] = there.get("attributes", {}) if there.get("type") == kind else {}
        inside["username"] = made.get("username") or random_word(world, 10)
        inside["password"] = made.get("password") or random_word(world, 16)
    return {"type": kind, "attributes": inside}
