"""Decoding of JSON:API documents into a small typed envelope.

The envelope declares only the members that the package reads, so the parser skips the rest (most of a response is
links). A document of an unexpected shape is parsed a second time, member by member, and all valid members are kept: any
JSON object is accepted, unless it is nested too deeply for Python to copy, compare or show. An invalid character, e.g.
half of a surrogate pair, is read as U+FFFD. `didww.resources` converts to Python values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "MAX_LEVELS",
    "Document",
    "Identifier",
    "Linkage",
    "NotJsonApiError",
    "ResourceObject",
    "decode",
    "decode_errors",
    "decode_raw",
    "nested_deeper",
    "resource_object",
]

MAX_LEVELS = 100
"""Maximum nesting of lists and objects: Python allows a thousand nested calls, and a copy needs two per level."""

if TYPE_CHECKING:
    Value: TypeAlias = Any
else:
    # The parser rejects values with more levels than the service sends, and they are parsed a second time. Each level
    # doubles the time to create the parser.
    Value = None | bool | int | float | str
    for _ in range(5):
        Value = None | bool | int | float | str | list[Value] | dict[str, Value]


class NotJsonApiError(Exception):
    """The bytes are not a JSON object with `data`, or it is nested too deeply."""


class Identifier(Struct, frozen=True, gc=False):
    """A resource identifier: type and id."""

    type: str
    id: str


Data: TypeAlias = Identifier | list[Identifier] | None


class Linkage(Struct, gc=False):
    """A raw relationship: `data` is UNSET (not included), None, one identifier or a list of identifiers."""

    data: Data | UnsetType = UNSET


class ResourceObject(Struct, gc=False):
    """A raw resource object; `relationships` contains only linkage, without links."""

    type: str
    id: str = ""
    attributes: dict[str, Value] = field(default_factory=dict[str, Any])
    relationships: dict[str, Linkage] = field(default_factory=dict[str, Linkage])
    meta: dict[str, Value] | None = None


class Document(Struct, gc=False):
    """The document of a response."""

    data: ResourceObject | list[ResourceObject] | None
    included: list[ResourceObject] = field(default_factory=list[ResourceObject])
    meta: dict[str, Value] = field(default_factory=dict[str, Any])
    links: dict[str, Value] = field(default_factory=dict[str, Any])


_decoder = msgspec.json.Decoder(Document)
_raw_decoder = msgspec.json.Decoder()


def decode(body: bytes) -> Document:
    """Decode the document in `body`.

    Raises:
        NotJsonApiError: `body` is not a JSON object with a `data` member.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _lenient(decode_raw(body))


def decode_raw(body: bytes) -> dict[str, Any]:
    """Decode `body` to plain dicts and lists.

    Raises:
        NotJsonApiError: `body` is not a JSON object, or is nested too deeply.
    """
    try:
        try:
            value = _raw_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = _raw_decoder.decode(_with_replacements(body))
    except (msgspec.DecodeError, RecursionError):
        raise NotJsonApiError from None
    if not isinstance(value, dict) or nested_deeper(cast("object", value), MAX_LEVELS):
        raise NotJsonApiError
    return cast("dict[str, Any]", value)


# An unterminated string extends to the end of the text. Possessive quantifiers keep the time linear.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_ODD = re.compile(
    r"""
    (\\(?: ["\\/bfnrt] | u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2} | u(?![dD][89a-fA-F])[0-9a-fA-F]{4} ))
    | \\(?: u[0-9a-fA-F]{0,4} | . ) | [\x00-\x1f]
    """,
    re.DOTALL | re.VERBOSE,
)
"""In a string: a valid escape sequence (group 1), or an invalid sequence."""


def _with_replacements(body: bytes) -> str:
    """Return the text of `body` with U+FFFD for each character that JSON or UTF-8 does not allow in a string."""
    return _STRING.sub(
        lambda string: _ODD.sub(lambda match: match[1] or "\ufffd", string[0]), body.decode("utf-8-sig", "replace")
    )


def nested_deeper(value: object, levels: int) -> bool:
    """Return whether lists and dicts are nested in more than `levels` levels, or contain themselves."""
    level: list[Any] = [value]
    for _ in range(levels + 1):
        # Each object once, even if it occurs several times.
        children = {id(item): _inside(item) for item in level}
        level = [item for inside in children.values() for item in inside or ()]
        if not any(inside is not None for inside in children.values()):
            return False
    return True


def _inside(value: Any) -> Iterable[Any] | None:
    """Return the items of a list or dict, or None for other values."""
    if isinstance(value, dict):
        return cast("dict[Any, Any]", value).values()
    return cast("Iterable[Any]", value) if isinstance(value, (list, tuple)) else None


def decode_errors(body: bytes) -> list[dict[str, Any]]:
    """Decode the error objects in `body`; return an empty list if there are none."""
    try:
        errors = decode_raw(body).get("errors")
    except NotJsonApiError:
        return []
    return [cast("dict[str, Any]", error) for error in _list(errors) if isinstance(error, dict)]


def resource_object(raw: dict[str, Any]) -> ResourceObject | None:
    """Return the resource object in `raw`, with all valid members, or None if it has no type."""
    return next(iter(_resources([raw])), None)


def _lenient(raw: dict[str, Any]) -> Document:
    if "data" not in raw:
        raise NotJsonApiError
    data: object = raw["data"]
    many = isinstance(data, list)
    resources = _resources(cast("object", data) if many else [data])
    return Document(
        data=resources if many else (resources[0] if resources else None),
        included=_resources(raw.get("included")),
        meta=_dict(raw.get("meta")),
        links=_dict(raw.get("links")),
    )


def _resources(value: object) -> list[ResourceObject]:
    resources: list[ResourceObject] = []
    for item in _list(value):
        raw = _dict(item)
        identifier = _identifier(raw)
        if identifier is not None:
            resources.append(
                ResourceObject(
                    type=identifier.type,
                    id=identifier.id,
                    attributes=_dict(raw.get("attributes")),
                    relationships={name: _linkage(value) for name, value in _dict(raw.get("relationships")).items()},
                    meta=_dict(raw["meta"]) if isinstance(raw.get("meta"), dict) else None,
                )
            )
    return resources


def _linkage(value: object) -> Linkage:
    raw = _dict(value)
    if "data" not in raw:
        return Linkage()
    data: object = raw["data"]
    if isinstance(data, list):
        identifiers = (_identifier(_dict(item)) for item in cast("list[object]", data))
        return Linkage([identifier for identifier in identifiers if identifier is not None])
    if data is None:
        return Linkage(None)
    identifier = _identifier(_dict(data))
    return Linkage(identifier) if identifier is not None else Linkage()


def _identifier(raw: dict[str, Any]) -> Identifier | None:
    kind = raw.get("type")
    if not isinstance(kind, str):
        return None
    id_ = raw.get("id")
    return Identifier(kind, "" if id_ is None else str(id_))


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
