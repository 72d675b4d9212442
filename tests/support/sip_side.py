"""What calls need of `emulator.sip`, with a network of a test."""

from __future__ import annotations

from typing import Any

from didww.emulator.sip.allowed import Bounds
from support.sip_memory_network import MemoryNetwork


class Side:
    """Stands for `emulator.sip`.

    Args:
        network: The network of the calls.
    """

    def __init__(self, network: MemoryNetwork) -> None:
        self.network = network
        self._bounds = Bounds(calls=2, per_second=100)

    def _ready(self) -> MemoryNetwork:
        return self.network

    def _contacts(self, trunk_id: str) -> list[Any]:
        return []
