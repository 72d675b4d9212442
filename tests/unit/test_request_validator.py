"""Callback signatures: published vectors, our own vectors, and arbitrary input."""

from __future__ import annotations

import hmac
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.callback.request_validator import RequestValidator
from didww.exceptions import InvalidValueError

ORDER = {"id": "1dd7a68b-e235-402b-8912-fe73ee14243a", "status": "completed", "type": "orders"}
PUBLISHED = [
    ("http://example.com/callbacks", "fe99e416c3547f2f59002403ec856ea386d05b2f"),
    ("https://example.com/callbacks", "57ba6c3c14ea4bfa9bebd079869cafb27dcba1b6"),
    ("http://foo.com/bar", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
    ("http://foo.com:80/bar", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
    ("http://foo.com:443/bar", "904eaa65c0759afac0e4d8912de424e2dfb96ea1"),
    ("http://foo.com:8182/bar", "eb8fcfb3d7ed4b4c2265d73cf93c31ba614384d1"),
    ("http://foo.com/bar?baz=boo", "78b00717a86ce9df06abf45ff818aa94537e1729"),
    ("http://user:pass@foo.com/bar", "88615a11a78c021c1da2e1e0bfb8cc165170afc5"),
    ("http://foo.com/bar#test", "b1c4391fcdab7c0521bb5b9eb4f41f08529b8418"),
    ("https://foo.com/bar", "f26a771c302319a7094accbe2989bad67fff2928"),
    ("https://foo.com:443/bar", "f26a771c302319a7094accbe2989bad67fff2928"),
    ("https://foo.com:80/bar", "bd45af5253b72f6383c6af7dc75250f12b73a4e1"),
    ("https://foo.com:8384/bar", "9c9fec4b7ebd6e1c461cb8e4ffe4f2987a19a5d3"),
    ("https://foo.com/bar?qwe=asd", "4a0e98ddf286acadd1d5be1b0ed85a4e541c3137"),
    ("https://qwe:asd@foo.com/bar", "7a8cd4a6c349910dfecaf9807e56a63787250bbd"),
    ("https://foo.com/bar#baz", "5024919770ea5ca2e3ccc07cb940323d79819508"),
    ("http://[::1]/bar", "e0e9b83e4046d097f54b3ae64b08cbb4a539f601"),
    ("http://[::1]:80/bar", "e0e9b83e4046d097f54b3ae64b08cbb4a539f601"),
    ("http://[::1]:9090/bar", "ebec110ec5debd0e0fd086ff2f02e48ca665b543"),
    ("https://[::1]/bar", "f3cfe6f523fdf1d4eaadc310fcd3ed92e1e324b0"),
    ("http://foo.com/hello%20world", "eb64035b2e8f356ff1442898a39ec94d5c3e2fc8"),
    ("http://foo.com/foo%2Fbar", "db24428442b012fa0972a453ba1ba98e755bba10"),
]
OTHERS: list[tuple[str, str, Any, str]] = [
    ("OTHERAPIKEY", "http://example.com/callbacks?foo=bar#baz", ORDER, "32754ba93ac1207e540c0cf90371e7786b3b1cde"),
    (
        "SOMEAPIKEY",
        "http://example.com/callback.php?id=7ae7c48f-d48a-499f-9dc1-c9217014b457&reject_reason=&status=approved&type=address_verifications",
        {
            "id": "7ae7c48f-d48a-499f-9dc1-c9217014b457",
            "reject_reason": "",
            "status": "approved",
            "type": "address_verifications",
        },
        "18050028b6b22d0ed516706fba1c1af8d6a8f9d5",
    ),
    (
        "szrdgh6547umt7tht7xbqhj6g9gdbyp7",
        "https://mycompany.com/didww_callbacks?opaque=123",
        {"id": "bf2cee72-6caa-4ae2-917e-bea01945691e", "status": "completed", "type": "orders"},
        "30f66e9d72eb5e193051fd02952f70d8e934b4ff",
    ),
]
HOOK, SECRET = "https://hooks.example.test/didww", "test-callback-secret"
ID = "5da18706-be9f-49b0-aeec-0480aacd49ad"
BLOCKED = {
    "id": "f36d1d17-bd16-42b9-af42-0cfe166bf3ec",
    "type": "voice_out_trunks",
    "status": "blocked",
    "threshold_reached": True,
    "created_at": "2017-06-25T08:21:41.795Z",
}
ACTIVE = {
    "id": "457bf47d-446d-41cd-91c3-dfbda7bf0753",
    "type": "voice_out_trunks",
    "status": "active",
    "threshold_reached": False,
    "created_at": "2017-06-26T00:00:00.000Z",
}
EXPORT = "d482cc85-a5b2-4a8d-8c1f-51d886d53e18"
REJECTED = {"id": "89c0164e-752f-4995-a0fa-0ced21e60e4a", "type": "address_verifications", "status": "rejected"}
OWN: list[tuple[str, Any, str]] = [
    (HOOK, {"id": ID, "type": "orders", "status": "completed"}, "271b763e3008f4e073d990ff2c9d5b65c4c2d74c"),
    (
        f"{HOOK}?tenant=42",
        {"id": ID, "type": "orders", "status": "canceled"},
        "233012a7b175955271f6f5ecfe30dfa57acca5a3",
    ),
    (
        f"{HOOK}?id={ID}&status=completed&type=orders",
        {"id": ID, "type": "orders", "status": "completed"},
        "cf6ec99ed3942d39862d764791b7995b3fbeb47b",
    ),
    (
        "https://hooks.example.test:8443/didww",
        {
            "id": EXPORT,
            "type": "exports",
            "status": "completed",
            "url": f"https://api.didww.com/v3/exports/{EXPORT}.csv.gz",
        },
        "f7dd2e2ed8b52990096fc298c81a2016676b1d33",
    ),
    (
        HOOK,
        {**REJECTED, "reject_reason": "Document expired", "reject_comment": "Please send a new copy"},
        "922dadf471e9a9cd7d8ffbdcd39325b56047dcf5",
    ),
    (
        HOOK,
        {**REJECTED, "reject_reason": "Adresse ungültig", "reject_comment": "Straße & Nr. fehlen"},
        "a5b885009ae20a3ff18830a25a9aaab1ce7835a1",
    ),
    (
        HOOK,
        {
            "id": "c8e004b0-87ec-4987-b4fb-ee89db099f0e",
            "type": "emergency_verifications",
            "status": "approved",
            "reject_reasons": "",
            "emergency_calling_service_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        },
        "a4094308e168b80a0b85d1ab64271e28c71c8b51",
    ),
    (f"{HOOK}/vout", [BLOCKED], "00be48411ed5b6b97d7721b8f099d8e1a8659056"),
    (f"{HOOK}/vout", [BLOCKED, ACTIVE], "e9b0bd181add2a0d95ba3876cd28863e5e516632"),
]
VECTORS = [("SOMEAPIKEY", url, ORDER, signature) for url, signature in PUBLISHED] + OTHERS
VECTORS += [(SECRET, url, payload, signature) for url, payload, signature in OWN]


@pytest.mark.parametrize(("key", "url", "payload", "signature"), VECTORS)
def test_only_exact_signatures_are_accepted(key: str, url: str, payload: Any, signature: str) -> None:
    """The signature is valid for exactly this secret, URL and payload."""
    validator = RequestValidator(key)
    assert validator.validate(url=url, payload=payload, signature=signature) is True
    assert validator.validate(url, payload, signature[:-1] + ("0" if signature[-1] != "0" else "1")) is False
    assert validator.validate(url, payload, signature + "0") is False
    assert validator.validate(url.replace("://", "://x"), payload, signature) is False
    assert validator.validate(f"{url}x", payload, signature) is False
    assert RequestValidator(f"{key}x").validate(url, payload, signature) is False
    changed = [{**one, "status": "other"} for one in ([payload] if isinstance(payload, dict) else payload)]
    assert validator.validate(url, changed if isinstance(payload, list) else changed[0], signature) is False


@pytest.mark.parametrize("signature", ["", None, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d", "é", "\ud800"])
def test_missing_or_malformed_signature_is_rejected(signature: Any) -> None:
    """The result is False for any header, including the HMAC of nothing under an empty key."""
    assert RequestValidator("SOMEAPIKEY").validate("http://example.com/callbacks", ORDER, signature) is False


def test_field_order_and_parse_qs_lists_do_not_matter() -> None:
    """Fields are sorted, and one-item lists as made by `parse_qs` are accepted."""
    validator, url, signature = RequestValidator("SOMEAPIKEY"), *PUBLISHED[0]
    assert validator.validate(url, dict(reversed(ORDER.items())), signature)
    assert validator.validate(url, {name: [value] for name, value in ORDER.items()}, signature)


@pytest.mark.parametrize("body", ["", "id=1", b"", b"id=1", bytearray(b"id=1"), memoryview(b"id=1")])
def test_raw_body_raises_a_helpful_error(body: Any) -> None:
    """An unparsed body would never match; the error says how to parse it."""
    with pytest.raises(InvalidValueError, match="parse_qsl") as caught:
        RequestValidator("secret").validate(HOOK, body, "x")
    assert caught.value.field == "payload"


@pytest.mark.parametrize("secret", ["", b"x", 5])
@pytest.mark.filterwarnings("ignore:api_key is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", ["callback_secret", "api_key"])
def test_secret_is_required(name: str, secret: Any) -> None:
    """The error names the argument, and where to find the secret."""
    with pytest.raises(InvalidValueError, match=rf"{name} must be the callback secret.*user panel") as caught:
        RequestValidator(**{name: secret})
    assert caught.value.field == name


def test_secret_argument_is_callback_secret() -> None:
    """It works as keyword, first argument and attribute; the former name `api_key` warns."""
    url, signature = PUBLISHED[0]
    for validator in (RequestValidator("SOMEAPIKEY"), RequestValidator(callback_secret="SOMEAPIKEY")):
        assert validator.callback_secret == "SOMEAPIKEY"
        assert validator.validate(url, ORDER, signature)
    with pytest.warns(DeprecationWarning, match="api_key is deprecated: use callback_secret"):
        validator = RequestValidator(api_key="SOMEAPIKEY")
    assert validator.callback_secret == "SOMEAPIKEY"
    assert validator.validate(url, ORDER, signature)
    with pytest.warns(DeprecationWarning, match="api_key is deprecated: use callback_secret") as caught:
        assert validator.api_key == "SOMEAPIKEY"
    assert caught[0].filename == __file__


def test_only_one_secret_argument_is_accepted() -> None:
    """Passing both names raises an error."""
    both: Any = {"callback_secret": "a", "api_key": "a"}
    with pytest.raises(TypeError, match="callback_secret"):
        RequestValidator(**both)


@pytest.mark.parametrize("arguments", [{}, {"callback_secret": None}, {"callback_secret": None, "api_key": None}])
def test_none_as_secret_says_where_to_find_it(arguments: Any) -> None:
    """None usually comes from an unset environment variable."""
    with pytest.raises(TypeError, match=r"got None\. Copy it from the user panel \(API 3, Callback Secrets\)"):
        RequestValidator(**arguments)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": b"https://hooks.example.test/didww"}, "url"),
        ({"url": None}, "url"),
        ({"url": Path("/didww")}, "url"),
        ({"signature": b"fe99"}, "signature"),
        ({"signature": 5}, "signature"),
        ({"signature": ["fe99"]}, "signature"),
        ({"payload": {b"id": [b"x"]}}, "payload"),
        ({"payload": {"id": b"x"}}, "payload"),
        ({"payload": {"id": [b"x"]}}, "payload"),
        ({"payload": [{1: "x"}]}, "payload"),
        ({"payload": {None: "x"}}, "payload"),
        ({"payload": iter([ORDER])}, "payload"),
        ({"payload": {"id"}}, "payload"),
        ({"payload": object()}, "payload"),
    ],
)
def test_argument_of_wrong_type_raises(change: Any, field: str) -> None:
    """No request produces it, and False would look like an invalid signature."""
    with pytest.raises(InvalidValueError, match=f"{field} must") as caught:
        RequestValidator("secret").validate(**{"url": HOOK, "payload": ORDER, "signature": "0" * 40, **change})
    assert caught.value.field == field


@pytest.mark.parametrize("payload", [{"id": "1status2"}, [{"id": "1"}, {"status": "2"}], {"id": "1statu", "s": "2"}])
def test_signature_does_not_separate_fields(payload: Any) -> None:
    """The service defines the rule; docs/how-to/callbacks.md warns of it."""
    signature = hmac.new(b"secret", b"https://hooks.example.test:443/didwwid1status2", "sha1").hexdigest()
    assert RequestValidator("secret").validate(HOOK, {"id": "1", "status": "2"}, signature)
    assert RequestValidator("secret").validate(HOOK, payload, signature)


def test_secret_is_hidden() -> None:
    """Neither repr nor pickle shows it."""
    validator = RequestValidator("canary-secret")
    assert "canary" not in repr(validator)
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(validator)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters())
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner))
URLS = st.text() | st.text().map("https://".__add__) | st.from_regex(r"https?://[^/]{0,9}[:@\[\]]{0,3}[^/]{0,9}/.{0,9}")


