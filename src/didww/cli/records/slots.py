"""What can be written to a resource: its fields, with the members of nested objects beside them.

The configuration of a trunk is one field in the API. On a command line and in a CSV file, its members are options and
columns of their own (`host`), and its type is another one (`configuration_type`).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from didww._schema.fields import Field
    from didww._schema.nested import Nested
    from didww._schema.resource import Resource

__all__ = ["Slot", "short_type", "slots"]


class Slot(NamedTuple):
    """Something that can be written.

    Attributes:
        name: Its name, with underscores.
        field: The field; for a type of nested objects, the field that holds them.
        parent: The field with the nested object that `field` is a member of, or None.
        types: For the type of a nested object: the classes by short name.
        homes: For a member: the short types that have it.
    """

    name: str
    field: Field
    parent: Field | None = None
    types: dict[str, type[Nested]] | None = None
    homes: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """Its option, such as `--configuration-type`."""
        return f"--{self.name.replace('_', '-')}"


def short_type(cls: type[Any], field: Field) -> str:
    """Return the type of a nested object as people say it: `sip` for `sip_configurations`."""
    name: str = cls._type_name
    return name.removesuffix("s").removesuffix(f"_{field.name}")


@cache
def slots(cls: type[Resource], *, creating: bool) -> dict[str, Slot]:
    """Return what a create or update of `cls` can write, by name."""
    fields = [field for field in cls._field_map.values() if (field.create if creating else field.update)]
    plain = [field for field in fields if field.kind.name != "object"]
    found = {field.name: Slot(field.name, field) for field in plain}
    for field in fields:
        if field.kind.name == "object":
            found |= _members(field, taken=frozenset(cls._field_map))
    return found


def _members(field: Field, taken: frozenset[str]) -> dict[str, Slot]:
    classes = {short_type(cls, field): cls for cls in cast("tuple[type[Nested], ...]", field.kind.detail)}
    classes = {name: cls for name, cls in classes.items() if cls.writable}
    type_name = f"{field.name}_type"
    found = {type_name: Slot(type_name, field, types=classes)}
    for short, cls in classes.items():
        for member in cls._field_map.values():
            name = f"{field.name}_{member.name}" if member.name in taken else member.name
            if member.create and name in found:
                found[name] = found[name]._replace(homes=(*found[name].homes, short))
            elif member.create:
                found[name] = Slot(name, member, parent=field, homes=(short,))
    return found
