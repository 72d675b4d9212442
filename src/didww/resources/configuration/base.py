"""What all ways of delivering calls share."""

from __future__ import annotations

from didww.resources.record import Nested


class TrunkConfiguration(Nested):
    """How a voice IN trunk delivers calls: the base of all kinds, and what a kind that is newer than this SDK is.

    Source: contract file voice_in_trunks.
    """


TrunkConfiguration.fallback = TrunkConfiguration
