"""An emulator with content for each page of the console, and calls of its pages."""

from __future__ import annotations

import html
import re
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from didww import (
    CallbackMethod,
    Codec,
    DidwwClient,
    Order,
    SipConfiguration,
    VoiceInTrunk,
)
from didww._core.effects import Request
from didww._server.asgi_server import wait_until_started
from didww.emulator import Emulator, console
from didww.emulator.http.server import Server
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww._core.effects import Response


HOSTILE = "<script>alert(1)</script>"
KEY = "a-key-that-nobody-may-see"
PASSWORD = "correct-horse-battery"
ROOT = "http://127.0.0.1/_emulator/console/"
PAGES = (
    "",
    "journal",
    "journal/1",
    "journal/fragment",
    "resources",
    "pending",
    "calls",
    "sip",
    "clock",
    "faults",
    "callbacks",
    "state",
)


def get(emulator: Emulator, place: str, status: int = 200) -> str:
    """Return the text of a page."""
    response = console.handle(emulator, Request("GET", urljoin(ROOT, place), {}, None))
    assert response.status == status, response.body
    return response.body.decode()


def post(emulator: Emulator, place: str, *fields: tuple[str, str], **more: str) -> Response:
    """Submit a form and return the response."""
    body = urlencode([*fields, *more.items()]).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return console.handle(emulator, Request("POST", urljoin(ROOT, place), headers, body))


def trunk(name: str) -> VoiceInTrunk:
    """Return a trunk with a password."""
    configuration = SipConfiguration(
        codec_ids=[Codec.PCMU], host="sip.example.com", auth_enabled=True, auth_user="u", auth_password=PASSWORD
    )
    return VoiceInTrunk(name=name, configuration=configuration)


def order(client: DidwwClient, qty: int = 1, **more: Any) -> Order:
    """Order numbers in London."""
    filters: Any = {"country.id": client.countries().list(filter={"iso": "GB"}).data[0].id, "area_name": "London"}
    group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)
    return client.orders().create(Order(items=[item], **more)).data


def fill(emulator: Emulator) -> SimpleNamespace:
    """Put content on every page, with markup in every user text, and secrets."""
    client = emulator.client(KEY)
    main = client.voice_in_trunks().create(trunk(HOSTILE)).data
    address = f"http://hooks.example.com/?token={PASSWORD}&x={HOSTILE}"
    done = order(client, callback_url=address, callback_method=CallbackMethod.POST)
    emulator.clock.advance(1)
    did = client.dids().list().data[0]
    did.voice_in_trunk = main
    client.dids().update(did)
    emulator.transitions.set("orders", by_hand=True, reasons=[HOSTILE], comment=HOSTILE)
    waiting = order(client, 2)
    for query in (f"filter[{HOSTILE}]=1", f"filter[password]={PASSWORD}&include={HOSTILE}"):
        headers = {"Api-Key": KEY, "X-Note": HOSTILE}
        emulator.exchange(Request("GET", f"http://127.0.0.1/v3/dids?{query}", headers, None))
    emulator.exchange(Request("PUT", "http://127.0.0.1/v3/<b>", {"Api-Key": KEY}, HOSTILE.encode()))
    emulator.faults.add(status=503, path=f"/{HOSTILE}", body=HOSTILE)
    emulator.state.snapshot(HOSTILE)
    emulator.callbacks.settle()
    return SimpleNamespace(client=client, trunk=main, done=done, waiting=waiting, did=did)


def every_page(emulator: Emulator) -> dict[str, str]:
    """Return all pages that can be reached by links, up to 150."""
    seen: dict[str, str] = {}
    todo = list(PAGES)
    while todo and len(seen) < 150:
        place = todo.pop(0)
        if place not in seen:
            text = seen[place] = get(emulator, place)
            for link in re.findall(r'href="([^"]+)"', text):
                address = urljoin(urljoin(ROOT, place), html.unescape(link))
                if address.startswith(ROOT):
                    todo.append(address.removeprefix(ROOT))
    return seen


@contextmanager
def served(*, open_control: bool = False) -> Iterator[tuple[Emulator, str]]:
    """Serve an emulator and return it with the URL of its console."""
    with Emulator() as emulator:
        server = Server(emulator, open_control=open_control)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            wait_until_started(server, thread)
            yield emulator, server.base_url.removesuffix("/v3") + "/_emulator/console/"
        finally:
            server.stop()
            thread.join(timeout=60)
