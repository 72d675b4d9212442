"""Test error responses and the order in which errors are reported."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from didww._schema.registry import all_classes
from didww.emulator import Emulator, HttpError
from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine.engine import Engine
from didww.emulator.engine.overrides import SHARED
from didww.emulator.engine.session import AccountSession
from didww.version import API_VERSION
from support.api_caller import MEDIA_TYPE, Caller, Scene, document
from support.token_caller import TokenCaller

TRUNK = {"type": "pstn_configurations", "attributes": {"dst": "4420000"}}
UNKNOWN = "8d1a3c5e-0000-4000-8000-000000000001"


@functools.cache
def scene() -> Scene:
    return Scene()


def expect(error: dict[str, Any], code: str, title: str, detail: str, pointer: str | None = None) -> None:
    assert (error["code"], error["title"], error["detail"]) == (code, title, detail)
    assert error.get("source", {}).get("pointer") == pointer


@pytest.mark.parametrize("key", [None, "", "  "])
def test_request_without_a_key_returns_401(key: str | None) -> None:
    """The body is the service's; an unknown path makes no difference."""
    for path in ("/dids", "/nowhere", "/balance"):
        error = Caller(scene().engine, key).error("GET", path)
        expect(error, "401", "Unauthorized", "Authorization failed")
        assert error["status"] == "401"
    response = Caller(scene().engine, key).send("GET", "/exports/x.csv.gz")
    assert (response.status, response.body) == (401, b"")


def test_public_keys_need_no_api_key() -> None:
    """Only GET /public_keys works without a key."""
    nobody = Caller(scene().engine, None)
    assert nobody.send("GET", "/public_keys").status == 200
    assert nobody.send("POST", "/public_keys", {}).status == 401


def test_engine_can_be_restricted_to_one_key() -> None:
    """Other keys return 401."""
    engine = Engine(api_key="right")
    assert Caller(engine, "wrong").error("GET", "/balance")["status"] == "401"
    assert Caller(engine, "right").get("/balance")["data"]["attributes"]["balance"] == "10000.00"


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("type", ["addresses", "voice_in_trunks", "proofs", "permanent_supporting_documents"])
def test_unknown_id_returns_404(method: str, type: str) -> None:
    """The detail has the id, or only the type for two of the types."""
    body = document(type, UNKNOWN) if method in ("PATCH", "PUT") else None
    error = scene().caller.error(method, f"/{type}/{UNKNOWN}", body)
    named = type in ("proofs", "permanent_supporting_documents")
    detail = f"{type} - Record not found" if named else f"The record identified by {UNKNOWN} could not be found."
    expect(error, "404", "Record not found", detail)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/stock_keeping_units",
        "/qty_based_pricings",
        "/balances",
        "/balance/x",
        "/",
        "",
        "/dids/a/b",
        "/a/b/c/d/e",
    ],
)
def test_unknown_path_returns_404(path: str) -> None:
    """So do types that are available through `include` only."""
    assert scene().caller.error("GET", path)["status"] == "404"


def test_path_without_the_version_prefix_returns_the_base_url() -> None:
    """404 with the base URL of the API."""
    from didww._core.effects import Request

    for path in ("/dids", "/", "/v33/dids", ""):
        response = scene().engine.handle(Request("GET", f"http://emulator.example.com{path}", {"Api-Key": "key"}))
        assert response.status == 404
        assert "The API begins at http://emulator.example.com/v3." in response.body.decode()


@pytest.mark.parametrize(
    ("query", "code", "title", "detail"),
    [
        ({"filter[bogus]": "1"}, "102", "Filter not allowed", "bogus is not allowed."),
        ({"filter[blocked]": "x"}, "107", "Invalid filter value", "x is not a valid value for blocked."),
        ({"include": "nobody"}, "112", "Invalid include", "nobody is not a valid includable relationship of dids"),
        (
            {"include": "did_group.nobody"},
            "112",
            "Invalid include",
            "nobody is not a valid includable relationship of did_groups",
        ),
        ({"sort": "-weather"}, "114", "Invalid sort criteria", "weather is not a valid sort criteria for dids"),
        ({"fields[dids]": "number,colour"}, "104", "Invalid field", "colour is not a valid field for dids."),
        ({"fields[houses]": "door"}, "101", "Invalid resource", "houses is not a valid resource."),
        ({"page[offset]": "1"}, "105", "Page parameter not allowed", "offset is not an allowed page parameter."),
        ({"page[number]": "0"}, "118", "Invalid page value", "0 is not a valid value for number page parameter."),
        ({"page[size]": "many"}, "118", "Invalid page value", "many is not a valid value for size page parameter."),
        ({"page[size]": "101"}, "118", "Invalid page value", "size exceeds maximum page size of 100."),
        ({"filter[pending_removal]": "true"}, "102", "Filter not allowed", "pending_removal is not allowed."),
        (
            {"filter[did_group.features]": "voice_in,telex"},
            "107",
            "Invalid filter value",
            "telex is not a valid value for did_group.features.",
        ),
        (
            {"include": "did_group.country.regions.nobody"},
            "112",
            "Invalid include",
            "nobody is not a valid includable relationship of regions",
        ),
    ],
)
def test_invalid_queries_return_400(query: dict[str, str], code: str, title: str, detail: str) -> None:
    """The code and text are those of the service's JSON:API library."""
    error = scene().caller.error("GET", "/dids", **query)
    assert error["status"] == "400"
    expect(error, code, title, detail)


