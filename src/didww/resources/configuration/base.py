"""The base class of trunk configurations."""

from __future__ import annotations

from didww._schema.nested import Nested


class TrunkConfiguration(Nested):
    """The base class of trunk configurations, and the class of types unknown to this SDK version.

    An update of a trunk merges the members that are sent into the stored configuration. Its type cannot be changed.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    merges = True


TrunkConfiguration.fallback = TrunkConfiguration
