"""Unique names, and costs and references of orders."""

from __future__ import annotations

import string
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine.errors import attribute_error

if TYPE_CHECKING:
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["UniqueNames", "cost", "order_reference"]


class UniqueNames(Behavior):
    """Names that must be unique within the account.

    Attributes:
        shared_by: The types that share a namespace, starting with the behavior's own.
    """

    shared_by: ClassVar[tuple[str, ...]]

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check that the name is unique."""
        self._check_name(session, record["name"])

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check that a changed name is unique."""
        if "name" in changes and changes["name"] != record["name"]:
            self._check_name(session, changes["name"])

    def _check_name(self, session: AccountSession, name: str) -> None:
        if not name.strip():
            raise attribute_error("name", "can't be blank")
        if any(session.count(type, name=name) for type in self.shared_by):
            raise attribute_error("name", "has already been taken")


def cost(item: Record) -> Decimal:
    """Return the price of an order item from its unit prices."""
    return int(item["qty"]) * (Decimal(item["nrc"]) + Decimal(item["mrc"]))


def order_reference(session: AccountSession) -> str:
    """Return a new human-readable order reference."""
    letters = "".join(session.rng.choices(string.ascii_uppercase, k=3))
    return f"{letters}-{session.rng.randrange(10**6):06}"
