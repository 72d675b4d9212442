"""Open enums: members match the tables of DIDWW API 2026-04-16, and unknown values round-trip."""

from __future__ import annotations

import copy
import enum
import inspect
import json
import pickle
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import enums
from didww._core.query import assemble
from didww._schema.versions import check_values, versions_of_values
from didww.enums import (
    Codec,
    ExportStatus,
    Feature,
    OpenIntEnum,
    OpenStrEnum,
    OrderStatus,
    ProofEntityType,
    ReroutingDisconnectCode,
    TransportProtocol,
)
from didww.exceptions import UnsupportedVersionError
from didww.resources.did_group import DidGroup
from didww.version import API_VERSIONS

# The tables of the contract's enumerations, copied: a change of the module has to be a change here, too.
STRINGS = {
    "AddressVerificationStatus": ["pending", "approved", "rejected"],
    "AreaLevel": ["world_wide", "country", "area", "city"],
    "CallbackMethod": ["get", "post"],
    "CallStatus": ["Completed", "Failed"],
    "CliFormat": ["raw", "e164", "local"],
    "DefaultDstAction": ["allow_all", "reject_all"],
    "DidHistoryAction": [
        "assigned",
        "renewed",
        "canceled",
        "removed",
        "billing_cycles_count_changed",
        "restored",
    ],
    "DidHistoryMethod": ["system", "api2", "api3", "staff", "user_panel", "mcp"],
    "DisconnectInitiator": ["Origination", "Destination", "System"],
    "DiversionInjectMode": ["none", "did_number"],
    "DiversionRelayPolicy": ["none", "as_is", "sip", "tel"],
    "EmergencyCallingServiceStatus": [
        "new",
        "in_process",
        "active",
        "changes_required",
        "pending_update",
        "canceled",
    ],
    "EmergencyVerificationStatus": ["pending", "approved", "rejected"],
    "ExportStatus": ["pending", "processing", "completed"],
    "ExportType": ["cdr_in", "cdr_out", "sms_in", "sms_out"],
    "Feature": ["voice_in", "voice_out", "t38", "sms_in", "p2p", "a2p", "emergency", "cnam_out"],
    "IdentityType": ["personal", "business", "any"],
    "MandatoryField": [
        "birth_date",
        "birth_country",
        "country",
        "personal_tax_id",
        "id_number",
        "vat_id",
        "company_reg_number",
        "contact_email",
    ],
    "MediaEncryptionMode": ["disabled", "srtp_sdes", "srtp_dtls", "zrtp"],
    "NumberType": ["local", "national", "mobile", "toll_free", "shared_cost", "global"],
    "NetworkProtocolPriority": ["force_ipv4", "force_ipv6", "any", "prefer_ipv4", "prefer_ipv6"],
    "OnCliMismatchAction": ["send_original_cli", "reject_call", "replace_cli", "randomize_cli"],
    "OrderStatus": ["pending", "completed", "canceled"],
    "PopCode": ["NYC", "FRA", "LAC", "MIA", "SG", "HK", "AMS"],
    "ProofEntityType": ["Personal", "Business", "Address"],
    "SenderIdVerificationStatus": [
        "new",
        "in_process",
        "active",
        "changes_required",
        "closing_in_process",
        "closed",
    ],
    "SenderType": ["alphanumeric", "carrier", "long_code", "short_code", "toll_free"],
    "SmsBodyType": ["json", "html_multipart", "html_url_encoded", "raw"],
    "SmsHttpMethod": ["get", "post", "put"],
    "StirShakenMode": ["disabled", "original", "pai", "original_pai", "verstat"],
    "VoiceOutPriceCategory": ["International", "Origin based", "Local"],
    "VoiceOutTrunkStatus": ["active", "blocked"],
}
CODECS = {
    6: "telephone-event",
    7: "G723",
    8: "G729",
    9: "PCMU",
    10: "PCMA",
    12: "speex",
    13: "GSM",
    14: "G726-32",
    15: "G721",
    16: "G726-24",
    17: "G726-40",
    18: "G726-16",
    19: "L16",
}
REROUTING_CODES = {
    56: "400 Bad Request",
    57: "401 Unauthorized",
    58: "402 Payment Required",
    59: "403 Forbidden",
    60: "404 Not Found",
    64: "408 Request Timeout",
    65: "409 Conflict",
    66: "410 Gone",
    67: "412 Conditional Request Failed",
    68: "413 Request Entity Too Large",
    69: "414 Request-URI Too Long",
    70: "415 Unsupported Media Type",
    71: "416 Unsupported URI Scheme",
    72: "417 Unknown Resource-Priority",
    73: "420 Bad Extension",
    74: "421 Extension Required",
    75: "422 Session Interval Too Small",
    76: "423 Interval Too Brief",
    77: "424 Bad Location Information",
    78: "428 Use Identity Header",
    79: "429 Provide Referrer Identity",
    80: "433 Anonymity Disallowed",
    81: "436 Bad Identity-Info",
    82: "437 Unsupported Certificate",
    83: "438 Invalid Identity Header",
    84: "480 Temporarily Unavailable",
    86: "482 Loop Detected",
    87: "483 Too Many Hops",
    88: "484 Address Incomplete",
    89: "485 Ambiguous",
    90: "486 Busy Here",
    91: "487 Request Terminated",
    92: "488 Not Acceptable Here",
    96: "494 Security Agreement Required",
    97: "500 Server Internal Error",
    98: "501 Not Implemented",
    99: "502 Bad Gateway",
    100: "503 Service Unavailable",
    101: "504 Server Time-out",
    102: "505 Version Not Supported",
    103: "513 Message Too Large",
    104: "580 Precondition Failure",
    105: "600 Busy Everywhere",
    106: "603 Decline",
    107: "604 Does Not Exist Anywhere",
    108: "606 Not Acceptable",
    1505: "Ringing timeout",
}
NUMBERS = {
    "Codec": {number: name.upper().replace("-", "_") for number, name in CODECS.items()},
    "ReroutingDisconnectCode": {
        number: ("" if number == 1505 else "SIP_") + re.sub(r"[^A-Z0-9]", "_", name.upper())
        for number, name in REROUTING_CODES.items()
    },
    "RxDtmfFormat": {1: "RFC_2833", 2: "SIP_INFO", 3: "RFC_2833_OR_SIP_INFO"},
    "SstRefreshMethod": {1: "INVITE", 2: "UPDATE", 3: "UPDATE_FALLBACK_INVITE"},
    "TransportProtocol": {1: "UDP", 2: "TCP", 3: "TLS"},
    "TxDtmfFormat": {0: "DISABLED", 1: "RFC_2833", 2: "SIP_INFO_RELAY", 4: "SIP_INFO_DTMF"},
}

