"""Authentication by SIP credentials from allowed addresses, the usual method."""

from __future__ import annotations

from didww.resources.authentication_method.base import AuthenticationMethod
from didww.resources.fields import attribute, writable


class CredentialsAndIpAuthenticationMethod(AuthenticationMethod, type="credentials_and_ip"):
    """SIP digest credentials made by DIDWW, together with a list of allowed addresses.

    New credentials are made by creating a `VoiceOutTrunkRegenerateCredential`.
    Source: contract file voice_out_trunks; limits: behaviour sheet, section 8.
    """

    allowed_sip_ips: list[str] | None = writable(
        "IP addresses or subnets that may call, 1 to 15; a single one comes back as a /32. None for none."
    )
    tech_prefix: str | None = writable(
        "Digits and `#` that are cut off the dialled number, at most 8; None for none.", longest=8
    )
    username: str | None = attribute("SIP username, made by DIDWW; None if there is none.", secret=True)
    password: str | None = attribute("SIP password, made by DIDWW; None if there is none.", secret=True)
