"""Every declared resource says what the contract says, member by member; each deliberate difference has its reason here.

The contract's facts are data (facts/, filters.yaml, facts_2026_11_19/), and compared in each API version. The resource
classes are found through the registry, so that a new one is compared without a change here.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from didww._core.filters import kind_behind
from didww._core.query import check_path
from didww._schema.filter_rules import (
    FilterRule,
    filter_rules,
    filter_versions,
    include_paths,
    sort_keys,
    sort_versions,
)
from didww._schema.forms import DIGITS, EMAIL, RECORD_ID, WEB_ADDRESS, Form
from didww._schema.registry import all_classes, class_named, class_of
from didww._schema.rules import SET, Ascending, Equal, OfType, OneOf, Rule, Together, Typed, When
from didww._schema.versions import EVERY_VERSION, versions_of_values
from didww.enums import OnCliMismatchAction
from didww.exceptions import InvalidValueError, UnsupportedVersionError
from didww.resources.export import requested_filters
from didww.version import API_VERSION, API_VERSIONS
from support.contract_facts import BEYOND, Attribute, Filter, Request, ResourceFacts, facts, reachable, sheet_of, types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from enum import Enum

    from didww._schema.fields import Field
    from didww._schema.meta import Meta
    from didww._schema.nested import Nested
    from didww._schema.record import Record
    from didww._schema.resource import Resource
    from didww._schema.types import FieldType
    from didww._schema.versions import Versions
    from didww.version import ApiVersion

CASES = [(cls, version) for version in API_VERSIONS for cls in all_classes() if cls._type_name in types(version)]
CLASSES = [cls for cls, version in CASES if version == API_VERSION]
TYPES = [(type_, version) for version in API_VERSIONS for type_ in types(version)]
every_version = pytest.mark.parametrize("version", API_VERSIONS)
every_class = pytest.mark.parametrize(
    ("cls", "version"), [pytest.param(cls, version, id=f"{cls._type_name}-{version}") for cls, version in CASES]
)
every_type = pytest.mark.parametrize(("type_", "version"), TYPES)

# Deliberate differences. A key is a place, `type.field`, or `type.field.variant.field` inside a nested object.

_SIP = "voice_in_trunks.configuration.sip_configurations"
_OUT = "voice_out_trunks"

_LABELS = "labels that people read, of fields of an identity or address; no program sends them"

KINDS: dict[str, tuple[str, str]] = {
    "emergency_requirements.personal_mandatory_fields": ("list of text", _LABELS),
    "emergency_requirements.business_mandatory_fields": ("list of text", _LABELS),
    "emergency_requirements.address_mandatory_fields": ("list of text", _LABELS),
}

_ASKED_FOR = "the asked-for interface names it among the nullable date-times"
_RECORDED = "recorded responses hold null"

_OLDER = "the older edition had null, which responses may still hold; requests may not"

NULLABLE: dict[str, tuple[bool, str]] = {
    "orders.allow_back_ordering": (True, "in requests only; some recorded responses hold it, the others read as None"),
    "did_reservations.expires_at": (True, _ASKED_FOR),
    "encrypted_files.expires_at": (True, _ASKED_FOR),
    "address_requirements.address_area_level": (True, _RECORDED),
    "address_requirements.restriction_message": (True, _RECORDED),
    "emergency_requirements.address_area_level": (True, _RECORDED),
    "emergency_requirements.personal_mandatory_fields": (True, _RECORDED),
    "emergency_requirements.business_mandatory_fields": (True, _RECORDED),
    "emergency_requirements.address_mandatory_fields": (True, _RECORDED),
    "shared_capacity_groups.metered_channels_count": (True, _OLDER),
    f"{_SIP}.rx_dtmf_format_id": (True, _OLDER),
    f"{_SIP}.tx_dtmf_format_id": (True, _OLDER),
    f"{_SIP}.sip_timer_b": (True, _OLDER),
    f"{_SIP}.rtp_timeout": (True, _OLDER),
    "voice_in_trunks.configuration.pstn_configurations.dst": (True, _OLDER),
    f"{_OUT}.rtp_timeout": (True, _RECORDED),
    f"{_OUT}.threshold_amount": (True, _RECORDED),
    f"{_OUT}.authentication_method.credentials_and_ip.username": (True, _OLDER),
    f"{_OUT}.authentication_method.credentials_and_ip.password": (True, _OLDER),
}

_ANY_LEVEL = frozenset({"world_wide", "country", "area", "city"})
_ONE_CLASS = "one class for the levels of identities and of addresses, of which each takes some"

WIDER_ENUMS: dict[str, tuple[frozenset[object], str]] = {
    "identities.identity_type": (frozenset({"any"}), "one class with the requirements, where both kinds may do"),
    "address_requirements.personal_area_level": (_ANY_LEVEL, _ONE_CLASS),
    "address_requirements.business_area_level": (_ANY_LEVEL, _ONE_CLASS),
    "emergency_requirements.personal_area_level": (_ANY_LEVEL, _ONE_CLASS),
    "emergency_requirements.business_area_level": (_ANY_LEVEL, _ONE_CLASS),
    "emergency_requirements.address_area_level": (_ANY_LEVEL, _ONE_CLASS),
}

_IDS = "orders.items.did_order_items"
_IN_WORDS = "the contract says it in words, without a pattern"

FORMS: dict[str, tuple[Form, str]] = {
    "identities.phone_number": (DIGITS, _IN_WORDS),
    "identities.contact_email": (EMAIL, _IN_WORDS),
    "identities.identity_type": (
        Form("^(?!any$).*$", ""),
        "the enum of identities has no `any`, which the enum of requirements has",
    ),
    **dict.fromkeys(
        (
            *(f"{_IDS}.{name}" for name in ("sku_id", "did_reservation_id", "available_did_id", "nanpa_prefix_id")),
            "orders.items.capacity_order_items.capacity_pool_id",
        ),
        (RECORD_ID, "the contract calls the format uuid"),
    ),
    "voice_out_trunks.dst_prefixes": (DIGITS, _IN_WORDS),
    "voice_out_trunks.callback_url": (WEB_ADDRESS, _IN_WORDS),
    "orders.callback_url": (WEB_ADDRESS, _IN_WORDS),
    "exports.callback_url": (WEB_ADDRESS, _IN_WORDS),
    "address_verifications.callback_url": (WEB_ADDRESS, _IN_WORDS),
    "emergency_verifications.callback_url": (WEB_ADDRESS, _IN_WORDS),
}
"""Forms of texts for which the contract has no pattern."""

LIMITS: dict[str, tuple[tuple[int | None, int | None], str]] = {
    "dids.dedicated_channels_count": ((0, None), "a count; the contract has no limits"),
}

_PAIR = "callback_url and callback_method are sent together or not at all: one alone is refused"
_TOGETHER = Together(("callback_url", "callback_method"))
_OTHER_ACTIONS = tuple(one.value for one in OnCliMismatchAction if one != OnCliMismatchAction.REPLACE_CLI)
_REGISTERS, _CALLS_A_HOST = (
    When("enabled_sip_registration", (True,), bars=("host", "port")),
    When("enabled_sip_registration", (False,), needs=("host",), bars=("use_did_in_ruri",)),
)
_TIMERS = (
    When("sst_enabled", (True,), needs=("sst_min_timer", "sst_max_timer")),
    Ascending(("sst_min_timer", "sst_session_expires", "sst_max_timer")),
)
_CREDENTIALS = tuple(
    When("auth_enabled", (on,), **{how: ("auth_user", "auth_password")})
    for on, how in ((True, "needs"), (False, "bars"))
)

CONSTRAINTS: dict[str, list[tuple[str, tuple[Rule, ...]]]] = {
    "orders": [(_PAIR, (_TOGETHER,)), ("all items of one type", ())],
    "exports": [(_PAIR, (_TOGETHER,)), ("filters: no key but", ())],
    "address_verifications": [(_PAIR, (_TOGETHER,))],
    "emergency_verifications": [
        (_PAIR, (_TOGETHER,)),
        ("mode new: dids sent", ()),
        ("mode existing: emergency_calling_service sent", ()),
        ("exactly one of dids and", (OneOf(("dids", "emergency_calling_service"), alone=True),)),
        ("a rejected verification is not edited", ()),
    ],
    "address_requirement_validations": [
        ("at least one of identity / address", (OneOf(("identity", "address")),)),
        ("with both, the address must belong", ()),
    ],
    "emergency_requirement_validations": [
        ("identity or address (or both)", (OneOf(("identity", "address")),)),
        ("with both present, the address has to be", ()),
    ],
    "identities": [
        (
            "company_name required on business",
            (
                When("identity_type", ("business",), needs=("company_name",)),
                When("identity_type", ("personal",), bars=("company_name", "company_reg_number", "vat_id")),
            ),
        ),
        ("vat_id only with country set", (When("vat_id", (SET,), needs=("country",)),)),
    ],
    "voice_in_trunks": [
        ("host required while enabled_sip_registration is false", (_CALLS_A_HOST, _REGISTERS)),
        ("use_did_in_ruri only with enabled_sip_registration", (_CALLS_A_HOST,)),
        ("auth_user and auth_password required while", _CREDENTIALS),
        ("sst_min_timer and sst_max_timer required while", _TIMERS),
        ("dns_srv_failover_timer <= sip_timer_b", (Ascending(("dns_srv_failover_timer", "sip_timer_b")),)),
    ],
    "sms_trunks": [
        ("allow_any_did_as_source empties", (When("allow_any_did_as_source", (True,), bars=("outgoing_dids",)),)),
        (
            "priority and sms_trunk_group are not for http_out",
            (OfType("configuration", ("http_out",), bars=("priority", "sms_trunk_group")),),
        ),
        (
            "allow_any_did_as_source and outgoing_dids are for types which send",
            (OfType("configuration", ("sms_to_email", "http_in"), bars=("allow_any_did_as_source", "outgoing_dids")),),
        ),
        (
            "body_type and body are needed for post and put",
            (
                When("http_method", ("post", "put"), needs=("body_type", "body")),
                When("http_method", ("get",), bars=("body_type", "body")),
            ),
        ),
        (
            "body is text for json and raw",
            (
                Typed("body", str, "text", "body_type", ("json", "raw")),
                Typed("body", dict, "a dict", "body_type", ("html_multipart", "html_url_encoded")),
            ),
        ),
        ("tx_port and rx_port are equal", (Equal(("tx_port", "rx_port"), "transceiver_mode", (True,)),)),
    ],
    "voice_out_trunks": [
        (
            "default_did required with replace_cli",
            (
                When("on_cli_mismatch_action", ("replace_cli",), needs=("default_did",)),
                When("on_cli_mismatch_action", _OTHER_ACTIONS, bars=("default_did",)),
            ),
        ),
        ("dids refused while", (When("allow_any_did_as_cli", (True,), bars=("dids",)),)),
        ("emergency_dids refused while", (When("emergency_enable_all", (True,), bars=("emergency_dids",)),)),
    ],
}
"""What the contract says in words of several fields together: how each begins, and the rules that keep it.

