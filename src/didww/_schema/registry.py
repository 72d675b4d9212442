"""Look up the class of a resource type: `dids` is `didww.resources.did.Did`.

The table is generated (`resource_types`). Modules are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from didww._schema.resource_types import RESOURCE_TYPES
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww._schema.resource import Resource

__all__ = ["all_classes", "class_called", "class_named", "class_of", "singular"]

_MAX_UNKNOWN = 1000  # types come from responses, so memory is bounded
_TYPE_OF_MODULE = {module: type for type, (module, _) in RESOURCE_TYPES.items()}
_TYPE_OF_CLASS = {name: type for type, (_, name) in RESOURCE_TYPES.items()}


class _Classes(dict[str, "type[Resource] | None"]):
    """The classes by type, imported on first use; None for an unknown type."""

    def __missing__(self, type: str) -> type[Resource] | None:
        module, name = RESOURCE_TYPES.get(type, ("", ""))
        cls = getattr(importlib.import_module(f"didww.resources.{module}"), name) if module else None
        if cls is not None or len(self) < _MAX_UNKNOWN:
            self[type] = cls
        return cls


# Not a Python function, for speed: one response may look up a thousand types.
class_of = _Classes().__getitem__


def class_named(name: str) -> type[Resource]:
    """Return the resource class called `name`, e.g. `Did`.

    Raises:
        InvalidValueError: The class does not exist.
    """
    cls = class_of(_TYPE_OF_CLASS.get(name, ""))
    if cls is None:
        raise InvalidValueError(f"There is no resource class {name!r}.", field=name)
    return cls


def class_called(name: str) -> type[Resource] | None:
    """Return the resource class for the singular of a type, e.g. `country`, or None."""
    return class_of(_TYPE_OF_MODULE.get(name, ""))


def all_classes() -> list[type[Resource]]:
    """Return all resource classes of the package, sorted by type."""
    return [cls for type in sorted(RESOURCE_TYPES) if (cls := class_of(type)) is not None]


def singular(type: str) -> str:
    """Return the singular of a resource type, e.g. `did` for `dids`; return an unknown type unchanged."""
    return RESOURCE_TYPES[type][0] if type in RESOURCE_TYPES else type
