"""CallbackVerifier: vectors, secret rotation, public URLs, extra queries, and rejections with their reasons."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    CallbackRejectedError,
    CallbackVerifier,
    InvalidValueError,
    OrderCallback,
    RequestValidator,
    sign_callback,
)
from support.callback_vectors import ORDER, SECRET, VECTORS, Vector

URL = "https://hooks.example.test/didww"
PAYLOAD = {"id": ORDER, "type": "orders", "status": "completed"}
FORM = "application/x-www-form-urlencoded"


def sent(url: str = URL, payload: Any = PAYLOAD, *, secret: str = SECRET, method: Any = "POST") -> dict[str, Any]:
    """The arguments of `verify` for a signed request."""
    made = sign_callback(url, payload, secret=secret, method=method)
    return {"method": made.method, "url": made.url, "headers": made.headers, "body": made.body.encode()}


def reason(verifier: CallbackVerifier, request: dict[str, Any]) -> str:
    """Why a request is refused."""
    with pytest.raises(CallbackRejectedError) as caught:
        verifier.verify(**request)
    return caught.value.reason


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one.name)
def test_known_vectors_are_signed_and_accepted(vector: Vector) -> None:
    """The signer creates the known signature; the verifier accepts the request and returns all its fields."""
    made = sign_callback(vector.url, vector.payload, secret=SECRET, method=vector.method)  # type: ignore[arg-type]
    assert made.headers[RequestValidator.HEADER] == vector.signature
    found = CallbackVerifier(secrets=[SECRET]).verify(
        method=made.method, url=made.url, headers=made.headers, body=made.body.encode()
    )
    payload = vector.payload if isinstance(vector.payload, list) else [vector.payload]
    assert [one.to_dict() for one in found] == payload


def test_url_without_scheme_is_signed_as_http() -> None:
    """Signer, signature check and verifier agree; DIDWW uses no other scheme."""
    url = "hooks.example.test:8080/didww"
    made = sign_callback(url, PAYLOAD, secret=SECRET)
    assert made.url == f"http://{url}"
    signature = made.headers[RequestValidator.HEADER]
    for one in (url, f"http://{url}"):
        assert RequestValidator(SECRET).validate(one, PAYLOAD, signature)
        verifier = CallbackVerifier(secrets=[SECRET], public_url=one)
        assert verifier.verify(**{**sent(url), "url": "/didww"})
    with pytest.raises(InvalidValueError, match="url must be an http or https URL"):
        sign_callback("ftp://hooks.example.test/didww", PAYLOAD, secret=SECRET)


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_fragment_is_signed_but_not_sent(method: str) -> None:
    """The verifier takes it from the public URL; without it, the signature differs."""
    url = "https://hooks.example.test/didww?tenant=42#part"
    request = sent(url, method=method)
    arrived = {**request, "url": request["url"].partition("#")[0].removeprefix("https://hooks.example.test")}
    (callback,) = CallbackVerifier(secrets=[SECRET], public_url=url).verify(**arrived)
    assert callback.to_dict() == PAYLOAD
    assert reason(CallbackVerifier(secrets=[SECRET], public_url=url.partition("#")[0]), arrived) == "mismatch"


@pytest.mark.parametrize("secret", ["new", "old"])
def test_two_secrets_are_accepted_during_rotation(secret: str) -> None:
    """While both are configured, both are valid."""
    verifier = CallbackVerifier(secrets=["new", "old"])
    assert verifier.verify(**sent(secret=secret))
    assert reason(verifier, sent(secret="older")) == "mismatch"


def test_secret_may_be_any_text() -> None:
    """Non-ASCII text works; the emulator signs with the code that verifies."""
    assert CallbackVerifier(secrets=["clé de démo"]).verify(**sent(secret="clé de démo"))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("public_url", "called", "arrives"),
    [
        ("https://hooks.example.com/didww", "https://hooks.example.com/didww", "http://10.0.0.7:8000/didww"),
        ("https://hooks.example.com/didww", "https://hooks.example.com/didww", "/stripped"),
        ("https://hooks.example.com/didww?a=b", "https://hooks.example.com/didww?tenant=4", "/in?tenant=4"),
        ("https://hooks.example.com", "https://hooks.example.com/a%20b/c", "/a%20b/c"),
        ("https://hooks.example.com:8443", "https://hooks.example.com:8443/x?type=1", "http://localhost/x?type=1"),
        ("http://user:pass@hooks.example.com/x", "http://user:pass@hooks.example.com/x", "/x"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]:443/x", "/y"),
        (None, "http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
    ],
)
def test_public_url_is_what_was_signed(method: str, public_url: str | None, called: str, arrives: str) -> None:
    """Scheme, host, port and path behind a proxy do not matter; the query is the request's."""
    request = sent(called, method=method)
    if method == "GET":
        query = request["url"].partition("?")[2]
        arrives = f"{arrives.partition('?')[0]}?{query}"
    (found,) = CallbackVerifier(secrets=[SECRET], public_url=public_url).verify(**{**request, "url": arrives})
    assert isinstance(found, OrderCallback)
    assert found.to_dict() == PAYLOAD


