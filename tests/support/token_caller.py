"""Direct calls to the emulator's engine in an API version with tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from didww._core.effects import Request, Response
from support.api_caller import BASE, Caller

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine

__all__ = ["TokenCaller"]


class TokenCaller(Caller):
    """A caller with a token of version 2026-11-19."""

    def __init__(
        self, engine: Engine, key: str = "key", version: str = "2026-11-19", audience: str = "api.didww.com"
    ) -> None:
        super().__init__(engine, None)
        asked = {"aud": audience, "api_version": version, "scope": "full"}
        headers = {"Api-Key": key, "Content-Type": "application/json"}
        response = engine.handle(
            Request("POST", f"{BASE.removesuffix('/v3')}/token", headers, json.dumps(asked).encode())
        )
        assert response.status == 200, response.body
        self.token: str = json.loads(response.body)["access_token"]

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        **query: str,
    ) -> Response:
        """Send a request with the token."""
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return super().send(method, path, body, sent, raw, **query)