STR_CLASSES: list[Any] = [getattr(enums, name) for name in STRINGS]
INT_CLASSES: list[Any] = [getattr(enums, name) for name in NUMBERS]
CLASSES = STR_CLASSES + INT_CLASSES
# One raw value for every class that none of them has, and one of a wrong type.
UNKNOWN: list[Any] = [(cls, "frozen") for cls in STR_CLASSES] + [(cls, -99) for cls in INT_CLASSES]
MEMBERS: list[Any] = [member for cls in CLASSES for member in cls]

each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
each_unknown = pytest.mark.parametrize(("cls", "raw"), UNKNOWN, ids=lambda value: getattr(value, "__name__", ""))


def trips(value: Any) -> list[Any]:
    """The value after every way of copying it that programs use."""
    pickled = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    return [*pickled, copy.copy(value), copy.deepcopy(value), copy.deepcopy([value])[0], type(value)(value)]


def assert_behaves_like_raw(value: Any, raw: Any) -> None:
    """An object of an open enum stands for its raw value wherever programs compare, print or encode."""
    assert value == raw
    assert raw == value
    assert (value != raw) is False
    assert hash(value) == hash(raw)
    assert {raw: 1}[value] == {value: 1}[raw] == 1
    assert value.value == raw
    assert type(value.value) is type(raw)
    assert isinstance(value, type(raw))
    assert str(value) == format(value) == f"{value}" == str(raw)
    assert json.dumps([value, {value: 1}]) == json.dumps([raw, {raw: 1}])
    assert msgspec.json.encode([value]) == msgspec.json.encode([raw])
    for other in trips(value):
        assert other == value
        assert type(other) is type(value)
        assert (other.value, other.name, other.is_known) == (value.value, value.name, value.is_known)
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)


