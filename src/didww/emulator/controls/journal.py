"""The journal of recent requests and responses, with hints and assertions."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from didww.emulator.controls.hints import hints, version_hint
from didww.transport.inprocess import Streamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._core.effects import Request, Response

__all__ = ["Entry", "Journal"]

KEPT: Final = 1000
MAX_BODY: Final = 64 << 10
_SILENT: Final = frozenset({"api-key", "authorization", "cookie", "proxy-authorization", "x-api-key"})
_CREDENTIALS: Final = {"api-key": "key", "authorization": "token"}
_TOKEN: Final = re.compile(rb'("access_token"\s*:\s*)"[^"]*"')


class Entry(msgspec.Struct, frozen=True):
    """A request and its response.

    Attributes:
        id: Sequential number.
        at: Time by the emulator's clock.
        key: Beginning of a hash of the key, also of the one that a token was minted from; empty without a key. Neither
            keys nor tokens are stored.
        method: GET, POST, PATCH or DELETE.
        path: Path with `/v3`.
        query: Decoded query parameters: name and value.
        headers: Request headers without secrets.
        body: Request body, up to 64 KiB.
        status: Status of the response.
        response: Response body, up to 64 KiB.
        ms: Duration in milliseconds.
        fault: Number of the fault rule that applied, or None.
        hints: Hints about invalid names and API versions.
    """

    id: int
    at: str
    key: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: str
    status: int
    response: str
    ms: float
    fault: int | None
    hints: list[str]

    def line(self) -> str:
        """Return a summary line, followed by its hints."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        body = f" {self.body[:200]}" if self.body else ""
        hints = "".join(f"\n    {hint}" for hint in self.hints)
        return (
            f"{self.method} {self.path.removeprefix('/v3')}{'?' if query else ''}{query} -> {self.status}{body}{hints}"
        )


class _Body(NamedTuple):
    """The beginning of a body, and its size; None if streamed."""

    head: bytes
    size: int | None


class _RawEntry(msgspec.Struct, frozen=True):
    """An entry as stored, without secrets and long bodies; formatted on access."""

    id: int
    at: str
    key: str
    credentials: frozenset[str]
    version: str
    method: str
    url: str
    headers: dict[str, str]
    body: _Body
    status: int
    response: _Body
    ms: float
    fault: int | None