@given(url=URLS, payload=JSON.filter(lambda one: not isinstance(one, str)), signature=st.none() | st.text())
def test_arbitrary_json_is_rejected_without_an_error(url: str, payload: Any, signature: str | None) -> None:
    """The result is False for JSON that is not a callback, infinite numbers included."""
    assert RequestValidator("secret").validate(url, payload, signature) is False


@pytest.mark.parametrize("payload", [{"a": 10**5000}, {"a": object()}, {"a": {"b": "c"}}, {"a": ["b", "c"]}, [5], 5])
def test_unexpected_field_values_are_rejected(payload: Any) -> None:
    """The result is False for other values, such as uploaded files of a form."""
    assert RequestValidator("secret").validate(HOOK, payload, "0" * 40) is False


FIELDS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters()), max_size=5)


@given(
    secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    scheme=st.sampled_from(["http", "https"]),
    host=st.sampled_from(["hooks.example.com", "192.0.2.1", "[2001:db8::1]", "Hooks.Example.com"]),
    port=st.none() | st.integers(1, 65535),
    rest=st.from_regex(r"/[!-~]{0,30}", fullmatch=True),
    payload=FIELDS | st.lists(FIELDS, max_size=3),
)
def test_signature_matches_an_independent_implementation(
    secret: str, scheme: str, host: str, port: int | None, rest: str, payload: Any
) -> None:
    """The port is always written, the rest is verbatim, and fields are sorted by their bytes."""
    text = f"{scheme}://{host}:{port or {'http': 80, 'https': 443}[scheme]}{rest}"
    for fields in payload if isinstance(payload, list) else [payload]:
        text += "".join(name + fields[name] for name in sorted(fields, key=lambda name: name.encode()))
    right = hmac.new(secret.encode(), text.encode("utf-8", "surrogatepass"), "sha1").hexdigest()
    url = f"{scheme}://{host}{'' if port is None else f':{port}'}{rest}"
    validator = RequestValidator(secret)
    assert validator.validate(url, payload, right) is True
    assert validator.validate(url, payload, right.upper()) is right.isdecimal()
    assert validator.validate(url, payload, f" {right}") is False
    assert validator.validate(url, payload, right[:39]) is False
    assert validator.validate(f"{url}x", payload, right) is False


@pytest.mark.parametrize("signature", [PUBLISHED[0][1], "0" * 40, "short", "", "\u00e9"])
def test_signatures_are_compared_in_constant_time(signature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`hmac.compare_digest` is used for any input, so timing reveals nothing."""
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def compare_digest(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    right = PUBLISHED[0][1].encode()
    assert RequestValidator("SOMEAPIKEY").validate(PUBLISHED[0][0], ORDER, signature) is (signature.encode() == right)
    assert compared == [(right, signature.encode())]


def test_secret_may_contain_any_unicode_text() -> None:
    """It is encoded as UTF-8; two secrets that only look alike differ."""
    composed, apart = "gehe\u00efm", "gehei\u0308m"
    signature = hmac.new(composed.encode(), f"{HOOK.replace('/didww', ':443/didww')}a1".encode(), "sha1").hexdigest()
    assert RequestValidator(composed).validate(HOOK, {"a": "1"}, signature)
    assert not RequestValidator(apart).validate(HOOK, {"a": "1"}, signature)