def test_all_lists_every_class() -> None:
    """`__all__` is sorted and has the two bases, every class of the tables and the four functions, and nothing else."""
    functions = ["enum_value", "enum_value_list", "to_enum", "to_enum_list"]
    assert enums.__all__ == sorted([*STRINGS, *NUMBERS, "OpenIntEnum", "OpenStrEnum", *functions])


ALIASES = {"AreaLevel": {"WORLDWIDE"}}


@pytest.mark.parametrize("name", STRINGS)
def test_text_values_match_the_table(name: str) -> None:
    """Every text of the table, in order, is a member named in upper case."""
    cls = getattr(enums, name)
    expected = [(value.upper().replace(" ", "_"), value) for value in STRINGS[name]]
    assert issubclass(cls, OpenStrEnum)
    assert [(member.name, member.value) for member in cls] == expected
    assert cls.__members__.keys() - ALIASES.get(name, set()) == {member for member, _ in expected}


@pytest.mark.parametrize("name", NUMBERS)
def test_numeric_ids_match_the_table(name: str) -> None:
    """Every id of the table, in order, is a member named after its meaning in upper snake case."""
    cls = getattr(enums, name)
    assert issubclass(cls, OpenIntEnum)
    assert {member.value: member.name for member in cls} == NUMBERS[name]
    assert list(cls) == list(NUMBERS[name])
    assert len(cls.__members__) == len(NUMBERS[name])


def test_codec_and_rerouting_code_counts_match_the_tables() -> None:
    """There are 13 codecs and 47 rerouting codes, with the same gaps as in the tables."""
    assert (len(Codec), len(ReroutingDisconnectCode)) == (13, 47)
    assert 11 not in Codec
    assert not any(gap in ReroutingDisconnectCode for gap in (61, 62, 63, 85, 93, 94, 95))


def test_documented_member_names_exist() -> None:
    """The names that the README and the interface document promise exist."""
    assert [member.value for member in (ReroutingDisconnectCode.SIP_400_BAD_REQUEST, Codec.G726_32)] == [
        56,
        14,
    ]
    assert [member.value for member in (ReroutingDisconnectCode.RINGING_TIMEOUT, Codec.TELEPHONE_EVENT)] == [
        1505,
        6,
    ]
    assert enums.OnCliMismatchAction.RANDOMIZE_CLI.value == "randomize_cli"
    assert enums.StirShakenMode.ORIGINAL_PAI.value == "original_pai"


@each_class
def test_every_class_cites_its_source(cls: Any) -> None:
    """Each class has its own docstring that ends with its source."""
    assert re.search(r"\n *Source: (tests/contract/facts|docs/reference/cdr-columns\.md)", vars(cls)["__doc__"])


@each_class
def test_every_member_is_documented(cls: Any) -> None:
    """Each member is followed by a docstring, where editors look for one."""
    lines = [line.strip() for line in inspect.getsource(cls).splitlines()]
    for member in cls:
        after = lines[lines.index(f"{member.name} = {member.value!r}".replace("'", '"')) + 1]
        assert re.fullmatch(r'"""[A-Z`].+[.]"""', after), member


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_members_behave_like_their_raw_values(member: Any) -> None:
    """A member is known, can be looked up by value and by name, and copies are the same object."""
    cls = type(member)
    assert member.is_known
    assert cls(member.value) is member
    assert cls(member) is member
    assert cls[member.name] is member
    assert member in cls
    assert member.value in cls
    assert repr(member) == f"<{cls.__name__}.{member.name}: {member.value!r}>"
    assert_behaves_like_raw(member, member.value)
    assert all(other is member for other in trips(member))


