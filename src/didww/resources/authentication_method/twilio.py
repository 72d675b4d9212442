"""Authentication of calls that come from Twilio Elastic SIP Trunking."""

from __future__ import annotations

from didww.resources.authentication_method.base import AuthenticationMethod
from didww.resources.fields import writable


class TwilioAuthenticationMethod(AuthenticationMethod, type="twilio"):
    """Trust in the calls of one Twilio account.

    Source: contract file voice_out_trunks; that the SID is needed: behaviour sheet, section 9.
    """

    twilio_account_sid: str = writable("SID of the Twilio account, such as `ACxxxxxxxx...`.", required=True)
