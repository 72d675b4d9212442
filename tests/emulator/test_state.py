"""Test the emulator's state: reset, snapshots, seed data from a dict or a file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from didww import DidOrderItem, DidwwClient, Order, VoiceInTrunkGroup
from didww.emulator import Clock, Emulator

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

OBJECTS: dict[str, Any] = {
    "balance": "250.00",
    "dids": [
        {"number": "12125550100", "voice_in_trunk": "main", "description": "Reception"},
        {"id": "london", "number": "442079460000", "voice_in_trunk_group": "desk", "terminated": True},
    ],
    "voice_in_trunks": [
        {
            "id": "main",
            "name": "Main",
            "configuration": {
                "type": "sip_configurations",
                "attributes": {"host": "sip.example.com", "codec_ids": [9]},
            },
        },
        {"name": "Mobile", "configuration": {"type": "pstn_configurations", "attributes": {"dst": "447700900000"}}},
    ],
    "voice_in_trunk_groups": [{"id": "desk", "name": "Desk", "voice_in_trunks": ["main"], "capacity_limit": 3}],
    "orders": [{"id": "old", "status": "canceled", "amount": "12.00", "reference": "ABC-000001"}],
}

YAML = """
balance: 250.50
voice_in_trunks:
  - id: main
    name: Main
    configuration: {type: sip_configurations, attributes: {host: sip.example.com, codec_ids: [9]}}
dids:
  - number: 12125550100
    voice_in_trunk: main
    created_at: 2026-01-31T10:00:00Z
identities:
  - id: alex
    identity_type: personal
    first_name: Alex
    last_name: Example
    phone_number: 442079460000
    birth_date: 1980-01-31
"""


def buy(client: DidwwClient) -> str:
    groups = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1))
    item = DidOrderItem(sku_id=groups.data[0].stock_keeping_units[0].id, qty=1)
    return client.orders().create(Order(items=[item])).data.id


def everything(client: DidwwClient) -> tuple[Any, ...]:
    """Return everything of an account that snapshots are compared by."""
    return (
        client.balance().find().data.balance,
        [(order.id, str(order.status), order.created_at) for order in client.orders().list().data],
        [(did.id, did.number) for did in client.dids().list().data],
        [group.name for group in client.voice_in_trunk_groups().list().data],
    )


@pytest.mark.parametrize("kept", [False, True])
def test_reset_restores_the_initial_state(tmp_path: Path, kept: bool) -> None:
    """Records, faults and journal are cleared, the clock is reset, and the same ids come again."""
    path = str(tmp_path / "state.db") if kept else None
    with Emulator(path=path, seed=5, clock=Clock(START, running=False)) as emulator:
        client = emulator.client()
        first = buy(client)
        emulator.clock.advance("2 days")
        emulator.faults.add(status=500, times=1, method="DELETE")
        emulator.transitions.set("orders", by_hand=True)
        emulator.callbacks.sign("wrong")
        emulator.state.reset()
        assert emulator.journal.entries() == []
        assert emulator.faults.rules() == []
        assert emulator.transitions.show() == {}
        assert emulator.clock.now() == START
        assert everything(client)[1:] == ([], [], [])
        assert client.balance().find().data.balance == 10000
        del first
    with Emulator(seed=5, clock=Clock(START, running=False)) as emulator:
        ids = [buy(emulator.client())]
        emulator.state.reset()
        ids.append(buy(emulator.client()))
        assert ids[0] == ids[1]


@pytest.mark.parametrize("kept", [False, True])
def test_snapshot_can_be_restored_repeatedly(tmp_path: Path, kept: bool) -> None:
    """Records, money, time, scheduled events and future ids are restored."""
    path = str(tmp_path / "state.db") if kept else None
    with Emulator(path=path, clock=Clock(START, running=False)) as emulator:
        client = emulator.client()
        buy(client)
        emulator.clock.advance(1)
        waiting = buy(client)
        emulator.state.snapshot("before")
        before = everything(client)
        nexts: list[str] = []
        for _ in range(3):
            nexts.append(buy(client))
            client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Desk"))
            emulator.clock.advance("1 h")
            assert client.orders().find(waiting).data.status == "completed"
            emulator.state.restore("before")
            assert everything(client) == before
            assert client.orders().find(waiting).data.status == "pending"
            assert emulator.clock.now() == START.replace(second=1)
        assert len(set(nexts)) == 1
        assert emulator.state.snapshots() == ["before"]
        with pytest.raises(LookupError, match=r"'befor'.*there are: before.*Did you mean 'before'"):
            emulator.state.restore("befor")


def test_objects_can_be_seeded_from_a_dict() -> None:
    """Missing attributes get the service's defaults, and scheduled events run."""
    with Emulator(clock=Clock(START, running=False)) as emulator:
        seeded = emulator.state.seed(OBJECTS)
        assert {type: len(ids) for type, ids in seeded.items()} == {
            "voice_in_trunks": 2,
            "voice_in_trunk_groups": 1,
            "dids": 2,
            "orders": 1,
        }
        client = emulator.client()
        assert client.balance().find().data.balance == 250
        dids = {did.number: did for did in client.dids().list(include=["voice_in_trunk", "did_group.country"]).data}
        reception = dids["12125550100"]
        assert reception.description == "Reception"
        assert reception.voice_in_trunk is not None
        assert reception.voice_in_trunk.name == "Main"
        assert reception.voice_in_trunk.configuration.host == "sip.example.com"  # type: ignore[union-attr]
        assert reception.did_group is not None
        assert reception.did_group.country is not None
        assert reception.did_group.country.iso == "US"
        assert reception.expires_at is not None
        assert client.dids().find(emulator.state.id_of("london")).data.terminated
        desk = client.voice_in_trunk_groups().find(emulator.state.id_of("desk"), include="voice_in_trunks").data
        assert (
            [trunk.id for trunk in desk.voice_in_trunks]
            == seeded["voice_in_trunks"][:1]
            == [emulator.state.id_of("main")]
        )
        assert client.orders().find(emulator.state.id_of("old")).data.status == "canceled"
        emulator.state.seed({"dids": [{"number": "12125550101"}]}, api_key="other")
        assert client.dids().list().total_records == 2
        assert emulator.client("other").dids().list().total_records == 1