None where another declaration keeps it (items of one type: `alike`; filters of an export: their own check), where it
only describes, or where the server alone can tell (whose address it is).
"""

UNDECLARED_META: dict[str, str] = {
    "did_history.from": "a keyword of Python; read through the property from_",
}

EXTRA_OPERATIONS: dict[str, tuple[set[str], str]] = {
    "dids": ({"delete"}, "asked for; not in the contract, the server decides"),
    "pops": ({"find"}, "asked for; not in the contract, the server decides"),
    "public_keys": ({"find"}, "asked for; not in the contract, the server decides"),
}

READ_ONLY_VARIANTS: dict[str, str] = {
    "voice_out_trunks.authentication_method.ip_only": "DIDWW's staff sets it; the server refuses it in requests",
}


# What a class declares


def _fields(cls: type[Record], version: ApiVersion) -> dict[str, Field]:
    """The fields of a version, by their names in documents."""
    return {field.member: field for field in cls._field_map.values() if field.versions.includes(version)}


def _of(cls: type[Record], place: str, version: ApiVersion) -> dict[str, Field]:
    return {name: field for name, field in _fields(cls, version).items() if field.place == place}


def _kind_name(kind: FieldType) -> str:
    return f"list of {_kind_name(kind.detail)}" if kind.name == "list" else kind.name


def _expected_kind(attribute: Attribute) -> str:
    return f"list of {attribute.item}" if attribute.kind == "list" else attribute.kind


def _enum(field: Field) -> type[Enum] | None:
    """The enum class of an attribute, or of the items of a list."""
    kind = field.kind.detail if field.kind.name == "list" else field.kind
    found: type[Enum] | None = kind.detail if kind.name == "enum" else None
    return found


def _values(enum: type[Any], version: ApiVersion) -> frozenset[object]:
    limited = versions_of_values(enum)
    return frozenset(member.value for member in enum if limited.get(member.value, EVERY_VERSION).includes(version))


def _nested_classes(field: Field) -> tuple[type[Nested], ...]:
    """The classes of an attribute that holds an object, or a list of objects."""
    kind = field.kind.detail if field.kind.name == "list" else field.kind
    classes: tuple[type[Nested], ...] = kind.detail if kind.name == "object" else ()
    return classes


def _classes_by_type(field: Field) -> dict[str, list[type[Nested]]]:
    found: dict[str, list[type[Nested]]] = {}
    for cls in _nested_classes(field):
        found.setdefault(cls._type_name, []).append(cls)
    return found


def _meta_class(cls: type[Resource]) -> type[Meta]:
    found: type[Meta] = cls.meta.cls
    return found


def _requests(said: ResourceFacts) -> list[Request]:
    return [request for request in (said.create, said.update) if request is not None]


def _attributes_of(said: ResourceFacts) -> dict[str, Attribute]:
    """Attributes of responses, and those that only requests have."""
    requested = {name: one for request in _requests(said) for name, one in request.attributes.items()}
    return {**requested, **said.attributes}


def _places(cls: type[Resource], version: ApiVersion) -> Iterator[tuple[str, Field, Attribute]]:
    """Each declared attribute of `cls` with what the contract says of it: its own, nested ones, the meta's."""
    said = facts(cls._type_name, version)
    for name, attribute in _attributes_of(said).items():
        field = _of(cls, "attributes", version).get(name)
        if field is None:
            continue
        yield f"{cls._type_name}.{name}", field, attribute
        request = said.create.attributes.get(name) if said.create else None
        for type_, variants in _classes_by_type(field).items():
            of_request = request.variants.get(type_, {}) if request else {}
            members = {**of_request, **attribute.variants.get(type_, {})}
            for variant, (inner, one) in itertools.product(variants, members.items()):
                if inner in variant._field_map:
                    yield f"{cls._type_name}.{name}.{type_}.{inner}", variant._field_map[inner], one
    meta = _meta_class(cls)
    for name, attribute in said.meta.items():
        if name in meta._field_map:
            yield f"{cls._type_name}.meta.{name}", meta._field_map[name], attribute


