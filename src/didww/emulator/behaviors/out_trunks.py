"""Outbound trunks: server defaults, generated credentials, and the spend of the last 24 hours."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.naming import UniqueNames
from didww.emulator.behaviors.trunks import networks, random_word
from didww.emulator.engine import overrides, queries
from didww.emulator.engine.errors import attribute_error, relationship_error
from didww.version import TOKENS_SINCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["OutTrunks", "RegenerateCredentials", "spend"]

_WINDOW: Final = timedelta(hours=24)
_ACTION: Final = "on_cli_mismatch_action"
_LARGEST_THRESHOLD: Final = 100_000
"""The range depends on the account; this one is from the Postman collection."""


class OutTrunks(UniqueNames):
    """Outbound trunks."""

    shared_by = ("voice_out_trunks",)

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
    }

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Generate the credentials."""
        super().before_create(session, record)
        _check(session, record)
        record["authentication_method"] = _complete(session, record["authentication_method"], {}, "creation")

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Replace a sent authentication method; credentials are kept while its type is unchanged.

        Unblocking a trunk restarts its 24 hours.
        """
        super().before_update(session, record, changes)
        _check(session, changes)
        if changes.get("status") == "active" and record["status"] == "blocked":
            changes |= {"threshold_reached": False, "private": {**record["private"], "spent": []}}
        if "authentication_method" in changes:
            there: dict[str, Any] = record["authentication_method"] or {}
            changes["authentication_method"] = _complete(
                session, changes["authentication_method"], there, "update", record["id"]
            )

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        """Return the spend of the last 24 hours."""
        return {"spent_amount": str(_spent_today(session, record) or "0.0")}


def spend(session: AccountSession, trunk: str, amount: Decimal) -> Record:
    """Add the price of a call to the spend of a trunk, and block it at its threshold.

    The account's balance does not change: calls are billed separately.
    """
    record = session.get("voice_out_trunks", trunk) or {}
    spent = _spent_today(session, record)
    kept = [entry for entry in record["private"].get("spent", []) if entry[0] > session.stamp(session.now() - _WINDOW)]
    now = session.stamp()
    if kept and kept[-1][0][:16] == now[:16]:  # one sum per minute
        now, amount_before = kept[-1][0], Decimal(kept.pop()[1])
        kept.append([now, str(amount_before + amount)])
    else:
        kept.append([now, str(amount)])
    changes: dict[str, Any] = {"private": {**record["private"], "spent": kept}}
    threshold = record["threshold_amount"]
    total = spent + amount
    if threshold is not None and total >= Decimal(threshold) and record["status"] == "active":
        changes |= {"status": "blocked", "threshold_reached": True}
    return session.update("voice_out_trunks", trunk, changes)


def _spent_today(session: AccountSession, record: Record) -> Decimal:
    since = session.stamp(session.now() - _WINDOW)
    return sum((Decimal(entry[1]) for entry in record["private"].get("spent", []) if entry[0] > since), Decimal(0))


def _check(session: AccountSession, changes: Record) -> None:
    """Validate features, addresses and ranges; normalize networks."""
    action = changes.get(_ACTION)
    if action in overrides.NEED_FEATURE["voice_out_trunks", _ACTION] and not session.enabled(action):
        raise attribute_error(_ACTION, "is not enabled for this account")
    threshold = Decimal(changes.get("threshold_amount") or 0)
    if threshold < 0:
        raise attribute_error("threshold_amount", "must be greater than or equal to 0")
    if threshold > _LARGEST_THRESHOLD:
        raise attribute_error("threshold_amount", f"must be less than or equal to {_LARGEST_THRESHOLD}")
    registered_only = session.version is not None and session.version >= TOKENS_SINCE
    dids = session.find("dids", id=changes.get("dids", [])) if registered_only else []
    if any(did["awaiting_registration"] for did in dids):
        raise relationship_error("dids")
    if changes.get("dst_prefixes"):
        changes["dst_prefixes"] = list(dict.fromkeys(changes["dst_prefixes"]))
    networks(changes.get("allowed_rtp_ips"), "allowed_rtp_ips", "allowed_rtp_ips")


class RegenerateCredentials(Behavior):
    """New credentials of a trunk; the response has the trunk's id."""

    stored = False

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Replace the credentials; trunks with other methods have none."""
        trunk = session.get("voice_out_trunks", record["voice_out_trunk"]) or {}
        method: dict[str, Any] = trunk["authentication_method"]
        if method["type"] != "credentials_and_ip":
            raise relationship_error("voice_out_trunk")
        record["id"] = trunk["id"]
        changed = {"username": random_word(session, 10), "password": random_word(session, 16)}
        inside = {**method["attributes"], **changed}
        session.update(
            "voice_out_trunks", trunk["id"], {"authentication_method": {"type": method["type"], "attributes": inside}}
        )


def _complete(session: AccountSession, given: Any, there: Any, when: str, id: str = "") -> dict[str, Any]:
    """Return the method to store, with existing credentials if its type is unchanged."""
    kind, inside = given["type"], dict(given["attributes"])
    if kind == "ip_only":
        raise attribute_error("type", f"is not allowed for {when}", path="authentication_method/type")
    if kind == "twilio" and _is_taken(session, inside["twilio_account_sid"], id):
        path = "authentication_method/attributes/twilio_account_sid"
        raise attribute_error("twilio_account_sid", "has already been taken", path=path)
    if kind == "credentials_and_ip":
        path = "authentication_method/attributes/allowed_sip_ips"
        # The service returns single addresses as networks.
        inside["allowed_sip_ips"] = networks(inside["allowed_sip_ips"], "allowed_sip_ips", path)
        current: dict[str, Any] = there.get("attributes", {}) if there.get("type") == kind else {}
        inside["username"] = current.get("username") or random_word(session, 10)
        inside["password"] = current.get("password") or random_word(session, 16)
    return {"type": kind, "attributes": inside}


def _is_taken(session: AccountSession, sid: str, id: str) -> bool:
    """Return whether another trunk of any account trusts this Twilio account."""
    return any(other != id for other in queries.trunks_with_twilio_account(session, sid))
