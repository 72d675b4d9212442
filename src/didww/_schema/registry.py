"""Finds the class of a resource type by its name alone: `dids` is `didww.resources.did.Did`.

There is no table of resources: the module's name is the type in the singular, the class's name the same in capitals.
Modules are imported when an answer, or somebody, first needs them.
"""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww._schema.resource import Resource

__all__ = ["all_classes", "class_called", "class_named", "class_of"]

_MAX_UNKNOWN = 1000  # types come from outside; do not remember without end
_TYPE = re.compile(r"[a-z][a-z_]{0,60}", re.ASCII)
_SINGULARS = (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("s", ""))


class _Classes(dict[str, "type[Resource] | None"]):
    """The class of each resource type that was asked for; None for those that this SDK does not know."""

    def __missing__(self, type: str) -> type[Resource] | None:
        found = _import(type)
        if found is not None or len(self) < _MAX_UNKNOWN:
            self[type] = found
        return found


# Not a function of its own: an answer asks for a thousand.
class_of = _Classes().__getitem__


def class_named(name: str) -> type[Resource]:
    """The resource class called `name`, e.g. `Did`.

    Raises:
        InvalidValueError: There is none.
    """
    found = _load(re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(), name)
    if found is None:
        raise InvalidValueError(f"There is no resource class {name!r}.", field=name)
    return found


def class_called(name: str) -> type[Resource] | None:
    """The resource class of a type in the singular, e.g. `country`; None if there is none."""
    return _load(name, _camel(name)) if _TYPE.fullmatch(name) else None


def all_classes() -> list[type[Resource]]:
    """Every resource class of the package, by type."""
    import pkgutil
    from importlib import import_module

    resources = import_module("didww.resources")  # a layer above this one, reached by name like its modules
    found: list[type[Resource]] = []
    for module in pkgutil.iter_modules(resources.__path__):
        cls = None if module.ispkg else _load(module.name, _camel(module.name))
        if cls is not None:
            found.append(cls)
    return sorted(found, key=lambda cls: cls.type_)


def _import(type: str) -> type[Resource] | None:
    if not _TYPE.fullmatch(type):
        return None
    module = singular(type)
    found = _load(module, _camel(module))
    return found if found is not None and found.type_ == type else None


def singular(type: str) -> str:
    """A resource type in the singular: `dids` to `did`, `countries` to `country`."""
    for plural, one in _SINGULARS:
        if type.endswith(plural):
            return type[: -len(plural)] + one
    return type


def _camel(module: str) -> str:
    return "".join(part.capitalize() for part in module.split("_"))


def _load(module: str, name: str) -> type[Resource] | None:
    from didww._schema.resource import Resource

    path = f"didww.resources.{module}"
    try:
        found = getattr(importlib.import_module(path), name, None)
    except ModuleNotFoundError as error:
        if error.name != path:  # a module of ours that misses something of its own is a defect, not an unknown type
            raise
        return None
    return found if isinstance(found, type) and issubclass(found, Resource) and found.type_ else None
