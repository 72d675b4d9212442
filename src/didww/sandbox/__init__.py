"""A local DIDWW: the whole API, with real place names, its own money and a clock that can be moved.

Nothing is imported before it is used; `didww.sandbox.engine` needs the standard library and msgspec alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from didww.sandbox.behaviour import Behaviour
    from didww.sandbox.clock import Clock
    from didww.sandbox.engine import Engine
    from didww.sandbox.errors import Refused
    from didww.sandbox.local import Sandbox
    from didww.sandbox.world import World

__all__ = ["Behaviour", "Clock", "Engine", "Refused", "Sandbox", "World"]

_HOMES = {
    "Behaviour": "behaviour",
    "Clock": "clock",
    "Engine": "engine",
    "Refused": "errors",
    "Sandbox": "local",
    "World": "world",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"didww.sandbox.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
