"""Check that the client raises every error that the service is known to send, in both API versions.

Those of the newer version alone are in facts_2026_11_19/_services.yaml.
"""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from didww import (
    ApiKey,
    AsyncDidwwClient,
    AuthenticationError,
    BearerToken,
    ConflictError,
    Did,
    DidwwApiError,
    DidwwClient,
    InsufficientBalanceError,
    NotFoundError,
    PermissionDeniedError,
    PriceNotFoundError,
    PricePlanNotAssignedError,
    RateLimitError,
    Report,
    ServerError,
    ValidationError,
    exceptions,
)
from didww._core.effects import Response
from didww._schema.registry import all_classes
from didww.exceptions import _ID_ATTRIBUTES
from didww.version import API_VERSION, API_VERSIONS
from support.scripted_transport import AsyncScripted, Scripted

if TYPE_CHECKING:
    from didww.version import ApiVersion

HTML = b"<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"


class Row(NamedTuple):
    """One error: what comes, the class it becomes, and the field that it is about (None: the class has no fields)."""

    status: int
    expected: type[DidwwApiError]
    title: str | None = None
    detail: str | None = None
    code: str | None = None
    pointer: str | None = None
    field: str | None = None
    meta: dict[str, str] | None = None
    body: bytes | None = None

    @property
    def error(self) -> dict[str, Any]:
        """The error object, with the members that the service sends for it."""
        members = {"title": self.title, "detail": self.detail, "code": self.code, "status": str(self.status)}
        if self.pointer is not None:
            members["source"] = {"pointer": self.pointer}  # type: ignore[assignment] # pyright: ignore[reportArgumentType]
        if self.meta is not None:
            members["meta"] = self.meta  # type: ignore[assignment] # pyright: ignore[reportArgumentType]
        return {name: value for name, value in members.items() if value is not None}

    @property
    def sent(self) -> bytes:
        """The body of the response."""
        return self.body if self.body is not None else json.dumps({"errors": [self.error]}).encode()


def invalid(title: str, detail: str, pointer: str, field: str) -> Row:
    return Row(422, ValidationError, title, detail, "100", pointer, field)


def refused(code: str, title: str, detail: str, status: int = 400) -> Row:
    return Row(status, DidwwApiError, title, detail, code)


ATTRIBUTES, LINKS = "/data/attributes", "/data/relationships"

