"""Compare the API version of the service with that of a client, once."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

from didww._core.effects import callback
from didww._util.text import printable
from didww.exceptions import ApiVersionWarning
from didww.version import API_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._core.effects import Call
    from didww.configuration import Configuration

__all__ = ["check_version"]

log: Final = logging.getLogger("didww")


def check_version(configuration: Configuration, meta: Mapping[str, Any]) -> Call[None]:
    """Warn if the first document that states its version has another one than the client.

    A warning and never an error, as the request may have bought something.
    """
    served_version = meta.get("api_version")
    if not isinstance(served_version, str) or not served_version:
        return
    configuration.version_check.done = True
    if served_version == configuration.api_version:
        return
    known = (
        f"Pass api_version={served_version!r}."
        if served_version in API_VERSIONS
        else "Update this package, or ask DIDWW's support."
    )
    yield callback(
        _warn,
        f"This client uses API version {configuration.api_version}, and the service responds in version "
        f"{printable(served_version[:40])}. Fields and filters may differ. {known}",
    )


def _warn(text: str) -> None:
    try:
        warnings.warn(ApiVersionWarning(text), stacklevel=_frames_of_package())
    except ApiVersionWarning:  # the program turns warnings into errors
        log.warning("%s", text)


def _frames_of_package() -> int:
    """Return the `stacklevel` of the code that called this package."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "didww":
        level, frame = level + 1, frame.f_back
    return level
