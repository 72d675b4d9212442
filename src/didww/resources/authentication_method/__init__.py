"""Authentication methods of voice OUT trunks: the types of `VoiceOutTrunk.authentication_method`."""

from __future__ import annotations

from didww.resources.authentication_method.base import AuthenticationMethod, GenericAuthenticationMethod
from didww.resources.authentication_method.credentials_and_ip import CredentialsAndIpAuthenticationMethod
from didww.resources.authentication_method.ip_only import IpOnlyAuthenticationMethod
from didww.resources.authentication_method.twilio import TwilioAuthenticationMethod

__all__ = [
    "AuthenticationMethod",
    "CredentialsAndIpAuthenticationMethod",
    "GenericAuthenticationMethod",
    "IpOnlyAuthenticationMethod",
    "TwilioAuthenticationMethod",
]