class Journal:
    """The last 1,000 requests: `emulator.journal`."""

    def __init__(self) -> None:
        self._kept: deque[_RawEntry] = deque(maxlen=KEPT)
        self._last = 0
        self._lock = threading.Lock()

    def entries(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[Entry]:
        """Return recorded requests, newest first.

        Args:
            method: Only this method.
            path: Only this path below `/v3`; `*` matches any part.
            status: Only this response status.
            after: Only entries with a greater id.
            limit: Maximum number of entries.
        """
        entries: list[Entry] = []
        for kept in reversed(self._snapshot()):
            if kept.id <= after or len(entries) >= limit:
                break
            if (status is None or kept.status == status) and _matches(kept, method, path):
                entries.append(_entry(kept))
        return entries

    def clear(self) -> None:
        """Remove all entries."""
        with self._lock:
            self._kept.clear()

    def assert_called(
        self,
        method: str,
        path: str,
        *,
        times: int | None = None,
        query: dict[str, str] | None = None,
        json: dict[str, Any] | None = None,
        status: int | None = None,
    ) -> list[Entry]:
        """Assert that matching requests were made, and return them.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: Path below `/v3`: `/orders`; `*` matches any part.
            times: Exact number of requests. Defaults to one or more.
            query: Expected query parameters, decoded: `{"filter[iso]": "GB"}`.
            json: Expected members of the body, at any depth: `{"data": {"attributes": {"name": "Main"}}}`.
            status: Expected response status.

        Raises:
            ValueError: The path contains a query.
            AssertionError: The number of matching requests differs; the message lists similar ones.
        """
        if "?" in path:
            raise ValueError(f"path must not contain a query, got {path!r}. Pass query={{...}}.")
        wanted = {"query": query, "json": json, "status": status}
        entries = [_entry(kept) for kept in self._snapshot()]
        alike = [entry for entry in entries if _matches(entry, method, path)]
        matching = [entry for entry in alike if not _describe_mismatch(entry, query, json, status)]
        if len(matching) == times or (times is None and matching):
            return matching
        call = f"{method.upper()} {path}" + "".join(
            f" {name}={one!r}" for name, one in wanted.items() if one is not None
        )
        expected = "" if times is None else f" {times} time{'' if times == 1 else 's'}"
        lines = [
            f"{call} was not called{expected}, but {len(matching)} times."
            if times is not None
            else f"{call} was not called."
        ]
        if alike and not matching:
            lines.append("Similar requests:")
            lines += [f"  {entry.line()}: {_describe_mismatch(entry, query, json, status)}" for entry in alike[-5:]]
        elif not alike:
            lines.append("Recorded requests:" if entries else "No requests were recorded.")
            lines += [f"  {entry.line()}" for entry in entries[-10:]]
        raise AssertionError("\n".join(lines))

    def assert_not_called(self, method: str, path: str, *, json: dict[str, Any] | None = None) -> None:
        """Assert that no such request was made.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: Path below `/v3`; `*` matches any part.
            json: Members of the body.

        Raises:
            AssertionError: A matching request was made.
        """
        entries = [_entry(kept) for kept in self._snapshot() if _matches(kept, method, path)]
        matching = [entry for entry in entries if not _describe_mismatch(entry, None, json, None)]
        if matching:
            lines = [
                f"{method.upper()} {path} was called {len(matching)} times:",
                *(f"  {entry.line()}" for entry in matching[:10]),
            ]
            raise AssertionError("\n".join(lines))

    # For the transports

    def record(
        self,
        request: Request,
        response: Response,
        *,
        at: str,
        key: str,
        version: str,
        ms: float,
        fault: int | None,
    ) -> None:
        """Record a request of an API version, and its response."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        credentials = frozenset(_CREDENTIALS[name] for name in headers if name in _CREDENTIALS)
        headers = {name: value for name, value in headers.items() if name not in _SILENT}
        request_body = _truncate(request.body)
        response_body = _Body(b"", None) if isinstance(response, Streamed) else _truncate(_without_token(response.body))
        with self._lock:
            self._last += 1
            self._kept.append(
                _RawEntry(
                    self._last,
                    at,
                    key,
                    credentials,
                    version,
                    request.method,
                    request.url,
                    headers,
                    request_body,
                    response.status,
                    response_body,
                    ms,
                    fault,
                )
            )

    def _snapshot(self) -> list[_RawEntry]:
        with self._lock:
            return list(self._kept)


def _entry(kept: _RawEntry) -> Entry:
    split = urlsplit(kept.url.encode("utf-8", "replace").decode())
    query = parse_qsl(split.query, keep_blank_values=True)
    entry_hints = version_hint(kept.headers)
    if kept.status >= 400:
        entry_hints += hints(
            kept.method,
            split.path,
            query,
            kept.status,
            kept.response.head,
            kept.headers,
            credentials=kept.credentials,
            version=kept.version,
        )
    return Entry(
        kept.id,
        kept.at,
        kept.key,
        kept.method,
        unquote(split.path),
        query,
        kept.headers,
        _body_text(kept.body),
        kept.status,
        _body_text(kept.response),
        kept.ms,
        kept.fault,
        entry_hints,
    )


def _without_token(body: bytes) -> bytes:
    return _TOKEN.sub(rb'\1"***"', body) if b'"access_token"' in body else body


def _truncate(body: Any) -> _Body:
    if body is None:
        return _Body(b"", 0)
    # A slice is a copy, so the long body is not kept alive.
    return _Body(body[:MAX_BODY], len(body)) if isinstance(body, bytes) else _Body(b"", None)


def _body_text(body: _Body) -> str:
    if body.size is None:
        return "(streamed)"
    try:
        text = body.head.decode()
    except UnicodeDecodeError:
        return f"({body.size} bytes)"
    return text if len(body.head) == body.size else f"{text}... ({body.size} bytes)"


def _matches(entry: _RawEntry | Entry, method: str | None, path: str | None) -> bool:
    if isinstance(entry, Entry):
        entry_method, whole = entry.method, entry.path
    else:
        entry_method, whole = entry.method, urlsplit(entry.url).path
    if method is not None and entry_method != method.upper():
        return False
    below = whole.removeprefix("/v3") or "/"
    return path is None or fnmatchcase(below, path) or fnmatchcase(whole, path)


def _describe_mismatch(
    entry: Entry, query: Mapping[str, str] | None, wanted: Mapping[str, Any] | None, status: int | None
) -> str:
    """Describe how an entry differs from the expectation; empty if it matches."""
    if status is not None and entry.status != status:
        return f"status is {entry.status}"
    given = dict(entry.query)
    for name, value in (query or {}).items():
        if given.get(name) != value:
            return f"{name} is {given.get(name)!r}" if name in given else f"no {name}"
    if wanted is None:
        return ""
    try:
        body: Any = json.loads(entry.body)
    except ValueError:
        return "the body is not JSON"
    return _find_mismatch(body, wanted, "")


def _find_mismatch(there: Any, wanted: Any, path: str) -> str:
    if isinstance(wanted, dict):
        for name, value in cast("dict[str, Any]", wanted).items():
            where = f"{path}.{name}" if path else str(name)
            if not isinstance(there, dict) or name not in there:
                return f"no {where}"
            lacking = _find_mismatch(there[name], value, where)
            if lacking:
                return lacking
        return ""
    return "" if there == wanted else f"{path} is {json.dumps(there)[:200]}"
