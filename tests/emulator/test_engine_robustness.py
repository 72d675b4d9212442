"""Test that the engine never raises: any bytes, paths and queries; accounts, files and threads."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww._core.effects import Request
from didww._schema.filter_rules import filter_rules, include_paths, sort_keys
from didww._schema.registry import all_classes
from didww.emulator import Clock
from didww.emulator.engine.engine import Engine
from support.api_caller import BASE, MEDIA_TYPE, Caller, Scene, document
from support.hypothesis_profiles import law

SCENE = Scene()
HEADERS = {"Api-Key": "key", "Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
FILTERS = sorted({name for cls in all_classes() for name in filter_rules(cls)})
SORTS = sorted({name for cls in all_classes() for name in sort_keys(cls)})
INCLUDES = sorted({name for cls in all_classes() for name in include_paths(cls)})
IDS = [ids[0] for ids in SCENE.ids.values()]

methods = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "get", "\x00"])
anything = st.text(max_size=30)
segments = st.sampled_from([cls._path for cls in all_classes()] + [*IDS, "relationships", "did_group", ".."]) | anything
paths = st.lists(segments, max_size=5).map("/".join)
parameters = st.tuples(
    st.sampled_from(["include", "sort", "filter", "page[number]", "page[size]", "fields[dids]", "fields", "page"])
    | st.sampled_from(FILTERS).map("filter[{}]".format)
    | anything,
    st.sampled_from([*SORTS, *INCLUDES, *IDS, "true", "1", "", "1000", "-1", "2026-03-01T00:00:00Z", "9" * 400])
    | anything,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def send(method: str, url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
    response = SCENE.engine.handle(Request(method, url, headers or HEADERS, body))
    assert response.status != 500, (method, url, body, response.body)
    assert 200 <= response.status < 600
    if response.body:
        json.loads(response.body)
    return response


@pytest.mark.unchecked
@law(400)
@given(method=methods, path=paths, query=st.lists(parameters, max_size=4), body=st.none() | st.binary(max_size=50))
def test_no_request_causes_a_500(method: str, path: str, query: list[tuple[str, str]], body: bytes | None) -> None:
    """Any method, path, query and body returns JSON."""
    send(method, f"{BASE}/{path}?{'&'.join(f'{name}={value}' for name, value in query)}", body)


@pytest.mark.unchecked
@law(300)
@given(url=st.text(st.characters(), max_size=60))
def test_no_url_causes_a_500(url: str) -> None:
    """Invalid URLs and lone surrogates too."""
    send("GET", url)
    send("GET", f"{BASE}/dids?{url}")
    send("GET", f"{BASE}/{url}", headers={"api-key": url, "accept": url})


@law(400)
@given(
    cls=st.sampled_from(
        [cls for cls in all_classes() if any(field.create or field.update for field in cls._field_map.values())]
    ),
    value=json_values,
    data=st.data(),
)
def test_no_value_causes_a_500(cls: Any, value: Any, data: st.DataObject) -> None:
    """Any JSON as the value of any member, in a create and in an update."""
    members = [field for field in cls._field_map.values() if field.create or field.update]
    field = data.draw(st.sampled_from(members))
    inside: Any = {"data": value} if field.place == "relationships" and data.draw(st.booleans()) else value
    if field.kind.name in ("object", "list") and data.draw(st.booleans()):
        kinds = field.kind.detail if field.kind.name == "object" else getattr(field.kind.detail, "detail", None)
        if isinstance(kinds, tuple):
            shape = data.draw(st.sampled_from(kinds))
            some = data.draw(
                st.dictionaries(st.sampled_from(sorted(shape._field_map) or ["x"]), json_values, max_size=3)
            )
            inside = {"type": shape._type_name, "attributes": some}
            inside = [inside] if field.kind.name == "list" else inside
    for method, path, id in (
        ("POST", "", None),
        ("PATCH", f"/{SCENE.ids[cls._type_name][0]}", SCENE.ids[cls._type_name][0]),
    ):
        body: dict[str, Any] = {"type": cls._type_name, field.place: {field.name: inside}}
        if id is not None:
            body["id"] = id
        send(method, f"{BASE}/{cls._path}{path}", json.dumps({"data": body}).encode())


@law(200)
@given(value=json_values, depth=st.integers(0, 2))
def test_no_document_causes_a_500(value: Any, depth: int) -> None:
    """Any JSON as the body, as `data`, as its members."""
    wrapped = (value, {"data": value}, {"data": {"type": "addresses", "attributes": value, "relationships": value}})[
        depth
    ]
    send("POST", f"{BASE}/addresses", json.dumps(wrapped).encode())


def test_closed_engine_returns_500() -> None:
    """No exception is raised."""
    engine = Engine()
    engine.close()
    assert Caller(engine).send("GET", "/dids").status == 500


@law(30)
@given(names=st.lists(st.tuples(st.sampled_from("abc"), st.text("xyz", min_size=1, max_size=4)), max_size=12))
def test_accounts_are_isolated(names: list[tuple[str, str]]) -> None:
    """Each has its own records and balance."""
    engine = Engine()
    for key, name in names:
        body = document("voice_in_trunk_groups", name=name)
        # The name may be taken by the same account only.
        taken = name in [group["name"] for group in engine.session(key).find("voice_in_trunk_groups")]
        assert (Caller(engine, key).send("POST", "/voice_in_trunk_groups", body).status == 201) != taken
    for key in "abc":
        expected = list(dict.fromkeys(name for owner, name in names if owner == key))
        data = Caller(engine, key).get("/voice_in_trunk_groups")["data"]
        assert [resource["attributes"]["name"] for resource in data] == expected
    balances = {Caller(engine, key).get("/balance")["data"]["id"] for key in "abc"}
    assert len(balances) == 3


def test_state_file_keeps_everything(tmp_path: Path) -> None:
    """Records, accounts and scheduled events; new ids do not repeat old ones."""
    path = str(tmp_path / "emulator.db")
    first = Engine(path=path, seed=1)
    created = Caller(first).write("POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name="kept"), 201)
    listed = Caller(first).get("/countries")
    first.close()
    second = Engine(path=path, seed=1)
    assert Caller(second).get(f"/voice_in_trunk_groups/{created['data']['id']}")["data"] == created["data"]
    assert Caller(second).get("/countries") == listed
    again = Caller(second).write("POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name="more"), 201)
    assert again["data"]["id"] != created["data"]["id"]
    second.close()


def test_state_file_of_another_seed_is_rejected(tmp_path: Path) -> None:
    """Its ids would not exist."""
    path = str(tmp_path / "emulator.db")
    Engine(path=path, seed=1).close()
    with pytest.raises(ValueError, match="another file"):
        Engine(path=path, seed=2)


def test_state_file_contains_no_api_key(tmp_path: Path) -> None:
    """Somebody may use a real key with the emulator."""
    path = tmp_path / "emulator.db"
    engine = Engine(path=str(path))
    Caller(engine, "a-very-real-key").get("/balance")
    engine.close()
    assert b"a-very-real-key" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_threads_share_an_engine() -> None:
    """Concurrent requests are serialized; none is lost or duplicated."""
    engine = Engine()

    def make(n: int) -> str:
        body = document("voice_in_trunk_groups", name=f"group {n}")
        created = Caller(engine, f"key {n % 4}").write("POST", "/voice_in_trunk_groups", body, 201)
        return str(created["data"]["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(make, range(200)))
    stored = [id for n in range(4) for id in Caller(engine, f"key {n}").ids("/voice_in_trunk_groups")]
    assert sorted(stored) == sorted(ids)


def test_frozen_clock_only_moves_by_advance() -> None:
    """now() stays the same until advanced; a running clock starts at its start time."""
    from datetime import UTC, datetime, timedelta

    start = datetime(2026, 3, 1, tzinfo=UTC)
    clock = Clock(start=start, running=False)
    assert clock.now() == clock.now() == start
    clock.advance(1.5)
    assert clock.now() == start + timedelta(seconds=1.5)
    assert timedelta() <= Clock(start=start).now() - start < timedelta(seconds=5)


@pytest.mark.slow
def test_same_seed_gives_the_same_state() -> None:
    """Two engines return the same ids for the same requests."""
    responses = [
        Caller(Engine(seed=9, clock=Clock(running=False))).ids("/balance"[:0] or "/did_groups", sort="prefix")
        for _ in "ab"
    ]
    assert responses[0] == responses[1]
    assert responses[0] != Caller(Engine(seed=8)).ids("/did_groups", sort="prefix")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("available_dids", "did_group.features"),
        ("did_groups", "area_name_contains"),
        ("dids", "description"),
        ("dids", "id"),
    ],
)
def test_filters_accept_thousands_of_values(path: str, name: str) -> None:
    """SQLite limits parameters, terms and depth, so all values share one parameter."""
    response = Caller(Engine()).send("GET", f"/{path}", **{f"filter[{name}]": ",".join(f"x{n}" for n in range(1500))})
    assert response.status in (200, 400)


def test_invalid_methods_return_405() -> None:
    """Even if they cannot be written into a response."""
    for method in ("\ud800", "G\u00c9T", "", "get"):
        assert Engine().handle(Request(method, "http://emulator.example.com/v3/dids", {"Api-Key": "key"})).status == 405