@pytest.mark.parametrize(
    ("body", "code", "title", "detail"),
    [
        ({}, "106", "Missing Parameter", "The required parameter, data, is missing."),
        ([], "106", "Missing Parameter", "The required parameter, data, is missing."),
        ({"data": []}, "122", "Invalid data format", "Data must be a hash."),
        ({"data": "x"}, "122", "Invalid data format", "Data must be a hash."),
        ({"data": {}}, "106", "Missing Parameter", "The required parameter, type, is missing."),
        ({"data": {"type": "dids"}}, "116", "Type Mismatch", "dids is not a valid type for this operation."),
        ({"data": {"type": "addresses", "links": {}}}, "105", "Param not allowed", "links is not allowed."),
        ({"data": {"type": "addresses", "id": UNKNOWN}}, "105", "Param not allowed", "id is not allowed."),
        (document("addresses", colour="red"), "105", "Param not allowed", "colour is not allowed."),
        (document("addresses", verified=True), "105", "Param not allowed", "verified is not allowed."),
        (document("addresses", relationships={"city": None}), "105", "Param not allowed", "city is not allowed."),
    ],
)
def test_malformed_bodies_return_400(body: Any, code: str, title: str, detail: str) -> None:
    """The structure is checked before the values."""
    error = scene().caller.error("POST", "/addresses", body)
    assert error["status"] == "400"
    expect(error, code, title, detail)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"data": \xff}', b"[" * 100_000, b'{"data": "\\ud800"'])
def test_invalid_json_returns_400(raw: bytes) -> None:
    """The error has code 400."""
    response = scene().caller.send("POST", "/addresses", raw=raw)
    assert response.status == 400
    assert json.loads(response.body)["errors"][0]["code"] == "400"


def test_update_id_must_match_the_url() -> None:
    """A missing id is error 106, another id is error 110."""
    id = scene().ids["identities"][0]
    missing = scene().caller.error("PATCH", f"/identities/{id}", document("identities"))
    expect(missing, "106", "Missing Parameter", "The required parameter, id, is missing.")
    other = scene().caller.error("PATCH", f"/identities/{id}", document("identities", UNKNOWN))
    expect(other, "110", "Key is not included in URL", f"The URL does not support the key {UNKNOWN}")


def test_each_unknown_member_has_its_own_error() -> None:
    """Each error names one member."""
    response = scene().caller.send("POST", "/addresses", document("addresses", colour=1, verified=True))
    assert [error["detail"] for error in json.loads(response.body)["errors"]] == [
        "colour is not allowed.",
        "verified is not allowed.",
    ]


LONG = "x" * 101
VALIDATIONS = [
    ("voice_in_trunk_groups", {}, "can't be blank", "name - can't be blank", "/data/attributes/name"),
    ("voice_in_trunk_groups", {"name": " "}, "can't be blank", "name - can't be blank", "/data/attributes/name"),
    ("voice_in_trunk_groups", {"name": None}, "can't be blank", "name - can't be blank", "/data/attributes/name"),
    ("voice_in_trunk_groups", {"name": 5}, "is invalid", "name - is invalid", "/data/attributes/name"),
    (
        "voice_in_trunk_groups",
        {"name": "a", "external_reference_id": LONG},
        "is too long (maximum is 100 characters)",
        "external_reference_id - is too long (maximum is 100 characters)",
        "/data/attributes/external_reference_id",
    ),
    (
        "voice_in_trunk_groups",
        {"name": "a", "capacity_limit": "4"},
        "is invalid",
        "capacity_limit - is invalid",
        "/data/attributes/capacity_limit",
    ),
    (
        "voice_in_trunk_groups",
        {"name": "a", "capacity_limit": 2**40},
        "is invalid",
        "capacity_limit - is invalid",
        "/data/attributes/capacity_limit",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": TRUNK, "weight": 65536},
        "must be less than or equal to 65535",
        "weight - must be less than or equal to 65535",
        "/data/attributes/weight",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": TRUNK, "priority": -1},
        "must be greater than or equal to 0",
        "priority - must be greater than or equal to 0",
        "/data/attributes/priority",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": TRUNK, "priority": True},
        "is invalid",
        "priority - is invalid",
        "/data/attributes/priority",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": TRUNK, "cli_format": "sideways"},
        "is invalid",
        "cli_format - is invalid",
        "/data/attributes/cli_format",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": "x"},
        "is invalid",
        "configuration - is invalid",
        "/data/attributes/configuration",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": {"type": "pigeon", "attributes": {}}},
        "is invalid",
        "type - is invalid",
        "/data/attributes/configuration/type",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": {"type": "pstn_configurations", "attributes": {"dst": 5}}},
        "is invalid",
        "dst - is invalid",
        "/data/attributes/configuration/dst",
    ),
    (
        "voice_in_trunks",
        {"name": "a", "configuration": {"type": "sip_configurations", "attributes": {"codec_ids": [9, "x"]}}},
        "is invalid",
        "configuration/codec_ids/1 - is invalid",
        "/data/attributes/configuration/codec_ids/1",
    ),
    (
        "voice_out_trunks",
        {
            "name": "a",
            "on_cli_mismatch_action": "reject_call",
            "authentication_method": {"type": "ip_only", "attributes": {}},
        },
        "is not allowed for creation",
        "type - is not allowed for creation",
        "/data/attributes/authentication_method/type",
    ),
    (
        "voice_out_trunks",
        {
            "name": "a",
            "on_cli_mismatch_action": "reject_call",
            "authentication_method": {"type": "twilio", "attributes": {}},
        },
        "can't be blank",
        "twilio_account_sid - can't be blank",
        "/data/attributes/authentication_method/twilio_account_sid",
    ),
    (
        "orders",
        {
            "items": [
                {"type": "did_order_items", "attributes": {"qty": 0, "sku_id": "8d1a3c5e-0000-4000-8000-000000000001"}}
            ]
        },
        "must be greater than or equal to 1",
        "items/0/qty - must be greater than or equal to 1",
        "/data/attributes/items/0/qty",
    ),
    (
        "identities",
        {"identity_type": "any", "first_name": "a", "last_name": "b", "phone_number": "1"},
        "is invalid",
        "identity_type - is invalid",
        "/data/attributes/identity_type",
    ),
    ("orders", {"items": 4}, "is invalid", "items - is invalid", "/data/attributes/items"),
    (
        "exports",
        {"export_type": "cdr_in", "filters": []},
        "is invalid",
        "filters - is invalid",
        "/data/attributes/filters",
    ),
]


@pytest.mark.parametrize(("type", "attributes", "title", "detail", "pointer"), VALIDATIONS)
def test_invalid_attributes_return_422(
    type: str, attributes: dict[str, Any], title: str, detail: str, pointer: str
) -> None:
    """Code 100 with a pointer to the attribute."""
    error = scene().caller.error("POST", f"/{type}", document(type, **attributes))
    assert error["status"] == "422"
    expect(error, "100", title, detail, pointer)


def test_trunk_without_a_configuration_returns_400() -> None:
    """A missing configuration is error 106."""
    error = scene().caller.error("POST", "/voice_in_trunks", document("voice_in_trunks", name="a"))
    assert error["status"] == "400"
    expect(error, "106", "Missing Parameter", "The required parameter, configuration, is missing.")


def test_read_only_configuration_member_returns_400() -> None:
    """incoming_auth_username must not be sent back (code 105)."""
    configuration = {"type": "sip_configurations", "attributes": {"incoming_auth_username": "x"}}
    body = document("voice_in_trunks", name="a", configuration=configuration)
    expect(
        scene().caller.error("POST", "/voice_in_trunks", body),
        "105",
        "Param not allowed",
        "incoming_auth_username is not allowed.",
    )


@pytest.mark.parametrize(
    ("value", "title"),
    [
        (None, "can't be blank"),
        ({"type": "identities", "id": UNKNOWN}, "is invalid"),
        ({"type": "countries", "id": UNKNOWN}, "is invalid"),
        ({"type": "identities"}, "is invalid"),
        ([], "is invalid"),
        ("x", "is invalid"),
    ],
)
def test_invalid_relationships_return_422(value: Any, title: str) -> None:
    """Null for a required one, unknown ids, wrong types, wrong shapes: the error points to the relationship."""
    stage = scene()
    country = {"type": "countries", "id": stage.ids["countries"][0]}
    body = document(
        "addresses",
        relationships={"identity": value, "country": country},
        address="Street 1",
        city_name="Town",
        postal_code="1",
    )
    error = stage.caller.error("POST", "/addresses", body)
    expect(error, "100", title, f"identity - {title}", "/data/relationships/identity")


def test_records_of_other_accounts_are_not_found() -> None:
    """The id of another account's record is treated like an unknown id, also in a relationship."""
    stage = scene()
    stranger = Caller(stage.engine, "stranger")
    identity = {"type": "identities", "id": stage.ids["identities"][0]}
    body = document(
        "addresses",
        relationships={"identity": identity, "country": {"type": "countries", "id": stage.ids["countries"][0]}},
        address="Street 1",
        city_name="Town",
        postal_code="1",
    )
    assert stranger.error("POST", "/addresses", body)["detail"] == "identity - is invalid"
    for cls in all_classes():
        if "find" in cls._operations and not cls._singleton and cls._type_name in stage.ids:
            status = stranger.send("GET", f"/{cls._path}/{stage.ids[cls._type_name][0]}").status
            assert status == (200 if cls._type_name in SHARED else 404), cls._type_name


def test_all_missing_required_members_are_reported() -> None:
    """One response reports all missing attributes and relationships."""
    response = scene().caller.send("POST", "/addresses", document("addresses"))
    assert response.status == 422
    assert {error["source"]["pointer"] for error in json.loads(response.body)["errors"]} == {
        "/data/attributes/address",
        "/data/attributes/city_name",
        "/data/attributes/postal_code",
        "/data/relationships/identity",
        "/data/relationships/country",
    }


def test_routing_to_an_unknown_trunk_returns_the_services_error() -> None:
    """Error pointers use older names of the trunk relationships."""
    stage = scene()
    id = stage.ids["dids"][0]
    body = document("dids", id, {"voice_in_trunk": {"type": "voice_in_trunks", "id": UNKNOWN}})
    expect(
        stage.caller.error("PATCH", f"/dids/{id}", body),
        "100",
        "should exist",
        "trunk_id - is invalid",
        "/data/attributes/voice_in_trunk_id",
    )
    body = document("dids", id, {"voice_in_trunk_group": {"type": "voice_in_trunk_groups", "id": UNKNOWN}})
    expect(
        stage.caller.error("PATCH", f"/dids/{id}", body),
        "100",
        "should exist",
        "trunk_group_id - is invalid",
        "/data/attributes/voice_in_trunk_group_id",
    )
    body = document(
        "voice_in_trunk_groups", None, {"voice_in_trunks": [{"type": "voice_in_trunks", "id": UNKNOWN}]}, name="b"
    )
    expect(
        stage.caller.error("POST", "/voice_in_trunk_groups", body),
        "100",
        "is invalid",
        "trunk_ids - are invalid",
        "/data/attributes/trunk_ids",
    )


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (MEDIA_TYPE, 200),
        ("*/*", 200),
        ("text/html, application/vnd.api+json", 200),
        ("", 200),
        ("APPLICATION/vnd.API+json", 200),
        ("Text/HTML, Application/*", 200),
        (f"{MEDIA_TYPE}; version=1", 406),
        ("text/html", 406),
    ],
)
def test_unacceptable_media_types_return_406(accept: str, status: int) -> None:
    """Accept must list the JSON:API media type without parameters."""
    response = scene().caller.send("GET", "/dids", headers={"Accept": accept})
    assert response.status == status
    if status == 406:
        error = json.loads(response.body)["errors"][0]
        assert (error["code"], error["title"]) == ("406", "Not acceptable")
        assert MEDIA_TYPE in error["detail"]


