"""The resources of one answer, linked: one object per (type, id), however often and from wherever it is reached.

Objects are made when somebody first reaches them. Cycles are fine. Which class an object gets is left to the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from didww.jsonapi.document import ResourceObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from didww.jsonapi.document import Document, Identifier

__all__ = ["Graph", "Node"]


class Node(Protocol):
    """What a graph holds: anything that knows its type and id."""

    @property
    def type(self) -> str:
        """Type of the resource."""
        ...

    @property
    def id(self) -> str | None:
        """Id of the resource."""
        ...


class Graph:
    """The primary resources of an answer and the included ones behind them.

    `fieldsets` says which fields were asked for, by type, so that a missing one can be explained.
    """

    __slots__ = ("_included", "_index", "_make", "fieldsets", "nodes")

    def __init__(
        self,
        document: Document,
        make: Callable[[ResourceObject, Graph], Any],
        fieldsets: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._make = make
        self._included = document.included
        self._index: dict[tuple[str, str], Any] | None = None
        self.fieldsets: Mapping[str, Sequence[str]] = fieldsets or {}
        data = document.data
        primary = data if isinstance(data, list) else [] if data is None else [data]
        self.nodes: list[Any] = [make(resource, self) for resource in primary]

    def resolve(self, identifier: Identifier) -> Any | None:
        """The object meant by `identifier`; None when the answer does not hold it."""
        index = self._index
        if index is None:
            index = self._index = self._build_index()
        key = (identifier.type, identifier.id)
        found = index.get(key)
        if isinstance(found, ResourceObject):
            found = index[key] = self._make(found, self)
        return found

    def remember(self, identifier: Identifier, node: Any) -> None:
        """Keep `node` as the one object for `identifier`, which the answer did not hold."""
        if self._index is None:
            self._index = self._build_index()
        self._index[identifier.type, identifier.id] = node

    def _build_index(self) -> dict[tuple[str, str], Any]:
        index: dict[tuple[str, str], Any] = {(raw.type, raw.id): raw for raw in self._included}
        index.update({(node.type, node.id): node for node in self.nodes})
        return index
