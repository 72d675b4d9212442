"""The object graph of a response: one object for each record, however it is reached."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww._jsonapi.document import decode
from didww._jsonapi.encode import encode
from didww._jsonapi.graph import Graph
from didww._schema.resource import load
from didww.exceptions import NotIncludedError


def did(id: str, **linked: tuple[str, str]) -> dict[str, Any]:
    return record("dids", id, {"number": id}, **linked)


def record(type: str, id: str, attributes: dict[str, Any] | None = None, **linked: tuple[str, str]) -> dict[str, Any]:
    links = {name: {"data": {"type": to, "id": which}} for name, (to, which) in linked.items()}
    return {"type": type, "id": id, "attributes": attributes or {}, "relationships": links}


def records_of(data: Any, included: list[dict[str, Any]] = []) -> list[Any]:  # noqa: B006 not changed
    return Graph(decode(encode({"data": data, "included": included})), load).nodes


def test_included_record_is_one_object() -> None:
    """Two DIDs of one order have the same order object."""
    one, two = records_of(
        [did("1", order=("orders", "9")), did("2", order=("orders", "9"))],
        [record("orders", "9", {"reference": "ABC-1"})],
    )
    assert one.order is two.order
    assert one.order is one.order
    assert one.order.reference == "ABC-1"


def test_relationships_can_lead_to_primary_records() -> None:
    """An included record can point to the primary record, and one primary record to another."""
    (one,) = records_of([did("1", shared_capacity_group=("shared_capacity_groups", "5"))], [
        record("shared_capacity_groups", "5", {"name": "Desk"}, capacity_pool=("capacity_pools", "7")),
        record("capacity_pools", "7", {"name": "Standard"}),
    ])  # fmt: skip
    assert one.shared_capacity_group.capacity_pool.name == "Standard"
    proof, identity = records_of([
        record("proofs", "3", {}, entity=("identities", "4")),
        record("identities", "4", {"first_name": "Ann"}),
    ])  # fmt: skip
    assert proof.entity is identity


@pytest.mark.parametrize("sent_twice", [False, True])
def test_primary_record_takes_precedence_over_included(sent_twice: bool) -> None:
    """A server that sends a record in both places changes nothing."""
    again = [record("identities", "4", {"first_name": "Bob"})] if sent_twice else []
    proof, identity = records_of(
        [record("proofs", "3", {}, entity=("identities", "4")), record("identities", "4", {"first_name": "Ann"})],
        [record("addresses", "8"), *again],
    )
    assert proof.entity is identity
    assert proof.entity.first_name == "Ann"


def test_cycles_lead_back_to_the_same_object() -> None:
    """The DID of a DID's emergency calling service is the same object."""
    service = record("emergency_calling_services", "5")
    service["relationships"]["dids"] = {"data": [{"type": "dids", "id": "1"}]}
    (one,) = records_of([did("1", emergency_calling_service=("emergency_calling_services", "5"))], [service])
    assert one.emergency_calling_service.dids[0] is one


def test_unincluded_record_is_a_stub() -> None:
    """Linkage without an included record is a stub that knows only its id."""
    one, two = records_of([did("1", order=("orders", "9")), did("2", order=("orders", "9"))])
    assert (one.order.id, one.order) == ("9", two.order)
    with pytest.raises(NotIncludedError):
        _ = one.did_group


@given(links=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_every_path_to_a_record_gives_the_same_object(links: list[tuple[int, int]]) -> None:
    """Within one response, an identifier always stands for one object."""
    owners = [f"i{number}" for number in range(6)]
    proofs = [
        record("proofs", f"p{index}", {}, entity=("identities", owners[to])) for index, (to, _) in enumerate(links)
    ]
    primary, included = owners[:3], owners[3:]
    data = [*proofs, *(record("identities", one) for one in primary)]
    nodes = records_of(data, [record("identities", one) for one in [*included, *primary]])
    known = {node.id: node for node in nodes if node.type == "identities"}
    for node in nodes[: len(proofs)]:
        assert known.setdefault(node.entity.id, node.entity) is node.entity


def test_concurrent_threads_get_the_same_object() -> None:
    """All threads get the object that the first one created."""

    def reach(gate: threading.Barrier, one: Any) -> Any:
        gate.wait()
        return one.order

    with ThreadPoolExecutor(4) as pool:
        for _ in range(50):
            dids = records_of([did(str(n), order=("orders", "9")) for n in range(4)], [record("orders", "9")])
            found = list(pool.map(partial(reach, threading.Barrier(4)), dids))
            assert len({id(one) for one in found}) == 1
