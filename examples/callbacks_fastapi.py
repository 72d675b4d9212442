"""Receive DIDWW's callbacks with FastAPI, and print the numbers of each order that is completed.

Run: DIDWW_CALLBACK_SECRET=... python callbacks_fastapi.py [--port 8000]
Then order with a callback: python order_numbers.py --callback-url http://127.0.0.1:8000/didww
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL; and
  DIDWW_CALLBACK_SECRET  from the user panel (API 3, Callback Secrets); `emulator-callback-secret` for the emulator
  DIDWW_CALLBACK_URL     the URL that DIDWW calls, if it is not http://127.0.0.1:8000/didww (behind a proxy, it is not)
Cost: nothing. It needs `fastapi` and `uvicorn`.
"""

from __future__ import annotations

import argparse
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from starlette.routing import Route

from didww import AsyncDidwwClient, Callback, CallbackReceiver, CallbackVerifier, DidwwError, OrderCallback

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def create_app(secret: str, url: str, client: AsyncDidwwClient) -> FastAPI:
    """Return the application; the URL is part of what DIDWW signs."""
    verifier = CallbackVerifier(secrets=[secret], public_url=url)
    receiver = CallbackReceiver(verifier)  # several processes: store=SqliteStore("callbacks.sqlite")

    @receiver.on(OrderCallback)
    async def order_is_done(callback: OrderCallback) -> None:
        # If this raises an exception, the response is 500, and DIDWW sends the callback again.
        order = (await client.orders().find(callback.id)).data
        dids = [did.number async for did in client.dids().iterate(filter={"order.id": order.id})]
        print(f"Order {order.reference} is {order.status}: {', '.join(dids) or 'no numbers'}", flush=True)

    @receiver.on(Callback)
    async def something_else(callback: Callback) -> None:
        print(callback.to_dict(), flush=True)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with client:
            yield

    app = FastAPI(lifespan=lifespan)
    app.router.routes.append(Route("/didww", receiver.asgi()))  # not `mount`, which redirects
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive DIDWW's callbacks with FastAPI.")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    args = parser.parse_args()
    secret = os.environ.get("DIDWW_CALLBACK_SECRET")
    if not secret:
        raise SystemExit("Set DIDWW_CALLBACK_SECRET: the first lines of this file say to what.")
    url = os.environ.get("DIDWW_CALLBACK_URL", f"http://127.0.0.1:{args.port}/didww")
    print(f"Waiting for callbacks to {url}   Press Ctrl-C to stop.", flush=True)
    uvicorn.run(create_app(secret, url, AsyncDidwwClient()), port=args.port, log_level="warning")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