def _differences(places: Iterable[tuple[str, object, object]]) -> list[str]:
    """The places where what is declared is not what is expected, in words."""
    return [
        f"{place}: declared {found!r}, expected {expected!r}" for place, found, expected in places if found != expected
    ]


# The resource as a whole


@every_type
def test_every_contract_type_is_declared(type_: str, version: ApiVersion) -> None:
    """Every resource type of the contract has a class in the registry."""
    cls = class_of(type_)
    assert cls is not None
    assert cls._type_name == facts(type_, version).type == type_
    assert cls._versions.includes(version)


@every_version
def test_no_type_is_declared_that_the_contract_lacks(version: ApiVersion) -> None:
    """No class is declared for a type that the contract does not have, except those of the prices services."""
    declared = {cls._type_name for cls in all_classes() if cls._versions.includes(version)}
    assert declared - set(types(version)) == {"prices"} & declared


@every_class
def test_operations_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Operations match the contract exactly; the agreed additions are listed separately."""
    assert cls._operations == facts(cls._type_name, version).operations
    assert cls._extra_operations == EXTRA_OPERATIONS.get(cls._type_name, (set(), ""))[0]


@every_class
def test_path_and_pagination_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """The path and pagination match the contract, and only /balance is fetched without an id."""
    said = facts(cls._type_name, version)
    if said.path is not None:
        assert cls._path == said.path
    if said.paginated is not None:
        assert cls._paginated is said.paginated
    if said.page_size is not None:
        assert (cls._page_size, cls._largest_page) == (said.page_size.usual, said.page_size.largest)
    assert cls._singleton is (cls._type_name == "balances")


# Attributes


@every_class
def test_attribute_names_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Declared attributes are those of responses and requests, no more and no fewer."""
    assert set(_of(cls, "attributes", version)) == set(_attributes_of(facts(cls._type_name, version)))


