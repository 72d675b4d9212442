"""The contract's facts as typed data: one `ResourceFacts` for each resource type and API version.

Reads the files of 2026-04-16 (`facts/`, filters joined with `filters.yaml`) and the differences of 2026-11-19
(`facts_2026_11_19/`), and brings their spellings to one form; their content is checked elsewhere (test_declarations.py).
"""

from __future__ import annotations

import copy
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from didww.version import API_VERSIONS

HERE = Path(__file__).parents[1] / "contract"
OLD, NEW = API_VERSIONS
OLD_FACTS, NEW_FACTS = HERE / "facts", HERE / "facts_2026_11_19"

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
    filter_keys: dict[str, frozenset[str]]


@dataclass(frozen=True)
class Row:
    """One difference between the versions.

    Attributes:
        type: The resource type, or the sheet.
        id: Its name among all rows.
        how: add, remove, set, or rule for a difference in words.
        path: What is added, removed or set: the kind, such as attributes or filters, and the name.
        value: What is added or set, as raw facts; of a rule, its words.
        requests: The requests that carry it: create, update.
        replacement: What the client recommends instead of what is removed.
        source: Marks of the sources.
        unconfirmed: Whether it was concluded, not read.
    """

    type: str
    id: str
    how: str
    path: tuple[str, ...]
    value: Any
    requests: tuple[str, ...]
    replacement: str
    source: str
    unconfirmed: bool

    @property
    def kind(self) -> str:
        """The kind of what differs, e.g. `filters`."""
        return self.path[0] if self.path else self.how

    @property
    def name(self) -> str:
        """The name of what differs."""
        return self.path[-1]


_ROW_KEYS = {"id", "rule", "add", "remove", "set", "value", "requests", "replacement", "source", "unconfirmed"}


def _row(type_: str, raw: Raw) -> Row:
    assert set(raw) <= _ROW_KEYS, f"keys that nothing reads: {set(raw) - _ROW_KEYS}"
    (how,) = {"add", "remove", "set", "rule"} & set(raw)
    return Row(
        type=type_,
        id=f"{type_}.{raw['id']}" if how == "rule" else f"{type_} {how} {raw[how]}",
        how=how,
        path=() if how == "rule" else tuple(raw[how].split("/")),
        value=raw["rule"] if how == "rule" else raw.get("value"),
        requests=tuple(raw.get("requests", ())),
        replacement=raw.get("replacement", ""),
        source=raw["source"],
        unconfirmed=raw.get("unconfirmed", False),
    )


@functools.cache
def rows() -> tuple[Row, ...]:
    """Return every difference of the newer version, of all files."""
    found: list[Row] = []
    for path in sorted(NEW_FACTS.glob("*.yaml")):
        raw = _load(path)
        found += [_row(raw["type"], row) for row in raw.get("changes", ())]
        if path.stem.startswith("_"):
            continue
        how = "remove" if raw.get("removed") else "add" if "operations" in raw else ""
        if how:
            value = raw.get("status")
            more = (raw.get("replacement", ""), raw["source"], raw.get("unconfirmed", False))
            found.append(Row(path.stem, f"{path.stem} {how}", how, ("resource", path.stem), value, (), *more))
    return tuple(found)


@functools.cache
def types(version: str = OLD) -> tuple[str, ...]:
    """Return every resource type of a version of the contract."""
    return tuple(sorted(_resources(version)))


@functools.cache
def _resources(version: str) -> dict[str, tuple[Raw, Raw]]:
    """Return the raw facts of every resource and the entry of the filters sheet, by type."""
    found = {path.stem: (_load(path), _filters_sheet().get(path.stem, {})) for path in OLD_FACTS.glob("[!_]*.yaml")}
    if version == OLD:
        return found
    for path in NEW_FACTS.glob("[!_]*.yaml"):
        raw = _load(path)
        if raw.get("removed"):
            del found[path.stem]
        elif "operations" in raw:
            found[path.stem] = (raw, _sheet_of_new(raw["operations"]))
        else:
            found[path.stem] = copy.deepcopy(found[path.stem])
            for row in (_row(path.stem, change) for change in raw["changes"]):
                _apply(row, *found[path.stem])
    return found


def raw(type_: str, version: str = OLD) -> Raw | None:
    """Return the facts of a resource as data; None if the version does not have it."""
    found = _resources(version).get(type_)
    return None if found is None else found[0]


def folder(type_: str) -> str:
    """Return the folder with the facts of a resource in tests/contract."""
    return (OLD_FACTS if raw(type_) is not None else NEW_FACTS).name


