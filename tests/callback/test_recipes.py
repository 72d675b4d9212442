"""Each recipe of docs/how-to/receivers.md runs on its framework's own server and is called by an emulator."""

from __future__ import annotations

import base64
import re
import types
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from didww import CallbackReceiver, CallbackVerifier, OrderCallback, sign_callback
from didww._server.asgi_server import AppServer, served
from didww.emulator import Clock, Emulator
from support.receivers import free_port, in_thread, ordered, served_by_wsgi

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "receivers.md").read_text(encoding="utf-8")
START = datetime(2026, 3, 15, 12, tzinfo=UTC)
SECRET = "a-callback-secret-for-tests"


def recipe(heading: str) -> str:
    """The Python code under a heading of the page."""
    section = re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    return "\n".join(re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))


Serve = Callable[[dict[str, Any], int], Any]


@contextmanager
def flask(made: dict[str, Any], port: int) -> Generator[str]:
    from werkzeug.serving import make_server

    with in_thread(make_server("127.0.0.1", port, made["app"], threaded=True)):
        yield "flask"


@contextmanager
def django(made: dict[str, Any], port: int) -> Generator[str]:
    from django.conf import settings
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    if not settings.configured:
        settings.configure(SECRET_KEY="for tests", ALLOWED_HOSTS=["*"], ROOT_URLCONF="unset", USE_TZ=True)
        import django as package

        package.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.urls import clear_url_caches, set_urlconf

    urls = types.ModuleType("urls_of_the_recipe")
    urls.urlpatterns = made["urlpatterns"]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = urls
    set_urlconf(None)
    clear_url_caches()

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", port), Quiet)
    server.set_app(WSGIHandler())
    with in_thread(server):
        yield "django"


def asgi(made: dict[str, Any], port: int) -> Any:
    return served(AppServer(made["app"], port=port))


@contextmanager
def gateway(made: dict[str, Any], port: int) -> Generator[str]:
    """An HTTP API of AWS in small: requests become events of payload format 2.0 for the function."""

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        headers["content-type"] = environ.get("CONTENT_TYPE") or "text/plain"
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": environ["PATH_INFO"],
            "rawQueryString": environ["QUERY_STRING"],
            "headers": headers,
            "requestContext": {"http": {"method": environ["REQUEST_METHOD"]}},
            "isBase64Encoded": bool(body),
        }
        if body:
            event["body"] = base64.b64encode(body).decode()
        response = made["handler"](event, None)
        start(f"{response['statusCode']} ProgressBody", [("Content-Type", "text/plain")])
        return [response["body"].encode()]

    with served_by_wsgi(app, port):
        yield "lambda"


RECIPES: dict[str, Serve] = {
    "Without a framework": asgi,
    "FastAPI": asgi,
    "Starlette": asgi,
    "Flask": flask,
    "Django": django,
    "AWS Lambda": gateway,
}