@every_class
def test_attribute_types_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Each attribute has the type that the contract gives it; dates and decimal amounts are distinguished from text."""
    assert not _differences(
        (place, _kind_name(field.kind), KINDS.get(place, (_expected_kind(attribute), ""))[0])
        for place, field, attribute in _places(cls, version)
        if not attribute.variants
    )


@every_class
def test_nullable_attributes_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """An attribute is nullable where a response may hold null or a request may carry it.

    The reverse is no contradiction: DIDWW marks some attributes nullable in responses and not in requests, and one
    field stands for both. In meta, optional members read as None too.
    """
    said = facts(cls._type_name, version)

    def expected(place: str, attribute: Attribute) -> bool:
        name = place.removeprefix(f"{cls._type_name}.")
        requests = [request.attributes[name] for request in _requests(said) if name in request.attributes]
        left_out = name.startswith("meta.") and not attribute.required
        nullable = attribute.nullable or left_out or any(request.nullable for request in requests)
        return NULLABLE.get(place, (nullable, ""))[0]

    assert not _differences(
        (place, field.nullable, expected(place, attribute)) for place, field, attribute in _places(cls, version)
    )


@every_class
def test_enum_values_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """An enum class has exactly the values that the contract lists for the attribute."""
    assert not _differences(
        (place, _values(enum, version), attribute.enum | WIDER_ENUMS.get(place, (frozenset(), ""))[0])
        for place, field, attribute in _places(cls, version)
        if attribute.enum and (enum := _enum(field)) is not None
    )


@every_class
def test_no_enum_is_declared_without_contract_values(cls: type[Resource], version: ApiVersion) -> None:
    """An attribute has an enum class only where the contract lists its values."""
    assert [place for place, field, attribute in _places(cls, version) if not attribute.enum and _enum(field)] == []


def _asked(cls: type[Resource], version: ApiVersion, place: str) -> list[Attribute]:
    """What the requests of `cls` say of a place: of an attribute, or of a member of a nested object."""
    name, _, inner = place.removeprefix(f"{cls._type_name}.").partition(".")
    found = [
        request.attributes[name] for request in _requests(facts(cls._type_name, version)) if name in request.attributes
    ]
    if inner:
        type_, _, member = inner.partition(".")
        return [one.variants[type_][member] for one in found if member in one.variants.get(type_, {})]
    return found


def _written(cls: type[Resource], version: ApiVersion) -> Iterator[tuple[str, Field, list[Attribute]]]:
    """Each attribute of `cls` that requests may carry, with what they say of it."""
    for place, field, _ in _places(cls, version):
        if (field.create or field.update) and (asked := _asked(cls, version, place)):
            yield place, field, asked


@every_class
def test_fields_that_accept_none_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """None can be written exactly where a request may carry null; elsewhere the error says what to do instead."""
    assert not _differences(
        (place, field.clearable, any(one.nullable for one in asked)) for place, field, asked in _written(cls, version)
    )


@every_class
def test_value_limits_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Number ranges, list sizes, maximum lengths and uniqueness match the contract."""
    for place, field, asked in _written(cls, version):
        assert len({(one.low, one.high, one.longest, one.distinct) for one in asked}) == 1, place
        bounds = LIMITS.get(place, ((asked[0].low, asked[0].high), ""))[0]
        assert (field.ge, field.le, field.max_length, field.distinct) == (
            *bounds,
            asked[0].longest,
            asked[0].distinct,
        ), place


