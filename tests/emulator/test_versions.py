"""Test that each request gets the names of its API version, over the same data: each row of the table of differences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from didww import (
    AuthenticationError,
    DidwwApiError,
    NumberType,
    PopCode,
    VoiceInTrunk,
)
from didww._schema.filter_rules import filter_rules, filter_versions, includes, sort_versions
from didww._schema.registry import all_classes
from didww.emulator import Emulator
from didww.emulator.engine.overrides import NEEDS
from didww.version import API_VERSIONS
from support.api_caller import Caller, document
from support.token_caller import TokenCaller

if TYPE_CHECKING:
    from didww._schema.resource import Resource
    from didww._schema.versions import Versions

OLD, NEW = API_VERSIONS
NOWHERE = "00000000-0000-4000-8000-000000000000"
CONFIGURATION = {"type": "pstn_configurations", "attributes": {"dst": "12125550100"}}
TYPES = {
    "Local": "local",
    "National": "national",
    "Mobile": "mobile",
    "Toll-free": "toll_free",
    "Shared Cost": "shared_cost",
    "Global": "global",
}


@pytest.fixture
def callers(emulator: Emulator) -> dict[str, Caller]:
    """Return a caller of each version; both have the same account."""
    return {OLD: Caller(emulator.engine, "key"), NEW: TokenCaller(emulator.engine, "key", NEW)}


def limited(names: dict[str, Versions]) -> list[tuple[str, str]]:
    """Return names with each version that does not have them."""
    return [
        (name, version)
        for name, versions in names.items()
        for version in API_VERSIONS
        if not versions.includes(version)
    ]


def served(cls: type[Resource], version: str) -> bool:
    """Return whether a version has a list of a type."""
    return "list" in cls._operations and cls._versions.includes(version)


CLASSES = all_classes()
ABSENT = [(cls, version) for cls in CLASSES for version in API_VERSIONS if not cls._versions.includes(version)]
FILTERS = [
    (cls, name, version)
    for cls in CLASSES
    for name, version in limited(filter_versions(cls))
    if served(cls, version) and filter_rules(cls)[name].detour is None
]
SORTS = [
    (cls, name, version) for cls in CLASSES for name, version in limited(sort_versions(cls)) if served(cls, version)
]
INCLUDES = [
    (cls, name, version)
    for cls in CLASSES
    for name, version in limited({name: cls._field_map[name].versions for name in includes(cls)})
    if served(cls, version)
]
FIELDS = [
    (cls, field.member, version)
    for cls in CLASSES
    for field in cls._field_map.values()
    for version in API_VERSIONS
    if served(cls, version)
    and not any(one.versions.includes(version) for one in cls._field_map.values() if one.member == field.member)
]


def label(value: object) -> str:
    return value._type_name if isinstance(value, type) else str(value)


def test_the_lists_of_names_are_not_empty() -> None:
    """Both versions lack names of each kind, so that the tests below test something."""
    assert {cls._type_name for cls, version in ABSENT if version == NEW} == {"pops", "did_group_types"}
    assert {version for _, version in ABSENT} == set(API_VERSIONS)
    for rows in (FILTERS, SORTS, INCLUDES, FIELDS):
        assert {version for _, _, version in rows} == set(API_VERSIONS)


@pytest.mark.parametrize(("cls", "version"), ABSENT, ids=label)
def test_resources_of_another_version_are_unknown_paths(
    callers: dict[str, Caller], cls: type[Resource], version: str
) -> None:
    """404 for every method, and 400 in a fieldset."""
    for method, path in (("GET", ""), ("GET", f"/{NOWHERE}"), ("POST", ""), ("DELETE", f"/{NOWHERE}")):
        response = callers[version].send(method, f"/{cls._path}{path}")
        assert response.status == 404
        assert cls._versions.in_words() in str(json.loads(response.body)["errors"][0]["detail"])
    error = callers[version].error("GET", "/dids", **{f"fields[{cls._type_name}]": "id"})
    assert (error["status"], error["code"]) == ("400", "101")


@pytest.mark.parametrize(("cls", "name", "version"), FILTERS, ids=label)
def test_filters_of_another_version(callers: dict[str, Caller], cls: type[Resource], name: str, version: str) -> None:
    """400, as for any unknown filter."""
    error = callers[version].error("GET", f"/{cls._path}", **{f"filter[{name}]": "x"})
    assert (error["status"], error["code"], error["title"]) == ("400", "102", "Filter not allowed")


@pytest.mark.parametrize(("cls", "name", "version"), SORTS, ids=label)
def test_sort_keys_of_another_version(callers: dict[str, Caller], cls: type[Resource], name: str, version: str) -> None:
    """400, as for any unknown sort key."""
    error = callers[version].error("GET", f"/{cls._path}", sort=name)
    assert (error["status"], error["code"]) == ("400", "114")


@pytest.mark.parametrize(("cls", "name", "version"), INCLUDES, ids=label)
def test_includes_of_another_version(callers: dict[str, Caller], cls: type[Resource], name: str, version: str) -> None:
    """400, as for any unknown relationship; there are no links to them, either."""
    error = callers[version].error("GET", f"/{cls._path}", include=name)
    assert (error["status"], error["code"]) == ("400", "112")
    error = callers[version].error("GET", f"/{cls._path}/{NOWHERE}/{name}")
    assert error["status"] == "404"


@pytest.mark.parametrize(("cls", "name", "version"), FIELDS, ids=label)
def test_fields_of_another_version(callers: dict[str, Caller], cls: type[Resource], name: str, version: str) -> None:
    """400 in a fieldset and in a write; absent from responses."""
    caller = callers[version]
    error = caller.error("GET", f"/{cls._path}", **{f"fields[{cls._type_name}]": name})
    assert (error["status"], error["code"]) == ("400", "104")
    if cls._type_name not in NEEDS:
        for resource in caller.get(f"/{cls._path}")["data"][:3]:
            assert name not in {*resource["attributes"], *resource.get("relationships", {})}
    if "create" in cls._operations:
        for body in (document(cls._type_name, **{name: None}), document(cls._type_name, relationships={name: None})):
            response = caller.send("POST", f"/{cls._path}", body)
            assert response.status == 400
            assert f"{name} is not allowed." in response.body.decode()


def test_meta_has_the_version(callers: dict[str, Caller]) -> None:
    """In lists, records, and created records."""
    for version, caller in callers.items():
        assert caller.get("/countries")["meta"]["api_version"] == version
        assert caller.get("/balance")["meta"]["api_version"] == version
        body = document("voice_in_trunk_groups", name=version)
        assert caller.write("POST", "/voice_in_trunk_groups", body, 201)["meta"]["api_version"] == version


def test_number_types_are_of_one_catalog(callers: dict[str, Caller]) -> None:
    """The type of a DID group is the name of its DID group type, in the other form."""
    old, new = callers[OLD], callers[NEW]
    ids = {resource["attributes"]["name"]: resource["id"] for resource in old.get("/did_group_types")["data"]}
    assert set(ids) == set(TYPES)
    for name, type in TYPES.items():
        query = {"filter[did_group_type.id]": ids[name], "page[size]": "100"}
        found = old.get("/did_groups", **query)
        query = {"filter[number_type]": type, "page[size]": "100"}
        same = new.get("/did_groups", **query)
        assert [resource["id"] for resource in found["data"]] == [resource["id"] for resource in same["data"]]
        assert found["meta"]["total_records"] == same["meta"]["total_records"] > 0
        assert {resource["attributes"]["number_type"] for resource in same["data"]} == {type}
    both = new.get("/did_groups", **{"filter[number_type]": "mobile,global"})["meta"]["total_records"]
    alone = [new.get("/did_groups", **{"filter[number_type]": type}) for type in ("mobile", "global")]
    assert both == sum(each["meta"]["total_records"] for each in alone)


@pytest.mark.parametrize("type", ["address_requirements", "emergency_requirements"])
def test_number_types_of_requirements(callers: dict[str, Caller], type: str) -> None:
    """The same records by either name."""
    old = {
        resource["id"]: resource["relationships"]["did_group_type"]["data"]["id"]
        for resource in callers[OLD].get(f"/{type}", include="did_group_type")["data"]
    }
    names = {
        resource["id"]: resource["attributes"]["name"] for resource in callers[OLD].get("/did_group_types")["data"]
    }
    new = {resource["id"]: resource["attributes"]["number_type"] for resource in callers[NEW].get(f"/{type}")["data"]}
    assert new == {id: TYPES[names[type_id]] for id, type_id in old.items()}
    wanted = next(iter(new.values()))
    found = callers[NEW].ids(f"/{type}", **{"filter[number_type]": wanted})
    assert set(new) & set(found) == {id for id, type in new.items() if type == wanted}


def test_available_dids_by_number_type(callers: dict[str, Caller]) -> None:
    """The filter of the group, in place of the id of a type."""
    found = callers[NEW].get(
        "/available_dids", **{"filter[did_group.number_type]": "toll_free", "include": "did_group"}
    )
    assert found["data"]
    assert {resource["attributes"]["number_type"] for resource in found["included"]} == {"toll_free"}


def test_demo_groups(callers: dict[str, Caller]) -> None:
    """Some groups are for demonstration; the filter and the sort key agree."""
    new = callers[NEW]
    demos = new.ids("/did_groups", **{"filter[is_demo]": "true", "page[size]": "100"})
    assert demos
    first = new.get("/did_groups", sort="-is_demo", **{"page[size]": "1"})["data"][0]
    assert first["attributes"]["is_demo"] is True
    assert first["id"] in demos
    last = new.get("/did_groups", sort="is_demo", **{"page[size]": "1"})["data"][0]
    assert last["attributes"]["is_demo"] is False


def test_mandatory_fields_are_labels_or_names(callers: dict[str, Caller]) -> None:
    """Labels in the older version, names of attributes in the newer one."""
    names = {"Birth Date": "birth_date", "Company ID": "company_reg_number", "Country of Tax Residence": "country"}
    old, new = (callers[version].get("/emergency_requirements")["data"] for version in API_VERSIONS)
    seen: set[str] = set()
    for mine, other in zip(old, new, strict=True):
        assert mine["id"] == other["id"]
        for field in ("personal_mandatory_fields", "business_mandatory_fields", "address_mandatory_fields"):
            labels = mine["attributes"][field]
            assert other["attributes"][field] == [names[label] for label in labels]
            seen.update(labels)
    assert seen == set(names)


def pop_id(caller: Caller, name: str) -> str:
    """Return the id of a point of presence."""
    return next(
        str(resource["id"]) for resource in caller.get("/pops")["data"] if resource["attributes"]["name"] == name
    )


def pops_of(callers: dict[str, Caller], id: str) -> tuple[str | None, str | None]:
    """Return the point of presence of a trunk in both versions: name and code."""
    old = callers[OLD].get(f"/voice_in_trunks/{id}", include="pop")
    new = callers[NEW].get(f"/voice_in_trunks/{id}")["data"]
    assert "pop" not in old["data"]["attributes"]
    assert "pop" not in new["relationships"]
    name = old["included"][0]["attributes"]["name"] if old["included"] else None
    return name, new["attributes"]["pop"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("US, NY", "NYC"),
        ("DE, FRA", "FRA"),
        ("US, LA", "LAC"),
        ("US, MIA", "MIA"),
        ("SG, SIN", "SG"),
        ("HK, HKG", "HK"),
        ("NL, AMS", "AMS"),
    ],
)
def test_point_of_presence_is_one_value(callers: dict[str, Caller], name: str, code: str) -> None:
    """Written and cleared in one version, and read in both."""
    old, new = callers[OLD], callers[NEW]
    created = new.write(
        "POST", "/voice_in_trunks", document("voice_in_trunks", name="a", pop=code, configuration=CONFIGURATION), 201
    )
    id = created["data"]["id"]
    assert created["data"]["attributes"]["pop"] == code
    assert pops_of(callers, id) == (name, code)
    old.write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, {"pop": None}))
    assert pops_of(callers, id) == (None, None)
    linkage = {"pop": {"type": "pops", "id": pop_id(old, name)}}
    old.write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, linkage))
    assert pops_of(callers, id) == (name, code)
    for caller in (old, new):
        caller.write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, name="b"))
        assert pops_of(callers, id) == (name, code)
    new.write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, pop=None))
    assert pops_of(callers, id) == (None, None)
    body = document("voice_in_trunks", relationships=linkage, name="c", configuration=CONFIGURATION)
    assert pops_of(callers, old.write("POST", "/voice_in_trunks", body, 201)["data"]["id"]) == (name, code)


def test_points_of_presence_that_the_newer_version_does_not_list(callers: dict[str, Caller]) -> None:
    """They are null there, and kept until another one is chosen."""
    linkage = {"pop": {"type": "pops", "id": pop_id(callers[OLD], "AU, SYD")}}
    body = document("voice_in_trunks", relationships=linkage, name="a", configuration=CONFIGURATION)
    id = callers[OLD].write("POST", "/voice_in_trunks", body, 201)["data"]["id"]
    assert pops_of(callers, id) == ("AU, SYD", None)
    callers[NEW].write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, name="b"))
    for value in ("SYD", "fra", "", 1, {}):
        error = callers[NEW].error("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, pop=value))
        assert (error["status"], error["source"]["pointer"]) == ("422", "/data/attributes/pop")
    assert pops_of(callers, id) == ("AU, SYD", None)
    callers[NEW].write("PATCH", f"/voice_in_trunks/{id}", document("voice_in_trunks", id, pop="FRA"))
    assert pops_of(callers, id) == ("DE, FRA", "FRA")


def test_seeded_point_of_presence(emulator: Emulator, callers: dict[str, Caller]) -> None:
    """By the code, or by the id of the older version."""
    seeds = [
        {"name": "a", "pop_code": "FRA", "configuration": CONFIGURATION},
        {"name": "b", "pop": pop_id(callers[OLD], "US, NY"), "configuration": CONFIGURATION},
    ]
    ids = emulator.state.seed({"voice_in_trunks": seeds}, api_key="key")["voice_in_trunks"]
    assert [pops_of(callers, id) for id in ids] == [("DE, FRA", "FRA"), ("US, NY", "NYC")]


def test_fieldset_of_a_name_that_both_versions_have(callers: dict[str, Caller]) -> None:
    """`pop` of a trunk: a relationship, then an attribute."""
    body = document("voice_in_trunks", name="a", pop="FRA", configuration=CONFIGURATION)
    id = callers[NEW].write("POST", "/voice_in_trunks", body, 201)["data"]["id"]
    found = {
        version: caller.get(f"/voice_in_trunks/{id}", **{"fields[voice_in_trunks]": "pop"})["data"]
        for version, caller in callers.items()
    }
    assert (found[OLD]["attributes"], set(found[OLD]["relationships"])) == ({}, {"pop"})
    assert found[NEW]["attributes"] == {"pop": "FRA"}
    assert "relationships" not in found[NEW]


def test_export_types_of_the_newer_version(callers: dict[str, Caller], emulator: Emulator) -> None:
    """Exports of text messages can be created in the newer version only."""
    emulator.clock.freeze("2026-03-05T00:00:00Z")
    period = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
    for type in ("sms_in", "sms_out"):
        body = document("exports", export_type=type, filters=period)
        error = callers[OLD].error("POST", "/exports", body)
        assert (error["status"], error["source"]["pointer"]) == ("422", "/data/attributes/export_type")
        callers[NEW].write("POST", "/exports", body, 201)


def test_both_versions_see_the_same_data(callers: dict[str, Caller]) -> None:
    """What one version writes, the other reads."""
    for writer, reader in ((OLD, NEW), (NEW, OLD)):
        created = callers[writer].write(
            "POST", "/voice_in_trunk_groups", document("voice_in_trunk_groups", name=writer), 201
        )
        id = created["data"]["id"]
        read = callers[reader].get(f"/voice_in_trunk_groups/{id}")["data"]
        assert read["attributes"]["name"] == writer
        body = document("voice_in_trunk_groups", id, name=f"{writer} too")
        callers[reader].write("PATCH", f"/voice_in_trunk_groups/{id}", body)
        assert callers[writer].get(f"/voice_in_trunk_groups/{id}")["data"]["attributes"]["name"] == f"{writer} too"


def test_journal_names_the_version_of_a_name(emulator: Emulator) -> None:
    """The hint of a refused name says which version has it, and what replaces it."""
    with emulator.client("key", api_version=NEW) as client:
        for path, hint in (
            ("/pops", "until API version 2026-04-16"),
            ("/did_groups?include=did_group_type", "Its replacement is number_type."),
            ("/did_groups?sort=did_group_type.name", "until API version 2026-04-16"),
            ("/available_dids?filter%5Bdid_group_type.id%5D=x", "Its replacement is did_group.number_type."),
        ):
            with pytest.raises(DidwwApiError):
                client.get(path)
            assert hint in " ".join(emulator.journal.entries()[0].hints)
    with emulator.client("key") as client:
        with pytest.raises(DidwwApiError):
            client.get("/did_groups?filter%5Bnumber_type%5D=local")
        assert "since API version 2026-11-19" in emulator.journal.entries()[0].hints[0]


def test_clients_of_both_versions(emulator: Emulator) -> None:
    """The client mints its tokens at the emulator, in process, and each version has its names."""
    with emulator.client() as old, emulator.client(api_version=NEW) as new:
        group = new.did_groups().first(filter={"number_type": NumberType.TOLL_FREE})
        assert group is not None
        assert (group.number_type, group.is_demo in (True, False)) == (NumberType.TOLL_FREE, True)
        same = old.did_groups().find(group.id, include="did_group_type").data
        assert same.did_group_type is not None
        assert same.did_group_type.name == "Toll-free"
        trunk = VoiceInTrunk(name="a", pop_code=PopCode.FRA, configuration=CONFIGURATION)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        created = new.voice_in_trunks().create(trunk).data
        assert created.pop_code == PopCode.FRA
        pop = old.voice_in_trunks().find(created.id, include="pop").data.pop
        assert pop is not None
        assert pop.name == "DE, FRA"
    emulator.journal.assert_called("POST", "/token", times=1)


def test_client_of_a_moved_account(emulator: Emulator) -> None:
    """Its key is refused in the older version; a client of the newer one works."""
    emulator.versions.set(NEW)
    with emulator.client() as client, pytest.raises(AuthenticationError):
        client.balance().find()
    with emulator.client(api_version=NEW) as client:
        assert client.balance().find().data.balance


def test_client_renews_tokens_on_the_clock_of_the_emulator(emulator: Emulator) -> None:
    """A token that expired is refused, and the client mints another one."""
    with emulator.client(api_version=NEW) as client:
        client.balance().find()
        emulator.clock.advance("1 hour")
        client.balance().find()
    emulator.journal.assert_called("POST", "/token", times=2)
