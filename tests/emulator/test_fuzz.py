"""Fuzz the API, the control API and the console: every request gets a response, never an internal error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from didww._core.effects import Request
from didww._schema.registry import all_classes
from didww.emulator import Emulator, console
from didww.emulator.http import control_api
from didww.transport.inprocess import reader_of
from support.hypothesis_profiles import law

BASE = "http://emulator.example.com"
PATHS = sorted(cls._path for cls in all_classes())
NAMES = sorted({name for cls in all_classes() for name in cls._field_map} | {"id", "type", "data", "attributes", "x"})
KEYS = st.sampled_from(["key", "other", "", " ", "\udc80", "a" * 5000])
PART = st.one_of(
    st.sampled_from(PATHS), st.sampled_from(NAMES), st.text(max_size=12), st.sampled_from(["..", ".", "%00", "%"])
)
WORDS = st.sampled_from(
    [
        "filter[id]",
        "filter[number]",
        "filter[created_at_gteq]",
        "include",
        "sort",
        "fields[dids]",
        "page[size]",
        "page[number]",
    ]
)
VALUES = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.sampled_from(["true", "did_group", "-created_at", ",", "1e9"])
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), inner, max_size=5),
    ),
    max_leaves=12,
)
QUIET = law(300, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def emulator() -> Any:
    with Emulator(seed=1) as emulator:
        emulator.state.seed({"dids": [{"number": "12125550100"}], "voice_in_trunk_groups": [{"name": "Desk"}]})
        yield emulator


@pytest.mark.unchecked
@QUIET
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "TRACE", "\u0130"]),
    parts=st.lists(PART, max_size=4),
    query=st.lists(st.tuples(st.one_of(WORDS, st.text(max_size=10)), VALUES), max_size=4),
    body=st.one_of(st.none(), st.binary(max_size=60), JSON.map(lambda value: json.dumps({"data": value}).encode())),
    key=KEYS,
    headers=st.dictionaries(st.sampled_from(["Accept", "Content-Type", "Range", "If-Range"]), st.text(max_size=30)),
)
def test_api_never_fails_internally(
    emulator: Emulator, method: str, parts: list[str], query: Any, body: Any, key: str, headers: dict[str, str]
) -> None:
    """Any method, path, query, headers and body: the status is below 500, or 501 where documented."""
    text = "&".join(f"{name}={value}" for name, value in query)
    url = f"{BASE}/v3/{'/'.join(parts)}?{text}"
    sent = {"Api-Key": key, "Accept": "application/vnd.api+json", "Content-Type": "application/vnd.api+json", **headers}
    response, _ = emulator.exchange(Request(method, url, sent, body))
    assert response.status < 500 or response.status == 501, response.body
    read, _ = reader_of(response)
    read(0, 1000)
    emulator.journal.entries(limit=1)


def attributes(cls: Any) -> Any:
    """Generate attributes of one type with any values."""
    return st.dictionaries(st.sampled_from(sorted(cls._field_map)), JSON, max_size=6)


@pytest.mark.unchecked
@QUIET
@given(data=st.data())
def test_api_accepts_or_rejects_any_document(emulator: Emulator, data: Any) -> None:
    """Documents of every type with arbitrary values."""
    cls = data.draw(st.sampled_from([cls for cls in all_classes() if cls._operations & {"create", "update"}]))
    link = st.fixed_dictionaries(
        {"type": st.sampled_from([cls._type_name for cls in all_classes()]), "id": st.text(max_size=40)}
    )
    relationships = st.dictionaries(
        st.sampled_from(sorted(cls._field_map)),
        st.fixed_dictionaries({"data": st.one_of(link, st.lists(link, max_size=3), JSON)}),
        max_size=3,
    )
    document = {
        "data": {
            "type": cls._type_name,
            "attributes": data.draw(attributes(cls)),
            "relationships": data.draw(relationships),
        }
    }
    headers = {"Api-Key": "key", "Content-Type": "application/vnd.api+json"}
    for method, path in (("POST", cls._path), ("PATCH", f"{cls._path}/x")):
        response, _ = emulator.exchange(Request(method, f"{BASE}/v3/{path}", headers, json.dumps(document).encode()))
        assert response.status < 500, (method, path, document, response.body)


OPERATIONS = [f"{group}/{name}" for group, names in control_api.OPERATIONS.items() for name in names]
# These wait for real time, or grow with the input.
SLOW = {"callbacks/settle", "calls/inbound", "calls/outbound"}
ARGUMENTS = sorted(
    {name for place in OPERATIONS for name in control_api._operations()[place].parameters.__struct_fields__} | {"x"}
)


@pytest.mark.unchecked
@QUIET
@given(
    place=st.sampled_from([group for group in OPERATIONS if group not in SLOW]),
    body=st.one_of(st.dictionaries(st.sampled_from(ARGUMENTS), JSON, max_size=4), JSON),
    query=st.text(max_size=20),
)
def test_control_api_never_fails_internally(place: str, body: Any, query: str) -> None:
    """Any parameters succeed or return an error message, and the emulator keeps responding."""
    with Emulator() as emulator:
        for method in ("POST", "GET"):
            request = Request(method, f"{BASE}/_emulator/{place}?{query}", {}, json.dumps(body).encode())
            response = control_api.handle(emulator, request)
            assert response.status in (200, 204, 404, 405, 409, 422, 504), response.body
            if response.status >= 400:
                assert json.loads(response.body)["error"]
        read_balance = Request("GET", f"{BASE}/v3/balance", {"Api-Key": "key"})
        emulator.faults.clear()
        assert emulator.exchange(read_balance)[0].status == 200


@pytest.mark.unchecked
@QUIET
@given(
    parts=st.lists(
        st.one_of(
            st.sampled_from(["", "resources", "pending", "faults", "clock", "journal", *PATHS]), st.text(max_size=8)
        )
    ),
    query=st.text(max_size=20),
    body=st.one_of(st.none(), st.binary(max_size=40), st.text(max_size=40).map(str.encode)),
    method=st.sampled_from(["GET", "POST", "PUT"]),
)
def test_console_never_fails_internally(
    emulator: Emulator, parts: list[str], query: str, body: bytes | None, method: str
) -> None:
    """Any page and form."""
    url = f"{BASE}/_emulator/console/{'/'.join(parts)}?{query}"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    response = console.handle(emulator, Request(method, url, headers, body))
    assert response.status < 500, response.body
