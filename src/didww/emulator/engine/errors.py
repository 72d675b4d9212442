"""Error responses, with the texts and codes of the service (tests/contract/facts/_common.yaml)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "SERVING_FAILURE",
    "HttpError",
    "attribute_error",
    "bad_filter_value",
    "bad_page",
    "conflict",
    "error_body",
    "forbidden",
    "not_allowed",
    "not_found",
    "not_offered",
    "relationship_error",
    "unauthorized",
    "unsupported",
]


class HttpError(Exception):
    """Raised to respond to a request with an error document.

    Args:
        status: HTTP status.
        title: The error's title.
        detail: The error's detail. Defaults to the title.
        pointer: JSON pointer to the invalid member.
        code: JSON:API error code, "100" for validation.
        meta: Further members, such as the amounts of an insufficient balance.
        headers: Headers of the response.

    To report several errors at once, raise `HttpError.combine(...)`.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str | None = None,
        pointer: str | None = None,
        *,
        code: str = "100",
        meta: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.headers = dict(headers or {})
        error: dict[str, Any] = {
            "title": title,
            "detail": title if detail is None else detail,
            "code": code,
            "status": str(status),
        }
        if pointer is not None:
            error["source"] = {"pointer": pointer}
        if meta is not None:
            error["meta"] = dict(meta)
        self.errors = [error]

    @classmethod
    def combine(cls, refusals: Iterable[HttpError]) -> Self:
        """Return one exception with all errors and the status of the first."""
        every = list(refusals)
        combined = cls(every[0].status, every[0].args[0])
        combined.errors = [error for part in every for error in part.errors]
        combined.headers = every[0].headers
        return combined


SERVING_FAILURE: Final = (
    '{"errors":[{"title":"Price file not available","detail":"The price file is not available yet.",'
    '"code":"serving_failure","status":"503"}]}'
)
"""Body of the 503 response to a request for a price file. Only its code is known of the service's."""


def error_body(errors: list[dict[str, Any]]) -> bytes:
    """Return an error document."""
    return msgspec.json.encode({"errors": errors})


def attribute_error(field: str, message: str, detail: str | None = None, path: str | None = None) -> HttpError:
    """Return a validation error of an attribute; `path` (below /data/attributes) defaults to its name."""
    return HttpError(422, message, detail or f"{field} - {message}", f"/data/attributes/{path or field}")


def relationship_error(name: str, message: str = "is invalid") -> HttpError:
    """Return a validation error of a relationship."""
    return HttpError(422, message, f"{name} - {message}", f"/data/relationships/{name}")


def unauthorized() -> HttpError:
    """Return the error for a missing or invalid key."""
    return HttpError(401, "Unauthorized", "Authorization failed", code="401")


def forbidden(feature: str) -> HttpError:
    """Return the error for an account without a feature. The service's body is not known."""
    detail = f"{feature.replace('_', ' ').capitalize()} is not enabled for this account."
    return HttpError(403, "Forbidden", detail, code="403")


def conflict(text: str) -> HttpError:
    """Return the error for deleting a record in use."""
    return HttpError(409, "Conflict", text, code="409")


# The two types whose errors name the type instead of the id.
_NAMED_BY_TYPE = frozenset({"proofs", "permanent_supporting_documents"})


def not_found(type: str, id: str) -> HttpError:
    """Return the error for an id that the account does not have."""
    detail = f"The record identified by {id} could not be found."
    if type in _NAMED_BY_TYPE:
        detail = f"{type} - Record not found"
    return HttpError(404, "Record not found", detail, code="404")


def no_such_path(path: str, hint: str = "") -> HttpError:
    """Return the error for an unknown path. The service's text is not known."""
    return HttpError(404, "Not Found", f"There is no {path} here.{hint}", code="404")


def not_offered(method: str, path: str, allowed: Iterable[str]) -> HttpError:
    """Return the error for a method that the path does not support. The service's text is not known."""
    names = ", ".join(sorted(allowed))
    detail = f"{method} is not offered at {path}; offered: {names}." if names else f"Nothing is offered at {path}."
    return HttpError(405, "Method Not Allowed", detail, code="405", headers={"allow": names})


def unsupported(what: str) -> HttpError:
    """Return the error for an operation of the contract that the emulator does not implement."""
    return HttpError(501, "Not Implemented", f"The emulator does not implement {what}.", code="501")


def not_allowed(name: str) -> HttpError:
    """Return the error for an unknown or read-only member of the body."""
    return HttpError(400, "Param not allowed", f"{name} is not allowed.", code="105")


def missing(name: str) -> HttpError:
    """Return the error for a missing required member of the body."""
    return HttpError(400, "Missing Parameter", f"The required parameter, {name}, is missing.", code="106")


def bad_filter_value(name: str, value: str) -> HttpError:
    """Return the error for an invalid filter value."""
    return HttpError(400, "Invalid filter value", f"{value} is not a valid value for {name}.", code="107")


def bad_page(name: str, value: str) -> HttpError:
    """Return the error for a page parameter that is not a positive integer."""
    return HttpError(400, "Invalid page value", f"{value} is not a valid value for {name} page parameter.", code="118")
