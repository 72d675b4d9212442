"""The services of DIDWW, their URLs and the audiences of their tokens.

Before API version 2026-11-19 there is one service, the API itself. Since then, a token service issues the tokens, and
three services have the prices of calls and text messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from didww._util.urls import Origin, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AUDIENCES", "SERVICES", "Service", "ServiceUrls"]

Service: TypeAlias = Literal["api", "voice_in_prices", "voice_out_prices", "sms_prices"]
"""A service that accepts tokens."""

SERVICES: Final[tuple[Service, ...]] = ("api", "voice_in_prices", "voice_out_prices", "sms_prices")

AUDIENCES: Final[Mapping[Service, str]] = {
    "api": "api.didww.com",
    "voice_in_prices": "api-vin.didww.com",
    "voice_out_prices": "api-vout.didww.com",
    "sms_prices": "api-sms.didww.com",
}
"""The audience of the tokens of each service: its host in production, in all environments."""


class ServiceUrls(NamedTuple):
    """The URLs of the services besides the API. None stands for the default of the environment.

    Attributes:
        token: The URL that issues tokens, with its path, such as `https://auth.didww.com/token`.
        voice_in_prices: The base URL of the prices of inbound calls.
        voice_out_prices: The base URL of the prices of outbound calls.
        sms_prices: The base URL of the prices of text messages.
    """

    token: str | None = None
    voice_in_prices: str | None = None
    voice_out_prices: str | None = None
    sms_prices: str | None = None


_DEFAULTS: Final[Mapping[Origin | None, ServiceUrls]] = {
    Origin("https", "api.didww.com", 443): ServiceUrls(
        "https://auth.didww.com/token",
        "https://api-vin.didww.com/v3",
        "https://api-vout.didww.com/v3",
        "https://api-sms.didww.com/v3",
    ),
    Origin("https", "sandbox-api.didww.com", 443): ServiceUrls(
        "https://auth-sandbox.didww.com/token",
        "https://api-vin-sandbox.didww.com/v3",
        "https://api-vout-sandbox.didww.com/v3",
        "https://api-sms-sandbox.didww.com/v3",
    ),
}
"""The URLs of DIDWW's environments, by the origin of the API."""

PATHS: Final = ServiceUrls("/token", "/api-vin/v3", "/api-vout/v3", "/api-sms/v3")
"""The paths of any other server, such as the emulator, which has all services at the origin of its base URL."""


def _default_urls(base_url: str) -> ServiceUrls:  # pyright: ignore[reportUnusedFunction] the configuration uses it
    """Return the URLs of all services of the environment with the API at `base_url`."""
    origin = origin_of(base_url)
    return _DEFAULTS.get(origin) or ServiceUrls(*(f"{origin}{path}" for path in PATHS))