@every_class
def test_text_patterns_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Text has the contract's pattern, or a format that the contract describes in words."""
    for place, field, attribute in _places(cls, version):
        if place.rpartition(".")[0] in READ_ONLY_VARIANTS:
            continue
        patterns = {one.pattern for one in [attribute, *_asked(cls, version, place)]}
        assert len(patterns) == 1, place
        expected = FORMS[place][0].pattern if place in FORMS else patterns.pop()
        assert (field.form.pattern if field.form else "") == expected, place


@every_class
def test_read_only_attributes_cannot_be_written(cls: type[Resource], version: ApiVersion) -> None:
    """Attributes that the contract marks read-only appear in no request."""
    assert [
        place for place, field, one in _places(cls, version) if one.read_only and (field.create or field.update)
    ] == []


@every_class
def test_defaults_are_documented(cls: type[Resource], version: ApiVersion) -> None:
    """The documentation of an attribute states the contract's default; the service applies it, not this package."""
    for request in _requests(facts(cls._type_name, version)):
        for name, one in request.attributes.items():
            if one.default is not None:
                assert f"Defaults to {one.default}." in _fields(cls, version)[name].doc


@every_class
def test_typed_dict_keys_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """The keys of a typed dict match responses; the required keys match requests, which accept no others."""
    said = facts(cls._type_name, version)
    for name, shown in said.attributes.items():
        if not shown.members:
            continue
        dicts: tuple[Any, ...] = get_args(get_type_hints(cls)[name])
        keys = {key for one in dicts for key in one.__annotations__}
        assert keys >= set(shown.members)
        assert keys == set(shown.members) or version != API_VERSIONS[-1]  # a typed dict has the keys of every version
        asked = said.create.attributes[name] if said.create else shown
        assert asked.closed
        assert {key for one in dicts for key in one.__required_keys__} == {
            key for key, member in asked.members.items() if member.required
        }
        assert {type_: set(requested_filters(type_, version)) for type_ in said.filter_keys} == said.filter_keys
        assert {key for keys in said.filter_keys.values() for key in keys} == set(asked.members)


@every_class
def test_wait_states_are_enum_values(cls: type[Resource], version: ApiVersion) -> None:
    """The states to wait for are spelled as in the contract, and each of them is terminal."""
    if cls._outcome is not None:
        values = facts(cls._type_name, version).attributes[cls._outcome.field].enum
        named = {*cls._outcome.success, *cls._outcome.terminal, *cls._outcome.blocked}
        assert cls._outcome.success
        assert cls._outcome.terminal
        assert named <= set(values)
        assert set(cls._outcome.reasons) <= set(cls._field_map)


@every_class
def test_meta_members_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """A resource declares meta where the contract has it, with its members, all read-only."""
    meta = _meta_class(cls)
    declared = meta._field_map
    expected = {
        name for name in facts(cls._type_name, version).meta if f"{cls._type_name}.{name}" not in UNDECLARED_META
    }
    assert set(declared) == expected
    assert [name for name, field in declared.items() if field.create or field.update] == []


# Relationships


@every_class
def test_relationships_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Relationships match responses and requests: to one or to many, with the contract's target types."""
    said = facts(cls._type_name, version)
    requested = {name: one for request in _requests(said) for name, one in request.relationships.items()}
    expected = {name: (one.kind, one.targets) for name, one in {**requested, **said.relationships}.items()}
    found = {
        name: (field.kind.name, frozenset(class_named(target)._type_name for target in field.kind.detail.names))
        for name, field in _of(cls, "relationships", version).items()
    }
    assert found == expected


@every_class
def test_nullable_relationships_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """A to-one relationship can be None, unless requests carry it and none of them may carry null."""
    said = facts(cls._type_name, version)

    def expected(name: str, field: Field) -> bool:
        requests = [request.relationships[name] for request in _requests(said) if name in request.relationships]
        return field.kind.name == "one" and (not requests or any(request.nullable for request in requests))

    assert not _differences(
        (field.label, field.nullable, expected(name, field))
        for name, field in _of(cls, "relationships", version).items()
    )


