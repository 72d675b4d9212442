"""The services that share the emulator's origin: their paths, and the audience that a token needs for each."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from didww import services

__all__ = ["API", "AUDIENCES", "SERVICES", "TOKEN_PATH", "Service", "path_of", "service_of"]

TOKEN_PATH: Final = str(services.PATHS.token)


class Service(NamedTuple):
    """A service.

    Attributes:
        name: Its name in the SDK.
        prefix: Path of its API.
        audience: Audience that a token for it lists: the host name in production, in every environment.
    """

    name: str
    prefix: str
    audience: str


API: Final = Service("api", "/v3", services.AUDIENCES["api"])
SERVICES: Final = (
    API,
    *(
        Service(name, getattr(services.PATHS, name), audience)
        for name, audience in services.AUDIENCES.items()
        if name != "api"
    ),
)
AUDIENCES: Final = tuple(service.audience for service in SERVICES)


def service_of(path: str) -> Service | None:
    """Return the service that a path belongs to, or None."""
    if path.startswith(f"{API.prefix}/"):
        return API
    for service in SERVICES:
        if path.startswith(service.prefix) and path[len(service.prefix) : len(service.prefix) + 1] in ("", "/"):
            return service
    return None


def path_of(url: str) -> str:
    """Return the path of a URL; empty if it is not valid."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
