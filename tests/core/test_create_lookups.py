"""The lookup of a record whose response was lost: when it begins, what counts as found, what the error advises."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from didww import DidwwClient, QueryParams, VoiceInTrunkGroup, VoiceOutTrunk, VoiceOutTrunkRegenerateCredential
from didww._drivers import sync
from didww.exceptions import ApiConnectionError, ClientClosedError, DidwwError, InvalidValueError
from didww.transport.errors import connection_lost
from support.scripted_transport import Scripted, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
OTHER = "8d1a3c5e-0000-4000-8000-000000000002"
BASE = "https://api.example.com/v3"
NOW = "Sun, 01 Mar 2026 12:00:00 GMT"


def lost(request: Any) -> Any:
    raise connection_lost(request, "the connection was lost")


def groups(*records: tuple[str, dict[str, Any]], **headers: str) -> Any:
    data = [{"type": "voice_in_trunk_groups", "id": id, "attributes": attributes} for id, attributes in records]
    return json_response(200, {"data": data}, **headers)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses, during which time passes at once."""
    pauses: list[float] = []
    fake = SimpleNamespace(monotonic=lambda: 100 + sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(sync, "time", fake)
    return pauses


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    return DidwwClient("key", base_url=BASE, transport=transport, rate_limit=None, **options), transport


def created(client: DidwwClient, **options: Any) -> Any:
    return client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main"), **options).data


def test_record_without_creation_time_is_found_by_its_name(clock: list[float]) -> None:
    """Without a timestamp or the server's time, the identifier decides; a record with another name is not the one."""
    client, _ = client_of(lost, groups((OTHER, {"name": "Other"}), (ID, {"name": "Main"})))
    assert created(client).id == ID
    assert clock == [0.5]


@pytest.mark.parametrize(("created_at", "found"), [("2026-03-01T11:59:56Z", True), ("2026-03-01T11:59:47Z", False)])
def test_older_record_with_the_same_name_is_not_the_one(created_at: str, found: bool, clock: list[float]) -> None:
    """It was created before the request was sent, by more than five seconds of the server's clock."""
    client, transport = client_of(lost, groups((ID, {"name": "Main", "created_at": created_at}), date=NOW))
    if found:
        assert created(client).id == ID
        return
    with pytest.raises(ApiConnectionError, match=r"was not found within 7\.5 s and may still be created") as caught:
        created(client)
    assert caught.value.outcome_unknown
    assert clock == [0.5, 1.0, 2.0, 4.0]
    assert len(transport.requests) == 5


def test_ambiguous_lookup_raises_the_first_error(clock: list[float]) -> None:
    """Two new records with that name: none of them is returned."""
    client, transport = client_of(lost, groups((ID, {"name": "Main"}), (OTHER, {"name": "Main"})))
    with pytest.raises(ApiConnectionError, match="the connection was lost") as caught:
        created(client)
    assert caught.value.outcome_unknown
    assert len(transport.requests) == 2


def test_failed_lookup_raises_the_first_error(clock: list[float]) -> None:
    """The error is the lost response, not the one of the lookup."""
    client, _ = client_of(lost, json_response(403))
    with pytest.raises(ApiConnectionError, match="the connection was lost") as caught:
        created(client)
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("timeout", [0.5, 1.4])
def test_lookup_ends_before_the_timeout(timeout: float, clock: list[float]) -> None:
    """No pause goes beyond it."""
    client, transport = client_of(lost, groups(), timeout=timeout)
    with pytest.raises(ApiConnectionError, match="the connection was lost"):
        created(client)
    assert sum(clock) < timeout
    assert len(transport.requests) == 1 + len(clock)


def test_lookup_keeps_the_fieldset(clock: list[float]) -> None:
    """A group has no filter by name, so a record without a name proves nothing."""
    client, transport = client_of(lost, groups((ID, {"capacity_limit": 2})), timeout=1)
    with pytest.raises(ApiConnectionError, match="the connection was lost"):
        created(client, params=QueryParams().fields("voice_in_trunk_groups", "capacity_limit"))
    assert "fields%5Bvoice_in_trunk_groups%5D=capacity_limit" in transport.requests[1].url


def test_lookup_trusts_the_filter_if_the_fieldset_lacks_the_field(clock: list[float]) -> None:
    """A group is found by the filter of its reference, although the response does not have it."""
    client, transport = client_of(lost, groups((ID, {"name": "Main"})))
    new = VoiceInTrunkGroup(name="Main", external_reference_id="main-1")
    found = client.voice_in_trunk_groups().create(new, QueryParams().fields("voice_in_trunk_groups", "name")).data
    assert found.id == ID
    assert "filter%5Bexternal_reference_id%5D=main-1" in transport.requests[1].url


def test_error_says_how_to_check_records_that_cannot_be_listed(clock: list[float]) -> None:
    """Regenerating a credential changes a trunk, so look at the trunk."""
    client, transport = client_of(lost)
    with pytest.raises(DidwwError, match="Check the records that it changes before you retry") as caught:
        client.voice_out_trunk_regenerate_credentials().create(
            VoiceOutTrunkRegenerateCredential(voice_out_trunk=VoiceOutTrunk.build(ID))
        )
    assert (caught.value.outcome_unknown, caught.value.lookup) == (True, None)
    assert len(transport.requests) == 1


def test_once_is_refused_where_records_have_no_identifier() -> None:
    """Nothing could be looked up."""
    client, transport = client_of(json_response())
    with pytest.raises(InvalidValueError, match="once must not be set for voice_out_trunk_regenerate") as caught:
        client.voice_out_trunk_regenerate_credentials().create(
            VoiceOutTrunkRegenerateCredential(voice_out_trunk=VoiceOutTrunk.build(ID)), once=True
        )
    assert caught.value.field == "once"
    assert transport.requests == []


def test_closed_client_leaves_no_doubt() -> None:
    """Nothing was sent, so nothing can have been created."""
    client, transport = client_of(json_response())
    transport.closed = True
    with pytest.raises(ClientClosedError) as caught:
        created(client)
    assert not caught.value.outcome_unknown
    assert "It is unknown" not in str(caught.value)