@every_class
def test_relationship_limits_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """List sizes, uniqueness, and relationships that can only be set to None match the contract."""
    for request in _requests(facts(cls._type_name, version)):
        for name, link in request.relationships.items():
            field = _fields(cls, version)[name]
            assert (field.ge, field.le, field.distinct) == (link.low, link.high, link.distinct), name
            assert bool(field.detach_only) is link.null_only, name


# What may be written


@every_class
def test_create_fields_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """A create accepts the fields of the contract's request, and requires those that are required there."""
    said = facts(cls._type_name, version).create or Request()
    expected = {*said.attributes, *said.relationships}
    assert {name for name, field in _fields(cls, version).items() if field.create} == expected
    assert {name for name, field in _fields(cls, version).items() if field.required} == said.required


@every_class
def test_update_fields_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """An update accepts the fields of the contract's request, and no others."""
    said = facts(cls._type_name, version).update or Request()
    expected = {*said.attributes, *said.relationships}
    assert {name for name, field in _fields(cls, version).items() if field.update} == expected


@every_class
def test_write_only_attributes_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Only attributes that are missing from responses are declared write-only."""
    said = facts(cls._type_name, version)
    unreadable = {name for name, field in _of(cls, "attributes", version).items() if not field.readable}
    assert unreadable <= set(_attributes_of(said)) - set(said.attributes)


@every_type
def test_cross_field_rules_match_the_contract(type_: str, version: ApiVersion) -> None:
    """Each constraint that the contract states in words is enforced by the rules listed here, and no others exist."""
    said = [text for request in _requests(facts(type_, version)) for text in request.constraints]
    known = CONSTRAINTS.get(type_, [])
    assert [text for text in said if not any(text.startswith(start) for start, _ in known)] == []
    assert [start for start, _ in known if not any(text.startswith(start) for text in said)] == []
    cls = class_of(type_)
    assert cls is not None
    nested = [one for field in _of(cls, "attributes", version).values() for one in _nested_classes(field) if one.merges]
    declared = {rule for one in (cls, *nested) for rule in one._rules}
    assert declared == {rule for _, rules in known for rule in rules}


# Objects inside attributes


def _nested() -> list[tuple[type[Resource], ApiVersion, str]]:
    return [
        (cls, version, name)
        for cls, version in CASES
        for name, one in facts(cls._type_name, version).attributes.items()
        if one.variants
    ]


every_nested = pytest.mark.parametrize(
    ("cls", "version", "name"),
    [pytest.param(cls, version, name, id=f"{cls._type_name}.{name}-{version}") for cls, version, name in _nested()],
)


def _requested_variants(cls: type[Resource], version: ApiVersion, name: str) -> dict[str, dict[str, Attribute]]:
    said = facts(cls._type_name, version)
    requests = [request.attributes[name] for request in _requests(said) if name in request.attributes]
    for one in requests[1:]:
        assert one.variants == requests[0].variants, "create and update differ, which one declaration cannot say"
    return requests[0].variants if requests else {}


@every_nested
def test_every_nested_type_has_a_class(cls: type[Resource], version: ApiVersion, name: str) -> None:
    """Each type of nested object in responses or requests has a class, and no class has another type."""
    declared = _classes_by_type(_fields(cls, version)[name])
    assert set(declared) == {
        *facts(cls._type_name, version).attributes[name].variants,
        *_requested_variants(cls, version, name),
    }


@every_nested
def test_variant_attributes_match_the_contract(cls: type[Resource], version: ApiVersion, name: str) -> None:
    """Together, the classes of a type have exactly the attributes of responses and requests.

    Responses are read as the first class, so it has all response attributes by itself.
    """
    responses, requests = (
        facts(cls._type_name, version).attributes[name].variants,
        _requested_variants(cls, version, name),
    )
    for type_, classes in _classes_by_type(_fields(cls, version)[name]).items():
        expected = {*responses.get(type_, {}), *requests.get(type_, {})}
        assert {inner for one in classes for inner in one._field_map} == set(expected), type_
        assert set(classes[0]._field_map) >= set(responses.get(type_, {})), type_


@every_nested
def test_variant_writable_attributes_match_the_contract(cls: type[Resource], version: ApiVersion, name: str) -> None:
    """Together, the classes of a type can write the attributes of the contract's request."""
    requests = _requested_variants(cls, version, name)
    for type_, classes in _classes_by_type(_fields(cls, version)[name]).items():
        read_only = f"{cls._type_name}.{name}.{type_}" in READ_ONLY_VARIANTS
        expected: set[str] = set() if read_only else set(requests.get(type_, {}))
        assert {inner for one in classes for inner, field in one._field_map.items() if field.create} == expected, type_


