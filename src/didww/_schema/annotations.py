"""The runtime evaluation of the annotations of record classes.

Resource modules refer to each other in cycles, so they import each other for type checkers only. A name that is not
defined at run time is therefore a resource class: fields resolve it to a `Ref`, which is imported when needed, and type
hints resolve it to the class itself.
"""

from __future__ import annotations

import builtins
import re
import sys
from typing import TYPE_CHECKING, Any

from didww._schema.registry import class_named
from didww._schema.resource_types import RESOURCE_TYPES
from didww._schema.types import PLAIN_TYPES, Ref

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView, Iterator, ValuesView

    from didww._schema.record import Record

__all__ = ["Annotations", "annotation_of", "check_names"]


class _Names(dict[str, Any]):
    """The names available to the annotations of a module.

    The types of plain values are resolved by name, because a test that freezes time replaces `datetime` in modules.
    """

    def __init__(self, module: str, missing: Callable[[str], Any]) -> None:
        super().__init__({**vars(sys.modules[module]), **PLAIN_TYPES})
        self._missing = missing

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            return getattr(builtins, name)
        return self._missing(name)


_RESOURCE_NAMES = {name for _, name in RESOURCE_TYPES.values()}
_NAME = re.compile(r"[A-Za-z_]\w*")


def check_names(annotation: Any, module: str, label: str) -> None:
    """Check that each name in `annotation` is defined: in its module, as a builtin, or as a resource class.

    Raises:
        TypeError: A name is undefined. Without the check, it would be treated as a resource class to import later.
    """
    if not isinstance(annotation, str):
        return
    known = vars(sys.modules[module])
    for name in _NAME.findall(annotation):
        if not (name in known or name in PLAIN_TYPES or name in _RESOURCE_NAMES or hasattr(builtins, name)):
            raise TypeError(f"The annotation of {label} names {name!r}, which {module} does not define or import.")


def _evaluate(annotation: Any, module: str, missing: Callable[[str], Any]) -> Any:
    if not isinstance(annotation, str):
        return annotation
    return eval(annotation, {"__builtins__": {}}, _Names(module, missing))  # noqa: S307 our own source text


class Annotations(dict[str, Any]):
    """The annotations of a class as types, each evaluated on first access.

    `typing.get_type_hints` cannot evaluate their text, because it cannot resolve the names of other resources.
    """

    def __init__(self, module: str, texts: dict[str, Any]) -> None:
        super().__init__(texts)
        self._module = module

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, str):
            value = self[name] = _evaluate(value, self._module, class_named)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 `dict.get` would return the text

    def __iter__(self) -> Iterator[str]:  # `dict(annotations)` would copy the texts otherwise
        return super().__iter__()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a view of a plain dict
        """Return the names and types."""
        return {name: self[name] for name in self}.items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride] # a view of a plain dict
        """Return the types."""
        return {name: self[name] for name in self}.values()


def annotation_of(owner: type[Record], name: str) -> Any:
    """Return the evaluated annotation of the field `name` of `owner`, with resource classes as `Ref` objects."""
    return _evaluate(owner._field_map[name].annotation, owner.__module__, Ref)
