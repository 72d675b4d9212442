"""Stock of DID groups."""

from __future__ import annotations

import msgspec

from didww.emulator.behaviors.available_dids import count_in_stock, count_unavailable
from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.clock import stamp

__all__ = ["Stock", "StockLevel"]


class StockLevel(msgspec.Struct, frozen=True):
    """The stock of a DID group.

    Attributes:
        did_group: Id of the group.
        count: Numbers that the account can buy.
        capacity: Numbers in the range of the group.
    """

    did_group: str
    count: int
    capacity: int


class Stock(AccountControl):
    """Stock of DID groups: `emulator.stock`."""

    def show(self, did_group: str, *, api_key: str | None = None) -> StockLevel:
        """Return the stock of a DID group.

        Args:
            did_group: Id of the group.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: There is no such group.
        """
        with self._engine.locked():
            session = self._session(api_key)
            group = session.get("did_groups", did_group)
            if group is None:
                raise LookupError(f"There is no DID group {did_group!r}.")
            return StockLevel(did_group, count_in_stock(session, group), session.catalog.capacity(did_group))

    def put(self, did_group: str, count: int, *, api_key: str | None = None) -> StockLevel:
        """Set the stock of a DID group as an account sees it; waiting back orders are retried at once.

        Args:
            did_group: Id of the group.
            count: Numbers in stock, from 0 to those in the range that the account does not own.
            api_key: Key of the account. Defaults to the emulator's own. Others see it minus their own numbers.

        Raises:
            LookupError: There is no such group.
            ValueError: `count` exceeds the range.
        """
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            group = session.get("did_groups", did_group)
            if group is None:
                raise LookupError(f"There is no DID group {did_group!r}.")
            capacity = session.catalog.capacity(did_group)
            taken = count_unavailable(session, group)
            if not 0 <= count <= capacity - taken:
                raise ValueError(f"count must be from 0 to {capacity - taken} for this group, got {count}.")
            runtime.run_in_transaction(lambda: session.update("did_groups", did_group, {"total_count": taken + count}))
            # Back orders poll for stock; retry those of this group now.
            now = stamp(runtime.clock.now())
            for order in session.find("orders", status="pending"):
                wanted = {plan.get("group") for plan in order["private"].get("plans", ())}
                if order["private"].get("tried") and did_group in wanted:
                    runtime.store.connection.execute(
                        "UPDATE events SET at = ? WHERE record = ? AND name = 'complete' AND at > ?",
                        (now, order["id"], now),
                    )
            runtime.load()
        self._engine.tick()
        self._engine.wake()
        return self.show(did_group, api_key=api_key)