@every_nested
def test_variant_required_attributes_match_the_contract(cls: type[Resource], version: ApiVersion, name: str) -> None:
    """Exactly the attributes that a request's nested object must hold are required."""
    requests = _requested_variants(cls, version, name)
    for type_, classes in _classes_by_type(_fields(cls, version)[name]).items():
        members = [(one, inner, field) for one in classes for inner, field in one._field_map.items()]
        for owner, inner, field in members:
            place = f"{cls._type_name}.{name}.{type_}.{inner}"
            said = requests.get(type_, {}).get(inner)
            expected = said is not None and (said.required or said.required_on_create)
            assert field.required is expected, f"{owner.__name__}: {place}"
            assert said is None or owner.merges or not said.required_on_create, f"an update needs {place}, too"


@every_nested
def test_read_only_variants_match_the_contract(cls: type[Resource], version: ApiVersion, name: str) -> None:
    """They are the classes that cannot be written and those that requests do not have at all."""
    said = facts(cls._type_name, version).create
    refused = said.attributes[name].refused if said else frozenset[str]()
    asked = _requested_variants(cls, version, name)
    declared = {one._type_name for one in _nested_classes(_fields(cls, version)[name]) if not one.writable}
    assert declared == refused | (set(facts(cls._type_name, version).attributes[name].variants) - set(asked))


# Queries


@every_class
def test_filters_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Filters match the contract; each accepts values, comma-separated lists and None as the filters sheet says."""
    said = facts(cls._type_name, version).filters
    versions = filter_versions(cls)
    rules = {
        name: rule for name, rule in filter_rules(cls).items() if rule.detour is None and _has(version, versions, name)
    }
    assert set(rules) == set(said)
    assert {name for name in rules if rules[name].form == "id"} == {
        name for name in said if name.rpartition(".")[2] == "id"
    }
    assert not _differences(
        (
            f"{cls._type_name}.{name}",
            rules[name]._replace(form="", shortest=None, never_empty=False),
            _expected_match(one),
        )
        for name, one in said.items()
    )


@every_class
def test_filters_that_reject_none_compare_non_nullable_values(cls: type[Resource], version: ApiVersion) -> None:
    """They compare a non-nullable attribute, or a relationship that every record has."""
    said = facts(cls._type_name, version)
    for name, rule in filter_rules(cls).items():
        if rule.never_empty and _has(version, filter_versions(cls), name):
            first = name.partition(".")[0]
            attribute = said.attributes.get(first)
            assert rule.nullable, name
            assert not attribute.nullable if attribute else first in said.relationships, name


def _has(version: ApiVersion, versions: Mapping[str, Versions], name: str) -> bool:
    return name not in versions or versions[name].includes(version)


_VALUES: dict[str, Any] = {"string": "text", "boolean": "boolean", "integer": "integer", "date-time": "datetime"}


def _expected_match(said: Filter) -> FilterRule:
    compares: Any = said.compares
    return FilterRule(
        _VALUES[said.value],
        compares=compares,
        multiple=said.many,
        every=said.every,
        nullable=said.blank,
        case_insensitive=said.any_case,
        alias=said.alias,
        ignored=said.ignored,
    )


@every_class
def test_filter_values_match_the_sheet(cls: type[Resource], version: ApiVersion) -> None:
    """A filter accepts the values in the sheet, because the attribute that it compares has them."""
    for name, said in facts(cls._type_name, version).filters.items():
        kind = kind_behind(cls, name)
        if said.enum:
            assert kind is not None, name
            beyond = WIDER_ENUMS.get(f"{cls._type_name}.{name}", (frozenset[object](), ""))[0]
            assert _values(kind.detail, version) == said.enum | beyond, name


@every_class
def test_sort_keys_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Each sort key of the contract is declared twice, ascending and descending."""
    expected = {name for key in facts(cls._type_name, version).sort for name in (key, f"-{key}")}
    assert sorted(key for key in sort_keys(cls) if _has(version, sort_versions(cls), key)) == sorted(expected)


@every_class
def test_includes_match_the_contract(cls: type[Resource], version: ApiVersion) -> None:
    """Includes are the paths over one or two of the contract's relationships, and the longer ones of the sheet."""
    said = facts(cls._type_name, version)
    paths = {
        *said.include,
        *(path for path in _paths(cls._type_name, version, 2) if said.include),
        *said.include_nested,
    }
    assert sorted(path for path in include_paths(cls) if _is_in(cls, path, version)) == sorted(paths)


def _is_in(cls: type[Resource], path: str, version: ApiVersion) -> bool:
    """Whether a version has all relationships of a path."""
    try:
        check_path(cls, path, version)
    except UnsupportedVersionError:
        return False
    return True


def _paths(type_: str, version: ApiVersion, most: int) -> Iterator[str]:
    """The paths of up to `most` relationships from a type."""
    for name, relationship in facts(type_, version).relationships.items():
        yield name
        if most > 1:
            yield from (
                f"{name}.{rest}" for target in relationship.targets for rest in _paths(target, version, most - 1)
            )