@pytest.mark.parametrize("own", ["id=9", "type=own&id=1", "status=a&status=b", "empty=", "a=b&" * 40 + "c=d"])
def test_existing_query_parameters_are_not_fields(own: str) -> None:
    """For GET, DIDWW's fields follow those of the URL, whatever their names."""
    (found,) = CallbackVerifier(secrets=[SECRET]).verify(**sent(f"{URL}?{own}", method="GET"))
    assert found.to_dict() == PAYLOAD


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"headers": {}}, "missing"),
        ({"headers": {RequestValidator.HEADER: ""}}, "missing"),
        ({"headers": {RequestValidator.HEADER: "abc"}}, "malformed"),
        ({"headers": {RequestValidator.HEADER: "g" * 40}}, "malformed"),
        ({"headers": [(RequestValidator.HEADER, "0" * 40)] * 2}, "malformed"),
        (
            {"headers": {RequestValidator.HEADER: "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d", "Content-Type": FORM}},
            "mismatch",
        ),
        ({"headers": {RequestValidator.HEADER: "0" * 40, "Content-Type": FORM}}, "mismatch"),
        ({"body": b"id=1&type=orders&status=completed"}, "mismatch"),
        ({"url": "https://hooks.example.test/other"}, "mismatch"),
        ({"url": "https://hooks.example.test/didww?more=1"}, "mismatch"),
        ({"method": "GET"}, "mismatch"),
        ({"method": "PUT"}, "malformed"),
        ({"body": b""}, "malformed"),
        ({"body": b"id=1&id=2&type=orders"}, "malformed"),
        ({"body": b"\xff\xfe"}, "malformed"),
        ({"body": b"id=%ff"}, "malformed"),
        ({"body": b"a=1&" * 101}, "malformed"),
        ({"body": b"x" * 2001}, "too_large"),
    ],
)
def test_rejection_has_a_reason_and_status(change: dict[str, Any], why: str) -> None:
    """Programs can read the reason, and the status fits it."""
    verifier = CallbackVerifier(secrets=[SECRET], max_bytes=2000)
    assert reason(verifier, {**sent(), **change}) == why
    assert CallbackRejectedError("", reason=why).status in (400, 401, 413)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[1]", b'[{"type": "orders"', b"null", b'"text"', b"[" * 100_000, b'[{"a": {"b": 1}}]']
)
def test_invalid_json_is_rejected(body: bytes) -> None:
    """The JSON is broken, empty, nested or something else."""
    request = {
        **sent(),
        "headers": {RequestValidator.HEADER: "0" * 40, "Content-Type": "application/json; charset=utf-8"},
    }
    assert reason(CallbackVerifier(secrets=[SECRET]), {**request, "body": body}) in ("malformed", "mismatch")


@pytest.mark.parametrize("value", [["false"], [], {}, {"a": "b"}, [["false"]]])
def test_only_scalar_values_are_accepted(value: Any) -> None:
    """A list of one text has the signature of the text, and would be truthy."""
    (trunk,) = (vector.payload[0] for vector in VECTORS if vector.name == "trunk")
    request = sent(payload=[{**trunk, "threshold_reached": "false"}])
    assert CallbackVerifier(secrets=[SECRET]).verify(**request)
    changed = json.dumps([{**trunk, "threshold_reached": value}]).encode()
    with pytest.raises(CallbackRejectedError, match="'threshold_reached' must be a string, number, boolean or null"):
        CallbackVerifier(secrets=[SECRET]).verify(**{**request, "body": changed})


