"""The only place that touches a socket: transports, and the two drivers that run calls over them.

Only what a transport is can be imported from here; the HTTP libraries stay unloaded until one is used.
"""

from __future__ import annotations

from didww.transport.base import AsyncTransport, Transport

__all__ = ["AsyncTransport", "Transport"]
