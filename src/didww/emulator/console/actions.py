"""Actions that only the console has, such as to add to a balance, or that show another page than that of their form."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import msgspec

from didww.emulator.console import rings
from didww.emulator.console.queries import owner_of_record
from didww.emulator.controls.callbacks import report
from didww.emulator.engine.schema import table_of
from didww.emulator.engine.session import AccountSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.emulator import Emulator
    from didww.emulator.engine.session import Runtime

__all__ = ["ACTIONS", "Fire", "TopUp"]


class TopUp(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of the form that adds to a balance."""

    amount: str
    api_key: str | msgspec.UnsetType = msgspec.UNSET


class Fire(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of the form that sends a callback."""

    type: str
    id: str
    url: str | None = None


def _top_up(emulator: Emulator, form: TopUp) -> None:
    """Add an amount to the balance of an account."""
    try:
        amount = Decimal(form.amount)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 < amount <= 1_000_000):
        raise ValueError(f"amount must be from 0.01 to 1000000 US dollars, got {form.amount[:40]!r}.")
    key = None if form.api_key is msgspec.UNSET else form.api_key
    balance = Decimal(emulator.balance.show(api_key=key).balance)
    emulator.balance.put(balance + amount, api_key=key)


def _fire(emulator: Emulator, form: Fire) -> None:
    """Send the callback of a record for its current status, to its own URL or to another one."""
    with emulator.engine.locked() as runtime:
        owner = _owner(runtime, form)
        session = AccountSession(runtime, owner, "http://127.0.0.1/v3")
        record = session.get(form.type, form.id) or {}
        url = form.url or record.get("callback_url")
        if not url:
            raise ValueError(f"This record of {form.type} has no callback_url. Enter a URL.")
        others = runtime.callbacks_queued
        runtime.callbacks_queued = False
        runtime.run_in_transaction(lambda: report(session, form.type, None, {**record, "callback_url": url}))
        queued = runtime.callbacks_queued
        runtime.callbacks_queued = queued or others
        if not queued:
            raise ValueError(f"No callback reports the status {record['status']!r}. Change the status first.")
    emulator.engine.wake()


def _owner(runtime: Runtime, form: Fire) -> int:
    table = table_of(form.type)
    owner = (
        None if table is None or "callback_url" not in table.by_name else owner_of_record(runtime, form.type, form.id)
    )
    if owner is None:
        raise LookupError(f"There is no record {form.id!r} of {form.type}.")
    return owner


ACTIONS: Final[dict[str, tuple[type[msgspec.Struct], Callable[[Emulator, Any], str | None]]]] = {
    "balance/top_up": (TopUp, _top_up),
    "callbacks/fire": (Fire, _fire),
    "calls/ring": (rings.RingForm, rings.place),
    "calls/hang_up": (rings.HangUpForm, rings.hang_up),
}
"""Parameters and function of each action. The function may return the page to show next."""
