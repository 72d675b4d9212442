"""Python source of values and of records, written over several lines where one would be too long."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, cast

from didww._jsonapi.encode import linkage
from didww._schema.nested import Nested
from didww._schema.registry import class_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from didww._schema.resource import Resource

__all__ = ["Call", "Chain", "Code", "Dict", "InexpressibleError", "List", "Value", "record_code", "write"]

_WIDTH: Final = 88


class InexpressibleError(Exception):
    """The declarations cannot express the request."""


class Code:
    """An expression: an opening, parts that commas separate, and a closing."""

    def __init__(self, opening: str, parts: Sequence[tuple[str, Code]] = (), closing: str = "") -> None:
        self.opening = opening
        self.parts = parts
        self.closing = closing
        self.own_imports: frozenset[str] = frozenset()

    def imports(self) -> Iterator[str]:
        """Yield the names that the expression needs from `didww`."""
        yield from self.own_imports
        for _, part in self.parts:
            yield from part.imports()

    def line(self) -> str:
        """Return the expression in one line."""
        return self.opening + ", ".join(f"{before}{part.line()}" for before, part in self.parts) + self.closing

    def lines(self, indent: int, taken: int) -> str:
        """Return the expression, broken where it would exceed the width after `taken` characters."""
        line = self.line()
        if not self.parts or taken + len(line) <= _WIDTH:
            return line
        inner = " " * (indent + 4)
        if len(self.parts) == 1 and not self.parts[0][0] and self.parts[0][1].parts:
            return self.opening + self.parts[0][1].lines(indent, taken + len(self.opening)) + self.closing
        rows = [
            f"{inner}{before}{part.lines(indent + 4, indent + 4 + len(before) + 1)},\n" for before, part in self.parts
        ]
        return f"{self.opening}\n{''.join(rows)}{' ' * indent}{self.closing}"


class Value(Code):
    """A plain value: text, a number, a list, a dict."""

    def __init__(self, value: Any) -> None:
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            super().__init__("{", [(f"{_quoted(name)}: ", Value(member)) for name, member in members.items()], "}")
        elif isinstance(value, list):
            super().__init__("[", [("", Value(item)) for item in cast("list[Any]", value)], "]")
        else:
            super().__init__(_quoted(value) if isinstance(value, str) else repr(value))


class List(Code):
    """A list of expressions."""

    def __init__(self, items: Sequence[Code]) -> None:
        super().__init__("[", [("", item) for item in items], "]")


class Dict(Code):
    """A dict of expressions."""

    def __init__(self, members: Mapping[str, Code]) -> None:
        super().__init__("{", [(f"{_quoted(name)}: ", member) for name, member in members.items()], "}")


class Call(Code):
    """A call of a function; `imported` if its first name comes from `didww`."""

    def __init__(
        self,
        function: str,
        arguments: Sequence[Code] = (),
        keywords: Mapping[str, Code] | None = None,
        *,
        imported: bool = False,
    ) -> None:
        named = [(f"{name}=", value) for name, value in (keywords or {}).items()]
        super().__init__(f"{function}(", [*(("", argument) for argument in arguments), *named], ")")
        if imported:
            self.own_imports = frozenset({function.partition(".")[0]})


class Chain(Code):
    """Calls of methods, one after the other, on an object whose class comes from `didww`."""

    def __init__(self, start: str, calls: Sequence[tuple[str, Sequence[Code], Mapping[str, Code]]]) -> None:
        text = "".join(f".{Call(name, arguments, keywords).line()}" for name, arguments, keywords in calls)
        super().__init__(start + text)
        self.own_imports = frozenset({start.partition("(")[0]})


class Name(Code):
    """A name, such as a member of an enum."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.own_imports = frozenset({name.partition(".")[0]})


def write(code: Code, *, indent: int) -> str:
    """Return the source of an expression that is assigned in a block."""
    return code.lines(indent, indent + len("response = "))


def record_code(cls: type[Resource], body: Any, id: str | None) -> Code:
    """Return the expression of the record whose creation or update sends `body`.

    Args:
        cls: The class of the record.
        body: The body of the request, with secrets masked.
        id: The id of the record to update; None to create one.

    Raises:
        InexpressibleError: The library would send something else.
        DidwwError: The library would refuse a value.
    """
    data = _members(_members(body).get("data"))
    if data.get("type") != cls._type_name or data.get("id") != id:
        raise InexpressibleError
    attributes = _members(data.get("attributes"))
    relationships = {name: one["data"] for name, one in _members(data.get("relationships")).items()}
    values: dict[str, Any] = {}
    for name, raw in attributes.items():
        field = cls._field_map.get(name)
        if field is None or field.place != "attributes":
            raise InexpressibleError
        nested = field.kind.name == "object" or (field.kind.name == "list" and field.kind.detail.name == "object")
        values[name] = raw if nested or field.kind.load is None or raw is None else field.kind.load(raw)
    for name, raw in relationships.items():
        if name not in cls._field_map:
            raise InexpressibleError
        several = cast("list[Any]", raw) if isinstance(raw, list) else None
        values[name] = raw and _reference(raw) if several is None else [_reference(item) for item in several]
    # Setting one of two relationships that exclude each other sets the other to null, too.
    for name, value in list(values.items()):
        other = cls._field_map[name].excludes
        if value is not None and other is not None and other in values and values[other] is None:
            del values[other]
    record = cls(**values) if id is None else cls.build(id, **values)
    _check(record, attributes, relationships, creating=id is None)
    keywords = {name: _expression(getattr(record, name)) for name in values}
    if id is None:
        return Call(cls.__name__, [], keywords, imported=True)
    return Call(f"{cls.__name__}.build", [Value(id)], keywords, imported=True)


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _check(record: Resource, attributes: Any, relationships: Any, *, creating: bool) -> None:
    """Check that the library would send exactly these members."""
    sent = {name: linkage(data) for name, data in record._pending_relationships().items()}
    if record._to_send() != attributes or sent != relationships or list(record._missing(creating=creating)):
        raise InexpressibleError
    record._check_rules(creating=creating)


def _reference(identifier: Any) -> Resource:
    cls = class_of(identifier["type"])
    if cls is None:
        raise InexpressibleError
    return cls.build(identifier["id"])


def _expression(value: Any) -> Code:
    from didww._schema.resource import Resource

    if isinstance(value, Nested):
        cls = type(value)
        names = value._raw()["attributes"]
        return Call(cls.__name__, [], {name: _expression(getattr(value, name)) for name in names}, imported=True)
    if isinstance(value, Resource):
        return Call(f"{type(value).__name__}.build", [Value(value.id)], imported=True)
    if isinstance(value, enum.Enum):
        enumeration = type(value)
        if value.name in enumeration.__members__:
            return Name(f"{enumeration.__name__}.{value.name}")
        return Call(enumeration.__name__, [Value(value.value)], imported=True)
    if isinstance(value, list):
        return List([_expression(item) for item in cast("list[Any]", value)])
    if isinstance(value, dict):
        return Dict({str(name): _expression(item) for name, item in cast("dict[Any, Any]", value).items()})
    if value is None or isinstance(value, (str, bool, int, float)):
        return Value(value)
    return _converted(value)


def _converted(value: Any) -> Code:
    """Return the expression of a decimal, which is accepted as text, or of a time."""
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, Decimal):
        return Value(str(value))
    if isinstance(value, datetime):
        return Call("datetime.fromisoformat", [Value(value.isoformat())], imported=True)
    raise InexpressibleError


def _quoted(text: str) -> str:
    """Return a string literal in double quotes, unless the text contains some."""
    literal = repr(text)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in text else literal
