"""The contract's facts as typed data: one `ResourceFacts` for each file of `facts/`, filters joined with `filters.yaml`.

Reads the files and brings their spellings to one form; their content is checked elsewhere (test_declarations.py).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parents[1] / "contract"

Raw = dict[str, Any]


@dataclass(frozen=True)
class Attribute:
    """An attribute, of a response or of a request.

    Attributes:
        kind: Its kind in the words of `didww._schema.types`.
        item: The kind of an item, if it is a list.
        enum: The values that the contract lists, of the attribute or of a list's items, without null.
        nullable: Whether null is one of its values.
        required: Whether it always stands there.
        required_on_create: Whether a request that creates must hold it inside an object, and an update need not.
        read_only: Whether the document marks it so.
        low, high: Least and greatest number, or of a list's items.
        longest: Most characters.
        pattern: What its text must match.
        distinct: Whether a list takes no item twice.
        default: The contract's default; None if it does not say.
        format: What the document calls the form of its text; empty if it does not say.
        members: Of an object without variants, its members.
        closed: Whether an object takes no members but these.
        refused: Types of variants that a request cannot create with.
        variants: Of an object, or of a list of objects, the attributes by type; empty for anything else.
    """

    kind: str
    item: str | None = None
    enum: frozenset[object] = frozenset()
    nullable: bool = False
    required: bool = False
    required_on_create: bool = False
    read_only: bool = False
    low: int | None = None
    high: int | None = None
    longest: int | None = None
    pattern: str = ""
    distinct: bool = False
    default: object = None
    format: str = ""
    members: dict[str, Attribute] = field(default_factory=dict[str, "Attribute"])
    closed: bool = False
    refused: frozenset[str] = frozenset()
    variants: dict[str, dict[str, Attribute]] = field(default_factory=dict[str, "dict[str, Attribute]"])


@dataclass(frozen=True)
class Relationship:
    """A relationship, of a response or of a request.

    Attributes:
        kind: one or many.
        targets: The types that it leads to.
        nullable: Whether null is one of its values.
        null_only: Whether a request can carry nothing but null.
        required: Whether it always stands there.
        low, high: Least and greatest number of identifiers.
        distinct: Whether a list takes no identifier twice.
    """

    kind: str
    targets: frozenset[str]
    nullable: bool
    required: bool
    null_only: bool = False
    low: int | None = None
    high: int | None = None
    distinct: bool = False


@dataclass(frozen=True)
class Request:
    """What a create or update request may carry; `constraints` are its cross-field rules in words."""

    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    relationships: dict[str, Relationship] = field(default_factory=dict[str, Relationship])
    constraints: tuple[str, ...] = ()

    @property
    def required(self) -> set[str]:
        """Names without which the request is rejected."""
        members: dict[str, Any] = {**self.attributes, **self.relationships}
        return {name for name, member in members.items() if member.required}


@dataclass(frozen=True)
class Filter:
    """A filter, as the filters sheet has it.

    Attributes:
        note: What the contract notes of it.
        value: Its type: string, boolean, integer or date-time.
        many: Whether a comma list is accepted.
        every: Whether all values of a comma list must hold.
        blank: Whether an empty value is accepted, by the document or by Postman.
        doc_blank: Whether the document says so.
        any_case: Whether case is ignored.
        compares: contains, gteq, lteq, lteq_day; equal for none of them.
        enum: The values that it can have; empty if any.
        alias: The filter that it is an older name of; empty for none.
        ignored: Whether it is accepted without effect.
        older_many: What Postman says of comma lists; None where it agrees.
        live: Whether the live service's list of filters has it, too.
    """

    note: str
    value: str
    many: bool
    every: bool
    blank: bool
    doc_blank: bool
    any_case: bool
    compares: str
    enum: frozenset[object]
    alias: str
    ignored: bool
    older_many: bool | None
    live: bool


@dataclass(frozen=True)
class PageSize:
    """The default and the maximum of `page[size]` of a list."""

    usual: int
    largest: int


@dataclass(frozen=True)
class ResourceFacts:
    """All that the contract says about one resource type."""

    type: str
    attributes: dict[str, Attribute]
    relationships: dict[str, Relationship]
    meta: dict[str, Attribute]
    create: Request | None
    update: Request | None
    operations: frozenset[str]
    path: str | None
    paginated: bool | None
    page_size: PageSize | None
    filters: dict[str, Filter]
    sort: frozenset[str]
    include: frozenset[str]
    include_nested: frozenset[str]


VERSIONS = ("2026-04-16",)
"""The API versions whose facts are in `tests/contract/facts/`. Documents of other versions are not checked yet."""


@functools.cache
def types() -> tuple[str, ...]:
    """Return every resource type of the contract: each has a file."""
    return tuple(sorted(path.stem for path in (HERE / "facts").glob("[!_]*.yaml")))


@functools.cache
def facts(type_: str) -> ResourceFacts:
    """Return what the contract says about `type_`."""
    raw = _load(HERE / "facts" / f"{type_}.yaml")
    sheet = _filters_sheet().get(type_, {})
    operations: Raw = raw["operations"] or {}
    listed: Raw = operations.get("list", {})
    paths = {operation["path"].removesuffix("/{id}").removeprefix("/") for operation in operations.values()}
    assert len(paths) <= 1, f"{type_}: operations of several paths: {paths}"
    return ResourceFacts(
        type=raw["type"],
        attributes=_attributes(raw["attributes"]),
        relationships={**_relationships(raw["relationships"]), **BEYOND.get(type_, {})},
        meta=_attributes(raw.get("meta")),
        create=_request(raw.get("create_request")),
        update=_request(raw.get("update_request")),
        operations=frozenset(operations),
        path=paths.pop() if paths else None,
        paginated=listed.get("paginated"),
        page_size=_page_size(listed.get("page_size")),
        filters=_filters(listed.get("filters"), sheet.get("filter", {})),
        sort=frozenset(listed.get("sort", ())),
        include=frozenset(name for operation in operations.values() for name in operation.get("include", ()))
        | frozenset(BEYOND.get(type_, {})),
        include_nested=frozenset(sheet.get("include_nested", ())),
    )


# What the OpenAPI document does not have, and programs rely on: several of DIDWW's own SDKs declare these relationships
# and document their includes.
BEYOND: dict[str, dict[str, Relationship]] = {
    "emergency_calling_services": {
        "address": Relationship("one", frozenset({"addresses"}), nullable=True, required=False),
    },
    "voice_out_trunks": {
        "default_did": Relationship("one", frozenset({"dids"}), nullable=True, required=False),
    },
}


@functools.cache
def reachable() -> dict[str, frozenset[str]]:
    """Return, by type, the types that its documents can include."""
    raw = _load(HERE / "facts" / "_common.yaml")
    by_schema = {_load(HERE / "facts" / f"{type_}.yaml")["schema"]: type_ for type_ in types()}
    return {type_: frozenset(by_schema[name] for name in names) for type_, names in raw["included_by_type"].items()}


@functools.cache
def _filters_sheet() -> Raw:
    return _load(HERE / "filters.yaml")


def sheet_of(type_: str) -> Raw:
    """Return the raw entry of `type_` in the filters sheet."""
    entry: Raw = _filters_sheet().get(type_, {})
    return entry


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


def _load(path: Path) -> Raw:
    loaded: Raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    return loaded


def _request(raw: Raw | None) -> Request | None:
    if raw is None:
        return None
    constraints = (*raw.get("constraints", ()), *raw.get("rules", ()))
    return Request(_attributes(raw.get("attributes")), _relationships(raw.get("relationships")), constraints)


def _attributes(raw: Raw | None) -> dict[str, Attribute]:
    return {name: _attribute(schema) for name, schema in (raw or {}).items()}


_ATTRIBUTE_KEYS = {
    *("type", "kind", "format", "items", "anyOf", "enum", "properties", "additionalProperties"),
    *("nullable", "required", "required_on_create", "readOnly", "default"),
    *("minimum", "maximum", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
    *("note", "example"),
}


def _attribute(raw: Raw) -> Attribute:
    assert set(raw) <= _ATTRIBUTE_KEYS, f"keys that nothing reads: {set(raw) - _ATTRIBUTE_KEYS}"
    items: Raw = raw.get("items") or {}
    values = raw.get("enum") or items.get("enum") or ()
    variants = raw.get("anyOf") or items.get("anyOf") or ()
    return Attribute(
        kind=_kind(raw),
        item=_kind(items) if items else None,
        enum=frozenset(value for value in values if value is not None),
        nullable=bool(raw.get("nullable")),
        required=bool(raw.get("required")),
        required_on_create=bool(raw.get("required_on_create")),
        read_only=bool(raw.get("readOnly")),
        low=raw.get("minimum", raw.get("minItems")),
        high=raw.get("maximum", raw.get("maxItems")),
        longest=raw.get("maxLength"),
        pattern=raw.get("pattern", ""),
        distinct=bool(raw.get("uniqueItems")),
        default=raw.get("default"),
        format=raw.get("format", items.get("format", "")),
        members=_attributes(raw.get("properties")),
        closed=raw.get("additionalProperties") is False,
        refused=frozenset(_type_of(variant) for variant in variants if variant.get("refused_on_create")),
        variants=_variants(variants),
    )


def _type_of(variant: Raw) -> str:
    (type_,) = variant["properties"]["type"]["enum"]
    assert isinstance(type_, str)
    return type_


def _variants(raw: Any) -> dict[str, dict[str, Attribute]]:
    variants: dict[str, dict[str, Attribute]] = {}
    for variant in raw:
        type_ = _type_of(variant)
        assert type_ not in variants, f"two variants of {type_}"
        variants[type_] = _attributes(variant["properties"]["attributes"].get("properties"))
    return variants


_FORMATS = {"date-time": "datetime", "date": "date", "uuid": "text"}
_TYPES = {"string": "text", "integer": "integer", "boolean": "boolean", "array": "list"}
_AMOUNT = re.compile(r"\d+\.\d+")


def _kind(raw: Raw) -> str:
    if "anyOf" in raw:
        return "object"
    if raw["type"] == "object":
        return "map"
    if "enum" in raw:
        return "enum"
    if "format" in raw:
        return _FORMATS[raw["format"]]
    # An amount is a string to the document; the note, or else the example, says what is in it.
    amount = "decimal" in raw.get("note", "") or _AMOUNT.fullmatch(str(raw.get("example", "")))
    if raw["type"] == "string" and amount:
        return "decimal"
    return _TYPES[raw["type"]]


def _relationships(raw: Raw | None) -> dict[str, Relationship]:
    return {
        name: Relationship(
            kind=schema["kind"],
            targets=frozenset([schema["target"]] if isinstance(schema["target"], str) else schema["target"]),
            nullable=bool(schema.get("nullable") or schema.get("data_nullable")),
            null_only=bool(schema.get("null_only")),
            required=bool(schema.get("required")),
            low=schema.get("minItems"),
            high=schema.get("maxItems"),
            distinct=bool(schema.get("uniqueItems")),
        )
        for name, schema in (raw or {}).items()
    }


_FILTER_KEYS = {
    "type",
    "array",
    "all",
    "blank",
    "doc_blank",
    "ci",
    "match",
    "enum",
    "alias_of",
    "effect",
    "postman_array",
    "live",
}


def _filters(notes: Raw | None, sheet: Raw) -> dict[str, Filter]:
    return {name: _filter(note, sheet[name]) for name, note in (notes or {}).items()}


def _filter(note: str, raw: Raw) -> Filter:
    assert set(raw) <= _FILTER_KEYS, f"keys that nothing reads: {set(raw) - _FILTER_KEYS}"
    assert raw.get("effect", "none") == "none"
    return Filter(
        note=note,
        value=raw["type"],
        many=raw["array"],
        every=raw.get("all", False),
        blank=raw["blank"],
        doc_blank=raw.get("doc_blank", False),
        any_case=raw.get("ci", False),
        compares=raw.get("match", "equal"),
        enum=frozenset(raw.get("enum", ())),
        alias=raw.get("alias_of", ""),
        ignored="effect" in raw,
        older_many=raw.get("postman_array"),
        live=raw["live"],
    )


def _page_size(raw: Raw | None) -> PageSize | None:
    return None if raw is None else PageSize(raw["default"], raw["maximum"])