@pytest.mark.parametrize("content_type", ["", "application/json", f"{MEDIA_TYPE}; charset=utf-8"])
def test_other_content_types_return_415(content_type: str) -> None:
    """So does the JSON:API media type with parameters."""
    response = scene().caller.send("POST", "/addresses", document("addresses"), headers={"Content-Type": content_type})
    assert response.status == 415
    error = json.loads(response.body)["errors"][0]
    assert (error["code"], error["title"]) == ("415", "Unsupported media type")
    assert MEDIA_TYPE in error["detail"]


@pytest.mark.parametrize("content_type", ["Application/Vnd.Api+Json", MEDIA_TYPE.upper()])
def test_media_types_are_case_insensitive(content_type: str) -> None:
    """See RFC 9110."""
    body = document("voice_in_trunk_groups", name=content_type)
    response = scene().caller.send("POST", "/voice_in_trunk_groups", body, headers={"Content-Type": content_type})
    assert response.status == 201


def test_bodies_over_one_mebibyte_return_413() -> None:
    """The limit is one mebibyte."""
    assert scene().caller.send("POST", "/addresses", raw=b" " * ((1 << 20) + 1)).status == 413


METHODS = {
    "list": ("GET", ""),
    "find": ("GET", "/x"),
    "create": ("POST", ""),
    "update": ("PATCH", "/x"),
    "delete": ("DELETE", "/x"),
}


