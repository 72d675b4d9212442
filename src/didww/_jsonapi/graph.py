"""The linked resources of one response: one object per type and id.

Objects for included resources are created when a relationship is first followed. Cycles are supported. The caller
chooses the class of each object.
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
    """The primary and included resources of a response.

    Attributes:
        nodes: The primary resources, in the order of the response.
        reached: The resources that relationships lead to, by identifier; filled when one is first followed.
        fieldsets: The requested fields by type, to explain a missing field.
    """

    __slots__ = ("_included", "_make", "_unindexed", "fieldsets", "nodes", "reached")

    def __init__(
        self,
        document: Document,
        make: Callable[[ResourceObject, Graph], Any],
        fieldsets: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._make = make
        self._included = document.included  # resources without objects yet
        self.reached: dict[Identifier, Any] = {}
        self.fieldsets: Mapping[str, Sequence[str]] = fieldsets or {}
        data = document.data
        primary = data if isinstance(data, list) else [] if data is None else [data]
        self.nodes: list[Any] = [make(resource, self) for resource in primary]
        # Primary resources are indexed only if a relationship leads to their type, which is rare.
        self._unindexed: frozenset[str] = frozenset(resource.type for resource in primary)

    # The oldest pickle protocols ignore slots.

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def resolve(self, identifier: Identifier) -> Any | None:
        """Return the object for `identifier`, or None if the response does not contain it."""
        # Two threads may get here at once; the objects of the first one are shared.
        reached, included = self.reached, self._included
        if identifier.type in self._unindexed or any(raw.type in self._unindexed for raw in included):
            for node in self.nodes:
                reached.setdefault(Identifier(node.type, node.id or ""), node)
            self._unindexed = frozenset()
        for raw in included:
            reached.setdefault(Identifier(raw.type, raw.id), self._make(raw, self))
        self._included = []
        return reached.get(identifier)

    def remember(self, identifier: Identifier, node: Any) -> Any:
        """Store `node` for `identifier`, which the response does not contain; return the stored object."""
        return self.reached.setdefault(identifier, node)
