"""Test every list of every resource as declared: filters, sorting, includes, fieldsets, pagination."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww._schema.filter_rules import filter_rules, filter_versions, include_paths, sort_keys, sort_versions
from didww._schema.registry import all_classes, class_of
from didww._schema.resource import Resource
from didww._schema.versions import EVERY_VERSION
from didww.emulator.engine.overrides import ALIASES, CATALOG, EXPRESSIONS, LINKS_NOT_SERVED
from didww.emulator.engine.query import Filter
from didww.emulator.engine.schema import table_of
from didww.version import API_VERSION, API_VERSIONS
from support.api_caller import PER_TYPE, Caller, Scene, readable
from support.hypothesis_profiles import law
from support.token_caller import TokenCaller

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.versions import Versions
    from didww.version import ApiVersion

EMPTY: Mapping[str, Versions] = {}

CLASSES = readable()
IN_VERSIONS = [(cls, version) for cls in CLASSES for version in API_VERSIONS if cls._versions.includes(version)]
"""Each type in each version that has it."""
FILTERS = [(cls, name) for cls in CLASSES for name, rule in filter_rules(cls).items() if rule.detour is None]
SORTS = [(cls, name) for cls in CLASSES for name in sort_keys(cls)]
INCLUDES = [(cls, path) for cls in CLASSES for path in include_paths(cls)]


def first_version(cls: type[Resource], name: str = "", limited: Mapping[str, Versions] = EMPTY) -> ApiVersion:
    """Return the oldest version that has a type and one of its names."""
    ranges = (cls._versions, limited.get(name, EVERY_VERSION))
    return next(version for version in API_VERSIONS if all(one.includes(version) for one in ranges))


def first_version_of_path(cls: type[Resource], path: str) -> ApiVersion:
    """Return the oldest version that has all relationships of an include path."""
    tables, ranges = [table_of(cls._type_name)], [cls._versions]
    for part in path.split("."):
        having = [table for table in tables if table is not None and part in table.relations]
        ranges.append(having[0].cls._field_map[part].versions)
        tables = [table_of(type) for table in having for type in table.relations[part].targets]
    return next(version for version in API_VERSIONS if all(one.includes(version) for one in ranges))


@functools.cache
def caller(version: ApiVersion = API_VERSION) -> Caller:
    """Return a caller of a version; both see the account of the scene."""
    return scene().caller if version == API_VERSION else TokenCaller(scene().engine, "key", version)


def caller_by(cls: type[Resource], name: str) -> Caller:
    """Return a caller of the oldest version that has a filter."""
    return caller(first_version(cls, name, filter_versions(cls)))


@functools.cache
def scene() -> Scene:
    return Scene()


def label(value: object) -> str:
    return value._type_name if isinstance(value, type) and issubclass(value, Resource) else str(value)


def path_of(cls: type[Resource]) -> str:
    return f"/{cls._path}"


def whole(cls: type[Resource]) -> dict[str, str]:
    """Return the query for the largest page, for paginated lists."""
    return {"page[size]": str(cls._largest_page)} if cls._paginated else {}


def coverage(cls: type[Resource]) -> dict[str, str]:
    """Return a filter that makes the list of available DIDs complete: one of their groups."""
    return {"filter[id]": scene().ids["available_dids"][0]} if cls._type_name == "available_dids" else {}


def follow(type: str, record: dict[str, Any], name: str) -> Any:
    """Return the value behind a filter or sort key for a stored record."""
    session = scene().session
    cls = class_of(type)
    assert cls is not None
    rule = filter_rules(cls).get(name)
    name = rule.alias if rule is not None and rule.alias else ALIASES.get((type, name), name)
    head, _, rest = name.partition(".")
    if not rest:
        return record[name]
    table = table_of(type)
    assert table is not None
    if head in table.ones:
        if rest == "id":
            return record[head]
        other = session.get(table.ones[head].targets[0], record[head])
        return None if other is None else follow(table.ones[head].targets[0], other, rest)
    if head in table.relations:
        return session.related(type, record["id"], head)
    return record[head][rest]


def two_records(type: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a record with a value for `name`, and one with another value, if any."""
    stage = scene()
    if type not in CATALOG:
        return stage.record(type, 0), stage.record(type, 1)
    records = stage.session.find(type)
    mine = next(resource for resource in records if follow(type, resource, name) is not None)
    value = follow(type, mine, name)
    return mine, next((resource for resource in records if follow(type, resource, name) not in (value, None)), mine)


