"""Authentication of calls from Twilio Elastic SIP Trunking."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import Form
from didww.resources.authentication_method.base import AuthenticationMethod


class TwilioAuthenticationMethod(AuthenticationMethod, type="twilio"):
    """Accepts the calls of one Twilio account.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    twilio_account_sid: str = writable(
        "SID of the Twilio account: two letters and 32 hexadecimal digits, e.g. `AC0123...`. Must be unique among the "
        "trunks of all accounts.",
        required=True,
        form=Form("^[a-zA-Z]{2}[0-9a-fA-F]{32}$", "two letters and 32 hexadecimal digits", r"\s-"),
    )