TABLE = [
    Row(401, AuthenticationError, "Unauthorized", "Authorization failed", "401"),
    Row(403, PermissionDeniedError, body=b""),
    Row(404, NotFoundError, "Record not found", "The record identified by x could not be found.", "404"),
    Row(404, NotFoundError, "Record not found", "proofs - Record not found", "404"),
    Row(404, NotFoundError, body=b"not here"),
    Row(404, NotFoundError, body=b""),
    invalid("has already been taken", "name - has already been taken", f"{ATTRIBUTES}/name", "name"),
    invalid("is invalid", "country - is invalid", f"{LINKS}/country", "country"),
    invalid("can't be blank", "identity - can't be blank", f"{LINKS}/identity", "identity"),
    invalid(
        "is not allowed for creation",
        "type - is not allowed for creation",
        f"{ATTRIBUTES}/authentication_method/type",
        "authentication_method.type",
    ),
    invalid(
        "exceeds available DIDs count",
        "items/0/qty - exceeds available DIDs count",
        f"{ATTRIBUTES}/items/0/qty",
        "items[0].qty",
    ),
    invalid("service description is not needed", "service description is not needed", "/data", ""),
    invalid("should exist", "trunk_id - is invalid", f"{ATTRIBUTES}/voice_in_trunk_id", "voice_in_trunk"),
    invalid(
        "should exist",
        "trunk_group_id - is invalid",
        f"{ATTRIBUTES}/voice_in_trunk_group_id",
        "voice_in_trunk_group",
    ),
    invalid("is invalid", "trunk_ids - are invalid", f"{ATTRIBUTES}/trunk_ids", "voice_in_trunks"),
    invalid(
        "is too long (maximum is 100 characters)", "x", f"{ATTRIBUTES}/external_reference_id", "external_reference_id"
    ),
    invalid("from not valid", "filters - from not valid", f"{ATTRIBUTES}/filters", "filters"),
    invalid("cannot be applied", "dids/0 - cannot be applied", f"{LINKS}/dids/0", "dids[0]"),
    invalid("is not allowed for DID country", "x", f"{ATTRIBUTES}/capacity_pool_id", "capacity_pool"),
    invalid("is not allowed for DID country", "x", f"{ATTRIBUTES}/shared_capacity_group_id", "shared_capacity_group"),
    invalid("is invalid", "items/0/sku_id - is invalid", f"{ATTRIBUTES}/items/0/sku_id", "items[0].sku_id"),
    invalid("is invalid", "vat_id - is invalid", f"{ATTRIBUTES}/vat_id", "vat_id"),
    invalid("outdated fingerprint", "outdated fingerprint", "/data", ""),
    invalid("can't be blank", "file - can't be blank", f"{ATTRIBUTES}/file", "file"),
    invalid("Order not pending", "base - Order not pending", f"{ATTRIBUTES}/base", ""),
    invalid("Emergency Rate not found", "Emergency Rate not found", "/data", ""),
    refused("102", "Filter not allowed", "nmae is not allowed."),
    refused("107", "Invalid filter value", "x is not a valid value for id."),
    refused("105", "Param not allowed", "incoming_auth_username is not allowed."),
    refused("106", "Missing Parameter", "The required parameter, name, is missing."),
    refused("112", "Invalid include", "x is not a valid includable relationship of dids"),
    refused("114", "Invalid sort criteria", "x is not a valid sort criteria for dids"),
    refused("104", "Invalid field", "x is not a valid field for dids."),
    refused("101", "Invalid resource", "x is not a valid resource."),
    refused("105", "Page parameter not allowed", "x is not an allowed page parameter."),
    refused("118", "Invalid page value", "size exceeds maximum page size of 1000."),
    refused("116", "Type Mismatch", "x is not a valid type for this operation."),
    refused("110", "Key is not included in URL", "The URL does not support the key x"),
    refused("122", "Invalid data format", "Data must be a hash."),
    Row(400, DidwwApiError, body=b'{"errors":[{"code":"400"}]}'),
    refused("406", "Not acceptable", "All requests must use the media type.", 406),
    refused("415", "Unsupported media type", "All requests must use the media type.", 415),
    *(
        Row(400, InsufficientBalanceError, title, title, "400", meta={"available_balance": "1.9", "total_cost": "2.0"})
        for title in ("Insufficient balance", "Insufficient funds")
    ),
    refused("400", "invalid params", "invalid params"),
    Row(409, ConflictError, "Conflict", "The order is not pending", "409"),
    Row(429, RateLimitError, detail="Too Many Requests"),
    Row(401, AuthenticationError, body=b""),
    Row(401, AuthenticationError, "Token has expired", "Token has expired", "401"),
    Row(403, PermissionDeniedError, "Insufficient scope", "Insufficient scope", "403"),
    Row(404, PriceNotFoundError, "Price not found", "Price not found", "price_not_found"),
    Row(
        404, PricePlanNotAssignedError, "Price plan not assigned", "Price plan not assigned", "price_plan_not_assigned"
    ),
    Row(429, RateLimitError, "Too many requests", "Too many requests", "too_many_requests"),
    Row(503, ServerError, "Serving failure", "Serving failure", "serving_failure"),
    Row(500, ServerError, "Internal Server Error", "Internal Server Error", "500"),
    *(Row(status, ServerError, body=body) for status in (502, 503, 504) for body in (HTML, b"Bad Gateway", b"")),
    Row(500, ServerError, body=b'{"errors":[{"title":"Internal Ser'),
    Row(422, ValidationError, body=b'{"errors":"none"}'),
    Row(418, DidwwApiError, body=b'{"errors":[null,5,{"title":7,"detail":{"a":1}}]}'),
]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record whose response was lost is looked up at once."""
    monkeypatch.setattr("didww._core.retry.FIRST_PAUSE", 0.0)


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize("session", ["sync", "async"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.status}-{row.code}-{row.title or row.body}"[:50])
def test_service_errors_are_raised_as_their_classes(row: Row, session: str, version: ApiVersion) -> None:
    """Both clients raise the same class, status, error objects, fields and text; pickling preserves them."""
    caught = raised(row, session, version)
    for error in (caught, pickle.loads(pickle.dumps(caught))):
        assert type(error) is row.expected
        assert (error.status_code, error.method, error.path) == (row.status, "POST", "/v3/voice_in_trunk_groups")
        assert str(error).startswith(f"HTTP {row.status}: ")
        if row.body is None:
            assert error.errors == [row.error]
            assert (row.detail or row.title or "") in str(error)
        assert all(isinstance(one, dict) for one in error.errors)
        if isinstance(error, ValidationError):
            assert error.fields == ({row.field: [row.title]} if row.field is not None else {})
        if isinstance(error, InsufficientBalanceError):
            assert (error.available_balance, error.total_cost) == (Decimal("1.9"), Decimal("2.0"))


def raised(row: Row, session: str, version: ApiVersion = API_VERSION) -> DidwwApiError:
    """What creating a trunk group raises when the response is that row."""
    from didww import VoiceInTrunkGroup

    response = Response(row.status, {"content-type": "application/vnd.api+json"}, row.sent)
    record = VoiceInTrunkGroup(name="Support")
    options: dict[str, Any] = {"base_url": "https://api.example.com/v3", "api_version": version}
    options |= {"rate_limit": None, "max_retries": 0}
    options["credentials"] = ApiKey("key") if version == API_VERSION else BearerToken("header.payload.signature")
    with pytest.raises(DidwwApiError) as caught:
        if session == "sync":
            client = DidwwClient(transport=Scripted(response), **options)
            client._configuration.jitter = lambda: 0.0
            client.voice_in_trunk_groups().create(record)
        else:
            other = AsyncDidwwClient(transport=AsyncScripted(response), **options)
            other._configuration.jitter = lambda: 0.0
            asyncio.run(other.voice_in_trunk_groups().create(record))
    return caught.value


DID = "8d1a3c5e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("place", ["relationships", "attributes"])
def test_error_message_names_the_list_element_by_id(place: str) -> None:
    """The field has its Python name; the message says which list element is meant."""
    row = invalid("does not support Emergency feature", "dids - does not", f"/data/{place}/dids/{DID}", "dids")
    error = raised(row, "sync")
    assert isinstance(error, ValidationError)
    assert error.fields == {"dids": [f"does not support Emergency feature ({DID})"]}


def test_attributes_ending_in_id_keep_their_suffix() -> None:
    """Attributes whose name ends in `_id` keep it; no relationship name ends so."""
    fields = [field for cls in all_classes() for field in cls._field_map.values() if field.name.endswith("_id")]
    assert {field.name for field in fields} == _ID_ATTRIBUTES
    assert {field.place for field in fields} == {"attributes"}


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"available_balance": "1.9", "total_cost": "2.0"}, ": 2.0 USD needed, 1.9 USD available"),
        ({"available_balance": "1.9", "total_cost": "1e999999999"}, ": 1E+999999999 USD needed, 1.9 USD available"),
        ({"available_balance": "1.9"}, ""),
        ({"available_balance": "much", "total_cost": "2.0"}, ""),
        (None, ""),
    ],
)
def test_insufficient_balance_error_shows_both_amounts(meta: dict[str, str] | None, words: str) -> None:
    """The text shows both amounts if the response had both."""
    row = Row(400, InsufficientBalanceError, "Insufficient balance", "Insufficient balance", "400", meta=meta)
    assert str(raised(row, "sync")) == f"HTTP 400: Insufficient balance{words} (POST /v3/voice_in_trunk_groups)"


def example_of(cls: type[Exception]) -> Exception:
    """An error of this class with everything that it can hold."""
    if issubclass(cls, DidwwApiError):
        errors = [
            {"title": "is invalid", "source": {"pointer": "/data/attributes/name"}, "meta": {"total_cost": "1.0"}}
        ]
        error: Exception = cls(errors, 422, method="POST", path="/v3/x", request_id="r", attempts=3, retry_after=2.0)
    else:
        error = cls("what happened")
    for name, value in (
        ("completed", ("a",)),
        ("outcome_unknown", True),
        ("lookup", {"external_reference_id": "x"}),
        ("elapsed", 1.5),
        ("phase", "sending"),
        ("field", "name"),
        ("reasons", ("no such street",)),
        ("found", 7),
        ("transient", True),
        ("resource", Did.build("8d1a3c5e-0000-4000-8000-000000000001")),
        ("report", Report[Did]()),
    ):
        if hasattr(error, name):
            setattr(error, name, value)
    error.add_note("a note")
    return error


@pytest.mark.parametrize("name", exceptions.__all__)
def test_errors_survive_copy_and_pickle(name: str) -> None:
    """Copies keep the text, the class and all attributes."""
    error = example_of(getattr(exceptions, name))
    for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin).keys() == vars(error).keys()
        for field, value in vars(error).items():
            other = getattr(twin, field)
            assert other == value or (field == "report" and repr(other) == repr(value)), field


@pytest.mark.parametrize("name", exceptions.__all__)
def test_error_can_be_rebuilt_from_args(name: str) -> None:
    """`type(error)(*error.args)` has the same class and text, as task queues rebuild errors."""
    error = example_of(getattr(exceptions, name))
    rebuilt = type(error)(*error.args)
    assert (type(rebuilt), str(rebuilt), rebuilt.args) == (type(error), str(error), error.args)


def test_api_error_constructor_accepts_errors_and_status() -> None:
    """Programs create it in their own tests: error objects first, status by keyword, by position or omitted."""
    errors = [{"title": "not found"}]
    for error in (DidwwApiError(errors, status_code=404), DidwwApiError(errors, 404), DidwwApiError(errors=errors)):
        assert error.errors == errors
        assert str(error) == ("HTTP 404: not found" if error.status_code else "not found")
