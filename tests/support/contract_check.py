"""Checks a response of the emulator against the contract's facts: documents, resources, errors, files.

`tests/conftest.py` runs every response that the engine gives in any test through `check`. A response is of the version
of its request: that of the bearer token, or 2026-04-16.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS
from didww.version import API_VERSIONS
from support.contract_facts import NEW, OLD, Attribute, facts, reachable, sheet, types

if TYPE_CHECKING:
    from didww._core.effects import Request, Response

JSON_API = "application/vnd.api+json"
DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CDR_IN_HEADER = [
    "Date/Time Start (UTC)",
    "Date/Time Connect (UTC)",
    "Date/Time End (UTC)",
    "Status",
    "Source",
    "Source Name",
    "Destination DID",
    "Duration (sec)",
    "Attempt",
    "Disconnect Code",
    "Response",
    "Disconnect Initiator",
    "Voice IN Trunk",
    "Destination",
    "Trunk Group",
    "Capacity Group",
    "Toll-free (USD)",
    "PSTN (USD)",
    "Metered (USD)",
    "CNAM IN (USD)",
    "Total (USD)",
    "Call ID",
]
SOURCE_COLUMNS_OF_NEW = ["Source Number", "Source Number Out", "Source Country", "Source Network"]
"""The columns of version 2026-11-19 that take the place of `Source`, as far as they are known."""
CDR_OUT_HEADER = [
    "Date/Time Start (UTC)",
    "Date/Time Connect (UTC)",
    "Date/Time End (UTC)",
    "Status",
    "Source",
    "CLI",
    "Destination Number",
    "Call Duration (sec)",
    "Billing Duration (sec)",
    "Disconnect Code",
    "Disconnect Reason",
    "Voice OUT Trunk",
    "Destination Country",
    "Network",
    "Call Type",
    "Rate (USD)",
    "Charged (USD)",
    "P-Charge-Info",
    "Call ID",
]

# Where the responses differ from the contract on purpose. Each is met in recorded responses (recorded-differences sheet).
MAY_BE_NULL = {
    ("address_requirements", "personal_area_level"),
    ("address_requirements", "business_area_level"),
    ("address_requirements", "address_area_level"),
    ("address_requirements", "restriction_message"),
    ("emergency_requirements", "personal_area_level"),
    ("emergency_requirements", "business_area_level"),
    ("emergency_requirements", "address_area_level"),
    ("voice_out_trunks", "threshold_amount"),
    ("voice_out_trunks", "rtp_timeout"),
    ("encrypted_files", "expires_at"),
    ("did_reservations", "expires_at"),
}
MAY_BE_LINKED = {
    ("voice_out_trunk_regenerate_credentials", "voice_out_trunk"),
    ("sms_trunk_regenerate_credentials", "sms_trunk"),
    *(
        (f"{kind}_requirement_validations", name)
        for kind in ("address", "emergency")
        for name in (f"{kind}_requirement", "identity", "address")
    ),
}
UNPAGED = {
    version: {type_ for type_ in types(version) if facts(type_, version).paginated is False} for version in API_VERSIONS
}
FIXED_META = {"available_dids": {"total_count"}, "public_keys": set[str]()}


# Hashes of what was checked: emulators of many tests give the same pages of the catalog.
passed: set[bytes] = set()


def check(request: Request, response: Response) -> None:
    """Assert that `response` matches the contract for `request`."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    asked = (request.method, request.url, version_of(request), has_bearer(request))
    seen = blake2b(repr((asked, response.status, headers)).encode(), digest_size=16)
    seen.update(response.body)
    key = seen.digest()
    if key not in passed:
        check_new(request, response)
        passed.add(key)


