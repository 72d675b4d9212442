"""OpenTelemetry spans: one for each call, inside the caller's, without secrets."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from didww import AsyncDidwwClient, DidwwClient, DidwwError
from didww._drivers.opentelemetry import tracing_for
from didww.emulator import Emulator
from didww.exceptions import ApiConnectionError, ApiTimeoutError, InvalidValueError, UnexpectedResponseError
from support.scripted_transport import AsyncScripted, Scripted, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

ID = "8d1a3c5e-0000-4000-8000-000000000001"
BASE = "https://api.example.com/v3"
KEY = "k3y-that-nobody-may-see"
DID = json_response(document={"data": {"type": "dids", "id": ID, "attributes": {"number": "442079460001"}}})
EXPORTER = InMemorySpanExporter()
PROVIDER = TracerProvider()
PROVIDER.add_span_processor(SimpleSpanProcessor(EXPORTER))


@pytest.fixture(autouse=True)
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What was exported during the test."""
    monkeypatch.setattr(trace, "get_tracer", PROVIDER.get_tracer)
    EXPORTER.clear()
    yield EXPORTER
    assert not trace.get_current_span().is_recording()


def client_of(*script: Any, **options: Any) -> DidwwClient:
    client = DidwwClient(KEY, base_url=BASE, transport=Scripted(*script), rate_limit=None, tracing=True, **options)
    client._configuration.jitter = lambda: 0.0
    return client


def only() -> ReadableSpan:
    (span,) = EXPORTER.get_finished_spans()
    return span


def test_call_creates_a_span() -> None:
    """It is named by method and path without ids, follows the HTTP conventions, and is a child of the caller's span."""
    with PROVIDER.get_tracer("program").start_as_current_span("program") as mine:
        client_of(DID).dids().find(ID, include="order")
    span, _ = EXPORTER.get_finished_spans()
    assert span.name == "GET /v3/dids/{id}"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "url.full": f"{BASE}/dids/{ID}",
        "url.template": "/v3/dids/{id}",
        "server.address": "api.example.com",
        "server.port": 443,
        "http.response.status_code": 200,
        "http.response.header.x-request-id": ("req-1",),
    }
    assert span.parent is not None
    assert span.parent.span_id == mine.get_span_context().span_id


