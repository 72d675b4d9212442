"""The base class of SMS trunk configurations."""

from __future__ import annotations

from didww._schema.nested import Nested


class SmsTrunkConfiguration(Nested):
    """The base class of SMS trunk configurations, and the class of types unknown to this SDK version.

    An update of a trunk merges the members that are sent into the stored configuration. Its type cannot be changed.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    merges = True


SmsTrunkConfiguration.fallback = SmsTrunkConfiguration
