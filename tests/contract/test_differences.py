"""Every difference of the resources between the versions, in both: by the client, and by requests to the emulator.

The differences are the rows of `facts_2026_11_19/`. A row that adds, removes or sets something is tested by its kind; a
rule has a test of its own here or in test_service_differences.py.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from didww import Export, InvalidValueError, QueryParams, SmsTrunk, UnsupportedVersionError, VoiceInTrunk
from didww._schema.registry import class_of
from didww.emulator.behaviors import BEHAVIORS
from didww.version import API_VERSIONS
from support.api_caller import document
from support.contract_facts import NEW, OLD, Row, facts, rows, types
from support.two_versions import Account, account, both_versions, covers

if TYPE_CHECKING:
    from didww._schema.fields import Field
    from didww.version import ApiVersion
    from support.api_caller import Caller

ID = "8d1a3c5e-0000-4000-8000-000000000001"
PERIOD = {"from": "2026-11-01 00:00:00", "to": "2026-11-19 00:00:00"}
PSTN = {"type": "pstn_configurations", "attributes": {"dst": "442079460001"}}
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "sms_to_email": {"send_to": "ann@example.com", "subject": "{SMS_SRC_ADDR}", "message": "{SMS_TEXT}"},
    "http_in": {
        "url": "https://hooks.example.com/sms",
        "http_method": "post",
        "body_type": "raw",
        "body": "{SMS_TEXT}",
    },
    "http_out": {"callback_url": "https://hooks.example.com/status", "allowed_ips": ["203.0.113.7"]},
    "smpp_esme": {"allowed_ips": ["203.0.113.7"], "server_location": "fra"},
    "smpp_smsc": {"host": "smpp.example.com", "system_id": "example", "password": "s3cr3t-x", "server_location": "nyc"},
}
numbers = count(1)


@functools.cache
def scene() -> Account:
    """The account, with a record of each type that differs and is not in the catalog."""
    own = account()
    own.emulator.clock.freeze("2026-11-20T12:00:00Z")
    own.emulator.messages.rate(0)
    own.emulator.calls.rate(0)
    own.emulator.state.seed(
        {
            "dids": [{"number": f"44207946{n:04}"} for n in range(1, 7)],
            "voice_in_trunks": [{"name": "Voice", "configuration": PSTN}],
            "emergency_calling_services": [{"name": "London"}],
        }
    )
    return own


@pytest.fixture(autouse=True)
def _scene() -> None:
    scene()


def caller(version: str = NEW) -> Caller:
    """Return the caller of a version."""
    return scene().caller(version)


def client(version: ApiVersion) -> Any:
    """Return the client of a version."""
    return scene().client(version)


def only(how: str, *kinds: str) -> list[Row]:
    """Return the rows that say `how` (add and remove by default) of some kinds."""
    return [row for row in rows() if row.how in how.split() and row.kind in kinds]


def of(*kinds: str, how: str = "add remove") -> Any:
    """Run a test for each row of some kinds in both versions."""
    cases = [(row, version) for row in only(how, *kinds) for version in API_VERSIONS]
    return pytest.mark.parametrize(
        ("row", "version"), [pytest.param(row, version, id=f"{row.id}-{version}") for row, version in cases]
    )


TESTED = {
    *("attributes", "relationships", "include", "include_nested", "filters", "sort"),
    *("enum", "filter_keys", "resource"),
}
"""Kinds of rows that the tests of this file are run for."""


def has(row: Row, version: str) -> bool:
    """Return whether a version has what a row adds or removes."""
    return (row.how == "add") == (version == NEW)


def path_of(row: Row, version: str) -> str:
    """Return the path of a list."""
    return f"/{facts(row.type, version).path}"


def refuses(row: Row, version: str, call: Any) -> None:
    """Assert that a client refuses a name of the other version, before it sends anything, and says what to do."""
    sent = len(scene().sent)
    with pytest.raises(UnsupportedVersionError) as caught:
        call()
    assert isinstance(caught.value, InvalidValueError)
    assert len(scene().sent) == sent
    message = str(caught.value)
    assert f"API version {version}" in message
    assert (row.replacement if row.how == "remove" else f"api_version={NEW!r}") in message


def python_field(row: Row, place: str) -> Field:
    """Return the field of a member in documents."""
    cls = class_of(row.type)
    assert cls is not None
    return next(field for field in cls._field_map.values() if (field.member, field.place) == (row.name, place))


# What is added, removed or set


@of("attributes", "relationships")
def test_members_of_records(row: Row, version: ApiVersion) -> None:
    """Documents have it, `fields` can name it, and the client reads it, in one version only."""
    (record, *_) = caller(version).get(path_of(row, version))["data"]
    assert (row.name in record[row.kind]) is has(row, version)
    field = python_field(row, row.kind)
    endpoint = getattr(client(version), path_of(row, version)[1:])()

    def read() -> Any:
        return endpoint.list(fields={row.type: [field.name]}).data

    if not has(row, version):
        if row.name not in facts(row.type, version).attributes | facts(row.type, version).relationships:  # type: ignore[operator]
            refused = caller(version).error("GET", path_of(row, version), **{f"fields[{row.type}]": row.name})
            assert refused["status"] == "400"
            refuses(row, version, read)
        return
    named = caller(version).get(path_of(row, version), **{f"fields[{row.type}]": row.name})["data"][0]
    assert set(named.get(row.kind, {})) == {row.name}
    records = read()
    if row.kind == "attributes":
        assert [getattr(one, field.name) for one in records[:1]] == [record["attributes"][row.name]]


@pytest.mark.parametrize(
    ("row", "request_", "version"),
    [(row, request, version) for row in rows() for request in row.requests for version in API_VERSIONS],
    ids=lambda value: value.id if isinstance(value, Row) else None,
)
def test_members_of_requests(row: Row, request_: str, version: ApiVersion) -> None:
    """The client sends it in one version, and refuses it in the other; the service refuses it with 400."""
    field = python_field(row, row.kind)
    cls: Any = class_of(row.type)
    values: dict[str, Any] = {"pop_code": "FRA", "pop": cls_of("pops").build(pop()), "sms_trunk": None}
    target = values.get(field.name)
    endpoint = getattr(client(version), path_of(row, version)[1:])()
    name = f"Trunk {next(numbers)}"
    required = {"name": name, "configuration": PSTN} if request_ == "create" else {}
    existing = caller(version).ids(path_of(row, version))[0]
    if request_ == "create":
        from didww import PstnConfiguration

        record = VoiceInTrunk(name=name, configuration=PstnConfiguration(dst="442079460001"), **{field.name: target})
    else:
        record = cls.build(existing, **{field.name: target})
    call = getattr(endpoint, request_)
    if has(row, version):
        assert call(record).data
    else:
        refuses(row, version, lambda: call(record))
    raw: Any = pop_linkage() if field.name == "pop" else target
    body = document(row.type, None if request_ == "create" else existing, **required)
    body["data"].setdefault(row.kind, {})[row.name] = {"data": raw} if row.kind == "relationships" else raw
    if request_ == "create":
        body["data"]["attributes"]["name"] = f"Trunk {next(numbers)}"
    method, path = ("POST", "") if request_ == "create" else ("PATCH", f"/{existing}")
    response = caller(version).send(method, path_of(row, version) + path, body)
    expected = (201 if request_ == "create" else 200) if has(row, version) else 400
    assert response.status == expected, response.body


def cls_of(type: str) -> Any:
    """Return the class of a type."""
    return class_of(type)


def pop() -> str:
    """Return the id of a point of presence."""
    return next(str(one["id"]) for one in caller(OLD).get("/pops")["data"] if one["attributes"]["name"] == "DE, FRA")


def pop_linkage() -> dict[str, str]:
    """Return linkage to it."""
    return {"type": "pops", "id": pop()}


@of("include", "include_nested")
def test_includes(row: Row, version: ApiVersion) -> None:
    """A list and a find can include it in one version only."""
    path = path_of(row, version)
    endpoint = getattr(client(version), path[1:])()
    first = caller(version).get(path, **{"page[size]": "1"})["data"][0]["id"]
    query = QueryParams().include(row.name).page(1, 2)
    calls = [lambda: endpoint.list(include=row.name, page=(1, 2)), lambda: endpoint.list(query)]
    places = [path, f"{path}/{first}"]
    if has(row, version):
        for call in calls:
            assert call().data
        assert all(caller(version).send("GET", place, include=row.name).status == 200 for place in places)
        return
    for call in calls:
        refuses(row, version, call)
    assert [caller(version).error("GET", place, include=row.name)["status"] for place in places] == ["400", "400"]


@of("filters")
def test_filters(row: Row, version: ApiVersion) -> None:
    """A list can be filtered by it in one version only."""
    values = {"id": ID, "boolean": True, "date-time": "2026-11-19T00:00:00Z"}
    fact = facts(row.type, NEW if row.how == "add" else OLD).filters[row.name]
    given = values.get("id" if row.name.endswith(".id") else fact.value, min(map(str, fact.enum), default="x"))
    path = path_of(row, version)
    calls = [
        lambda: getattr(client(version), path[1:])().list(filter={row.name: given}),
        lambda: getattr(client(version), path[1:])().list(QueryParams().filter(row.name, given)),
    ]
    raw = {f"filter[{row.name}]": str(given).lower() if given is True else str(given)}
    if has(row, version):
        assert all(isinstance(call().data, list) for call in calls)
        assert caller(version).send("GET", path, **raw).status == 200
        return
    for call in calls:
        refuses(row, version, call)
    assert caller(version).error("GET", path, **raw)["status"] == "400"


@of("sort")
def test_sort_keys(row: Row, version: ApiVersion) -> None:
    """A list can be sorted by it, both ways, in one version only."""
    path = path_of(row, version)
    for key in (row.name, f"-{row.name}"):
        if has(row, version):
            assert getattr(client(version), path[1:])().list(sort=key, page=(1, 5)).data
            assert caller(version).send("GET", path, sort=key).status == 200
        else:
            refuses(row, version, lambda: getattr(client(version), path[1:])().list(sort=key))  # noqa: B023 called at once
            assert caller(version).error("GET", path, sort=key)["status"] == "400"


@of("enum")
def test_types_of_exports(row: Row, version: ApiVersion) -> None:
    """An export of the type can be created in one version only; the other reads it."""
    body = document("exports", export_type=row.name, filters=PERIOD)
    if has(row, version):
        made = client(version).exports().create(Export(export_type=row.name, filters=PERIOD)).data
        assert (made.export_type, made.export_type.is_known) == (row.name, True)
        assert caller(version).write("POST", "/exports", body, 201)
    else:
        refuses(row, version, lambda: client(version).exports().create(Export(export_type=row.name, filters=PERIOD)))
        assert caller(version).send("POST", "/exports", body).status in (400, 422)


@of("filter_keys")
def test_keys_of_exports(row: Row, version: ApiVersion) -> None:
    """An export can be created with the key in one version only."""
    export_type = row.path[1]
    fact = row.value
    choice = next(iter(fact.get("enum", ())), None)
    single = (
        ID
        if fact.get("format") == "uuid"
        else choice or {"service_type": "A2p", "source_country_iso": "GB"}.get(row.name, "442079460001")
    )
    for given in [single, [single, single]] if fact.get("list") else [single]:
        filters = {**PERIOD, row.name: given}
        export = functools.partial(Export, export_type=export_type, filters=filters)
        body = document("exports", export_type=export_type, filters=filters)
        if has(row, version):
            assert client(version).exports().create(export()).data.filters[row.name] == given
            assert caller(version).write("POST", "/exports", body, 201)["data"]["attributes"]["filters"] == filters
        else:
            refuses(row, version, lambda: client(version).exports().create(export()))  # noqa: B023 called at once
            assert caller(version).send("POST", "/exports", body).status in (400, 422)
    if not fact.get("list") and has(row, version):
        filters = {**PERIOD, row.name: [single]}
        body = document("exports", export_type=export_type, filters=filters)
        assert caller(version).send("POST", "/exports", body).status == 422


@of("attributes", how="set")
def test_changed_values(row: Row, version: ApiVersion) -> None:
    """The values are those of the version: in the catalog, read by the client, and of every label that there is."""
    name, other = row.path[1], OLD if version == NEW else NEW
    expected, others = (facts(row.type, one).attributes[name].enum for one in (version, other))
    found = {value for one in client(version).emergency_requirements().iterate() for value in getattr(one, name) or ()}
    assert found <= expected - others
    session: Any = SimpleNamespace(version=version)
    record: dict[str, Any] = dict.fromkeys((one.path[1] for one in only("set", "attributes")), None)
    record[name] = list(facts(row.type, OLD).attributes[name].enum)
    BEHAVIORS[row.type].attributes(session, record)
    assert set(record[name]) == expected


@of("resource")
def test_resources(row: Row, version: ApiVersion) -> None:
    """It can be requested in one version only."""
    fact = facts(row.type, NEW if row.how == "add" else OLD)
    operation = "list" if "list" in fact.operations else "create"
    path, cls = f"/{fact.path}", cls_of(row.type)
    trunk = {} if version == OLD else {"sms_trunk": SmsTrunk.build(sms_trunk("smpp_esme"))}

    def call() -> Any:
        endpoint = getattr(client(version), path[1:])()
        return (
            endpoint.list()
            if operation == "list"
            else endpoint.create(cls(**trunk or {"sms_trunk": SmsTrunk.build(ID)}))
        )

    raw = caller(version).send("GET" if operation == "list" else "POST", path, None if operation == "list" else {})
    if has(row, version):
        assert call() is not None
        assert raw.status in (200, 400)
        assert (raw.status == 400) is (operation == "create")
        assert row.type in types(version)
    else:
        refuses(row, version, call)
        assert raw.status in (row.value or [404])
        refuses(row, version, lambda: client(version).dids().list(fields={row.type: ["name"]}))


# Rules of DIDs and trunks


def sms_trunk(type: str, **attributes: Any) -> str:
    """Create an SMS trunk, and return its id."""
    configuration = {"type": type, "attributes": CONFIGURATIONS[type] | attributes.pop("configuration", {})}
    attributes = {"name": f"Trunk {next(numbers)}", **attributes, "configuration": configuration}
    return str(caller().write("POST", "/sms_trunks", document("sms_trunks", **attributes), 201)["data"]["id"])


def sms_group(*trunks: str) -> str:
    """Create a group of SMS trunks, and return its id."""
    links = {"sms_trunks": [{"type": "sms_trunks", "id": id} for id in trunks]}
    body = document("sms_trunk_groups", name=f"Group {next(numbers)}", relationships=links)
    return str(caller().write("POST", "/sms_trunk_groups", body, 201)["data"]["id"])


def did(n: int = 0) -> str:
    """Return the id of a DID."""
    return str(caller().ids("/dids", sort="number")[n])


def route(status: int = 200, version: str = NEW, did_id: str | None = None, **routes: str | None) -> tuple[Any, Any]:
    """Set routes of a DID, and return its SMS trunk and group."""
    id = did_id or did()
    links = {name: None if target is None else {"type": f"{name}s", "id": target} for name, target in routes.items()}
    caller(version).write("PATCH", f"/dids/{id}", document("dids", id, links), status)
    if version == OLD:
        return None, None
    shown = caller().get(f"/dids/{id}", include="sms_trunk,sms_trunk_group")["data"]["relationships"]
    return tuple((shown[name]["data"] or {}).get("id") for name in ("sms_trunk", "sms_trunk_group"))  # type: ignore[return-value]


@covers("dids.both-with-ids", "dids.id-and-null", "dids.replaces", "dids.null-clears-own", "dids.no-http-out")
def test_message_routes_of_dids(version: ApiVersion) -> None:
    """One trunk or one group; the older version does not have these routes."""
    trunk, group = sms_trunk("sms_to_email"), sms_group()
    if version == OLD:
        route(400, OLD, sms_trunk=trunk)
        return
    assert route(sms_trunk=trunk) == (trunk, None)
    route(422, sms_trunk=trunk, sms_trunk_group=group)
    assert route(sms_trunk_group=group) == (None, group)
    assert route(sms_trunk=None) == (None, group)
    assert route(sms_trunk=trunk, sms_trunk_group=None) == (trunk, None)
    assert route(sms_trunk_group=None) == (trunk, None)
    route(422, sms_trunk=sms_trunk("http_out"))
    assert route(sms_trunk=None) == (None, None)


@covers("dids.aliases")
def test_aliases_of_filters(version: ApiVersion) -> None:
    """The older names of the filters find the same in both versions."""
    trunk = caller(version).ids("/voice_in_trunks")[0]
    body = document("dids", did(), {"voice_in_trunk": {"type": "voice_in_trunks", "id": trunk}})
    caller(version).write("PATCH", f"/dids/{did()}", body)
    for name in ("trunk.id", "voice_in_trunk.id"):
        assert client(version).dids().count(filter={name: trunk}) == 1
    for name in ("trunk_group.id", "voice_in_trunk_group.id"):
        assert client(version).dids().count(filter={name: ID}) == 0


@covers("voice_in_trunks.fields")
def test_pop_in_fields(version: ApiVersion) -> None:
    """`pop` is an attribute of one version, and a relationship of the other."""
    (record, *_) = caller(version).get("/voice_in_trunks", **{"fields[voice_in_trunks]": "pop"})["data"]
    kind, other = ("attributes", "relationships") if version == NEW else ("relationships", "attributes")
    assert (list(record[kind]), record.get(other, {})) == (["pop"], {})


@covers("voice_out_trunks.awaiting-registration", "sms_trunks.awaiting-registration")
def test_dids_that_await_registration(version: ApiVersion) -> None:
    """They are refused as CLIs of the newer version, and as sources of messages."""
    seeded = {"dids": [{"number": f"4420794610{next(numbers):02}", "awaiting_registration": True}]}
    waiting = {"type": "dids", "id": scene().emulator.state.seed(seeded)["dids"][0]}
    method = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ["203.0.113.7"]}}
    body = document(
        "voice_out_trunks",
        relationships={"dids": [waiting]},
        name=f"Out {next(numbers)}",
        on_cli_mismatch_action="reject_call",
        authentication_method=method,
    )
    assert caller(version).send("POST", "/voice_out_trunks", body).status == (422 if version == NEW else 201)
    if version == NEW:
        id = sms_trunk("smpp_esme")
        body = document("sms_trunks", id, {"outgoing_dids": [waiting]})
        assert caller().error("PATCH", f"/sms_trunks/{id}", body)["status"] == "422"


# Rules of exports


def create_export(version: str, export_type: str, **filters: Any) -> Any:
    """Create an export by a request."""
    body = document("exports", export_type=export_type, filters=PERIOD | filters)
    return caller(version).send("POST", "/exports", body)


@covers("exports.other-keys-refused", "exports.blanks-refused", "services.exports-overview")
def test_invalid_keys_of_exports(version: ApiVersion) -> None:
    """Keys of another type of export and blank values are refused."""
    kinds = facts("exports", version).filter_keys
    assert set(kinds) == {"cdr_in", "cdr_out"} | ({"sms_in", "sms_out"} if version == NEW else set())
    every = {key for keys in facts("exports", NEW).filter_keys.values() for key in keys}
    for export_type, keys in kinds.items():
        for key in sorted(every - keys):
            assert create_export(version, export_type, **{key: "x"}).status in (400, 422), (export_type, key)
            with pytest.raises(InvalidValueError):
                client(version).exports().create(Export(export_type=export_type, filters={**PERIOD, key: "x"}))
        for key in sorted(keys - PERIOD.keys()):
            assert create_export(version, export_type, **{key: ""}).status == 422, (export_type, key)
            with pytest.raises(InvalidValueError):
                client(version).exports().create(Export(export_type=export_type, filters={**PERIOD, key: ""}))


@covers("exports.service-type-echoed")
def test_service_type_is_echoed(version: ApiVersion) -> None:
    """As it was sent, in any case; other text is refused."""
    for given in ("a2p", "A2p", "P2P"):
        response = create_export(version, "sms_out", service_type=given)
        if version == OLD:
            assert response.status in (400, 422)
        else:
            assert json.loads(response.body)["data"]["attributes"]["filters"]["service_type"] == given
    assert create_export(version, "sms_out", service_type="otp").status in (400, 422)


def file_of(version: str, id: str) -> tuple[str, list[str]]:
    """Return the name of the file of an export, and its columns."""
    scene().emulator.clock.advance("1 minute")
    url = urlsplit(caller(version).get(f"/exports/{id}")["data"]["attributes"]["url"])
    path = url.path.removeprefix("/v3")
    response = caller(version).send("GET", path)
    assert response.status == 200
    return path.rpartition("/")[2], next(csv.reader(io.StringIO(gzip.decompress(response.body).decode())))


@covers("exports.columns-by-version", "exports.file-name")
def test_files_of_exports(version: ApiVersion) -> None:
    """The columns are the same whoever downloads, and the name is not the id."""
    id = json.loads(create_export(version, "cdr_in").body)["data"]["id"]
    name, columns = file_of(version, id)
    other = OLD if version == NEW else NEW
    assert file_of(other, id) == (name, columns)
    assert name.endswith(".csv.gz")
    assert id not in name
    assert columns


@covers("exports.old-keys")
def test_old_exports(version: ApiVersion) -> None:
    """An export that an earlier version created shows the keys of that version."""
    old = {"year": "2026", "month": "11"}
    seeded = {"exports": [{"export_type": "cdr_in", "filters": old, "status": "completed"}]}
    id = scene().emulator.state.seed(seeded)["exports"][0]
    assert caller(version).get(f"/exports/{id}")["data"]["attributes"]["filters"] == old
    assert client(version).exports().find(id).data.filters == old


# Rules of SMS trunks


def written(id: str, status: int = 200, links: Any = None, type: str = "sms_trunks", **attributes: Any) -> Any:
    """Update a record by a request; return its attributes, or the error."""
    shown = caller().write("PATCH", f"/{type}/{id}", document(type, id, links, **attributes), status)
    return shown["data"]["attributes"] if status == 200 else shown["errors"][0]


def shown(id: str, type: str = "sms_trunks", include: str = "") -> Any:
    """Return a record."""
    return caller().get(f"/{type}/{id}", **({"include": include} if include else {}))["data"]


def links(type: str, *ids: str) -> list[dict[str, str]]:
    """Return identifiers."""
    return [{"type": type, "id": id} for id in ids]


def configured(type: str, **attributes: Any) -> dict[str, Any]:
    """Return a configuration."""
    return {"type": type, "attributes": attributes}


def absent(version: str, path: str = "/sms_trunks") -> bool:
    """Return whether a version does not have SMS trunks, which is all that there is to test then."""
    if version == OLD:
        assert caller(OLD).send("GET", path).status == 404
        assert caller(OLD).send("POST", path, {}).status == 404
    return version == OLD


@covers("sms_trunks.names-are-shared", "sms_trunks.reference-limit", "sms_trunks.unknown-member")
def test_names_of_sms_trunks(version: ApiVersion) -> None:
    """Trunks and groups share one name space; a long reference and unknown members are refused."""
    if absent(version):
        return
    trunk, group = sms_trunk("sms_to_email"), sms_group()
    names = [shown(trunk)["attributes"]["name"], shown(group, "sms_trunk_groups")["attributes"]["name"]]
    for name in names:
        assert caller().send("POST", "/sms_trunk_groups", document("sms_trunk_groups", name=name)).status == 422
        configuration = configured("sms_to_email", **CONFIGURATIONS["sms_to_email"])
        body = document("sms_trunks", name=name, configuration=configuration)
        assert caller().send("POST", "/sms_trunks", body).status == 422
    written(trunk, 422, external_reference_id="x" * 101)
    written(trunk, external_reference_id="x" * 100)
    written(trunk, 400, nickname="x")


@covers("sms_trunks.defaults", "sms_trunks.directions", "sms_trunks.generated", "sms_trunks.host", "sms_trunks.linkage")
def test_types_of_sms_trunks(version: ApiVersion) -> None:
    """Directions, defaults, generated credentials, and the URL of `http_out`."""
    if absent(version):
        return
    directions = {
        "sms_to_email": (True, False),
        "http_in": (True, False),
        "http_out": (False, True),
        "smpp_esme": (True, True),
        "smpp_smsc": (True, True),
    }
    generated = {"http_out": ("auth_name", "auth_password"), "smpp_esme": ("system_id", "password")}
    for type, expected in directions.items():
        record = shown(sms_trunk(type))
        attributes = record["attributes"]
        assert (attributes["allow_in"], attributes["allow_out"]) == expected
        assert (attributes["blocked"], attributes["allow_any_did_as_source"]) == (False, False)
        assert attributes["priority"] == (None if type == "http_out" else 100)
        assert all(attributes["configuration"]["attributes"][name] for name in generated.get(type, ()))
        assert record.get("meta", {}).get("host", "").startswith("http") is (type == "http_out")
        assert set(record["relationships"]) == set(facts("sms_trunks", NEW).relationships)
        assert all("data" not in relationship for relationship in record["relationships"].values())


@covers("sms_trunks.any-did-empties", "sms_trunks.any-did-types", "sms_trunks.outgoing-replaced")
def test_sources_of_messages(version: ApiVersion) -> None:
    """DIDs are replaced as a whole; with any DID allowed, there are none; only for types that send."""
    if absent(version):
        return
    id = sms_trunk("smpp_esme")

    def outgoing() -> list[str]:
        data = shown(id, include="outgoing_dids")["relationships"]["outgoing_dids"]["data"]
        return sorted(one["id"] for one in data)

    written(id, links={"outgoing_dids": links("dids", did(0), did(1))})
    written(id, links={"outgoing_dids": links("dids", did(1), did(2))})
    assert outgoing() == sorted([did(1), did(2)])
    assert caller().send(
        "PATCH", f"/sms_trunks/{id}", document("sms_trunks", id, {"outgoing_dids": links("dids", did(), did())})
    ).status in (400, 422)
    written(id, allow_any_did_as_source=True)
    assert outgoing() == []
    written(id, 422, links={"outgoing_dids": links("dids", did())})
    for type in ("sms_to_email", "http_in"):
        written(sms_trunk(type), 422, allow_any_did_as_source=True)
    for type in ("http_out", "smpp_smsc"):
        written(sms_trunk(type), allow_any_did_as_source=True)


@covers("sms_trunks.http-out-has-no-group", "sms_trunks.null-leaves-group", "sms_trunk_groups.no-http-out")
def test_trunks_in_groups(version: ApiVersion) -> None:
    """`http_out` has neither group nor priority; null leaves a group."""
    if absent(version):
        return
    trunk, out = sms_trunk("smpp_esme"), sms_trunk("http_out")
    group = sms_group(trunk)
    assert shown(trunk, include="sms_trunk_group")["relationships"]["sms_trunk_group"]["data"]["id"] == group
    written(trunk, links={"sms_trunk_group": None})
    assert shown(trunk, include="sms_trunk_group")["relationships"]["sms_trunk_group"]["data"] is None
    written(out, 422, links={"sms_trunk_group": {"type": "sms_trunk_groups", "id": group}})
    written(out, 422, priority=5)
    written(group, 422, links={"sms_trunks": links("sms_trunks", out)}, type="sms_trunk_groups")


@covers(
    "sms_trunks.type-is-fixed",
    "sms_trunks.update-merges",
    "sms_trunks.get-needs-nulls",
    "sms_trunks.body-needed",
    "sms_trunks.defaults-of-ports",
    "sms_trunks.equal-ports",
    "sms_trunks.generated-is-not-sent",
)
def test_configurations_of_sms_trunks(version: ApiVersion) -> None:
    """The type stays, members are merged, and members depend on others."""
    if absent(version):
        return
    email, http, smsc, esme = (sms_trunk(type) for type in ("sms_to_email", "http_in", "smpp_smsc", "smpp_esme"))
    written(email, 422, configuration=configured("http_in", **CONFIGURATIONS["http_in"]))
    merged = written(email, configuration=configured("sms_to_email", subject="New"))["configuration"]["attributes"]
    assert merged == CONFIGURATIONS["sms_to_email"] | {"subject": "New"}
    written(http, 422, configuration=configured("http_in", http_method="get"))
    written(http, configuration=configured("http_in", http_method="get", body_type=None, body=None))
    written(http, 422, configuration=configured("http_in", http_method="put"))
    ports = shown(smsc)["attributes"]["configuration"]["attributes"]
    assert (ports["tx_port"], ports["rx_port"]) == (2775, 2776)
    written(smsc, 422, configuration=configured("smpp_smsc", transceiver_mode=True))
    written(smsc, configuration=configured("smpp_smsc", transceiver_mode=True, rx_port=2775))
    written(esme, 400, configuration=configured("smpp_esme", system_id="mine"))


@covers("sms_trunks.delete-routed", "sms_trunks.delete-outgoing", "services.in-use")
def test_deletion_of_sms_trunks(version: ApiVersion) -> None:
    """A trunk that a DID is routed to stays; one that DIDs only send through does not."""
    voice = caller(version).ids("/voice_in_trunks")[0]
    other = did(5)
    body = document("dids", other, {"voice_in_trunk": {"type": "voice_in_trunks", "id": voice}})
    caller(version).write("PATCH", f"/dids/{other}", body)
    assert caller(version).error("DELETE", f"/voice_in_trunks/{voice}")["status"] == "422"
    if absent(version):
        return
    id = sms_trunk("smpp_esme")
    route(sms_trunk=id)
    assert caller().error("DELETE", f"/sms_trunks/{id}")["status"] == "422"
    route(sms_trunk=None)
    written(id, links={"outgoing_dids": links("dids", did())})
    assert caller().send("DELETE", f"/sms_trunks/{id}").status == 204


@covers(
    "sms_trunk_groups.membership",
    "sms_trunk_groups.no-duplicates",
    "sms_trunk_groups.more-than-ten",
    "sms_trunk_groups.count",
    "sms_trunk_groups.delete-members",
    "sms_trunk_groups.delete-routed",
)
def test_groups_of_sms_trunks(version: ApiVersion) -> None:
    """Members are replaced, may be more than ten, and are deleted with the group."""
    if absent(version, "/sms_trunk_groups"):
        return
    trunks = [sms_trunk("sms_to_email") for _ in range(11)]
    group = sms_group(*trunks)
    assert shown(group, "sms_trunk_groups")["meta"] == {"sms_trunks_count": 11}
    written(group, links={"sms_trunks": []}, type="sms_trunk_groups")
    assert shown(group, "sms_trunk_groups")["meta"] == {"sms_trunks_count": 0}
    twice = document("sms_trunk_groups", group, {"sms_trunks": links("sms_trunks", trunks[0], trunks[0])})
    assert caller().send("PATCH", f"/sms_trunk_groups/{group}", twice).status in (400, 422)
    written(group, links={"sms_trunks": links("sms_trunks", *trunks[:2])}, type="sms_trunk_groups")
    for routes in ({"sms_trunk_group": group}, {"sms_trunk": trunks[0]}):
        route(**routes)
        assert caller().error("DELETE", f"/sms_trunk_groups/{group}")["status"] == "422"
    route(sms_trunk=None)
    assert caller().send("DELETE", f"/sms_trunk_groups/{group}").status == 204
    assert [caller().send("GET", f"/sms_trunks/{id}").status for id in trunks[:3]] == [404, 404, 200]


@covers(
    "sms_trunk_regenerate_credentials.rotates",
    "sms_trunk_regenerate_credentials.nothing-to-rotate",
    "sms_trunk_regenerate_credentials.foreign-trunk",
    "sms_trunk_regenerate_credentials.identifier-only",
)
def test_regenerated_credentials(version: ApiVersion) -> None:
    """Types with generated credentials get new ones; the response is the identifier of the trunk."""
    type = "sms_trunk_regenerate_credentials"
    if version == OLD:
        assert caller(OLD).send("POST", f"/{type}", {}).status == 404
        return

    def rotated(id: str, status: int, by: Account | None = None) -> Any:
        body = document(type, relationships={"sms_trunk": {"type": "sms_trunks", "id": id}})
        return (by or scene()).caller(NEW).write("POST", f"/{type}", body, status)

    for kind, names in (("smpp_esme", ("system_id", "password")), ("http_out", ("auth_name", "auth_password"))):
        id = sms_trunk(kind)
        before = shown(id)["attributes"]["configuration"]["attributes"]
        answer = rotated(id, 201)["data"]
        assert (answer["id"], answer["type"], answer.get("attributes", {})) == (id, type, {})
        after = shown(id)["attributes"]["configuration"]["attributes"]
        assert all(before[name] != after[name] for name in names)
        assert [name for name in before if before[name] != after[name]] == list(names)
        rotated(id, 422, account("another-key"))
    for kind in ("sms_to_email", "http_in", "smpp_smsc"):
        rotated(sms_trunk(kind), 422)


# Rules of sender ID verifications


def sender(**options: Any) -> str:
    """Add a verification, and return its id."""
    options = {"sender_ids": [f"SHOP{next(numbers)}"], **options}
    return str(scene().emulator.sender_ids.add(f"Sender {next(numbers)}", **options).id)


def assign(id: str, trunk: str | None, status: int = 200) -> Any:
    """Assign a trunk to a verification."""
    linkage = None if trunk is None else {"type": "sms_trunks", "id": trunk}
    return written(id, status, {"sms_trunk": linkage}, "sender_id_verifications")


@covers(
    "sender_id_verifications.no-create-no-delete",
    "sender_id_verifications.only-name-and-trunk",
    "sender_id_verifications.no-empty-filter",
)
def test_access_to_sender_ids(version: ApiVersion) -> None:
    """Listed, found, renamed and assigned: no more."""
    path = "/sender_id_verifications"
    if absent(version, path):
        return
    id = sender()
    assert caller().send("POST", path, document("sender_id_verifications", name="x")).status in (404, 405)
    assert caller().send("DELETE", f"{path}/{id}").status in (404, 405)
    assert not {"create", "delete"} & set(dir(client(version).sender_id_verifications()))
    assert written(id, type="sender_id_verifications", name="Renamed")["name"] == "Renamed"
    for name in facts("sender_id_verifications", NEW).attributes.keys() - {"name"}:
        body = document("sender_id_verifications", id)
        body["data"]["attributes"] = {name: "x"}
        assert caller().error("PATCH", f"{path}/{id}", body)["status"] == "400", name
    for name in facts("sender_id_verifications", NEW).filters:
        assert caller().error("GET", path, **{f"filter[{name}]": ""})["status"] == "400", name


@covers(
    "sender_id_verifications.trunk-types",
    "sender_id_verifications.null-unassigns",
    "sender_id_verifications.taken-on-trunk",
    "sender_id_verifications.closed",
    "sms_trunks.delete-leaves-senders",
)
def test_trunks_of_sender_ids(version: ApiVersion) -> None:
    """Trunks that send; not with a sender ID that the trunk has, nor for a closed verification."""
    if absent(version, "/sender_id_verifications"):
        return
    first, second, closed = sender(sender_ids=["SAME"]), sender(sender_ids=["SAME"]), sender(status="closed")
    trunks = {type: sms_trunk(type) for type in CONFIGURATIONS}
    for type in ("http_out", "smpp_smsc", "smpp_esme"):
        assign(first, trunks[type])
    for type in ("sms_to_email", "http_in"):
        assign(first, trunks[type], 422)
    assign(second, trunks["smpp_esme"], 422)
    assign(closed, trunks["smpp_esme"], 422)
    assign(first, None)
    assign(second, trunks["smpp_esme"])
    assert caller().send("DELETE", f"/sms_trunks/{trunks['smpp_esme']}").status == 204
    data = shown(second, "sender_id_verifications", "sms_trunk")["relationships"]["sms_trunk"]["data"]
    assert data is None


@covers("sender_id_verifications.numbers-of-dids", "sender_id_verifications.nulls-by-status")
def test_members_of_sender_ids(version: ApiVersion) -> None:
    """Numbers for long codes, and members that depend on the status."""
    if absent(version, "/sender_id_verifications"):
        return
    emulator = scene().emulator
    code = str(emulator.sender_ids.add("Code", sender_type="long_code", dids=[did(3), did(4)]).id)
    record = shown(code, "sender_id_verifications", "dids")
    numbers_ = [shown(one["id"], "dids")["attributes"]["number"] for one in record["relationships"]["dids"]["data"]]
    assert sorted(record["attributes"]["sender_ids"]) == sorted(numbers_)
    id = sender()

    def values(*names: str) -> list[Any]:
        attributes = shown(id, "sender_id_verifications")["attributes"]
        return [attributes[name] for name in names]

    assert values("reject_reasons", "reject_comment") == [None, None]
    emulator.sender_ids.set_status(id, "changes_required", reasons=["Letter is missing"], comment="See the form.")
    assert values("reject_reasons", "reject_comment") == [["Letter is missing"], "See the form."]
    emulator.sender_ids.set_status(id, "changes_required")
    assert values("reject_reasons") == [None]
    emulator.sender_ids.set_status(id, "closed")
    assert values("renew_date", "reject_reasons", "reject_comment") == [None, None, None]


# The rows themselves


def test_every_row_has_a_test() -> None:
    """A row that says what is added, removed or set is of a tested kind; a rule is named by a test."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*differences.py"))
    assert [row.id for row in rows() if row.how != "rule" and row.kind not in TESTED] == []
    assert [row.id for row in rows() if row.how == "rule" and f'"{row.id}"' not in sources] == []
    assert len({row.id for row in rows()}) == len(rows())


def test_every_removed_name_has_a_replacement() -> None:
    """The client can say what to use instead."""
    assert [row.id for row in rows() if row.how == "remove" and not row.replacement] == []


@both_versions
def test_rows_name_their_sources(version: ApiVersion) -> None:
    """Each row has marks of sources; what no source says is marked."""
    del version
    assert {mark for row in rows() for mark in row.source.split()} <= set("DOYVX")
    assert all(row.source for row in rows())
