"""What was asked and answered: the last requests, why one was refused, and whether a request was made at all."""

from __future__ import annotations

import json
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


class Entry(msgspec.Struct, frozen=True):
    """A request and its response.

    Attributes:
        id: Sequential number.
        at: When, by the emulator's clock.
        key: The first letters of a hash of the key; empty without a key. Keys themselves are not kept.
        method: GET, POST, PATCH or DELETE.
        path: Path with `/v3`.
        query: Name and value of each parameter, decoded.
        headers: Those of the request that hold no secret.
        body: The request's body, 64 KiB at most.
        status: Status of the response.
        response: The response's body, 64 KiB at most.
        ms: Milliseconds that the response took.
        fault: Number of the rule that had its turn; None if none had.
        hints: What was probably meant, if it was refused; that it asks for another version of the API.
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
        """It in one line, as errors show it; more lines follow if there is something to say."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        body = f" {self.body[:200]}" if self.body else ""
        said = "".join(f"\n    {hint}" for hint in self.hints)
        return (
            f"{self.method} {self.path.removeprefix('/v3')}{'?' if query else ''}{query} -> {self.status}{body}{said}"
        )


class _Body(NamedTuple):
    """The beginning of a body, and how long it was; None if it was streamed."""

    head: bytes
    size: int | None


class _RawEntry(msgspec.Struct, frozen=True):
    """An entry as it is kept: without secrets and long bodies, made readable when somebody looks."""

    id: int
    at: str
    key: str
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
        """Requests, the newest first.

        Args:
            method: Only those of this method.
            path: Only those whose path below `/v3` is this one; `*` stands for any part.
            status: Only those that were answered so.
            after: Only those with a greater id.
            limit: At most so many.
        """
        found: list[Entry] = []
        for kept in reversed(self._snapshot()):
            if kept.id <= after or len(found) >= limit:
                break
            if (status is None or kept.status == status) and _matches(kept, method, path):
                found.append(_entry(kept))
        return found

    def clear(self) -> None:
        """Forget all requests."""
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
        """The requests that match; an error that shows the nearest ones if there are none.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: Path below `/v3`: `/orders`; `*` stands for any part.
            times: Exact number of requests. Defaults to one or more.
            query: Parameters that the requests have, decoded: `{"filter[iso]": "GB"}`.
            json: Members that their bodies have, at any depth: `{"data": {"attributes": {"name": "Main"}}}`.
            status: How they were answered.

        Raises:
            ValueError: The path has a query.
            AssertionError: There are none, or not so many.
        """
        if "?" in path:
            raise ValueError(f"path is {path!r}; what it asks for is given as query={{...}}.")
        wanted = {"query": query, "json": json, "status": status}
        entries = [_entry(kept) for kept in self._snapshot()]
        alike = [entry for entry in entries if _matches(entry, method, path)]
        found = [entry for entry in alike if not _describe_mismatch(entry, query, json, status)]
        if len(found) == times or (times is None and found):
            return found
        asked = f"{method.upper()} {path}" + "".join(
            f" {name}={one!r}" for name, one in wanted.items() if one is not None
        )
        expected = "" if times is None else f" {times} time{'' if times == 1 else 's'}"
        lines = [
            f"{asked} was not called{expected}, but {len(found)} times."
            if times is not None
            else f"{asked} was not called."
        ]
        if alike and not found:
            lines.append("These came near:")
            lines += [f"  {one.line()}: {_describe_mismatch(one, query, json, status)}" for one in alike[-5:]]
        elif not alike:
            lines.append("Requests there were:" if entries else "There were no requests.")
            lines += [f"  {one.line()}" for one in entries[-10:]]
        raise AssertionError("\n".join(lines))

    def assert_not_called(self, method: str, path: str, *, json: dict[str, Any] | None = None) -> None:
        """An error if such a request was made.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: Path below `/v3`; `*` stands for any part.
            json: Members that its body would have.

        Raises:
            AssertionError: It was.
        """
        entries = [_entry(kept) for kept in self._snapshot() if _matches(kept, method, path)]
        found = [entry for entry in entries if not _describe_mismatch(entry, None, json, None)]
        if found:
            lines = [
                f"{method.upper()} {path} was called {len(found)} times:",
                *(f"  {one.line()}" for one in found[:10]),
            ]
            raise AssertionError("\n".join(lines))

    # For the doors

    def record(self, request: Request, response: Response, *, at: str, key: str, ms: float, fault: int | None) -> None:
        """Keep an exchange."""
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _SILENT}
        asked = _truncate(request.body)
        response_body = _Body(b"", None) if isinstance(response, Streamed) else _truncate(response.body)
        with self._lock:
            self._last += 1
            self._kept.append(
                _RawEntry(
                    self._last,
                    at,
                    key,
                    request.method,
                    request.url,
                    headers,
                    asked,
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
    said = version_hint(kept.headers)
    if kept.status >= 400:
        said += hints(kept.method, split.path, query, kept.status, kept.response.head)
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
        said,
    )


def _truncate(body: Any) -> _Body:
    if body is None:
        return _Body(b"", 0)
    # A slice is a copy: a long body is not kept for its beginning.
    return _Body(body[:MAX_BODY], len(body)) if isinstance(body, bytes) else _Body(b"", None)


def _body_text(body: _Body) -> str:
    if body.size is None:
        return "(streamed)"
    try:
        text = body.head.decode()
    except UnicodeDecodeError:
        return f"({body.size} bytes)"
    return text if len(body.head) == body.size else f"{text}... ({body.size} bytes)"


def _matches(one: _RawEntry | Entry, method: str | None, path: str | None) -> bool:
    if isinstance(one, Entry):
        asked, whole = one.method, one.path
    else:
        asked, whole = one.method, urlsplit(one.url).path
    if method is not None and asked != method.upper():
        return False
    below = whole.removeprefix("/v3") or "/"
    return path is None or fnmatchcase(below, path) or fnmatchcase(whole, path)


def _describe_mismatch(
    entry: Entry, query: Mapping[str, str] | None, wanted: Mapping[str, Any] | None, status: int | None
) -> str:
    """What of an entry is not as wanted; empty if all is."""
    if status is not None and entry.status != status:
        return f"answered {entry.status}"
    given = dict(entry.query)
    for name, value in (query or {}).items():
        if given.get(name) != value:
            return f"{name} is {given.get(name)!r}" if name in given else f"no {name}"
    if wanted is None:
        return ""
    try:
        body: Any = json.loads(entry.body)
    except ValueError:
        return "its body is no JSON"
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