def check_new(request: Request, response: Response) -> None:
    """Assert the same of a response that was not checked yet."""
    assert all(name == name.lower() for name in response.headers), "header names are in lower case"
    whole = unquote(urlsplit(request.url.encode("utf-8", "replace").decode()).path)
    if whole == "/token":
        check_token(response)
        return
    if whole.startswith(PRICES):
        check_prices(whole, response)
        return
    path = whole.removeprefix("/v3").strip("/")
    if response.status == 401:
        assert ("www-authenticate" in response.headers) == has_bearer(request)
        if response.body == b"" and not path.endswith(".csv.gz"):
            assert not has_bearer(request)
            assert asks_for_tokens(request), "401 without a body is for requests of 2026-11-19 without a token"
            return
    if response.status == 204:
        assert response.body == b""
        return
    bare = response.status == 401 and not has_bearer(request)
    if path.endswith(".csv.gz") and (response.status in (200, 404) or bare):
        check_file(response)
        return
    uploaded = path == "encrypted_files" and response.status == 201
    assert response.headers["content-type"] == ("application/json" if uploaded else JSON_API)
    document = json.loads(response.body, parse_float=Decimal)
    if response.status >= 400:
        check_errors(document, response.status)
    else:
        assert response.status == (201 if request.method == "POST" else 200)
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        check_document(document, path, query, version_of(request))


PRICES = ("/api-vin/v3/", "/api-vout/v3/", "/api-sms/v3/")
OAUTH = {400: {"invalid_request", "invalid_scope"}, 401: {"invalid_client"}, 405: {"invalid_request"}}


def _header(request: Request, name: str) -> str:
    return next((value for key, value in request.headers.items() if key.lower() == name), "")


def has_bearer(request: Request) -> bool:
    """Return whether a request has a bearer token, valid or not."""
    return _header(request, "authorization").strip().lower().partition(" ")[0] == "bearer"


def asks_for_tokens(request: Request) -> bool:
    """Return whether a request without a token is of a version that needs one.

    A key alone may be of an account that was moved to such a version, which the request does not tell.
    """
    return bool(
        _header(request, "x-didww-api-version").strip() == NEW
        or _header(request, "authorization")
        or _header(request, "api-key")
    )


def version_of(request: Request) -> str:
    """Return the API version of a request: that of its token, or the older one."""
    parts = _header(request, "authorization").strip().split(".")
    if not has_bearer(request) or len(parts) != 3:
        return OLD
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return str(claims["api_version"])
    except (ValueError, LookupError, TypeError):
        return OLD


def check_token(response: Response) -> None:
    """Assert that a response of the token service has the members and headers of OAuth."""
    document = json.loads(response.body)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    if response.status == 200:
        assert set(document) == {"access_token", "token_type", "expires_in", "aud", "scope", "api_version"}
        assert document["token_type"] == "Bearer"
        assert 60 <= document["expires_in"] <= 3600
        assert document["scope"] in ("full", "read")
        return
    assert set(document) == {"error", "error_description"}
    assert document["error"] in OAUTH[response.status]
    assert all(isinstance(text, str) for text in document.values())


def check_prices(path: str, response: Response) -> None:
    """Assert that a response of a prices service is a document of prices, a file or an error."""
    if response.status >= 400:
        assert response.headers["content-type"] == JSON_API
        check_errors(json.loads(response.body), response.status)
        assert response.status != 401 or response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    elif path.endswith("/lookup/prices"):
        name = next(name for part, name in PRICE_LISTS.items() if part in path)
        assert response.headers["content-type"] == JSON_API
        document = json.loads(response.body)
        assert set(document) == {"data", "meta"}
        assert document["data"]
        assert document["meta"] == {"total_records": len(document["data"])}
        for record in document["data"]:
            check_price(record, sheet("_prices")["attributes"][name])
    elif response.status == 200:
        assert response.headers["content-type"] == "application/gzip"
        assert not {"etag", "content-encoding"} & response.headers.keys()


PRICE_LISTS = {"/api-vin/": "voice_in", "/api-vout/": "voice_out", "/sms_out/": "sms_out", "/sms_in/": "sms_in"}


def check_price(record: Any, kinds: dict[str, str]) -> None:
    """Assert that a price has the attributes of its list, each of its kind such as `text or null`."""
    assert set(record) == {"id", "type", "attributes"}
    assert UUID.fullmatch(record["id"])
    assert record["type"] == "prices"
    assert set(record["attributes"]) == set(kinds)
    for name, kind in kinds.items():
        value = record["attributes"][name]
        plain, _, null = kind.partition(" or ")
        assert CHECKS[plain](value) if value is not None else null == "null", f"{name}: {value!r} is no {kind}"


