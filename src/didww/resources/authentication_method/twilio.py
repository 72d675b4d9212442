"""Authentication of calls that come from Twilio Elastic SIP Trunking."""

from __future__ import annotations

from didww.resources.fields import writable
from didww.resources.record import Nested


class TwilioAuthenticationMethod(Nested, type="twilio"):
    """Trust in the calls of one Twilio account.

    Source: contract file voice_out_trunks; that the SID is needed: behaviour sheet, section 9.
    """

    twilio_account_sid: str = writable("SID of the Twilio account, such as `ACxxxxxxxx...`.", required=True)
