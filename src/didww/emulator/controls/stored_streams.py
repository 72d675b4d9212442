"""Where the events and call records of an account are sent, as stored, with secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from didww._util.masking import mask_url

if TYPE_CHECKING:
    from didww.emulator.engine.store import Store

__all__ = ["Direction", "Kind", "Stream", "get_stream", "set_stream"]

Direction: TypeAlias = Literal["inbound", "outbound"]
Kind: TypeAlias = Literal["events", "cdrs"]


class Stream(msgspec.Struct, frozen=True):
    """A stream, with its secrets."""

    url: str
    gzip: bool = False
    username: str = ""
    password: str = ""
    headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"Stream({mask_url(self.url)!r}, ...)"


def get_stream(store: Store, owner: int, direction: Direction, kind: Kind) -> Stream | None:
    """Return a stream of an account; None if it has none."""
    stored = store.get_meta(_name(owner, direction, kind))
    return msgspec.json.decode(stored, type=Stream) if stored else None


def set_stream(store: Store, owner: int, direction: Direction, kind: Kind, stream: Stream | None) -> None:
    """Store a stream of an account; None removes it, with what waits to be sent."""
    store.set_meta(_name(owner, direction, kind), "" if stream is None else msgspec.json.encode(stream).decode())
    if stream is None:
        store.connection.execute(
            "DELETE FROM streamed WHERE owner = ? AND direction = ? AND kind = ?", (owner, direction, kind)
        )


def _name(owner: int, direction: str, kind: str) -> str:
    return f"call_events/{owner}/{direction}/{kind}"
