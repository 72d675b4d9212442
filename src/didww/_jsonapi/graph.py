"""The resources of one response, linked: one object per (type, id), however often and from wherever it is reached.

Objects of included records are made when somebody first follows a relationship. Cycles are fine. Which class an object
gets is left to the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww._jsonapi.document import Identifier
from didww._util.coerce import Slotted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from didww._jsonapi.document import Document, ResourceObject

__all__ = ["Graph"]


class Graph(Slotted):
    """The primary resources of a response and the included ones behind them.

    Attributes:
        nodes: The primary resources, in the order of the response.
        reached: The resources that relationships lead to, by identifier; filled when somebody first follows one.
        fieldsets: Which fields were asked for, by type, so that a missing one can be explained.
    """

    __slots__ = ("_included", "_make", "_unindexed", "fieldsets", "nodes", "reached")

    def __init__(
        self,
        document: Document,
        make: Callable[[ResourceObject, Graph], Any],
        fieldsets: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._make = make
        self._included = document.included  # those of which no objects were made yet
        self.reached: dict[Identifier, Any] = {}
        self.fieldsets: Mapping[str, Sequence[str]] = fieldsets or {}
        data = document.data
        primary = data if isinstance(data, list) else [] if data is None else [data]
        self.nodes: list[Any] = [make(resource, self) for resource in primary]
        # Primary resources are looked up by what points to one of their types; in most responses nothing does.
        self._unindexed: frozenset[str] = frozenset(resource.type for resource in primary)

    # The oldest pickle protocols do not look at slots.

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def resolve(self, identifier: Identifier) -> Any | None:
        """The object meant by `identifier`; None when the response does not hold it."""
        # Two threads may get here at once; the first one's objects are everybody's.
        found, included = self.reached, self._included
        if identifier.type in self._unindexed or any(raw.type in self._unindexed for raw in included):
            for node in self.nodes:
                found.setdefault(Identifier(node.type, node.id or ""), node)
            self._unindexed = frozenset()
        for raw in included:
            found.setdefault(Identifier(raw.type, raw.id), self._make(raw, self))
        self._included = []
        return found.get(identifier)

    def remember(self, identifier: Identifier, node: Any) -> Any:
        """Keep `node` as the one object for `identifier`, which the response does not hold; return the one kept."""
        return self.reached.setdefault(identifier, node)