def check_file(response: Response) -> None:
    """Assert that a missing file has an empty body, and a file is a gzip of one CSV with the exact header row."""
    if response.status in (401, 404):
        assert response.body == b""
        return
    text = gzip.decompress(response.body).decode()
    assert "\r" not in text
    rows = list(csv.reader(io.StringIO(text)))
    if rows[0][4:8] == SOURCE_COLUMNS_OF_NEW:
        rows = [[*row[:4], row[4], *row[8:]] for row in rows]
        rows[0][4] = "Source"
    # DIDWW does not publish the columns of messages: those of the emulator are its own.
    assert rows[0] in (CDR_IN_HEADER, CDR_OUT_HEADER, [*SMS_IN_COLUMNS], [*SMS_OUT_COLUMNS])
    assert all(len(row) == len(rows[0]) for row in rows)


def check_errors(document: Any, status: int) -> None:
    """Assert that an error document has `errors` alone, each with title, detail, code and status as text."""
    assert set(document) == {"errors"}
    assert document["errors"]
    for error in document["errors"]:
        assert (
            {"title", "detail", "code", "status"}
            <= set(error)
            <= {*["title", "detail", "code", "status", "source", "meta"]}
        )
        assert all(isinstance(error[name], str) for name in ("title", "detail", "code", "status"))
        assert error["status"] == str(status)
        if "source" in error:
            assert set(error["source"]) == {"pointer"}
            assert error["source"]["pointer"].startswith("/data")


def check_document(document: Any, path: str, query: dict[str, str], version: str) -> None:
    """Assert that members, meta and links of a document match the contract for this kind of path."""
    many = isinstance(document["data"], list)
    resources = document["data"] if many else [document["data"]]
    type_ = next(name for name in types(version) if facts(name, version).path == path.split("/", maxsplit=1)[0])
    included = {name for name in query.get("include", "").split(",") if name}
    assert ("included" in document) == bool(included)
    fieldsets = {name[7:-1]: set(value.split(",")) for name, value in query.items() if name.startswith("fields[")}
    paths = with_parents(included)
    for resource in resources:
        assert resource["type"] == type_
        check_resource(resource, fieldsets, {name for name in paths if "." not in name}, version)
    check_included(document.get("included", []), resources, fieldsets, version)
    types_included = {resource["type"] for resource in document.get("included", [])}
    assert types_included <= reachable(version).get(type_, frozenset()), "what is included can be reached"
    meta = document.get("meta", {})
    expected = FIXED_META.get(type_, {"total_records"} if type_ not in UNPAGED[version] else set()) if many else set()
    if type_ != "public_keys":
        expected = expected | {"api_version"}
        assert meta["api_version"] == version
    assert set(meta) - {"available_count"} == expected
    assert ("links" in document) == (many and type_ not in UNPAGED[version])
    if "links" in document:
        assert {"first", "last"} <= set(document["links"]) <= {"first", "last", "next", "prev"}
        for link in document["links"].values():
            assert link.startswith("http")
            assert "[" not in link


def with_parents(paths: set[str]) -> set[str]:
    """Return the paths and their parents, which are included as well."""
    return {".".join(path.split(".")[: n + 1]) for path in paths for n in range(path.count(".") + 1)}


def check_included(included: list[Any], primary: list[Any], fieldsets: dict[str, set[str]], version: str) -> None:
    """Assert that each included resource is unique and linked, and that none is missing."""
    keys = [(item["type"], item["id"]) for item in included]
    assert len(set(keys)) == len(keys), "a resource is included once"
    linked: set[tuple[str, str]] = set()
    for resource in [*primary, *included]:
        for relationship in resource.get("relationships", {}).values():
            data = relationship.get("data") or []
            linked |= {(item["type"], item["id"]) for item in (data if isinstance(data, list) else [data])}
    if not fieldsets:
        assert set(keys) <= linked, "what is included is linked"
        assert linked <= set(keys) | {(item["type"], item["id"]) for item in primary}, "what is linked is included"
    for resource in included:
        check_resource(resource, fieldsets, None, version)


