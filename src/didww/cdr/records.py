"""The rows of a dataset as record objects."""

from __future__ import annotations

import json
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.schema import DIRECTIONS
from didww.enums import OpenStrEnum
from didww.resources.call import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from didww.cdr.arrow import Batch
    from didww.resources.call import CallRecord

__all__ = ["records_of"]

_CLASSES: Final = {direction: cls for cls, direction in DIRECTIONS.items()}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def records_of(batch: Batch) -> Iterator[CallRecord]:
    """Yield the rows of a batch of a dataset; it needs the column `direction`."""
    columns = {name: column.to_pylist() for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    directions = columns["direction"]
    if len(set(directions)) == 1:
        cls, converters = _class(directions[0])
        yield from map(cls, *(_converted(columns[name], convert) for name, convert in converters))
        return
    for place, direction in enumerate(directions):
        cls, converters = _class(direction)
        yield cls(*(convert(columns[name][place]) for name, convert in converters))


def _converted(values: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    return values if convert is _same else list(map(convert, values))


@cache
def _class(direction: str) -> tuple[type[Any], list[tuple[str, Callable[[Any], Any]]]]:
    cls = _CLASSES[direction]
    converters = [(attribute, _converter(kind)) for attribute, kind, *_ in columns_of(cls)]
    return cls, [*converters, ("extra", _extra)]


def _converter(kind: type[Any]) -> Callable[[Any], Any]:
    return _optional(kind) if issubclass(kind, OpenStrEnum) else _same


def _optional(kind: type[Any]) -> Callable[[Any], Any]:
    made: dict[Any, Any] = {None: None}

    def convert(value: Any) -> Any:
        if value not in made:
            if len(made) > 1000:
                made.clear()
                made[None] = None
            made[value] = kind(value)
        return made[value]

    return convert


def _same(value: Any) -> Any:
    return value


def _extra(value: str | None) -> Mapping[str, str]:
    return MappingProxyType(json.loads(value)) if value else _NOTHING
