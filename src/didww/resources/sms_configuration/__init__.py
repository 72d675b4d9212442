"""Configurations of SMS trunks: the types of `SmsTrunk.configuration`."""

from __future__ import annotations

from didww.resources.sms_configuration.base import SmsTrunkConfiguration
from didww.resources.sms_configuration.http_in import HttpInConfiguration
from didww.resources.sms_configuration.http_out import HttpOutConfiguration
from didww.resources.sms_configuration.smpp_esme import SmppEsmeConfiguration
from didww.resources.sms_configuration.smpp_smsc import SmppSmscConfiguration
from didww.resources.sms_configuration.sms_to_email import SmsToEmailConfiguration

__all__ = [
    "HttpInConfiguration",
    "HttpOutConfiguration",
    "SmppEsmeConfiguration",
    "SmppSmscConfiguration",
    "SmsToEmailConfiguration",
    "SmsTrunkConfiguration",
]