@each_unknown
def test_unknown_values_behave_like_their_raw_values(cls: Any, raw: Any) -> None:
    """An unlisted value becomes an object of the class that is marked unknown and equals the raw value."""
    value = cls(raw)
    assert isinstance(value, cls)
    assert not value.is_known
    assert value.name == (raw if isinstance(raw, str) else f"UNKNOWN_{raw}")
    assert repr(value) == f"<{cls.__name__} {raw!r} (unknown)>"
    assert value == cls(raw)
    assert all(value != member for member in cls)
    assert_behaves_like_raw(value, raw)


@each_unknown
def test_unknown_values_are_not_members(cls: Any, raw: Any) -> None:
    """Creating an unknown value changes nothing in the class: no listing, no membership, no caching."""
    before = (list(cls), dict(cls.__members__), len(cls._value2member_map_), set(vars(cls)))
    first, second = cls(raw), cls(raw)
    assert (list(cls), dict(cls.__members__), len(cls._value2member_map_), set(vars(cls))) == before
    assert raw not in cls
    assert first not in cls
    assert first is not second
    assert len({first, second, raw}) == 1
    with pytest.raises(KeyError):
        cls[str(first.name)]


@pytest.mark.parametrize("cls", STR_CLASSES, ids=lambda cls: cls.__name__)
@given(raw=st.text())
def test_any_text_round_trips(cls: Any, raw: str) -> None:
    """The object equals any text, and is known exactly if the table has the text."""
    value = cls(raw)
    assert value.is_known == (raw in STRINGS[cls.__name__])
    assert_behaves_like_raw(value, raw)


@pytest.mark.parametrize("cls", INT_CLASSES, ids=lambda cls: cls.__name__)
@given(raw=st.integers(min_value=-(2**63), max_value=2**64 - 1) | st.integers(min_value=-2, max_value=120))
def test_any_number_round_trips(cls: Any, raw: int) -> None:
    """The object equals any number that msgspec can encode, and is known if the table has it."""
    value = cls(raw)
    assert value.is_known == (raw in NUMBERS[cls.__name__])
    assert_behaves_like_raw(value, raw)


@given(left=st.text(), right=st.text())
def test_unknown_text_values_compare_by_raw_value(left: str, right: str) -> None:
    """Equality, order and hash of unknown values are those of the raw values."""
    assert (OrderStatus(left) == OrderStatus(right)) == (left == right)
    assert (OrderStatus(left) < OrderStatus(right)) == (left < right)
    assert OrderStatus(left) == OrderStatus(left)
    assert hash(OrderStatus(left)) == hash(OrderStatus(left))


@given(left=st.integers(), right=st.integers())
def test_unknown_numbers_compare_by_raw_value(left: int, right: int) -> None:
    """Equality, order and hash of unknown ids are those of the raw values, for numbers of any size."""
    assert (Codec(left) == Codec(right)) == (left == right)
    assert (Codec(left) < Codec(right)) == (left < right)
    assert hash(Codec(left)) == hash(left)
    assert all(other == left for other in trips(Codec(left)))


def test_empty_text_is_an_unknown_value() -> None:
    """An empty string is kept like any other text."""
    value = OrderStatus("")
    assert_behaves_like_raw(value, "")
    assert repr(value) == "<OrderStatus '' (unknown)>"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("AreaLevel", "Country"),
        ("AreaLevel", "WorldWide"),
        ("AreaLevel", "worldwide"),
        ("CallbackMethod", "POST"),
        ("DefaultDstAction", "Allow Calls"),
        ("IdentityType", "Any"),
        ("IdentityType", "Personal"),
        ("MediaEncryptionMode", "Disable"),
        ("OnCliMismatchAction", "Reject call"),
        ("ProofEntityType", "personal"),
        ("VoiceOutTrunkStatus", "Active"),
    ],
)
def test_spellings_of_other_api_versions_are_kept(name: str, raw: str) -> None:
    """A spelling of another API version is not mapped: the server's value is sent back unchanged."""
    value = getattr(enums, name)(raw)
    assert not value.is_known
    assert value.value == raw


