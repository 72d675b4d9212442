"""What happened to the account's numbers in the last 90 days."""

from __future__ import annotations

from datetime import datetime

from didww._schema.fields import attribute
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import DidId, Digits, Ids, Since, Text, Until
from didww._schema.record import Meta
from didww._schema.resource import Resource
from didww.enums import DidHistoryAction, DidHistoryMethod


class DidHistoryMeta(Meta):
    """What a count of billing cycles was before and after; both None for every other action."""

    to: str | None = attribute("The value after the change, as text.")

    @property
    def from_(self) -> str | None:
        """The value before the change, as text; `from` on the wire, which is a keyword of Python."""
        return self._attributes.get("from")


class DidHistory(Resource, type="did_history", operations=("list", "find"), filters={"did.id": DidId, "id": Ids}):
    """One event of a number; events are kept for 90 days, and an earlier bound of `created_at` is refused."""

    did_number: str | None = attribute("The number, E.164 digits without a plus sign; None if not said.", filter=Digits)
    action: DidHistoryAction = attribute("What happened.", filter=Text)
    method: DidHistoryMethod = attribute("Who or what did it, e.g. `user_panel`.", filter=Text)
    created_at: datetime = attribute("When it happened.", filter_gteq=Since, filter_lteq=Until, sort=True)
    meta = resource_meta(DidHistoryMeta, "The values before and after, for `billing_cycles_count_changed`.")

    @property
    def number(self) -> str | None:
        """The same as `did_number`."""
        return self.did_number

    @property
    def order_created_at(self) -> str | None:
        """The raw value that the server sends under this name; None today, since the contract does not have it."""
        return self._attributes.get("order_created_at")