@pytest.mark.parametrize(
    "cls", [cls for cls in all_classes() if cls._operations and not cls._singleton], ids=lambda c: c._type_name
)
def test_unsupported_methods_return_405(cls: Any) -> None:
    """`Allow` lists the supported methods, and those never return 405."""
    offered = cls._operations | cls._extra_operations
    caller = scene().caller if cls._versions.includes(API_VERSION) else TokenCaller(scene().engine, scene().caller.key)
    for operation, (method, rest) in METHODS.items():
        response = caller.send(method, f"/{cls._path}{rest}")
        assert (response.status == 405) == (operation not in offered), operation
        if response.status == 405:
            assert method not in response.headers["allow"]


def test_writing_to_relationship_urls_returns_501() -> None:
    """How the service handles these requests is not known."""
    id = scene().ids["dids"][0]
    for method in ("POST", "PATCH", "DELETE"):
        assert scene().caller.error(method, f"/dids/{id}/relationships/order", {"data": None})["status"] == "501"
    assert scene().caller.error("OPTIONS", f"/dids/{id}/relationships/order")["status"] == "405"


def test_did_history_is_limited_to_ninety_days() -> None:
    """400 with code 107 and its own text."""
    error = scene().caller.error("GET", "/did_history", **{"filter[created_at_gteq]": "2020-01-01T00:00:00Z"})
    expect(error, "107", "Invalid filter value", "Date must be within the last 90 days.")


