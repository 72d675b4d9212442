"""Authentication by address alone, which only DIDWW's staff can arrange."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww.resources.authentication_method.base import AuthenticationMethod


class IpOnlyAuthenticationMethod(AuthenticationMethod, type="ip_only", writable=False):
    """A list of allowed addresses by itself; can be read, never created or set.

    Source: tests/contract/facts/voice_out_trunks.yaml.
    """

    allowed_sip_ips: list[str] = attribute("IP addresses or subnets that calls are accepted from.")
    tech_prefix: str | None = attribute("Digits and `#` that are cut off the dialled number; None for none.")
