"""Read ahead in a thread."""

from __future__ import annotations

import queue
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["read_ahead"]

_DEPTH = 2
_PATIENCE = 0.05


def read_ahead(pieces: Iterator[bytes], size: int) -> Generator[bytes]:
    """Yield the bytes of `pieces` in larger pieces, which a thread reads while the last one is used.

    Args:
        pieces: The bytes. They are read by the thread only.
        size: Size from which a piece is yielded, in bytes.
    """
    ready: queue.Queue[bytes | BaseException] = queue.Queue(_DEPTH)
    abandoned = Event()

    def put(item: bytes | BaseException) -> bool:
        while not abandoned.is_set():
            try:
                ready.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        held: list[bytes] = []
        length = 0
        try:
            for piece in pieces:
                held.append(piece)
                length += len(piece)
                if length >= size:
                    if not put(b"".join(held)):
                        return
                    held, length = [], 0
            if held and not put(b"".join(held)):
                return
            put(b"")
        except BaseException as error:  # noqa: BLE001 raised again by the reader
            if not held or put(b"".join(held)):
                put(error)

    thread = Thread(target=read, name="didww-read-ahead", daemon=True)
    thread.start()
    try:
        while item := ready.get():
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        abandoned.set()
        thread.join()
