"""Delivery of calls to a phone number."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import DIGITS
from didww.resources.configuration.base import TrunkConfiguration


class PstnConfiguration(TrunkConfiguration, type="pstn_configurations"):
    """Calls are forwarded to a phone number.

    Source: tests/contract/facts/voice_in_trunks.yaml.
    """

    dst: str | None = writable(
        "Number that takes the calls: at most 15 E.164 digits without a plus sign, e.g. `442079460000`. "
        "None in responses only.",
        required=True,
        max_length=15,
        form=DIGITS,
        not_none="Name the number; an update that leaves it out keeps what is stored.",
    )