def test_empty_array_is_rejected() -> None:
    """It is rejected even when it is signed."""
    made = sign_callback("https://hooks.example.com/didww", [], secret=SECRET)
    request = {"method": "POST", "url": made.url, "headers": made.headers, "body": made.body.encode()}
    assert reason(CallbackVerifier(secrets=[SECRET]), request) == "malformed"


@pytest.mark.parametrize(
    "payload",
    [
        {"id": ORDER, "status": "completed"},
        {"type": "orders", "status": "completed"},
        {"id": ORDER, "type": "orders"},
        {"id": "", "type": "orders", "status": "completed"},
        {"id": ORDER, "type": "orders", "status": ""},
        [{"id": ORDER, "type": "orders", "status": None}],
        {"id": f"{ORDER}statuscompletedtypeorders", "type": ""},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_callback_must_have_its_required_fields(payload: Any, method: str) -> None:
    """The signature does not separate fields, so the required fields must be present."""
    if isinstance(payload, list) and method == "GET":
        return
    verifier = CallbackVerifier(secrets=[SECRET])
    assert reason(verifier, sent(payload=payload, method=method)) in ("malformed", "mismatch")


def test_regrouped_fields_are_rejected() -> None:
    """The signed text is the same, but the fields differ."""
    request = sent()
    for fields in (
        {"id": f"{ORDER}statuscompleted", "type": "orders"},
        {"id": ORDER, "status": "completedtypeorders"},
        {f"id{ORDER}status": "completed", "type": "orders"},
    ):
        changed = {**request, "body": urlencode(fields).encode()}
        assert reason(CallbackVerifier(secrets=[SECRET]), changed) == "malformed"


@pytest.mark.parametrize("shape", ["mapping", "pairs", "bytes", "lower"])
def test_all_header_types_are_accepted(shape: str) -> None:
    """The test uses the types of common frameworks."""
    request = sent()
    pairs = list(request["headers"].items())
    headers: Any = {
        "mapping": dict(pairs),
        "pairs": iter(pairs),
        "bytes": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "lower": {name.lower(): f" {value} " for name, value in pairs},
    }[shape]
    assert CallbackVerifier(secrets=[SECRET]).verify(**{**request, "headers": headers})


def test_signature_is_case_insensitive() -> None:
    """A signature is a hexadecimal number."""
    request = sent()
    request["headers"] = {
        **request["headers"],
        RequestValidator.HEADER: request["headers"][RequestValidator.HEADER].upper(),
    }
    assert CallbackVerifier(secrets=[SECRET]).verify(**request)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"secrets": []}, "secrets"),
        ({"secrets": [""]}, "secrets"),
        ({"secrets": "one"}, "secrets"),
        ({"secrets": [b"one"]}, "secrets"),
        ({"secrets": ["one"], "public_url": "/didww"}, "public_url"),
        ({"secrets": ["one"], "public_url": "ftp://hooks.example.com/didww"}, "public_url"),
        ({"secrets": ["one"], "public_url": ""}, "public_url"),
        ({"secrets": ["one"], "max_bytes": 0}, "max_bytes"),
    ],
)
def test_invalid_arguments_raise_immediately(options: Any, field: str) -> None:
    """The error names the argument and never shows the secret."""
    with pytest.raises(InvalidValueError, match=field) as caught:
        CallbackVerifier(**options)
    assert caught.value.field == field
    assert "one" not in str(caught.value).replace("none", "")


@pytest.mark.parametrize("url", ["/didww", "didww", "", "mailto:x"])
def test_path_without_host_needs_the_public_url(url: str) -> None:
    """The message says which argument to pass."""
    with pytest.raises(InvalidValueError, match=r"whole address|public_url"):
        CallbackVerifier(secrets=[SECRET]).verify(**{**sent(), "url": url})