def test_number_contains_needs_three_digits_or_a_coverage_filter() -> None:
    """Two digits return 400, and work with a country filter."""
    caller = scene().caller
    assert caller.error("GET", "/available_dids", **{"filter[number_contains]": "44"})["status"] == "400"
    query = {"filter[number_contains]": "44", "filter[country.id]": scene().ids["countries"][0]}
    assert caller.send("GET", "/available_dids", **query).status == 200


def test_insufficient_balance_error_has_both_amounts() -> None:
    """`meta` has available_balance and total_cost."""
    from decimal import Decimal

    session = Engine().session("key")
    with pytest.raises(HttpError) as caught:
        session.charge(Decimal("10000.01"))
    (error,) = caught.value.errors
    expect(error, "400", "Insufficient balance", "Insufficient balance")
    assert error["meta"] == {"available_balance": "10000.00", "total_cost": "10000.01"}


def test_internal_errors_return_500_and_roll_back(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing of the request is stored, and the engine keeps working."""

    class Broken(Behavior):
        def after_create(self, session: AccountSession, record: dict[str, Any]) -> None:
            raise ZeroDivisionError

    engine = Engine()
    engine._runtime.behaviors = {**engine._runtime.behaviors, "voice_in_trunk_groups": Broken()}
    caller = Caller(engine)
    body = document("voice_in_trunk_groups", name="a")
    expect(
        caller.error("POST", "/voice_in_trunk_groups", body), "500", "Internal Server Error", "Internal Server Error"
    )
    assert caller.ids("/voice_in_trunk_groups") == []
    assert "ZeroDivisionError" in caplog.text


def test_every_response_has_content_type_and_request_id() -> None:
    """Errors and empty responses too; request ids are unique."""
    stage = scene()
    responses = [stage.caller.send("GET", path) for path in ("/dids", "/nowhere", "/dids?filter[x]=1", "/balance")]
    assert all(response.headers["content-type"] == MEDIA_TYPE for response in responses)
    assert len({response.headers["x-request-id"] for response in responses}) == len(responses)


def test_balance_supports_sparse_fieldsets() -> None:
    """`include` is rejected for types without relationships."""
    with Emulator() as emulator:
        caller = Caller(emulator.engine, emulator.key)
        document = caller.get("/balance", **{"fields[balances]": "balance"})
        assert document["data"]["attributes"] == {"balance": "10000.00"}
        assert "included" not in document
        for path in ("/pops", "/did_group_types", "/exports", "/encrypted_files"):
            assert caller.error("GET", path, include="country")["code"] == "112"
