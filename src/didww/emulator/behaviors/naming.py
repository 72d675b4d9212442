"""Names that an account can give only once, and references of orders."""

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
    """Names are the account's own only once.

    Attributes:
        shared_by: The types that share the names, the first of them the behavior's own.
    """

    shared_by: ClassVar[tuple[str, ...]]

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Refuse a name that is taken."""
        self._check_name(session, record["name"])

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Refuse a name that another one has."""
        if "name" in changes and changes["name"] != record["name"]:
            self._check_name(session, changes["name"])

    def _check_name(self, session: AccountSession, name: str) -> None:
        if not name.strip():
            raise attribute_error("name", "can't be blank")
        if any(session.count(type, name=name) for type in self.shared_by):
            raise attribute_error("name", "has already been taken")


def cost(item: Record) -> Decimal:
    """What an item of an order costs: its attributes hold the prices of one unit."""
    return int(item["qty"]) * (Decimal(item["nrc"]) + Decimal(item["mrc"]))


def order_reference(session: AccountSession) -> str:
    """A new reference of an order, for people to read."""
    letters = "".join(session.rng.choices(string.ascii_uppercase, k=3))
    return f"{letters}-{session.rng.randrange(10**6):06}"
