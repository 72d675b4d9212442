"""What `didww listen` does with a request: verify it, show it, forward it, respond to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from didww._util.text import printable
from didww.callback.incoming import normalize_headers
from didww.callback.request_validator import parts_of
from didww.callback.response import CallbackResponse
from didww.callback.stores import MemoryStore
from didww.cli.printing import json_line
from didww.exceptions import CallbackRejectedError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.callback.incoming import Headers
    from didww.callback.typed import Callback
    from didww.callback.verifier import CallbackVerifier

__all__ = ["Listener"]

_FORWARD_TIMEOUT = 60.0
_MAX_SAID = 200  # characters of the response to what was forwarded
# What a receiver needs of the request; the rest belongs to the connection that it came by.
_MARK = "x-didww-listen"
_FORWARDED = ("content-type", "x-didww-signature", "user-agent")


class Listener:
    """Handles requests and prints each.

    Args:
        verifier: Verifies them.
        tell: Called with a line of text and the name of its colour, or None; return whether it was printed.
        forward: Address that verified requests are sent on to; its response is the response.
        json: Whether to tell in JSON.
    """

    def __init__(
        self,
        verifier: CallbackVerifier,
        tell: Callable[[str, str | None], bool],
        *,
        forward: str | None = None,
        json: bool = False,
    ) -> None:
        if forward is not None and parts_of(forward) is None:
            raise InvalidValueError(f"{forward!r} is no http address.", field="forward")
        self._verifier = verifier
        self._tell = tell
        self._forward = forward
        self._json = json
        self._seen = MemoryStore()

    async def handle(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """The response to a request."""
        if method not in self._verifier.methods:
            self._rejected("method", f"Callbacks come by GET or POST, not {method:.20}.")
            return CallbackResponse(405, "method not allowed")
        try:
            found = self._verifier.verify(method=method, url=url, headers=headers, body=body)
        except CallbackRejectedError as error:
            self._rejected(error.reason, str(error))
            return CallbackResponse(error.status, error.reason)
        response, note = CallbackResponse(200, "ok"), ""
        named = normalize_headers(headers)
        if _MARK in named:
            self._rejected("loop", "It was forwarded by a didww listen already.")
            return CallbackResponse(508, "forwarded in a circle")
        if self._forward is not None:
            response, note = await self._forwarded(method, url, named, body)
        for callback in found:
            again = self._seen.claim(callback.key) != "mine"
            self._seen.done(callback.key)
            notes = [*(["came again"] if again else []), *([note] if note else [])]
            if not self._show(callback, notes, response.status) and self._forward is None:
                response = CallbackResponse(503, "nobody reads")  # so that it comes again
        return response

    async def _forwarded(
        self, method: str, url: str, named: dict[str, list[str]], body: bytes
    ) -> tuple[CallbackResponse, str]:
        import httpx2

        target, query = str(self._forward), url.partition("?")[2]
        if query:
            target += ("&" if "?" in target else "?") + query
        sent = {name: value for name in _FORWARDED for value in named.get(name, ())} | {_MARK: "1"}
        try:
            async with httpx2.AsyncClient(timeout=_FORWARD_TIMEOUT, trust_env=False) as client:
                response = await client.request(method, target, headers=sent, content=body)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            why = f"not forwarded: {type(error).__name__} {error}".rstrip()
            return CallbackResponse(502, why), why
        said = response.text[:_MAX_SAID]
        return CallbackResponse(response.status_code, said), f"forwarded: {response.status_code} {said}".rstrip()

    def _show(self, callback: Callback, notes: list[str], status: int) -> bool:
        fields: dict[str, Any] = callback.to_dict()
        if self._json:
            return self._tell(json_line({"time": _now(), "status": status, "callback": fields}), None)
        shown = [fields.pop(name, "") for name in ("type", "status", "id")]
        line = f"{_now()}  {shown[0]!s:<24} {shown[1]!s:<10} {shown[2]!s:<36}"
        line += f"  ({', '.join(notes)})" if notes else ""
        colour = None if 200 <= status < 300 else "red"
        more = [f"{name}={value}" for name, value in fields.items() if value not in ("", None)]
        lines = [line.rstrip(), *([f"{'':<10}{'  '.join(more)}"] if more else [])]
        return all(self._tell(printable(one), colour) for one in lines)

    def _rejected(self, reason: str, why: str) -> None:
        if self._json:
            self._tell(json_line({"time": _now(), "rejected": reason, "why": why}), None)
        else:
            self._tell(f"{_now()}  rejected: {reason}", "yellow")
            self._tell(printable(f"{'':<10}{why}"), "yellow")


def _now() -> str:
    return time.strftime("%H:%M:%S")
