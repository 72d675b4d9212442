"""Values of other libraries: accepted where unambiguous; otherwise the error says what to write."""

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from didww import Did, DidOrderItem, Encrypt, Export, Identity, QueryParams, VoiceInTrunk, VoiceOutTrunk
from didww._util.coerce import truth_value, whole_number
from didww.configuration import checked_retries, checked_timeout
from didww.enums import Codec, ExportType, IdentityType, OrderStatus, TransportProtocol
from didww.exceptions import InvalidValueError
from didww.resources.configuration.sip import SipConfiguration

ID = "8d1a3c5e-0000-4000-8000-000000000001"


class FieldType:
    def __init__(self, kind: str) -> None:
        self.kind = kind


class Scalar:
    """A value as array libraries have it: what it is stands in its type code, and it is no int of Python."""

    shape = ()

    def __init__(self, value: Any, kind: str) -> None:
        self.value = value
        self.dtype = FieldType(kind)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __index__(self) -> int:
        if self.dtype.kind == "f":
            raise TypeError("only integers")
        return int(self.value)


class Seconds(Scalar):
    def __float__(self) -> float:
        return float(self.value)

    def __gt__(self, other: float) -> bool:
        return bool(self.value > other)


class Money(Decimal):
    """A subclass of the caller's own."""


class Text(enum.StrEnum):
    NAME = "name"
    COMPLETED = "completed"
    BUSINESS = "business"


class Mixed(str, enum.Enum):  # noqa: UP042 as programs for older versions of Python have it
    NAME = "name"


class Protocol(enum.IntEnum):
    TLS = 3


FIVE_SECONDS = Seconds(5.0, "f")
FIVE, TRUE, FALSE, HALF = Scalar(5, "i"), Scalar(1, "b"), Scalar(0, "b"), Scalar(0.5, "f")


def test_integers_and_booleans_are_distinct() -> None:
    """A boolean is not a number, a number is not a boolean, and a fraction is neither."""
    values = [5, True, FIVE, TRUE, HALF, 5.0, "5", None, object()]
    assert [whole_number(one) for one in values] == [5, None, 5, None, None, None, None, None, None]
    assert [truth_value(one) for one in values] == [None, True, None, True, None, None, None, None, None]
    assert truth_value(FALSE) is False


def changes(record: Any, **values: Any) -> dict[str, Any]:
    """What is sent of a record after these were assigned, as plain JSON."""
    for name, value in values.items():
        setattr(record, name, value)
    sent: dict[str, Any] = json.loads(json.dumps(record._to_send()))
    return sent


@pytest.mark.parametrize(
    ("record", "name", "value", "sent"),
    [
        (Did, "capacity_limit", FIVE, 5),
        (Did, "terminated", TRUE, True),
        (Did, "terminated", FALSE, False),
        (Did, "description", Mixed.NAME, "name"),
        (Did, "description", Text.NAME, "name"),
        (Did, "description", UUID(ID), ID),
        (VoiceOutTrunk, "threshold_amount", Money("3.60"), "3.60"),
        (VoiceOutTrunk, "threshold_amount", FIVE, "5"),
        (Identity, "birth_date", date(1990, 1, 2), "1990-01-02"),
    ],
)
def test_fields_accept_equivalent_values(record: Any, name: str, value: Any, sent: Any) -> None:
    """The value is sent as plain JSON."""
    assert changes(record.build(ID), **{name: value}) == {name: sent}


def test_nested_fields_and_dicts_accept_equivalent_values() -> None:
    """They accept the caller's own enum members, UUIDs as ids, and array-library numbers in lists and dicts."""
    sip = SipConfiguration(host="sip.example.com", transport_protocol_id=Protocol.TLS, codec_ids=[Scalar(9, "i")])
    assert sip.transport_protocol_id is TransportProtocol.TLS
    assert sip.codec_ids == [Codec.PCMU]
    item = DidOrderItem(sku_id=UUID(ID), qty=FIVE)
    assert item._raw()["attributes"] == {"sku_id": ID, "qty": 5}
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    export: Any = Export(export_type=ExportType.CDR_OUT)
    export.filters = {"from": moment, "to": "2026-03-02 00:00:00", "voice_out_trunk.id": UUID(ID)}
    assert export._to_send()["filters"]["voice_out_trunk.id"] == ID
    new: Any = Identity(identity_type=Text.BUSINESS)
    assert new.identity_type is IdentityType.BUSINESS


@pytest.mark.parametrize(
    ("record", "name", "value", "words"),
    [
        (Did, "capacity_limit", HALF, "must be an int, got Scalar"),
        (Did, "capacity_limit", TRUE, "must be an int, got Scalar"),
        (Did, "capacity_limit", 10**30, "must be an int, got an int of more than 64 bits"),
        (Did, "terminated", FIVE, "must be True or False, got Scalar"),
        (Did, "description", Path("notes"), r"must be a str, got \w+\. Write str\(path\)\."),
        (
            Identity,
            "birth_date",
            datetime(1990, 1, 2, tzinfo=UTC),
            r"got datetime\. For a datetime, use its date\(\)\.",
        ),
        (VoiceInTrunk, "cli_format", OrderStatus.PENDING, "must be CliFormat, got <OrderStatus"),
        (VoiceInTrunk, "cli_format", Text.NAME, "must be a known CliFormat .*, got 'name'"),
    ],
)
def test_invalid_values_raise_an_error_that_says_what_is_allowed(
    record: Any, name: str, value: Any, words: str
) -> None:
    """The error names the field and what to write instead."""
    with pytest.raises(InvalidValueError, match=words):
        setattr(record.build(ID), name, value)


def test_ids_can_be_uuids_or_enum_members() -> None:
    """This holds for records by id and for ids in to-many lists."""
    assert Did.build(UUID(ID)).id == ID
    known = enum.Enum("Known", {"DID": ID}, type=str)
    assert str(Did.build(known.DID).id) == ID


def test_queries_and_sizes_accept_any_integer_type() -> None:
    """This covers pages, filters, booleans and sizes."""
    query = QueryParams().page(FIVE, FIVE).filter("a", FIVE).filter("b", TRUE).filter("c", [UUID(ID)])
    assert [value for _, value in query.pairs()] == ["5", "true", ID, "5", "5"]
    with pytest.raises(InvalidValueError, match="size must be a number of bytes"):
        Encrypt.encrypted_size(TRUE, [])


def test_seconds_and_retries_accept_any_number_type() -> None:
    """Seconds may be fractions and decimals; booleans, text and timedeltas are rejected."""
    for seconds, expected in ((FIVE_SECONDS, 5.0), (Decimal("2.5"), 2.5), (Fraction(1, 2), 0.5)):
        assert checked_timeout(seconds) == expected
    assert checked_retries(FIVE) == 5
    wrong: tuple[Any, ...] = (TRUE, True, "5", timedelta(seconds=5), 0, float("nan"), -1, Decimal("NaN"), 1j)
    for value in wrong:
        with pytest.raises(InvalidValueError, match=r"timeout must be a number of seconds above 0.*total_seconds\(\)"):
            checked_timeout(value)
