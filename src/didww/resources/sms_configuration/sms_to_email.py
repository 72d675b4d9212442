"""Delivery of inbound text messages by email."""

from __future__ import annotations

from didww._schema.fields import writable
from didww.resources.sms_configuration.base import SmsTrunkConfiguration


class SmsToEmailConfiguration(SmsTrunkConfiguration, type="sms_to_email"):
    """Forwards inbound text messages to an email address.

    Source: tests/contract/facts_2026_11_19/sms_trunks.yaml.
    """

    send_to: str = writable("Email address that receives the messages.", required=True)
    subject: str = writable("Template of the subject line.", required=True)
    message: str = writable("Template of the email text.", required=True)
