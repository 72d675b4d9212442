"""Error messages, tracebacks, and text of others in them."""

from __future__ import annotations

import asyncio
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from didww import AsyncDidwwClient, DidwwClient, Export, ExportType
from didww._core.effects import Response
from didww.emulator import Emulator
from didww.exceptions import (
    AuthenticationError,
    DidwwApiError,
    DidwwError,
    InvalidValueError,
    NotFoundError,
    ServerError,
)
from support.scripted_transport import Scripted, json_response

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "8d1a3c5e-0000-4000-8000-000000000001"
BASE = "https://api.example.com/v3"


def answered_with(response: Response) -> DidwwApiError:
    client = DidwwClient("key", base_url=BASE, transport=Scripted(response), max_retries=0)
    with pytest.raises(DidwwApiError) as caught:
        client.balance().find()
    return caught.value


def test_unauthorized_error_suggests_checking_the_environment() -> None:
    """A key of the other environment is the most common reason for a 401."""
    error = answered_with(json_response(401, {"errors": [{"title": "Authorization failed", "code": "401"}]}))
    assert isinstance(error, AuthenticationError)
    assert str(error).startswith("HTTP 401: Authorization failed (GET /v3/balance, request id req-1)")
    assert "Sandbox and production have separate keys." in str(error)
    assert str(error).endswith("""refuses API keys: pass api_version="2026-11-19".""")


@pytest.mark.parametrize("body", [b"", b"<html>down</html>"])
def test_service_unavailable_error_says_what_to_do(body: bytes) -> None:
    """Without error objects, the message has the status, the request id for DIDWW's support and what to do."""
    error = answered_with(Response(503, {"x-request-id": "r-1"}, body))
    assert isinstance(error, ServerError)
    assert "HTTP 503: Service Unavailable" in str(error)
    assert "request id r-1" in str(error)
    assert "retry later" in str(error)


@pytest.mark.parametrize("cls", [DidwwClient, AsyncDidwwClient])
def test_misspelled_accessor_error_suggests_the_right_one(cls: Any) -> None:
    """The singular of a resource name is the usual slip."""
    client = cls("key", base_url=BASE)
    with pytest.raises(AttributeError, match=rf"{cls.__name__} has no 'did'\. Did you mean 'dids'\?"):
        client.did()
    assert not hasattr(client, "nothing_of_the_kind")


# The traceback


def lines_of(call: Callable[[], object]) -> tuple[BaseException, list[traceback.FrameSummary]]:
    try:
        call()
    except DidwwError as error:
        return error, traceback.extract_tb(error.__traceback__)
    raise AssertionError


def test_traceback_has_one_sdk_frame() -> None:
    """It has the caller's frames and the called method, without internals."""
    client = Emulator().client()
    calls: list[Callable[[], object]] = [
        lambda: client.dids().find(ID),
        lambda: client.dids().list(filter={"nmber": "1"}),  # type: ignore[dict-item]
        lambda: client.dids().one(),
        lambda: next(client.dids().iterate(fields={"dids": ["nothing"]})),
        lambda: client.download_export("https://elsewhere.example.com/x", "calls.csv.gz"),
        lambda: client.orders().wait(ID),
    ]
    for call in calls:
        error, frames = lines_of(call)
        ours = [frame for frame in frames if "/didww/" in frame.filename]
        assert (len(ours), frames[-1].name) == (1, "call"), error
        assert error.__context__ is None or error.__suppress_context__


def test_asynchronous_traceback_has_one_sdk_frame() -> None:
    """The same holds for a coroutine."""

    async def find() -> None:
        async with Emulator().async_client() as client:
            await client.dids().find(ID)

    error, frames = lines_of(lambda: asyncio.run(find()))
    assert isinstance(error, NotFoundError)
    assert [frame.name for frame in frames if "/didww/" in frame.filename] == ["call_async"]


def test_foreign_error_keeps_its_traceback() -> None:
    """The traceback of a hook's error leads to the hook."""

    def hook(_: object) -> None:
        raise KeyError

    client = Emulator().client(on_request=hook)
    with pytest.raises(KeyError) as caught:
        client.balance().find()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "hook"


# Text of the server's


def test_control_characters_of_the_server_are_escaped(caplog: pytest.LogCaptureFixture) -> None:
    """They can neither forge a log line nor change the reading direction."""
    evil = "no\r\nINFO paid \x1b[31m \u202etxt"
    for body in ({"errors": [{"detail": evil, "title": evil}]}, {"errors": [{"code": evil}]}):
        with caplog.at_level(logging.DEBUG, "didww"):
            response = json_response(422, body)
            error = answered_with(Response(422, {"x-request-id": "r\x1b[2J\n1"}, response.body))
        assert str(error).isprintable()
        assert r"no\r\nINFO paid \x1b[31m \u202etxt" in str(error)
        assert r"request id r\x1b[2J\n1" in str(error)
    assert caplog.messages
    assert all(message.isprintable() for message in caplog.messages)
    assert error.errors == [{"code": evil}]  # the data stay as they came


def test_unexpected_record_is_named_with_escapes() -> None:
    """Its type and id are text of the server too."""
    client = DidwwClient(
        "key", base_url=BASE, transport=Scripted(json_response(200, {"data": {"type": "a\x1b", "id": "b\n"}}))
    )
    with pytest.raises(DidwwError) as caught:
        client.dids().find(ID)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["2026-11-01", "yesterday", "", "2026-11", "01.11.2026 10:00"])
def test_invalid_export_date_error_shows_the_format(text: str) -> None:
    """A bare date or words raise before sending, with an example."""
    filters: Any = {"from": text, "to": "2026-11-02 00:00:00"}
    with pytest.raises(
        InvalidValueError, match=r"must be a datetime with a time zone, or text in UTC such as"
    ) as caught:
        Emulator().client().exports().create(Export(export_type=ExportType.CDR_IN, filters=filters))
    assert caught.value.field == "Export.filters['from']"


def test_iterating_a_response_names_data() -> None:
    """Looping over a response instead of its data is a common slip."""
    with pytest.raises(TypeError, match=r"not iterable\. Iterate over its \.data, or use iterate\(\)"):
        list(Emulator().client().countries().list())
