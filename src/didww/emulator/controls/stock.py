"""The stock of a DID group, put from outside: to sell out, to run short, to let a back order go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from didww.emulator.behaviors.available_dids import count_in_stock, count_unavailable
from didww.emulator.controls.clock import stamp

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine

__all__ = ["Stock", "StockLevel"]


class StockLevel(msgspec.Struct, frozen=True):
    """What is left of a group.

    Attributes:
        did_group: The group's id.
        count: How many of its numbers the account can still buy.
        capacity: How many numbers its range has.
    """

    did_group: str
    count: int
    capacity: int


class Stock:
    """Numbers that can be bought: `emulator.stock`.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, did_group: str, *, api_key: str | None = None) -> StockLevel:
        """What is left of a group.

        Args:
            did_group: The group's id.
            api_key: For which account; defaults to the emulator's own.

        Raises:
            LookupError: There is no such group.
        """
        with self._engine.locked():
            session = self._engine.session(api_key or self._default_key)
            group = session.get("did_groups", did_group)
            if group is None:
                raise LookupError(f"There is no DID group {did_group!r}.")
            return StockLevel(did_group, count_in_stock(session, group), session.catalog.capacity(did_group))

    def put(self, did_group: str, count: int, *, api_key: str | None = None) -> StockLevel:
        """Have `count` numbers of a group left for an account to buy; orders that wait for them are tried at once.

        Args:
            did_group: The group's id.
            count: From 0 to what the group's range has and the account has not.
            api_key: For which account; defaults to the emulator's own. Others have as many fewer as they own.

        Raises:
            LookupError: There is no such group.
            ValueError: The range has not so many numbers.
        """
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            group = session.get("did_groups", did_group)
            if group is None:
                raise LookupError(f"There is no DID group {did_group!r}.")
            capacity = session.catalog.capacity(did_group)
            taken = count_unavailable(session, group)
            if not 0 <= count <= capacity - taken:
                raise ValueError(f"count is {count}; this group's range leaves 0 to {capacity - taken}.")
            runtime.run_in_transaction(lambda: session.update("did_groups", did_group, {"total_count": taken + count}))
            # Back orders look for stock now and then; those of this group need not wait for it.
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
