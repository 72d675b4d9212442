"""Request handling of `didww listen`: verify, print, forward, respond."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from didww._util.text import printable
from didww.callback.incoming import normalize_headers
from didww.callback.response import CallbackResponse
from didww.callback.signature import parts_of
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
_MAX_RESPONSE = 200  # characters of the response to a forwarded request
_LOOP_HEADER = "x-didww-listen"
# Only the headers that a receiver needs; the others belong to the incoming connection.
_FORWARDED = ("content-type", "x-didww-signature", "user-agent")


class Listener:
    """Verifies each request, prints it and forwards it.

    Args:
        verifier: Verifies the requests.
        tell: Prints a line: called with the text and the name of its color or None. Returns whether it was printed.
        forward: URL to forward verified requests to; its response is returned.
        json: Whether to print JSON.
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
            raise InvalidValueError(f"forward must be an http or https URL, got {forward!r}.", field="forward")
        self._verifier = verifier
        self._tell = tell
        self._forward = forward
        self._json = json
        self._seen = MemoryStore()

    async def handle(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse:
        """Handle a request and return the response."""
        if method not in self._verifier.methods:
            self._rejected("method", f"Callbacks are sent by GET or POST, got {method:.20}.")
            return CallbackResponse(405, "method not allowed")
        try:
            received = self._verifier.verify(method=method, url=url, headers=headers, body=body)
        except CallbackRejectedError as error:
            self._rejected(error.reason, str(error))
            return CallbackResponse(error.status, error.reason)
        response, note = CallbackResponse(200, "ok"), ""
        named = normalize_headers(headers)
        if _LOOP_HEADER in named:
            self._rejected("loop", "Forwarding loop: another didww listen has already forwarded this request.")
            return CallbackResponse(508, "forwarding loop")
        if self._forward is not None:
            response, note = await self._forwarded(method, url, named, body)
        for callback in received:
            duplicate = self._seen.claim(callback.key) != "mine"
            self._seen.done(callback.key)
            notes = [*(["duplicate"] if duplicate else []), *([note] if note else [])]
            if not self._show(callback, notes, response.status) and self._forward is None:
                response = CallbackResponse(503, "output closed")  # so that DIDWW retries it
        return response

    async def _forwarded(
        self, method: str, url: str, named: dict[str, list[str]], body: bytes
    ) -> tuple[CallbackResponse, str]:
        import httpx2

        target, query = str(self._forward), url.partition("?")[2]
        if query:
            target += ("&" if "?" in target else "?") + query
        forwarded = {name: value for name in _FORWARDED for value in named.get(name, ())} | {_LOOP_HEADER: "1"}
        try:
            async with httpx2.AsyncClient(timeout=_FORWARD_TIMEOUT, trust_env=False) as client:
                response = await client.request(method, target, headers=forwarded, content=body)
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            why = f"not forwarded: {type(error).__name__} {error}".rstrip()
            return CallbackResponse(502, why), why
        text = response.text[:_MAX_RESPONSE]
        return CallbackResponse(response.status_code, text), f"forwarded: {response.status_code} {text}".rstrip()

    def _show(self, callback: Callback, notes: list[str], status: int) -> bool:
        fields: dict[str, Any] = callback.to_dict()
        if self._json:
            return self._tell(json_line({"time": _now(), "status": status, "callback": fields}), None)
        type, state, id = [fields.pop(name, "") for name in ("type", "status", "id")]
        line = f"{_now()}  {type!s:<24} {state!s:<10} {id!s:<36}"
        line += f"  ({', '.join(notes)})" if notes else ""
        color = None if 200 <= status < 300 else "red"
        others = [f"{name}={value}" for name, value in fields.items() if value not in ("", None)]
        lines = [line.rstrip(), *([f"{'':<10}{'  '.join(others)}"] if others else [])]
        return all(self._tell(printable(text), color) for text in lines)

    def _rejected(self, reason: str, why: str) -> None:
        if self._json:
            self._tell(json_line({"time": _now(), "rejected": reason, "why": why}), None)
        else:
            self._tell(f"{_now()}  rejected: {reason}", "yellow")
            self._tell(printable(f"{'':<10}{why}"), "yellow")


def _now() -> str:
    return time.strftime("%H:%M:%S")