def as_text(value: Any) -> str:
    """Return a value as it is written in a query."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value[0] if isinstance(value, list) else value)


def bare(name: str) -> str:
    """Return the name of a filter without its comparison suffix."""
    return next((name.removesuffix(end) for end in ("_contains", "_gteq", "_lteq", "_in") if name.endswith(end)), name)


# Computed filters have their own tests (test_engine_stock.py and below).
PLAIN = [
    (cls, name)
    for cls, name in FILTERS
    if cls._type_name != "available_dids"
    and (cls._type_name, bare(name)) not in EXPRESSIONS
    and not name.startswith("nanpa_prefix.")
    and name != "did_group.is_available"
    and cls._type_name != "did_history"
    and not filter_rules(cls)[name].ignored
]


@pytest.mark.parametrize(("cls", "name"), PLAIN, ids=label)
def test_filters_match_records_by_value(cls: type[Resource], name: str) -> None:
    """A record matches its own value and not another."""
    mine, other = two_records(cls._type_name, bare(name))
    value, theirs = follow(cls._type_name, mine, bare(name)), follow(cls._type_name, other, bare(name))
    query = whole(cls)
    asking = caller_by(cls, name)
    ids = asking.ids(path_of(cls), **{f"filter[{name}]": as_text(value)}, **query)
    assert mine["id"] in ids
    if name.endswith("_gteq"):
        assert other["id"] in ids
        assert mine["id"] not in asking.ids(path_of(cls), **{f"filter[{name}]": as_text(theirs)})
    else:
        assert (other["id"] in ids) == (value == theirs or (isinstance(value, list) and value[0] in theirs))


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls, name in PLAIN if (rule := filter_rules(cls)[name]).multiple and not rule.every],
    ids=label,
)
def test_comma_separated_values_match_any(cls: type[Resource], name: str) -> None:
    """Two values find the records of both."""
    pair = two_records(cls._type_name, bare(name))
    texts = [as_text(follow(cls._type_name, record, bare(name))) for record in pair]
    query = whole(cls)
    ids = caller_by(cls, name).ids(path_of(cls), **{f"filter[{name}]": ",".join(texts)}, **query)
    assert {record["id"] for record in pair} <= set(ids)


@pytest.mark.parametrize(("cls", "name"), FILTERS, ids=label)
def test_empty_filter_values_are_allowed_for_nullable_filters(cls: type[Resource], name: str) -> None:
    """They match records without a value; other filters return an error."""
    rule = filter_rules(cls)[name]
    response = caller_by(cls, name).send("GET", path_of(cls), **(coverage(cls) | {f"filter[{name}]": ""}))
    if rule.nullable:
        assert response.status == 200, response.body
    else:
        assert response.status == 400
        assert b'"107"' in response.body


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls, name in FILTERS if filter_rules(cls)[name].value != "text"],
    ids=label,
)
def test_filter_values_of_the_wrong_type_return_400(cls: type[Resource], name: str) -> None:
    """Booleans are true or false, numbers are digits, datetimes are ISO 8601."""
    error = caller_by(cls, name).error("GET", path_of(cls), **{f"filter[{name}]": "maybe"})
    assert error["code"] == "107"
    assert error["detail"] == f"maybe is not a valid value for {name}."


@pytest.mark.parametrize(
    ("cls", "key"),
    [pytest.param(*row, marks=[pytest.mark.slow] if row[0]._type_name == "did_groups" else []) for row in SORTS],
    ids=label,
)
def test_lists_can_be_sorted_by_any_declared_key(cls: type[Resource], key: str) -> None:
    """Ascending, or descending with a minus; null comes last, or first with a minus."""
    stage = scene()
    name = key.removeprefix("-")
    asking = caller(first_version(cls, key, sort_versions(cls)))
    ids = asking.ids(path_of(cls), sort=key, **whole(cls))
    values: list[Any] = []
    for id in ids:
        record = stage.session.get(cls._type_name, id)
        assert record is not None
        stage.session.runtime.behavior(cls._type_name).attributes(stage.session, record)  # as in responses
        values.append(follow(cls._type_name, record, name))
    expected = sorted((value for value in values if value is not None), key=_number_if_any, reverse=key.startswith("-"))
    nulls = [value for value in values if value is None]
    assert values == (nulls + expected if key.startswith("-") else expected + nulls)
    assert len(ids) >= PER_TYPE


def _number_if_any(value: Any) -> Any:
    if isinstance(value, str) and value.replace(".", "", 1).isdigit() and "." in value:
        return float(value)
    return value


@pytest.mark.parametrize(("cls", "path"), INCLUDES, ids=label)
def test_included_records_match_the_linkage(cls: type[Resource], path: str) -> None:
    """Every linkage is in `included` or the primary data, and nothing else is."""
    query = coverage(cls) | whole(cls)
    document = caller(first_version_of_path(cls, path)).get(path_of(cls), include=path, **query)
    resources = {
        (resource["type"], resource["id"]): resource for resource in [*document["data"], *document["included"]]
    }
    assert len(resources) == len(document["data"]) + len(document["included"])
    at = document["data"]
    reached = {(resource["type"], resource["id"]) for resource in at}
    for part in path.split("."):
        following: list[Any] = []
        for resource in at:
            if part not in resource["relationships"]:  # polymorphic, and not every type has it
                continue
            data = resource["relationships"][part]["data"]
            for identifier in data if isinstance(data, list) else [data] if data else []:
                key = identifier["type"], identifier["id"]
                reached.add(key)
                following.append(resources[key])  # a missing include would raise KeyError
        assert following or at is not document["data"], f"the scene has nothing at {part}"
        at = following
    assert reached == set(resources)


@pytest.mark.parametrize(("cls", "version"), IN_VERSIONS, ids=label)
def test_linkage_is_only_present_with_include(cls: type[Resource], version: ApiVersion) -> None:
    """Relationships have both links; without an include there is neither `data` nor `included`."""
    document = caller(version).get(path_of(cls), **coverage(cls))
    assert "included" not in document
    table = table_of(cls._type_name)
    assert table is not None
    view = table.view(version)
    for resource in document["data"]:
        assert list(resource["attributes"]) == list(view.attributes)
        relationships = resource.get("relationships", {})
        assert list(relationships) == list(view.relations)
        for name, value in relationships.items():
            at = f"http://127.0.0.1:8080/v3/{cls._path}/{resource['id']}"
            assert value == {"links": {"self": f"{at}/relationships/{name}", "related": f"{at}/{name}"}}


@pytest.mark.unchecked  # the contract has no linkage documents or documents of other types
@pytest.mark.parametrize(("cls", "version"), IN_VERSIONS, ids=label)
def test_relationship_links_return_the_related_records(cls: type[Resource], version: ApiVersion) -> None:
    """Both links agree with the linkage; emergency types serve none."""
    if "find" not in cls._operations or cls._type_name in LINKS_NOT_SERVED:
        return
    stage, asking = scene(), caller(version)
    table = table_of(cls._type_name)
    assert table is not None
    at = f"{path_of(cls)}/{stage.ids[cls._type_name][0]}"
    for name in table.view(version).relations:
        bare = asking.get(f"{at}/relationships/{name}")["data"]
        full = asking.get(f"{at}/{name}")["data"]
        ones = full if isinstance(full, list) else [full] if full else []
        identifiers = [{"type": resource["type"], "id": resource["id"]} for resource in ones]
        assert identifiers == (bare if isinstance(bare, list) else [bare] if bare else [])
        if name in table.includable:
            linked = asking.get(at, include=name)["data"]["relationships"][name]["data"]
            assert linked == bare


@pytest.mark.parametrize(("cls", "version"), IN_VERSIONS, ids=label)
def test_sparse_fieldsets_select_attributes_and_relationships(cls: type[Resource], version: ApiVersion) -> None:
    """An empty value selects none."""
    asking = caller(version)
    table = table_of(cls._type_name)
    assert table is not None
    view = table.view(version)
    wanted = [list(view.attributes)[-1], *view.relations[:1]]
    query = coverage(cls)
    for resource in asking.get(path_of(cls), **query, **{f"fields[{cls._type_name}]": ",".join(wanted)})["data"]:
        assert [*resource["attributes"], *resource.get("relationships", {})] == wanted
    for resource in asking.get(path_of(cls), **query, **{f"fields[{cls._type_name}]": ""})["data"]:
        assert resource["attributes"] == {}
        assert "relationships" not in resource


@pytest.mark.parametrize(("cls", "version"), IN_VERSIONS, ids=label)
def test_list_meta_and_links_match_the_service(cls: type[Resource], version: ApiVersion) -> None:
    """Paginated lists have total_records and links, others neither; public_keys have no meta."""
    document = caller(version).get(path_of(cls))
    if cls._type_name == "public_keys":
        assert set(document) == {"data"}
        return
    assert document["meta"]["api_version"] == version
    if cls._paginated:
        assert {"first", "last"} <= set(document["links"])
        assert document["meta"]["total_records"] >= len(document["data"])
        assert len(document["data"]) <= cls._page_size
    else:
        assert "links" not in document
        assert "total_records" not in document["meta"]


@pytest.mark.parametrize("cls", [cls for cls in all_classes() if "find" in cls._operations], ids=label)
def test_records_are_identical_in_lists_and_alone(cls: type[Resource]) -> None:
    """GET of one record and GET of the list return the same resource object."""
    stage, version = scene(), first_version(cls)
    asking = caller(version)
    if cls._singleton:
        assert asking.get(path_of(cls))["data"]["type"] == cls._type_name
        return
    id = stage.ids[cls._type_name][0]
    alone = asking.get(f"{path_of(cls)}/{id}")
    assert alone["meta"]["api_version"] == version
    if "list" in cls._operations:
        (listed,) = asking.get(path_of(cls), **{"filter[id]": id})["data"]
        assert listed == alone["data"]


def test_location_name_filters_are_case_insensitive() -> None:
    """`name` of countries, regions, cities and areas, `area_name` of did_groups."""
    asking = scene().caller
    for path, name in (("/countries", "name"), ("/regions", "name"), ("/cities", "name"), ("/areas", "name")):
        some = asking.get(path)["data"][0]["attributes"][name]
        assert asking.ids(path, **{f"filter[{name}]": some.upper()}) == asking.ids(
            path, **{f"filter[{name}]": some.lower()}
        )
        assert asking.ids(path, **{f"filter[{name}]": some.upper()})
    assert asking.ids("/did_groups", **{"filter[area_name]": "lOnDoN"})


def test_empty_filter_finds_records_without_a_value() -> None:
    """DIDs without a trunk and DIDs with an empty description."""
    stage = scene()
    number = stage.session.insert(
        "dids", {**stage.record("dids", 0), "id": stage.session.new_id(), "voice_in_trunk": None}
    )
    stage.session.update("dids", number["id"], {"description": None})
    assert stage.caller.ids("/dids", **{"filter[voice_in_trunk.id]": ""}) == [number["id"]]
    assert stage.caller.ids("/dids", **{"filter[description]": ""}) == [number["id"]]
    stage.session.delete("dids", number["id"])


def test_comma_separated_numbers_are_compared_as_numbers() -> None:
    """The filter of billing_cycles_count takes a comma-separated list."""
    stage = scene()
    assert len(stage.caller.ids("/dids", **{"filter[billing_cycles_count]": "1,3"})) == 2


@pytest.mark.parametrize("name", ["include", "sort"])
def test_empty_include_or_sort_keeps_the_list_unchanged(name: str) -> None:
    """Links are unchanged too; empty items are ignored."""
    asking = scene().caller
    assert asking.get("/dids", **{name: ""}) == asking.get("/dids")
    assert asking.ids("/dids", sort="number,") == asking.ids("/dids", sort="number")


def test_several_filters_must_all_match() -> None:
    """Filters are combined with AND."""
    stage = scene()
    first, second = stage.record("dids", 0), stage.record("dids", 1)
    query = {"filter[number]": f"{first['number']},{second['number']}", "filter[description]": second["description"]}
    assert stage.caller.ids("/dids", **query) == [second["id"]]


@pytest.mark.parametrize(("name", "value"), [("include", ""), ("sort", ""), ("sort", ",")])
def test_empty_include_or_sort_equals_none(name: str, value: str) -> None:
    """For lists and single records."""
    asking = scene().caller
    for path in ("/dids", f"/dids/{asking.ids('/dids')[0]}", "/countries"):
        assert asking.get(path, **{name: value})["data"] == asking.get(path)["data"]
    assert "included" not in asking.get("/dids", **{name: ""})


def test_sort_keys_apply_in_order() -> None:
    """Type first, then name, each in its own direction."""
    asking = scene().caller
    data = asking.get(
        "/did_groups", sort="did_group_type.name,-prefix", include="did_group_type", **{"page[size]": "100"}
    )
    names = {resource["id"]: resource["attributes"]["name"] for resource in data["included"]}
    keys = [
        (names[resource["relationships"]["did_group_type"]["data"]["id"]], resource["attributes"]["prefix"])
        for resource in data["data"]
    ]
    assert keys == sorted(sorted(keys, key=lambda key: key[1], reverse=True), key=lambda key: key[0])


@law(60)
@given(size=st.integers(1, 100), iso=st.sampled_from(["US", "GB", "FR", "MC"]))
def test_pages_add_up_to_the_whole_list(size: int, iso: str) -> None:
    """Following `next` returns each match once, in order, for any page size."""
    stage = scene()
    country = stage.session.search("countries", {"iso": iso})[0]["id"]
    query = {"filter[country.id]": country, "sort": "-prefix"}
    total = stage.caller.get("/did_groups", **query)["meta"]["total_records"]
    walked = stage.caller.ids("/did_groups", **query, **{"page[size]": str(min(100, max(size, total // 20 + 1)))})
    assert len(walked) == total == len(set(walked))
    assert walked == stage.caller.ids("/did_groups", **query, **{"page[size]": "100"})


@law(60)
@given(number=st.integers(1, 400), size=st.integers(1, 100))
def test_pagination_links_point_to_neighboring_pages(number: int, size: int) -> None:
    """First and last always, next and prev where they exist; all repeat the query."""
    asking: Caller = scene().caller
    query = {"filter[prefix]": "201,212,20,21,305", "sort": "prefix"}
    document = asking.get("/did_groups", **query, **{"page[number]": str(number), "page[size]": str(size)})
    total = document["meta"]["total_records"]
    last = max(1, -(-total // size))
    links = document["links"]
    assert set(links) == {"first", "last"} | ({"next"} if number < last else set()) | (
        {"prev"} if number > 1 else set()
    )
    assert f"page%5Bnumber%5D={last}&" in links["last"]
    for link in links.values():
        assert link.startswith("http://127.0.0.1:8080/v3/did_groups?filter%5Bprefix%5D=")
        assert "sort=prefix" in link
        assert f"page%5Bsize%5D={size}" in link
    assert len(document["data"]) == max(0, min(size, total - (number - 1) * size))


def test_default_sort_order_matches_the_service() -> None:
    """DIDs are sorted by number, their history newest first."""
    stage = scene()
    numbers = [resource["attributes"]["number"] for resource in stage.caller.get("/dids")["data"]]
    assert numbers == sorted(numbers)
    assert stage.caller.ids("/did_history") == stage.caller.ids("/did_history", sort="-created_at")


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls._paginated], ids=label)
def test_page_size_has_a_maximum(cls: type[Resource]) -> None:
    """It depends on the type; one more returns an error."""
    asking, most = caller(first_version(cls)), cls._largest_page
    assert len(asking.get(path_of(cls), **{"page[size]": str(most)})["data"]) <= most
    error = asking.error("GET", path_of(cls), **{"page[size]": str(most + 1)})
    assert (error["code"], error["detail"]) == ("118", f"size exceeds maximum page size of {most}.")


def test_feature_filters_require_all_features() -> None:
    """For groups, prefixes and available DIDs; unknown features return an error."""
    stage = scene()
    groups = {group["id"]: set(group["features"]) for group in stage.session.find("did_groups")}
    pair = {"voice_in", "t38"}
    ids = set(stage.caller.ids("/did_groups", **{"filter[features]": ",".join(pair), "page[size]": "100"}))
    assert ids == {id for id, features in groups.items() if pair <= features}
    assert ids < {id for id, features in groups.items() if pair & features}
    for path, name in (("/did_groups", "features"), ("/nanpa_prefixes", "did_group.features")):
        error = stage.caller.error("GET", path, **{f"filter[{name}]": "voice_in,telex"})
        assert error["detail"] == f"telex is not a valid value for {name}."


def test_country_filters_of_pools_require_all_countries() -> None:
    """Two countries find the pools that have both."""
    session = scene().session
    pools = {id: set(session.related("capacity_pools", id, "countries")) for id in scene().ids["capacity_pools"]}
    first, second = (min(countries) for countries in list(pools.values())[:2])
    assert first != second
    for wanted in ([first], [second], [first, second]):
        ids = scene().caller.ids("/capacity_pools", **{"filter[country.id]": ",".join(wanted)})
        assert set(ids) == {id for id, countries in pools.items() if set(wanted) <= countries}


def test_substring_filters_match_any_part() -> None:
    """Where the contract says so; commas are part of the text."""
    stage = scene()
    did = stage.record("dids", 0)
    stage.session.update("dids", did["id"], {"description": "Front desk, London"})
    try:
        for part, ids in (("desk, Lon", [did["id"]]), ("desk,Lon", []), ("Front,desk", [])):
            assert stage.caller.ids("/dids", **{"filter[description]": part}) == ids
    finally:
        stage.session.update("dids", did["id"], {"description": did["description"]})
    prefix = stage.session.find("nanpa_prefixes")[0]
    digits = f"{prefix['npa']}{prefix['nxx']}"[1:5]
    assert prefix["id"] in stage.caller.ids("/nanpa_prefixes", **{"filter[npanxx]": digits, "page[size]": "100"})


def test_single_value_filters_treat_commas_as_text() -> None:
    """Match "A,B" as one name, which no identity has."""
    stage = scene()
    names = [stage.record("identities", n)["last_name"] for n in range(2)]
    assert stage.caller.ids("/identities", **{"filter[last_name]": names[0]})
    assert stage.caller.ids("/identities", **{"filter[last_name]": ",".join(names)}) == []


def test_unknown_configuration_type_matches_nothing() -> None:
    """See the contract file voice_in_trunks: no error."""
    stage = scene()
    kinds = {"filter[configuration.type]": "iax2_configurations"}
    assert stage.caller.ids("/voice_in_trunks", **kinds) == []
    kinds = {"filter[configuration.type]": "iax2_configurations,sip_configurations,pstn_configurations"}
    assert stage.caller.ids("/voice_in_trunks", **kinds)


def test_order_date_filter_includes_the_whole_day() -> None:
    """The upper bound reaches to the end of its day."""
    stage = scene()
    order = stage.record("orders", 0)
    day, time = order["created_at"].split("T")
    assert time > "00:00:01"
    assert order["id"] in stage.caller.ids("/orders", **{"filter[created_at_lteq]": f"{day}T00:00:00Z"})
    assert order["id"] in stage.caller.ids("/orders", **{"filter[created_at_lteq]": day})
    assert order["id"] not in stage.caller.ids("/orders", **{"filter[created_at_gteq]": f"{day}T23:59:59Z"})


def test_public_keys_ignore_the_id_filter() -> None:
    """Every key is returned."""
    asking = scene().caller
    both = asking.ids("/public_keys")
    assert len(both) > 1
    assert asking.ids("/public_keys", **{"filter[id]": both[0]}) == both


def test_default_did_filter_must_be_an_owned_did() -> None:
    """Other ids return an error, not an empty list."""
    asking = scene().caller
    strange = "8d1a3c5e-0000-4000-8000-000000000001"
    error = asking.error("GET", "/voice_out_trunks", **{"filter[default_did.id]": strange})
    assert error["detail"] == f"{strange} is not a valid value for default_did.id."


def test_short_number_contains_needs_a_location_filter() -> None:
    """Two digits work with a country, region, city or DID group filter only."""
    stage = scene()
    group = stage.session.get("available_dids", stage.ids["available_dids"][0])
    assert group is not None
    stage.caller.get("/available_dids", **{"filter[number_contains]": "20", "filter[did_group.id]": group["did_group"]})
    for beside in ({}, {"filter[id]": group["id"]}, {"filter[did_group.features]": "voice_in"}):
        error = stage.caller.error("GET", "/available_dids", **{"filter[number_contains]": "20"}, **beside)
        assert error["code"] == "107"


def test_include_paths_can_have_any_length() -> None:
    """Paths may go back and forth; each resource is included once."""
    asking = scene().caller
    document = asking.get("/countries", include=".".join(["regions", "country"] * 400))
    reached = [(resource["type"], resource["id"]) for resource in [*document["data"], *document["included"]]]
    assert len(reached) == len(set(reached))
    assert {type for type, _ in reached} == {"countries", "regions"}
    document = asking.get(
        "/dids", include="did_group.country.regions,did_group.address_requirement.personal_proof_types"
    )
    assert {"did_groups", "countries", "regions", "address_requirements"} <= {
        resource["type"] for resource in document["included"]
    }


def test_only_relationships_can_be_included() -> None:
    """At any depth."""
    for path in ("nothing", "dids.nothing"):
        error = scene().caller.error("GET", "/voice_out_trunks", include=path)
        assert (error["code"], error["title"]) == ("112", "Invalid include")


def test_session_search_accepts_plain_and_validated_values() -> None:
    """Behaviors use the filters of the list with Python values."""
    session = scene().session
    groups = session.search("did_groups", {"features": ["t38"], "is_metered": False, "region.id": None})
    assert groups
    assert all("t38" in group["features"] and group["region"] is None for group in groups)
    assert session.search("did_groups", {"prefix": Filter(("201",))}) == session.search("did_groups", {"prefix": "201"})
