"""Print what a package does when a server misbehaves; the same program runs with `didww` on PyPI and with this SDK.

    behavior.py [slow]

Run it with the interpreter of an environment that has one of the two. The server is a script in this process. `slow`
adds a response that takes 75 seconds. The results are those of docs/comparison.md.
"""

from __future__ import annotations

import http.server
import json
import pickle
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from didww.client import DidwwClient
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem

ID = "8d1a3c5e-0000-4000-8000-000000000001"
JSON_API = "application/vnd.api+json"
BALANCE = {"type": "balances", "id": ID, "attributes": {"balance": "1.00", "credit": "0.00", "total_balance": "1.00"}}
FROZEN = {"type": "orders", "id": ID, "attributes": {"status": "frozen", "amount": "1.00", "items": []}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the next action of the server's script; the last one is repeated."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments):
        pass

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.headers.get("Api-Key")))
        script = self.server.script
        (script.pop(0) if len(script) > 1 else script[0])(self)

    do_GET = do_POST = answer  # noqa: N815 names of http.server

    def send(self, status, body, missing=0, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": JSON_API, "Content-Length": str(len(body) + missing), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = bool(missing)


def server():
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    listening.requests, listening.script = [], []
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return listening


def resource(record):
    return lambda handler: handler.send(200, json.dumps({"data": record}).encode())


def status(code, **headers):
    body = json.dumps({"errors": [{"title": "Refused", "status": str(code)}]}).encode()
    return lambda handler: handler.send(code, body, **headers)


def drop(handler):
    handler.close_connection = True
    handler.connection.close()


def page(handler):
    handler.send(200, b"<html>Log in</html>", Content_Type="text/html")


def incomplete(handler):
    handler.send(200, b"\x1f\x8b" + bytes(100), missing=900, Content_Type="application/gzip")


def slow(handler):
    time.sleep(75)
    with suppress(OSError):
        resource(BALANCE)(handler)


def main() -> None:
    api, other = server(), server()
    base, elsewhere = f"http://127.0.0.1:{api.server_port}/v3", f"http://localhost:{other.server_port}/v3"
    client = DidwwClient(api_key="the-key", base_url=base)
    item = DidOrderItem()
    item.sku_id, item.qty = ID, 1
    order = Order()
    order.items = [item]

    def show(what, call, *script):
        api.script[:], api.requests[:] = script, []
        started = time.monotonic()
        try:
            result = repr(call())
        except Exception as error:  # noqa: BLE001 whatever it is, it is the result
            result = f"{type(error).__module__}.{type(error).__name__}"
        methods = " ".join(method for method, _ in api.requests)
        print(f"{what}: {result} [{methods}] {time.monotonic() - started:.0f} s")

    def balance():
        return client.balance().find().data.total_balance

    other.script[:] = [resource(BALANCE)]
    show("429, then 200", balance, status(429, Retry_After="0"), resource(BALANCE))
    show("503, then 200", balance, status(503), resource(BALANCE))
    show("an order without a response", lambda: client.orders().create(order), drop)
    show("an unknown status", lambda: client.orders().find(ID).data.status, resource(FROZEN))
    show("a page of HTML", balance, page)
    show("a redirect to another host", balance, lambda handler: handler.send(302, b"", Location=f"{elsewhere}/balance"))
    print("  the key was sent there:", ("GET", "the-key") in other.requests)
    other.requests.clear()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "calls.csv.gz")
        show("an incomplete download", lambda: client.download_export(f"{base}/calls.csv.gz", str(file)), incomplete)
        print("  a file was left behind:", file.exists())
        show(
            "a download from another host", lambda: client.download_export(f"{elsewhere}/calls.csv.gz", str(file)), page
        )
        print("  the key was sent there:", ("GET", "the-key") in other.requests)
    if "slow" in sys.argv:
        show("a response after 75 s", balance, slow)
    try:
        print("a pickle of the client has the key:", b"the-key" in pickle.dumps(client))
    except Exception as error:  # noqa: BLE001 whatever it is, it is the result
        print("a pickle of the client:", type(error).__name__)


if __name__ == "__main__":
    main()