def check_resource(resource: Any, fieldsets: dict[str, set[str]], included: set[str] | None, version: str) -> None:
    """Assert that a resource has exactly the contract's members, or the requested ones, with their types."""
    known = facts(resource["type"], version)
    assert UUID.fullmatch(resource["id"]), resource["id"]
    assert set(resource) <= {"id", "type", "attributes", "relationships", "meta"}
    requested = fieldsets.get(resource["type"])
    attributes = {name for name in known.attributes if requested is None or name in requested}
    there = set(resource["attributes"])
    assert there == attributes, f"{known.type}: {there ^ attributes}"
    for name in attributes:
        check_value(resource["attributes"][name], known.attributes[name], f"{known.type}.{name}")
    relationships = {name for name in known.relationships if requested is None or name in requested}
    linked = set(resource.get("relationships", {}))
    assert linked - {name for kind, name in MAY_BE_LINKED if kind == known.type} == relationships
    for name in relationships:
        relationship = resource["relationships"][name]
        assert set(relationship) <= {"links", "data"}
        assert set(relationship["links"]) == {"self", "related"}
        assert relationship["links"]["self"].endswith(f"/{resource['id']}/relationships/{name}")
        if included is not None:
            assert ("data" in relationship) == (name in included), (
                f"{known.type}.{name}: linkage if and only if included"
            )
        if "data" in relationship:
            check_linkage(relationship["data"], known.relationships[name].kind, known.relationships[name].targets)
    for name, member in known.meta.items():
        if member.required:
            assert name in resource["meta"], f"{known.type}: meta {name}"
    for name, value in (resource.get("meta") or {}).items():
        if value is not None and known.meta[name].kind == "integer":
            assert isinstance(value, int), f"{known.type}: meta {name}"
        elif not known.meta[name].required and value is None:
            continue
        else:
            check_value(value, known.meta[name], f"{known.type} meta {name}")


def check_linkage(data: Any, kind: str, targets: frozenset[str]) -> None:
    """Assert that linkage is one identifier or null, or a list of identifiers, of the right type."""
    assert isinstance(data, list) == (kind == "many")
    for identifier in data if isinstance(data, list) else [data] if data is not None else []:
        assert set(identifier) == {"type", "id"}
        assert identifier["type"] in targets


def check_value(value: Any, fact: Attribute, where: str) -> None:
    """Assert that an attribute's value has the contract's type."""
    if value is None:
        assert fact.nullable or tuple(where.split(".")) in MAY_BE_NULL, f"{where} is null"
        return
    assert CHECKS[fact.kind](value), f"{where}: {value!r} is no {fact.kind}"
    if fact.enum and fact.kind == "enum":
        assert value in fact.enum, f"{where}: {value!r} is not of the enumeration"
    if fact.kind == "list":
        for item in value:
            assert not fact.enum or item in fact.enum, f"{where}: {item!r} is not of the enumeration"
            if fact.item == "object":
                check_object(item, fact, where)
    if fact.kind == "object":
        check_object(value, fact, where)


def check_object(value: Any, fact: Attribute, where: str) -> None:
    """Assert that a nested object has all attributes of its type."""
    assert set(value) == {"type", "attributes"}, where
    variant = fact.variants[value["type"]]
    assert set(value["attributes"]) == set(variant), f"{where}: {set(value['attributes']) ^ set(variant)}"
    for name, inner in variant.items():
        check_value(value["attributes"][name], inner, f"{where}.{name}")


def _amount(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"-?\d+\.\d+", value))


CHECKS: dict[str, Any] = {
    "text": lambda value: isinstance(value, str),
    "enum": lambda value: isinstance(value, (str, int)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "decimal": _amount,
    "datetime": lambda value: isinstance(value, str) and bool(DATETIME.fullmatch(value)),
    "date": lambda value: isinstance(value, str) and bool(DATE.fullmatch(value)),
    "list": lambda value: isinstance(value, list),
    "map": lambda value: isinstance(value, dict),
    "text or map": lambda value: isinstance(value, (str, dict)),
    "object": lambda value: isinstance(value, dict),
}
