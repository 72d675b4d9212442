"""DID history: events of the numbers of the account in the last 90 days."""

from __future__ import annotations

from datetime import datetime

from didww._schema.fields import attribute
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import DidId, Digits, Ids, Since, Text, Until
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww.enums import DidHistoryAction, DidHistoryMethod


class DidHistoryMeta(Meta):
    """The billing cycles count before and after a change. Both are None for every other action."""

    to: str | None = attribute("Value after the change, as text.")

    @property
    def from_(self) -> str | None:
        """Value before the change, as text. The JSON member is `from`, which is a Python keyword."""
        return self._attributes.get("from")


class DidHistory(
    Resource,
    type="did_history",
    operations=("list", "find"),
    filters={"did.id": DidId, "id": Ids},
    columns={"number": "did_number", "action": "action", "by": "method", "time": "created_at"},
):
    """One event of a number. Events are kept for 90 days; filters on an earlier `created_at` are rejected."""

    did_number: str | None = attribute(
        "Phone number in E.164 format without the plus sign, or None if not specified.", filter=Digits
    )
    action: DidHistoryAction = attribute("Type of the event.", filter=Text)
    method: DidHistoryMethod = attribute("Source of the change, e.g. `user_panel`.", filter=Text)
    created_at: datetime = attribute("Date and time of the event.", filter_gteq=Since, filter_lteq=Until, sort=True)
    meta = resource_meta(DidHistoryMeta, "Values before and after the change, for `billing_cycles_count_changed`.")

    @property
    def number(self) -> str | None:
        """Alias of `did_number`."""
        return self.did_number

    @property
    def order_created_at(self) -> str | None:
        """Raw value of this undocumented member, or None if the response does not contain it."""
        return self._attributes.get("order_created_at")
