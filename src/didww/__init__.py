"""Python SDK for DIDWW API v3.

The public names, and nothing else; each is imported when first used, so that `import didww` costs next to nothing.
"""

from __future__ import annotations

from didww.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from didww.aio import AsyncDidwwClient as AsyncDidwwClient
    from didww.calls.answer import ApiResponse as ApiResponse
    from didww.client import DidwwClient as DidwwClient
    from didww.configuration import NO_TIMEOUT as NO_TIMEOUT
    from didww.configuration import Environment as Environment
    from didww.exceptions import DidwwApiError as DidwwApiError
    from didww.exceptions import DidwwClientError as DidwwClientError
    from didww.exceptions import DidwwError as DidwwError
    from didww.query_params import QueryParams as QueryParams

_HOMES = {
    "ApiResponse": "didww.calls.answer",
    "AsyncDidwwClient": "didww.aio",
    "DidwwApiError": "didww.exceptions",
    "DidwwClient": "didww.client",
    "DidwwClientError": "didww.exceptions",
    "DidwwError": "didww.exceptions",
    "Environment": "didww.configuration",
    "NO_TIMEOUT": "didww.configuration",
    "QueryParams": "didww.query_params",
}

__all__ = [
    "NO_TIMEOUT",
    "ApiResponse",
    "AsyncDidwwClient",
    "DidwwApiError",
    "DidwwClient",
    "DidwwClientError",
    "DidwwError",
    "Environment",
    "QueryParams",
    "__version__",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'didww' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