@every_class
def test_includes_of_any_depth_are_accepted(cls: type[Resource], version: ApiVersion) -> None:
    """Any path along relationships of responses is accepted; any other path is rejected."""
    if not facts(cls._type_name, version).include:
        return
    for path in _paths(cls._type_name, version, 4):
        check_path(cls, path, version)
    with pytest.raises(InvalidValueError):
        check_path(cls, f"{next(iter(_paths(cls._type_name, version, 1)))}.nothing", version)


@every_class
def test_request_only_relationships_cannot_be_included(cls: type[Resource], version: ApiVersion) -> None:
    """Includes are exactly the relationships of responses; those that only requests carry are not among them."""
    said = facts(cls._type_name, version)
    if said.operations & {"list", "find"}:
        assert said.include == set(said.relationships)
    for name in set(_of(cls, "relationships", version)) - set(said.relationships):
        with pytest.raises(InvalidValueError, match="cannot include"):
            check_path(cls, name, version)


@pytest.mark.parametrize(
    ("type_", "version"), [(type_, version) for version in API_VERSIONS for type_ in reachable(version)]
)
def test_includable_types_match_the_contract(type_: str, version: ApiVersion) -> None:
    """The types reachable along relationships are those that the contract allows in `included`."""
    reached: set[str] = set()
    beyond = {type_}
    while beyond:
        found = {
            target for one in beyond for link in facts(one, version).relationships.values() for target in link.targets
        }
        beyond = found - reached
        reached |= found
    assert reached == reachable(version)[type_]


# The sources and the tables themselves


@every_type
def test_contract_and_filters_sheet_agree(type_: str, version: ApiVersion) -> None:
    """The contract and the filters sheet have the same filters, sort keys and top-level includes."""
    said, sheet = facts(type_, version), sheet_of(type_, version)
    assert set(said.filters) == set(sheet.get("filter", ()))
    assert said.sort == set(sheet.get("sort", ()))
    assert said.include == {*sheet.get("include", ()), *BEYOND.get(type_, ())}
    page = sheet.get("page")
    assert (said.page_size is not None) == (said.paginated is True) == bool(page)
    if said.page_size is not None:
        assert page == {"default": said.page_size.usual, "max": said.page_size.largest}


@every_type
def test_filters_sheet_keys_agree_with_the_document(type_: str, version: ApiVersion) -> None:
    """What the document says about empty values and comma-separated lists applies; only real differences are marked."""
    filters = facts(type_, version).filters
    for name, said in filters.items():
        assert said.blank or not said.doc_blank, name
        assert said.older_many is not said.many, name
        assert said.many or not said.every, name
        assert said.alias == "" or said.alias in filters, name
        assert version != API_VERSION or said.live is not (name == "id" or bool(said.alias)), name


@every_type
def test_requests_and_responses_agree(type_: str, version: ApiVersion) -> None:
    """An attribute has the same type and values in requests and responses, so that one field is enough."""
    said = facts(type_, version)
    for request in _requests(said):
        for name, asked in request.attributes.items():
            shown = said.attributes.get(name, asked)
            assert (asked.kind, asked.item, asked.enum) == (shown.kind, shown.item, shown.enum), name
        for name, link in request.relationships.items():
            response = said.relationships.get(name, link)
            assert (link.kind, link.targets) == (response.kind, response.targets), name


def test_listed_differences_still_exist() -> None:
    """Each entry of the tables of differences still differs from the contract."""
    places = {place: (field, attribute) for cls, version in CASES for place, field, attribute in _places(cls, version)}
    assert [place for place in KINDS if KINDS[place][0] == _expected_kind(places[place][1])] == []
    assert [place for place in NULLABLE if NULLABLE[place][0] == places[place][1].nullable] == []
    assert [place for place in WIDER_ENUMS if WIDER_ENUMS[place][0] <= places[place][1].enum] == []
    assert [place for place in FORMS if places[place][1].pattern] == []
    assert [place for place in LIMITS if LIMITS[place][0] == (places[place][1].low, places[place][1].high)] == []
    metas = {f"{cls._type_name}.{name}" for cls, version in CASES for name in facts(cls._type_name, version).meta}
    assert set(UNDECLARED_META) <= metas - {place.replace(".meta.", ".") for place in places}
    nested = {
        f"{cls._type_name}.{name}.{type_}"
        for cls, version, name in _nested()
        for type_ in _requested_variants(cls, version, name)
    }
    assert set(READ_ONLY_VARIANTS) <= nested


def test_listed_differences_have_reasons() -> None:
    """Each deliberate difference states its reason."""
    tables: list[Mapping[str, tuple[Any, str]]] = [KINDS, NULLABLE, WIDER_ENUMS, EXTRA_OPERATIONS, FORMS, LIMITS]
    assert [place for table in tables for place, (_, reason) in table.items() if not reason] == []
    reasons = {**READ_ONLY_VARIANTS, **UNDECLARED_META}
    assert [place for place, reason in reasons.items() if not reason] == []
