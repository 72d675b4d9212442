"""VAT, which the emulator adds to every price."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from didww.emulator.engine.session import AccountSession

__all__ = ["add_vat"]


def add_vat(session: AccountSession, net: Decimal) -> Decimal:
    """Return a net price plus the account's VAT, in whole cents."""
    percent = Decimal(session.runtime.store.get_meta("vat") or 0)
    return (net * (100 + percent) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
