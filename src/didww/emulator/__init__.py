"""An emulator of the DIDWW API, with its own catalog, balances and an adjustable clock.

Imports are lazy; `didww.emulator.engine.engine` needs only the standard library and msgspec.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from didww.emulator.behaviors.base import Behavior
    from didww.emulator.controls.clock import Clock
    from didww.emulator.emulator import Emulator
    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.errors import HttpError
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.http.server import running
    from didww.emulator.sip.far_end import FarEnd
    from didww.emulator.sip.report import RingAttempt, RingReport

__all__ = [
    "AccountSession",
    "Behavior",
    "Clock",
    "Emulator",
    "Engine",
    "FarEnd",
    "HttpError",
    "RingAttempt",
    "RingReport",
    "running",
]

_HOMES = {
    "AccountSession": "engine.session",
    "Behavior": "behaviors.base",
    "Clock": "controls.clock",
    "Emulator": "emulator",
    "Engine": "engine.engine",
    "FarEnd": "sip.far_end",
    "HttpError": "engine.errors",
    "RingAttempt": "sip.report",
    "RingReport": "sip.report",
    "running": "http.server",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"didww.emulator.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
