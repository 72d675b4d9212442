"""The `meta` object of a resource."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, Self, cast

from didww._schema.record import Record, set_attributes, set_state

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Meta"]


class Meta(Record):
    """The `meta` object of a resource: read-only data beside the attributes.

    Declared members are typed attributes. The object is also a mapping of all members with their raw values.

    Example:
        >>> meta = Meta.from_dict({"setup_price": "1.5"})
        >>> meta["setup_price"], meta.get("monthly_price"), "setup_price" in meta
        ('1.5', None, True)
    """

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Self:
        meta = cls.__new__(cls)
        set_attributes(meta, raw)
        set_state(meta, None)
        return meta

    def __getitem__(self, name: str) -> Any:
        return self._attributes[name]

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the raw member `name`, or `default` if there is none."""
        return self._attributes.get(name, default)

    def keys(self) -> KeysView[str]:
        """Return the names of all members."""
        return self._attributes.keys()

    def values(self) -> ValuesView[Any]:
        """Return the raw values of all members."""
        return self._attributes.values()

    def items(self) -> ItemsView[str, Any]:
        """Return the names and raw values of all members."""
        return self._attributes.items()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return dict(self._attributes) == dict(cast("Mapping[str, Any]", other))

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # equal by content

    def _shown(self) -> Iterator[tuple[str, Any]]:
        yield from super()._shown()
        yield from ((name, value) for name, value in self._attributes.items() if name not in self._field_map)


ABCMeta.register(cast("ABCMeta", Mapping), Meta)  # not a base class, because of a metaclass conflict
