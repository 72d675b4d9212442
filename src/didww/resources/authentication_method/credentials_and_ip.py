"""Authentication by SIP credentials from allowed addresses, the usual method."""

from __future__ import annotations

from didww._schema.fields import attribute, writable
from didww._schema.forms import Form
from didww.resources.authentication_method.base import AuthenticationMethod


class CredentialsAndIpAuthenticationMethod(AuthenticationMethod, type="credentials_and_ip"):
    """SIP digest credentials made by DIDWW, together with a list of allowed addresses.

    New credentials are made by creating a `VoiceOutTrunkRegenerateCredential`.
    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    allowed_sip_ips: list[str] = writable(
        "IP addresses or subnets that may call, 1 to 60; a single one comes back as a /32.",
        required=True,
        ge=1,
        le=60,
        distinct=True,
    )
    tech_prefix: str | None = writable(
        "Digits and `#` that are cut off the dialled number, at most 8; None for none.",
        max_length=8,
        form=Form("^[0-9#]+$", "digits and '#' only", r"+\s./-"),
    )
    username: str | None = attribute("SIP username, made by DIDWW.", secret=True)
    password: str | None = attribute("SIP password, made by DIDWW.", secret=True)
