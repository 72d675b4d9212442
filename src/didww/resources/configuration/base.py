"""What all ways of delivering calls share."""

from __future__ import annotations

from didww._schema.record import Nested


class TrunkConfiguration(Nested):
    """How a voice IN trunk delivers calls: the base of all kinds, and what a kind that is newer than this SDK is.

    An update of a trunk merges what is sent with what is stored, member by member; the kind cannot change.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    merges = True


TrunkConfiguration.fallback = TrunkConfiguration
