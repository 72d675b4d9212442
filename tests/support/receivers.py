"""Receivers on real sockets, and the emulator's events that call them."""

from __future__ import annotations

import socket
import threading
import wsgiref.simple_server
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from didww import CallbackReceiver, DidOrderItem, DidwwClient, Order
from didww._server.asgi_server import served


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served_by_wsgi(app: Any, port: int = 0) -> Generator[str]:
    """Serve a WSGI application with the server of the standard library."""
    server = wsgiref.simple_server.make_server("127.0.0.1", port, app, handler_class=Quiet)
    with in_thread(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextmanager
def in_thread(server: Any) -> Generator[None]:
    """Run a server of the standard library in a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


DOORS: dict[str, Callable[[CallbackReceiver], Any]] = {
    "asgi": lambda receiver: served(receiver.asgi(read_timeout=2)),
    "wsgi": lambda receiver: served_by_wsgi(receiver.wsgi()),
}


def free_port() -> int:
    """Return a port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ordered(client: DidwwClient, url: str, method: str = "post") -> str:
    """Order a number with `url` as its callback URL, and return the order's id."""
    group = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1)).data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    fields: Any = {"items": [item], "callback_url": url, "callback_method": method}
    return client.orders().create(Order(**fields)).data.id
