"""What single resource types do beyond being stored: one module for each idea, collected here by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from didww.sandbox.behaviour import Behaviour

__all__ = ["BEHAVIOURS"]

BEHAVIOURS: dict[str, Behaviour] = {}