ENDS: dict[str, tuple[list[Any], type[DidwwError], dict[str, Any]]] = {
    "refused": ([json_response(404)], DidwwError, {"http.response.status_code": 404, "error.type": "404"}),
    "down": (
        [json_response(503)],
        DidwwError,
        {"http.response.status_code": 503, "error.type": "503", "http.request.resend_count": 2},
    ),
    "broken": (
        [ApiConnectionError(KEY)],
        ApiConnectionError,
        {"error.type": "ApiConnectionError", "http.request.resend_count": 2},
    ),
    "late": ([ApiTimeoutError(KEY)], ApiTimeoutError, {"error.type": "ApiTimeoutError"}),
    "a bug": ([RuntimeError(KEY)], RuntimeError, {"error.type": "RuntimeError"}),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("case", ENDS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_failed_call_marks_its_span(case: str, asynchronous: bool) -> None:
    """It has the status or error type and the number of retries, without error text."""
    script, error, expected = ENDS[case]
    if asynchronous:

        async def main() -> None:
            transport = AsyncScripted(*script)
            async with AsyncDidwwClient(
                KEY, base_url=BASE, transport=transport, rate_limit=None, tracing=True
            ) as client:
                client._configuration.jitter = lambda: 0.0
                await client.dids().find(ID)

        with pytest.raises(error):
            asyncio.run(main())
    else:
        with pytest.raises(error):
            client_of(*script).dids().find(ID)
    span = only()
    assert span.status.status_code is StatusCode.ERROR
    assert expected.items() <= dict(span.attributes or {}).items()
    assert ("http.response.status_code" in expected) == ("http.response.status_code" in (span.attributes or {}))
    assert KEY not in span.to_json()


def test_retries_share_one_span() -> None:
    """A call that succeeds at the third attempt is no error."""
    client_of(json_response(503), ApiConnectionError("broken"), DID).dids().find(ID)
    span = only()
    assert span.status.status_code is StatusCode.UNSET
    assert (span.attributes or {})["http.request.resend_count"] == 2


def test_spans_of_tasks_and_threads_have_the_right_parents() -> None:
    """Concurrent calls and prefetched pages are children of their callers."""
    tracer = PROVIDER.get_tracer("program")

    async def one(client: AsyncDidwwClient, name: str) -> tuple[int, list[str]]:
        with tracer.start_as_current_span(name) as span:
            names = [city.name async for city in client.cities().iterate(page_size=2, limit=9)]
            await client.balance().find()
            return span.get_span_context().span_id, names

    async def main() -> list[tuple[int, list[str]]]:
        async with Emulator().async_client(tracing=True) as client:
            return await asyncio.gather(*(one(client, f"task {number}") for number in range(5)))

    parents = [span for span, _ in asyncio.run(main())]
    with tracer.start_as_current_span("thread") as span, Emulator().client(tracing=True) as client:
        parents.append(span.get_span_context().span_id)
        assert len(list(client.cities().iterate(page_size=2, limit=9))) == 9
        client.balance().find()
    children: dict[int, list[str]] = {parent: [] for parent in parents}
    for one_span in EXPORTER.get_finished_spans():
        if one_span.parent is not None:
            children[one_span.parent.span_id].append(one_span.name)
    assert all(names.count("GET /v3/balance") == 1 for names in children.values())
    assert all(names.count("GET /v3/cities") >= 5 for names in children.values())


def test_downloads_and_orders_have_spans(tmp_path: Any) -> None:
    """A download is one span for all attempts; for another host it shows the URL without the query."""
    files = "https://files.example.net/a/secret-name.csv.gz"
    client = client_of(json_response(503), json_response(body=b"data"))
    client.download_export(f"{files}?signature={KEY}", tmp_path / "a")
    span = only()
    assert span.name == "GET"
    assert (span.attributes or {})["url.full"] == files
    assert (span.attributes or {})["http.request.resend_count"] == 1
    assert "url.template" not in (span.attributes or {})
    assert KEY not in span.to_json()
    EXPORTER.clear()
    with pytest.raises(UnexpectedResponseError):
        client_of(json_response(body=b"<html>")).balance().find()
    assert only().name == "GET /v3/balance"


def test_canceled_call_ends_its_span() -> None:
    """The span is marked as an error, in the right place."""
    sending = asyncio.Event()

    class Slow(AsyncScripted):
        async def send(self, request: Any, deadline: float) -> Any:
            sending.set()
            await asyncio.sleep(60)

    async def main() -> None:
        async with AsyncDidwwClient(KEY, base_url=BASE, transport=Slow(DID), rate_limit=None, tracing=True) as client:
            task = asyncio.create_task(client.dids().find(ID))
            await sending.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not trace.get_current_span().is_recording()

    asyncio.run(main())
    assert (only().attributes or {})["error.type"] == "CancelledError"


def test_tracing_is_on_when_opentelemetry_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is requested, or the program imports it; a missing package is named."""
    assert tracing_for(None, None) is not None
    assert tracing_for(False, None) is None
    with pytest.raises(InvalidValueError, match="tracing"):
        DidwwClient(KEY, tracing="yes")  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert tracing_for(None, None) is None
    with pytest.raises(InvalidValueError, match=r'pip install "didww-sdk\[otel\]"'):
        DidwwClient(KEY, tracing=True)


def test_tracing_is_not_imported_when_unused() -> None:
    """The SDK does not import OpenTelemetry by itself."""
    code = (
        "import sys; from didww.emulator import Emulator; Emulator().client().balance().find(); "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
