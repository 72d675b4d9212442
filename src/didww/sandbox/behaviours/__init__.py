"""What single resource types do beyond being stored: one module for each idea, collected here by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.sandbox.behaviours.exports import Exports
from didww.sandbox.behaviours.orders import Orders
from didww.sandbox.behaviours.out_trunks import OutTrunks
from didww.sandbox.behaviours.reservations import Reservations
from didww.sandbox.behaviours.trunks import TrunkGroups, Trunks

if TYPE_CHECKING:
    from didww.sandbox.behaviour import Behaviour

__all__ = ["BEHAVIOURS"]

BEHAVIOURS: dict[str, Behaviour] = {
    "orders": Orders(),
    "did_reservations": Reservations(),
    "voice_in_trunks": Trunks(),
    "voice_in_trunk_groups": TrunkGroups(),
    "voice_out_trunks": OutTrunks(),
    "exports": Exports(),
}