def _sheet_of_new(operations: Raw) -> Raw:
    """Return the sheet of a resource whose own file has everything, and leave the notes of the filters there."""
    listed: Raw = operations.get("list", {})
    page = listed.get("page_size")
    sheet: Raw = {
        "filter": {name: _without_note(entry) for name, entry in listed.get("filters", {}).items()},
        "sort": listed.get("sort", []),
        "include": listed.get("include", []),
        "page": {"default": page["default"], "max": page["maximum"]} if page else False,
    }
    listed["filters"] = {name: entry["note"] for name, entry in listed.get("filters", {}).items()}
    return sheet


def _without_note(entry: Raw) -> Raw:
    return {"live": True} | {key: value for key, value in entry.items() if key != "note"}


def _apply(row: Row, raw: Raw, sheet: Raw) -> None:
    """Apply a difference to the facts of 2026-04-16."""
    if row.how == "set":
        target = raw
        for step in row.path[:-1]:
            target = target[step]
        assert row.name in target, row.id
        target[row.name] = row.value
    elif row.kind in ("attributes", "relationships"):
        for of in (raw, *(raw[f"{request}_request"] for request in row.requests)):
            value = (
                row.value if of is raw else {**row.value, "required": False, "readOnly": False} if row.value else None
            )
            _change(of[row.kind], row, value)
    elif row.kind == "filters":
        _change(raw["operations"]["list"]["filters"], row, row.value and row.value["note"])
        _change(sheet["filter"], row, row.value and _without_note(row.value))
    elif row.kind in ("sort", "include"):
        for of in (sheet, *(one for one in raw["operations"].values() if row.kind in one)):
            _change(of[row.kind], row, row.name)
    elif row.kind == "include_nested":
        _change(sheet["include_nested"], row, row.name)
    elif row.kind == "enum":
        for of in (raw, raw.get("create_request") or {}):
            _change(of.get("attributes", {})[row.path[1]]["enum"], row, row.name)
    elif row.kind == "filter_keys":
        _change(raw.setdefault("filter_keys", _filter_keys(raw)).setdefault(row.path[1], {}), row, row.value)
        for of in (raw, raw["create_request"]):
            of["attributes"]["filters"]["properties"].setdefault(row.name, _member(row.value))
    else:
        assert row.how == "rule", row.id


def _member(value: Raw) -> Raw:
    return {key: value[key] for key in ("type", "format", "required", "pattern") if key in value}


def _change(where: Any, row: Row, value: Any) -> None:
    """Add a member or an item to, or remove it from, what must not or must have it."""
    assert (row.name in where) == (row.how == "remove"), row.id
    if row.how == "remove":
        where.remove(row.name) if isinstance(where, list) else where.pop(row.name)
    elif isinstance(where, list):
        where.append(row.name)
    else:
        where[row.name] = value


def _filter_keys(raw: Raw) -> dict[str, Raw]:
    """Return the keys that an export of each type can be created with, of which the facts tell in words."""
    create: Raw = raw.get("create_request") or {}
    members: Raw = (create.get("attributes") or {}).get("filters", {}).get("properties", {})
    types_: list[str] = create["attributes"]["export_type"]["enum"] if members else []
    others = {name: member.get("note", "").partition(" alone")[0] for name, member in members.items()}
    return {
        type_: {name: members[name] for name, of in others.items() if of not in types_ or of == type_}
        for type_ in types_
    }


@functools.cache
def facts(type_: str, version: str = OLD) -> ResourceFacts:
    """Return what a version of the contract says about `type_`."""
    raw, sheet = _resources(version)[type_]
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
        filter_keys={name: frozenset(keys) for name, keys in (raw.get("filter_keys") or _filter_keys(raw)).items()},
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
def reachable(version: str = OLD) -> dict[str, frozenset[str]]:
    """Return, by type, the types that its documents can include."""
    included: dict[str, list[str]] = _load(OLD_FACTS / "_common.yaml")["included_by_type"]
    if version != OLD:
        changes = _load(NEW_FACTS / "_included.yaml")
        new = {**included, **dict.fromkeys(changes["like_dids"], included["dids"])}
        included = {
            type_: [name for name in names if name not in changes["removed"]]
            + (changes["with_dids"] if "Did" in names else [])
            for type_, names in new.items()
        }
    by_schema = {raw["schema"]: type_ for type_, (raw, _) in _resources(version).items()}
    return {type_: frozenset(by_schema[name] for name in names) for type_, names in included.items()}


@functools.cache
def _filters_sheet() -> Raw:
    return _load(HERE / "filters.yaml")


def sheet_of(type_: str, version: str = OLD) -> Raw:
    """Return the raw entry of `type_` in the filters sheet."""
    return _resources(version)[type_][1]


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
    if raw["type"] == ["string", "object"]:
        return "text or map"
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


@functools.cache
def sheet(name: str) -> Raw:
    """Return a sheet of the newer version that is of no resource, e.g. `_prices`."""
    return _load(NEW_FACTS / f"{name}.yaml")