def test_member_name_is_not_a_value() -> None:
    """A raw value that equals a member's name is unknown, also after copying."""
    value = OrderStatus("PENDING")
    assert not value.is_known
    assert value not in OrderStatus
    assert value != OrderStatus.PENDING
    assert_behaves_like_raw(value, "PENDING")


@each_class
@pytest.mark.parametrize("wrong", [None, True, False, 1.0, 9.0, b"pending", [], {}, object], ids=repr)
def test_values_of_the_wrong_type_are_rejected(cls: Any, wrong: object) -> None:
    """A value of another type raises a ValueError that names the class, the expected type and the value."""
    kind = "a str" if issubclass(cls, str) else "an int"
    message = rf"^{cls.__name__} must be {kind} such as .+, got .+ of type {type(wrong).__name__}\.$"
    with pytest.raises(ValueError, match=message):
        cls(wrong)
    assert wrong not in cls


def test_text_and_numbers_are_not_converted() -> None:
    """No class converts between text and numbers; a name passed as a value gets a hint."""
    with pytest.raises(ValueError, match=r"such as 'pending' \(PENDING\), got 5 of type int"):
        OrderStatus(5)  # type: ignore[arg-type]  # the mistake is the point
    with pytest.raises(ValueError, match=r"got '9' of type str\.$"):
        Codec("9")  # type: ignore[arg-type]  # the mistake is the point
    with pytest.raises(
        ValueError, match=r"got 'PCMU' of type str\. To look up a member by name, write Codec\['PCMU'\]\.$"
    ):
        Codec("PCMU")  # type: ignore[arg-type]  # the mistake is the point
    assert "9" not in Codec
    assert 5 not in OrderStatus


def test_long_invalid_values_are_truncated_in_the_message() -> None:
    """A megabyte passed by mistake does not become a megabyte of error message."""
    with pytest.raises(ValueError, match="Codec must be an int") as caught:
        Codec("x" * 1_000_000)  # type: ignore[arg-type]  # the mistake is the point
    assert len(str(caught.value)) < 250


def test_members_of_other_enums_are_converted_by_raw_value() -> None:
    """A value of another open enum is converted by its raw value, which becomes a plain str or int."""
    assert OrderStatus(ExportStatus.PENDING) is OrderStatus.PENDING
    text, number = OrderStatus(ExportStatus.PROCESSING), Codec(TransportProtocol.UDP)
    assert_behaves_like_raw(text, "processing")
    assert_behaves_like_raw(number, 1)


def test_numeric_members_format_as_numbers() -> None:
    """`str` and `format` of a numeric id give the wire value, including format codes."""
    assert str(Codec.PCMU) == f"{Codec.PCMU}" == "9"
    assert f"{Codec.PCMU:03d}" == "009"
    assert f"{Codec(99):03d}" == "099"
    assert f"{OrderStatus('frozen'):>8}" == "  frozen"


def test_match_statement_handles_members_and_unknown_values() -> None:
    """`match` distinguishes members, and an unknown value reaches `case _`."""

    def said(status: OrderStatus) -> str:
        match status:
            case OrderStatus.PENDING | OrderStatus.COMPLETED:
                return "known"
            case _:
                return "other"

    assert [said(OrderStatus(raw)) for raw in ("pending", "completed", "frozen")] == [
        "known",
        "known",
        "other",
    ]


@pytest.mark.parametrize("cls", [ProofEntityType, TransportProtocol])
def test_msgspec_decodes_known_and_unknown_values(cls: Any) -> None:
    """The JSON decoder accepts the classes as field types and keeps unknown values."""
    for raw in (next(iter(cls)).value, "frozen" if issubclass(cls, str) else 99):
        value = msgspec.json.decode(msgspec.json.encode(raw), type=cls)
        assert type(value) is cls
        assert value == raw
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b"true", type=cls)


