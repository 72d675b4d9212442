"""Authentication by IP address only, which only DIDWW staff can configure."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww.resources.authentication_method.base import AuthenticationMethod


class IpOnlyAuthenticationMethod(AuthenticationMethod, type="ip_only", writable=False):
    """A list of allowed IP addresses without credentials. Read-only: it cannot be created or set.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    allowed_sip_ips: list[str] = attribute("IP addresses or subnets that calls are accepted from.")
    tech_prefix: str | None = attribute(
        "Tech prefix stripped from the dialed number: digits or `#`. None for no prefix."
    )
