"""Delivery of calls to a phone number."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import DIGITS
from didww.resources.configuration.base import TrunkConfiguration


class PstnConfiguration(TrunkConfiguration, type="pstn_configurations"):
    """Forwards calls to a phone number.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    dst: str | None = writable(
        "Destination phone number in E.164 format without the plus sign, at most 15 digits, e.g. `442079460000`. "
        "None in responses only.",
        required=True,
        max_length=15,
        form=DIGITS,
        not_none="Set a number, or leave the field out of an update to keep the stored one.",
    )