@pytest.mark.parametrize("host", ["", "a b", "[::1", "x:y:z", "\\", "user@", "é", "a" * 5000])
def test_malformed_host_header_is_handled(host: str) -> None:
    """Frameworks build the URL from the Host header; with a public URL it does not matter."""
    request = {**sent(), "url": f"http://{host}/didww"}
    assert reason(CallbackVerifier(secrets=[SECRET]), request) in ("malformed", "mismatch")
    assert CallbackVerifier(secrets=[SECRET], public_url=URL).verify(**request)


def test_secrets_are_hidden() -> None:
    """No repr, copy, pickle or error shows them."""
    verifier = CallbackVerifier(
        secrets=["hush-hush", "older-hush"], public_url="https://me:pw-hush@hooks.example.com/x"
    )
    assert "hush" not in repr(verifier)
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            attempt(verifier)
    with pytest.raises(CallbackRejectedError) as caught:
        verifier.verify(**{**sent(), "url": "/x?token=hush"})
    assert "hush" not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.reason, again.status, str(again)) == ("mismatch", 401, str(caught.value))


VALUES = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    fields=st.dictionaries(VALUES.filter(lambda name: name not in ("", "id", "type", "status")), VALUES, max_size=8),
    method=st.sampled_from(["GET", "POST"]),
    own=st.lists(st.tuples(VALUES, VALUES), max_size=4),
)
def test_any_signed_request_is_accepted(fields: dict[str, str], method: str, own: list[tuple[str, str]]) -> None:
    """Any fields work, with either method and any extra query; nothing is lost or changed."""
    payload = {**PAYLOAD, **fields}
    url = f"{URL}?{urlencode(own)}" if own else URL
    (found,) = CallbackVerifier(secrets=[SECRET]).verify(**sent(url, payload, method=method))
    assert found.to_dict() == payload


@given(
    method=st.text(max_size=8) | st.sampled_from(["GET", "POST"]),
    query=st.text(max_size=60),
    headers=st.dictionaries(st.sampled_from(["X-DIDWW-Signature", "Content-Type", "x"]), st.text(max_size=60)),
    signature=st.none() | st.text("0123456789abcdefABCDEF", min_size=40, max_size=40),
    body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
)
def test_arbitrary_requests_are_rejected(
    method: str, query: str, headers: dict[str, str], signature: str | None, body: bytes
) -> None:
    """There is one class of error."""
    if signature is not None:
        headers = {**headers, "X-DIDWW-Signature": signature}
    with pytest.raises(CallbackRejectedError):
        CallbackVerifier(secrets=[SECRET]).verify(method=method, url=f"{URL}?{query}", headers=headers, body=body)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("/didww", PAYLOAD), "url"),
        ((URL, {"id": {"a": 1}}), "payload"),
        ((URL, [{"a": object()}]), "payload"),
        ((URL, [{"a": [1, 2]}]), "payload"),
        ((URL, [{"a": ["1"]}]), "payload"),
        ((URL, {"a": ["1"]}), "payload"),
    ],
)
def test_signer_rejects_invalid_input(arguments: Any, field: str) -> None:
    """It raises instead of creating a request that no receiver accepts."""
    with pytest.raises(InvalidValueError) as caught:
        sign_callback(*arguments, secret=SECRET)
    assert caught.value.field == field
    for options, name in (({"secret": ""}, "secret"), ({"secret": SECRET, "method": "PUT"}, "method")):
        with pytest.raises(InvalidValueError) as caught:
            sign_callback(URL, PAYLOAD, **options)  # type: ignore[arg-type]
        assert caught.value.field == name
    with pytest.raises(InvalidValueError, match="POST for a list"):
        sign_callback(URL, [PAYLOAD], secret=SECRET, method="GET")


def test_get_is_signed_with_fields_in_alphabetical_order() -> None:
    """It matches a recorded request of DIDWW's sandbox."""
    made = sign_callback(
        f"{URL}?z=1#f", {"type": "orders", "status": "completed", "id": "1"}, secret=SECRET, method="get"
    )
    assert made.url == f"{URL}?z=1&id=1&status=completed&type=orders#f"
    assert made.body == ""
    assert dict(parse_qsl(made.url.partition("?")[2].partition("#")[0]))["z"] == "1"
