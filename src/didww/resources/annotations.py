"""What a field's annotation means at run time.

Resource modules import each other only for type checkers, because they refer to each other in circles. So a name
that is not there at run time stands for a resource class: a `Ref`, imported when somebody needs it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from didww.resources.kinds import Ref

if TYPE_CHECKING:
    from didww.resources.record import Record

__all__ = ["annotation_of"]


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        import builtins

        if hasattr(builtins, name):
            return getattr(builtins, name)
        return Ref(name)


def annotation_of(owner: type[Record], name: str) -> Any:
    """The evaluated annotation of the field `name` of `owner`."""
    text = owner.__annotations__[name]
    if not isinstance(text, str):
        return text
    names = _Names(vars(sys.modules[owner.__module__]))
    return eval(text, {"__builtins__": {}}, names)  # noqa: S307 our own source text
