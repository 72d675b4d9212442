"""The package's version and the API versions that this line of it speaks."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes longer than this module
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    ApiVersion: TypeAlias = Literal["2026-04-16", "2026-11-19"]

__version__ = "3.3.0"

API_VERSION: ApiVersion = "2026-04-16"
"""The default version of the API."""

API_VERSIONS: tuple[ApiVersion, ...] = ("2026-04-16", "2026-11-19")
"""The supported versions of the API, oldest first."""

TOKENS_SINCE: ApiVersion = "2026-11-19"
"""The first version whose requests are authenticated with tokens instead of API keys."""
