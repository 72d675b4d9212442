"""The history of one DID by id: the service filters by number, so the client fetches the number first."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest

from didww import AsyncDidwwClient, Did, DidwwClient, QueryParams
from didww.emulator import Emulator
from didww.exceptions import ApiTimeoutError, InvalidValueError, NotFoundError
from support.fake_service import BASE, AttemptResult, FakeService
from support.scripted_transport import AsyncScripted, Scripted, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
DID = {"data": {"id": ID, "type": "dids", "attributes": {"number": "442079460001"}}}
EVENT = {"id": "8d1a3c5e-0000-4000-8000-000000000002", "type": "did_history", "attributes": {"action": "assigned"}}


def client_of(*script: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    return DidwwClient("key", base_url=BASE, transport=transport, rate_limit=None), transport


def asked(transport: Scripted) -> list[tuple[str, dict[str, str]]]:
    parts = [urlsplit(request.url) for request in transport.requests]
    return [(part.path.removeprefix("/v3"), dict(parse_qsl(part.query))) for part in parts]


@pytest.mark.parametrize("id", [ID, UUID(ID), Did.build(ID)], ids=["text", "UUID", "record without its number"])
def test_did_id_is_resolved_to_its_number_by_one_request(id: Any) -> None:
    """The DID is fetched, then the history is filtered by its number; the caller's query is unchanged."""
    client, transport = client_of(json_response(document=DID), json_response(document={"data": [EVENT]}))
    params = QueryParams().filter("did.id", id).filter("action", "assigned")
    assert [event.id for event in client.did_history().list(params).data] == [EVENT["id"]]
    found = {"filter[action]": "assigned", "filter[did_number]": "442079460001"}
    assert asked(transport) == [(f"/dids/{ID}", {}), ("/did_history", found)]
    assert params.filters["did.id"] == id


def test_loaded_did_needs_no_extra_request() -> None:
    """Its number is known."""
    client, transport = client_of(json_response(document=DID), json_response(document={"data": [EVENT]}))
    did = client.dids().find(ID).data
    client.did_history().list(filter={"did.id": did})
    assert asked(transport)[1:] == [("/did_history", {"filter[did_number]": "442079460001"})]


@pytest.mark.parametrize("method", ["first", "one", "count", "iterate"])
def test_every_list_method_accepts_a_did(method: str) -> None:
    """This includes iteration and the asynchronous client."""
    script = json_response(document=DID), json_response(document={"data": [EVENT], "meta": {"total_records": 1}})
    client, transport = client_of(*script)
    outcome = getattr(client.did_history(), method)(filter={"did.id": ID})
    if method == "count":
        assert outcome == 1
    else:
        assert [one.id for one in (outcome if method == "iterate" else [outcome])] == [EVENT["id"]]
    other = AsyncScripted(*script)

    async def main() -> None:
        async with AsyncDidwwClient("key", base_url=BASE, transport=other, rate_limit=None) as twin:
            result = getattr(twin.did_history(), method)(filter={"did.id": ID})
            assert len([event async for event in result]) == 1 if method == "iterate" else await result

    asyncio.run(main())
    assert asked(transport) == asked(other.inner)
    assert [path for path, _ in asked(transport)] == [f"/dids/{ID}", "/did_history"]


def test_missing_did_raises_not_found() -> None:
    """The error is that of the DID request; no other request is sent."""
    client, transport = client_of(json_response(404, {"errors": [{"title": "Record not found"}]}))
    with pytest.raises(NotFoundError, match=f"/v3/dids/{ID}"):
        client.did_history().list(filter={"did.id": ID})
    assert len(transport.requests) == 1


def test_id_and_number_are_mutually_exclusive() -> None:
    """Two values for one filter of the service are rejected."""
    client, transport = client_of(json_response(document=DID))
    with pytest.raises(InvalidValueError, match=r"'did\.id' must not be combined with 'did_number'"):
        client.did_history().list(filter={"did.id": ID, "did_number": "442079460001"})
    assert transport.requests == []


def test_both_requests_share_the_timeout() -> None:
    """The time of the first request is deducted from the second one's."""
    from didww._core.operations import list_
    from didww.configuration import ApiKey, Configuration
    from didww.resources.did_history import DidHistory

    service = FakeService(AttemptResult(4.0), AttemptResult(4.0))
    service.serve = lambda request: json_response(document=DID)
    query = QueryParams().filter("did.id", ID)
    with pytest.raises(ApiTimeoutError):
        service.run(list_(Configuration(credentials=ApiKey("key"), base_url=BASE, timeout=6.0), DidHistory, query))
    assert service.now == 1006.0


def test_emulator_returns_the_history_of_a_did() -> None:
    """The program reads it as from DIDWW."""
    emulator = Emulator()
    emulator.state.seed({"dids": [{"number": "442079460001"}]})
    with emulator.client() as client:
        did = client.dids().one(filter={"number": "442079460001"})
        events = client.did_history().list(QueryParams().filter("did.id", did.id)).data
        assert {event.did_number for event in events} <= {"442079460001"}
