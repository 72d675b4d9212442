"""Reservations hold an available number for ten minutes; an account can have ten at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine.errors import HttpError, relationship_error

if TYPE_CHECKING:
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Reservations"]

HELD = timedelta(minutes=10)
MAX_RESERVATIONS = 10


class Reservations(Behavior):
    """DID reservations."""

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check the limit and reserve the number."""
        available = session.get("available_dids", record["available_did"])
        if available is None:
            raise relationship_error("available_did")
        if session.count("did_reservations") >= MAX_RESERVATIONS:
            raise HttpError(422, f"at most {MAX_RESERVATIONS} numbers can be reserved", pointer="/data")
        record["number"] = available["number"]
        record["did_group"] = available["did_group"]
        record["expires_at"] = session.stamp(session.now() + HELD)

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Schedule the expiration."""
        session.schedule(session.now() + HELD, "did_reservations", "expire", record["id"])

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Remove the reservation, unless the number was bought or released."""
        session.delete("did_reservations", payload)

    def document_meta(self, session: AccountSession, operation: str) -> dict[str, Any]:
        """Return how many more reservations the account can have; not in create responses."""
        return (
            {} if operation == "create" else {"available_count": MAX_RESERVATIONS - session.count("did_reservations")}
        )