@pytest.mark.parametrize("heading", RECIPES)
def test_recipe_receives_callbacks(
    heading: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It covers GET and POST, an extra query, duplicate delivery and an invalid signature."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/didww"
    monkeypatch.setenv("DIDWW_CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("DIDWW_CALLBACK_URL", url)
    made: dict[str, Any] = {"__name__": "hooks"}
    exec(recipe("The receiver") + recipe(heading), made)
    clock = Clock(START, running=False)
    with Emulator(clock=clock, callback_secret=SECRET) as emulator, RECIPES[heading](made, port):
        client = emulator.client()
        emulator.faults.add(callback="duplicate", resource="orders", times=2)
        ids = [ordered(client, f"{url}?tenant=a%20b&x=%C3%A9", method) for method in ("get", "post")]
        emulator.clock.advance(1)
        assert [one.state for one in emulator.callbacks.settle()] == ["delivered", "delivered"]
        emulator.callbacks.sign("wrong")
        ordered(client, url)
        emulator.clock.advance(1)
        refused = emulator.callbacks.settle()[0].attempts[0]
        assert (refused.status, refused.body) == (401, "mismatch")
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(f"order {id} is completed" for id in ids)


@pytest.mark.parametrize("touch", ["form", "data", "json"])
@pytest.mark.parametrize("payload", ["order", "trunk"])
def test_flask_recipe_accepts_a_body_that_was_already_read(
    touch: str, payload: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Logging and authentication tools read it before each request."""
    url = "https://hooks.example.com/didww"
    monkeypatch.setenv("DIDWW_CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("DIDWW_CALLBACK_URL", url)
    made: dict[str, Any] = {"__name__": "hooks"}
    exec(recipe("The receiver") + recipe("Flask"), made)
    from flask import request

    @made["app"].before_request
    def read() -> None:
        {"form": lambda: request.form, "data": request.get_data, "json": lambda: request.get_json(silent=True)}[touch]()

    order = {"id": "1", "type": "orders", "status": "completed", "note": "Straße & Nr. = +1%"}
    signed = sign_callback(url, order if payload == "order" else [order], secret=SECRET)
    response = made["app"].test_client().post("/didww", headers=signed.headers, data=signed.body.encode())
    assert (response.status_code, response.text) == (200, "ok")
    assert capsys.readouterr().out == "order 1 is completed\n"


def test_every_documented_framework_is_tested() -> None:
    """A new recipe needs its server here."""
    with_app = {
        heading
        for heading in re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
        if re.search(r"\bapp = |urlpatterns = |def handler\(", recipe(re.escape(heading)))
    }
    assert with_app == set(RECIPES)


def test_documented_redis_store_works() -> None:
    """A dictionary that behaves like Redis stands in for it."""
    made: dict[str, Any] = {"__name__": "hooks"}
    code = recipe("Ignore duplicates")
    exec(code[code.index("class RedisStore") :], made)

    class Redis(dict[str, bytes]):
        def set(self, key: str, value: str, *, nx: bool = False, ex: int) -> bool:
            assert ex > 0
            if nx and key in self:
                return False
            self[key] = value.encode()
            return True

        def delete(self, key: str) -> None:
            self.pop(key, None)

    store = made["RedisStore"](Redis())
    assert [store.claim("a"), store.claim("a")] == ["mine", "busy"]
    store.release("a")
    assert store.claim("a") == "mine"
    store.done("a")
    assert store.claim("a") == "done"
    receiver = CallbackReceiver(
        CallbackVerifier(secrets=[SECRET], public_url="https://hooks.example.com/x"), store=store
    )
    got: list[OrderCallback] = []
    receiver.on(OrderCallback)(got.append)
    request = sign_callback(
        "https://hooks.example.com/x", {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET
    )
    for _ in range(2):
        sent: Any = {"method": request.method, "url": "/", "headers": request.headers, "body": request.body.encode()}
        assert receiver.handle(**sent).status == 200
    assert len(got) == 1


@pytest.mark.parametrize("read", ["body", "stream"])
def test_starlette_recipe_works_after_a_middleware(
    read: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that the middleware read is available again; a stream or form is not, and a log line says so."""
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.testclient import TestClient

    url = "https://hooks.example.com/didww"
    monkeypatch.setenv("DIDWW_CALLBACK_SECRET", SECRET)
    monkeypatch.setenv("DIDWW_CALLBACK_URL", url)
    made: dict[str, Any] = {"__name__": "hooks"}
    exec(recipe("The receiver") + recipe("Starlette"), made)

    async def touch(request: Any, call_next: Any) -> Any:
        if read == "body":
            await request.body()
        else:
            assert [part async for part in request.stream()]
        return await call_next(request)

    made["app"].add_middleware(BaseHTTPMiddleware, dispatch=touch)
    signed = sign_callback(url, {"id": "1", "type": "orders", "status": "completed"}, secret=SECRET)
    response = TestClient(made["app"]).post("/didww", headers=signed.headers, content=signed.body.encode())
    assert response.status_code == (200 if read == "body" else 400)
    assert caplog.text.count("code that ran before the receiver has already read it") == (read == "stream")