def test_objects_can_be_seeded_from_a_file(tmp_path: Path) -> None:
    """YAML numbers and dates are converted to the types of the fields."""
    path = tmp_path / "objects.yaml"
    path.write_text(YAML, encoding="utf-8")
    with Emulator(clock=Clock(START, running=False)) as emulator:
        emulator.state.seed_file(path)
        client = emulator.client()
        assert str(client.balance().find().data.balance) == "250.50"
        (did,) = client.dids().list().data
        assert (did.number, did.created_at) == ("12125550100", datetime(2026, 1, 31, 10, tzinfo=UTC))
        assert client.identities().find(emulator.state.id_of("alex")).data.birth_date == "1980-01-31"


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ({"did": []}, r"did: .*Did you mean 'dids'"),
        ({"countries": []}, "countries: objects of this type cannot be created"),
        ({"dids": {}}, "dids must be a list of objects"),
        ({"dids": ["12125550100"]}, r"dids\[0\] must be an object"),
        ({"dids": [{"numbr": "12125550100"}]}, r"dids\[0\]: dids have no 'numbr'. Did you mean 'number'"),
        (
            {"dids": [{"number": "12125550100", "voice_in_trunk": "main"}]},
            r"dids\[0\].voice_in_trunk: there is no 'main' .* among voice_in_trunks",
        ),
        ({"dids": [{"id": "a b", "number": "12125550100"}]}, "must be 1 to 64"),
        ({"dids": [{"id": "a", "number": "12125550100"}, {"id": "a", "number": "12125550101"}]}, "the same id"),
        ({"dids": [{"number": "12125550100"}, {"number": "12125550100"}]}, r"dids\[1\]: number - has already"),
        ({"dids": [{"number": "one"}]}, r"dids\[0\]: number - is invalid"),
        ({"dids": [{"number": "12125550100", "terminated": "yes"}]}, r"dids\[0\]: terminated"),
        ({"voice_in_trunk_groups": [{}]}, "missing name"),
        ({"voice_in_trunk_groups": [{"name": "A"}, {"name": "A"}]}, "has already been taken"),
        ({"orders": [{}]}, r"orders\[0\].status: .pending. is not a final status"),
        ({"exports": [{}]}, r"exports\[0\].status: .pending. is not a final status"),
        ({"balance": "much"}, "An amount must be .*, got 'much'"),
        ({"balance": "NaN"}, "An amount must be .*, got 'NaN'"),
    ],
)
def test_invalid_seed_data_is_rejected(objects: dict[str, Any], message: str) -> None:
    """The error has the path of the value, and nothing is created."""
    with Emulator() as emulator:
        with pytest.raises(ValueError, match=message):
            emulator.state.seed({"voice_in_trunk_groups": [{"name": "Kept?"}], **objects})
        client = emulator.client()
        assert client.voice_in_trunk_groups().list().total_records == 0
        assert client.dids().list().total_records == 0
        assert client.balance().find().data.balance == 10000


@pytest.mark.parametrize(
    ("text", "message"), [("- 1", "must contain objects"), ("a: [", "is not valid YAML"), (None, "cannot be read")]
)
def test_invalid_seed_files_are_rejected(tmp_path: Path, text: str | None, message: str) -> None:
    """A missing file, and files with other content."""
    path = tmp_path / "objects.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with Emulator() as emulator, pytest.raises(ValueError, match=message):
        emulator.state.seed_file(path)


def test_balance_and_stock_can_be_set() -> None:
    """A client sees the new values."""
    with Emulator() as emulator, emulator.client() as client:
        assert emulator.balance.put("1.50", credit=10).total_balance == "11.50"
        assert client.balance().find().data.total_balance == emulator.client().balance().find().data.total_balance
        assert emulator.balance.show(api_key="other").balance == "10000.00"
        (group,) = client.did_groups().list(filter={"area_name": "London", "country.id": _gb(client)}).data
        assert emulator.stock.put(group.id, 3).count == 3
        assert client.did_groups().find(group.id).data.meta.total_count == 3
        assert emulator.stock.put(group.id, 0).count == 0
        with pytest.raises(ValueError, match="0 to 1000"):
            emulator.stock.put(group.id, 1001)
        with pytest.raises(LookupError, match="no DID group 'x'"):
            emulator.stock.put("x", 1)


def _gb(client: DidwwClient) -> str:
    return client.countries().list(filter={"iso": "GB"}).data[0].id
