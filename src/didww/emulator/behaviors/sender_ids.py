"""Sender ID verifications: accounts rename them and assign them to SMS trunks; DIDWW does the rest.

Source: `tests/contract/facts_2026_11_19/sender_id_verifications.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.date_math import add_month
from didww.emulator.behaviors.sms_trunks import sends
from didww.emulator.engine.errors import attribute_error, relationship_error
from didww.enums import SenderIdVerificationStatus as Status
from didww.enums import SenderType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["SenderIds", "status_changes"]

_OF_DIDS: Final = (SenderType.LONG_CODE, SenderType.TOLL_FREE)
_CHARGES: Final = {"setup_price": "10.0", "monthly_price": "5.0"}
"""The names are not documented."""


class SenderIds(Behavior):
    """Sender ID verifications."""

    def before_seed(self, session: AccountSession, record: Record) -> None:
        """Set the defaults: an active verification of a name."""
        record.setdefault("status", Status.ACTIVE.value)
        record.setdefault("sender_type", SenderType.ALPHANUMERIC.value)
        record.setdefault("reference", f"SID-{session.rng.randrange(1000, 10**6)}")
        record.setdefault("created_at", session.stamp())
        if record["sender_type"] in _OF_DIDS and not record.get("sender_ids"):
            dids = session.find("dids", id=record.get("dids", []))
            record["sender_ids"] = [did["number"] for did in dids]
        for name in ("name", "sender_ids"):
            if not record.get(name):
                raise attribute_error(name, "can't be blank")
        given = dict(record)
        reasons, comment = record.pop("reject_reasons", None), record.pop("reject_comment", None)
        record.update({**status_changes(session, given, record["status"], reasons or (), comment), **record})
        _check_trunk(session, record, record)

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check the name and the trunk."""
        if "name" in changes and not changes["name"].strip():
            raise attribute_error("name", "can't be blank")
        _check_trunk(session, record, changes)

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the charges."""
        return dict(_CHARGES)


def status_changes(
    session: AccountSession, record: Record, status: str, reasons: Sequence[str], comment: str | None
) -> dict[str, Any]:
    """Return the changes that give a verification a status.

    Args:
        session: The account.
        record: The verification.
        status: The status.
        reasons: Reasons for a rejection; ignored with another status than changes_required.
        comment: Comment on a rejection; ignored likewise.
    """
    rejected, closed = status == Status.CHANGES_REQUIRED, status == Status.CLOSED
    changes: dict[str, Any] = {
        "status": status,
        "reject_reasons": (list(reasons) or None) if rejected else None,
        "reject_comment": comment if rejected else None,
    }
    if status == Status.ACTIVE and not record.get("activated_at"):
        changes["activated_at"] = session.stamp()
        changes["renew_date"] = add_month(session.now()).date().isoformat()
    if closed:
        changes |= {"closed_at": session.stamp(), "renew_date": None, "sms_trunk": None}
    return changes


def _check_trunk(session: AccountSession, record: Record, changes: Record) -> None:
    """Check that a verification can be assigned to a trunk."""
    trunk = session.get("sms_trunks", changes.get("sms_trunk"))
    if trunk is None:
        return
    if record["status"] == Status.CLOSED:
        raise relationship_error("sms_trunk", "cannot be set: the sender ID verification is closed")
    if not sends(trunk):
        raise relationship_error("sms_trunk")
    for other in session.find("sender_id_verifications", sms_trunk=trunk["id"]):
        if other["id"] != record.get("id") and set(other["sender_ids"]) & set(record["sender_ids"]):
            raise relationship_error("sms_trunk", "has a sender ID of this verification already")
