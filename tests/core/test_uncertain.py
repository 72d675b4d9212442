"""Calls whose earlier attempts may have been processed, and calls with an overall timeout."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from didww import Did, DidOrderItem, DidwwClient, Order, Report, VoiceInTrunkGroup
from didww._drivers import sync
from didww.exceptions import ApiConnectionError, ApiTimeoutError, RateLimitError, UnexpectedResponseError
from didww.transport.errors import connection_lost, unsendable
from support.scripted_transport import Scripted, echo, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
BASE = "https://api.example.com/v3"


def lost(request: Any) -> Any:
    raise connection_lost(request, "the connection was lost")


def unsent(request: Any) -> Any:
    raise unsendable(request, "there is no connection", transient=True)


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    client = DidwwClient("key", base_url=BASE, transport=transport, rate_limit=None, **options)
    client._configuration.jitter = lambda: 0.0
    return client, transport


@pytest.mark.parametrize(
    ("last", "error"),
    [(unsent, ApiConnectionError), (json_response(429, {"errors": [{"title": "Too many"}]}), RateLimitError)],
)
def test_outcome_is_unknown_after_an_uncertain_attempt(last: Any, error: type[Exception]) -> None:
    """A last attempt that was certainly not processed does not prove anything about the first."""
    client, transport = client_of(lost, last)
    report = client.dids().delete_many([ID])
    assert (len(report.unknown), report.failed, report.remaining) == (1, [], [])
    assert isinstance(report.unknown[0].error, error)
    assert len(transport.requests) == 3


@pytest.mark.parametrize("last", [unsent, json_response(429, {"errors": [{"title": "Too many"}]})])
def test_outcome_is_failed_if_no_attempt_was_processed(last: Any) -> None:
    """The item can be passed to another call."""
    client, _ = client_of(last)
    report = client.dids().delete_many([ID])
    assert (report.unknown, report.remaining) == ([], [ID])


@pytest.mark.parametrize("data", [{"type": "dids"}, {"type": "dids", "id": None}])
def test_response_record_without_id_raises(data: Any) -> None:
    """It is an error of this package, which ends no other update of the same call."""
    client, _ = client_of(json_response(200, {"data": data}))
    with pytest.raises(UnexpectedResponseError, match="None instead of dids"):
        client.dids().find(ID)
    dids = []
    for number in range(3):
        did = Did.build(f"{ID[:-1]}{number}")
        did.description = "new"
        dids.append(did)
    report = client.dids().update_many(dids)
    assert len(report.unknown) == 3


def test_timeout_limits_the_search_for_an_earlier_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds however many pages the service claims."""
    now = [1000.0]

    def page(_: Any) -> Any:
        now[0] += 1
        return json_response(200, {"data": [], "links": {"next": f"{BASE}/x"}})

    client, transport = client_of(page, timeout=5)
    monkeypatch.setattr(sync, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    with pytest.raises(ApiTimeoutError, match="was not sent before the call's timeout ran out") as caught:
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="A"), once=True)
    assert caught.value.request_sent is False
    assert 5 <= len(transport.requests) <= 6


def test_progress_error_has_the_report_of_placed_orders() -> None:
    """Nobody else holds the orders."""

    def fail(_: Report[Any]) -> None:
        raise RuntimeError("stop")

    client, transport = client_of(echo)
    with pytest.raises(RuntimeError, match="stop") as caught:
        client.orders().create_many(
            (Order(items=[DidOrderItem(sku_id=ID)]) for _ in range(3)), progress=fail, concurrency=1
        )
    report: Report[Order] = vars(caught.value)["report"]
    assert [item.data.id for item in report.done if item.data] == [ID]
    assert "`report`" in caught.value.__notes__[0]
    assert len(transport.requests) == 1