def test_functional_enum_syntax_works() -> None:
    """The bases work like any enum base, so programs can define their own open enums."""
    colour: Any = OpenStrEnum("colour", {"RED": "red"})  # type: ignore[call-arg]  # checkers know enum.Enum's only
    assert colour("red") is colour.RED
    assert not colour("blue").is_known
    assert issubclass(colour, enum.StrEnum)


def test_importing_enums_imports_nothing_else() -> None:
    """The module imports only `enum`, so that startup stays cheap."""
    # The file alone, in a bare interpreter: what the package imports around it is not this test's question.
    code = (
        "import enum, sys, __future__; before = set(sys.modules);"
        f"exec(compile({inspect.getsource(enums)!r}, 'enums', 'exec'), {{'__name__': 'enums'}}); print(sorted(set(sys.modules) - before))"
    )
    response = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True)
    assert response.stdout.strip() == b"[]"


def test_raw_values_and_members_can_be_converted() -> None:
    """`enum_value` and `to_enum` convert values and lists: None stays None, unknown values are kept."""
    status = enums.OrderStatus
    assert [enums.enum_value(one) for one in (status.PENDING, enums.Codec.PCMU, "x", None)] == ["pending", 9, "x", None]
    assert enums.enum_value_list([status.PENDING, "x"]) == ["pending", "x"]
    assert enums.enum_value_list(None) is None
    assert enums.to_enum(status, "pending") is enums.to_enum(status, status.PENDING) is status.PENDING
    assert enums.to_enum(status, None) is None
    assert enums.to_enum_list(enums.Codec, [9, 99]) == [enums.Codec.PCMU, 99]
    assert enums.to_enum_list(status, None) is None
    unknown = enums.to_enum(status, "frozen")
    assert unknown is not None
    assert (unknown, unknown.is_known) == ("frozen", False)


def test_alias_is_the_same_member() -> None:
    """`AreaLevel.WORLDWIDE` is another spelling; the member list has it once."""
    assert enums.AreaLevel.WORLDWIDE is enums.AreaLevel.WORLD_WIDE
    assert len(enums.AreaLevel) == 4


# Values that not every API version has


@enums.versions("new", since="2026-11-19")
@enums.versions("old", until="2026-04-16", replacement="'new'")
class Sample(OpenStrEnum):
    ALWAYS = "always"
    NEW = "new"
    OLD = "old"


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("raw", [False, True])
def test_values_of_other_versions_are_refused(many: bool, raw: bool) -> None:
    """Alone and in lists, as text and as members; the message says which version has them."""
    kind: Any = SimpleNamespace(name="enum", detail=Sample)
    kind = SimpleNamespace(name="list", detail=kind) if many else kind

    def check(member: Sample, version: str) -> None:
        value: Any = member.value if raw else member
        check_values(kind, [Sample.ALWAYS, value] if many else value, version, "x.kind cannot be", "x.kind")

    for version in API_VERSIONS:
        check(Sample.ALWAYS, version)
    check(Sample.NEW, "2026-11-19")
    check(Sample.OLD, "2026-04-16")
    with pytest.raises(
        UnsupportedVersionError, match=r"x\.kind cannot be 'new' in API version 2026-04-16.*api_version="
    ):
        check(Sample.NEW, "2026-04-16")
    with pytest.raises(UnsupportedVersionError, match=r"cannot be 'old' in API version 2026-11-19.*Use 'new' instead"):
        check(Sample.OLD, "2026-11-19")


@pytest.mark.parametrize("value", ["p2p", "voice_in,p2p", ["voice_in", Feature.P2P], Feature.P2P])
def test_filter_values_of_other_versions_are_refused(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in text with commas."""
    monkeypatch.setattr(Feature, "_versions", {"p2p": ("2026-11-19", None, "")})
    versions_of_values.cache_clear()
    try:
        assemble(DidGroup, "2026-11-19", None, filter={"features": value})
        with pytest.raises(UnsupportedVersionError, match="filter 'features' cannot be 'p2p'"):
            assemble(DidGroup, "2026-04-16", None, filter={"features": value})
    finally:
        versions_of_values.cache_clear()
