"""Rules between fields: what must, or must not, be set together. They stand in the declarations of the resources.

A rule judges what is known of a record, by field name: raw JSON values, or linkage of relationships. A field that is
not there is unknown (an update leaves it as it is stored), and nothing is said of it; None means that there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["SET", "Ascending", "Broken", "OneOf", "Rule", "Together", "When"]

Known: TypeAlias = Mapping[str, Any]

SET: Final = object()
"""In `When`: any value, None and False included."""


class Broken(NamedTuple):
    """A rule that is not kept.

    Attributes:
        field: The field that is at fault.
        expected: What it must be, in words.
        way_out: What to do about it.
        barred: Whether it is set and must not be; else it is missing, or has a wrong value.
    """

    field: str
    expected: str
    way_out: str
    barred: bool = False


class When(NamedTuple):
    """While a field has one of some values, others must be set (`needs`), or must not be (`bars`)."""

    field: str
    values: tuple[object, ...]
    needs: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it is about."""
        return (self.field, *self.needs, *self.bars)

    def broken(self, known: Known) -> Iterator[Broken]:
        """Where `known` does not keep it."""
        value = known.get(self.field)
        if value not in self.values and (SET not in self.values or _empty(value)):
            return
        state = f"{self.field} is {'set' if SET in self.values else repr(value)}"
        for name in self.needs:
            if name in known and _empty(known[name]):
                yield Broken(name, f"set while {state}", f"Set it, or change {self.field}.")
        for name in self.bars:
            if not _empty(known.get(name)):
                nothing = "False" if known[name] is True else "empty" if isinstance(known[name], list) else "None"
                yield Broken(name, f"{nothing} while {state}", f"Leave it out, or change {self.field}.", barred=True)


class Together(NamedTuple):
    """All of some fields are set, or none."""

    fields: tuple[str, ...]

    def broken(self, known: Known) -> Iterator[Broken]:
        """Where `known` does not keep it."""
        given = [name for name in self.fields if not _empty(known.get(name))]
        for name in self.fields:
            if given and name in known and name not in given:
                yield Broken(name, f"set together with {given[0]}", "Set both, or neither.")


class OneOf(NamedTuple):
    """At least one of some fields is set; at most one, if `alone`."""

    fields: tuple[str, ...]
    alone: bool = False

    def lacks(self, known: Known) -> bool:
        """Whether none of them is set, so far as that is known."""
        return all(name in known and _empty(known[name]) for name in self.fields)

    def broken(self, known: Known) -> Iterator[Broken]:
        """Where `known` does not keep it."""
        given = [name for name in self.fields if not _empty(known.get(name))]
        names = " or ".join(self.fields)
        if self.lacks(known):
            yield Broken(self.fields[0], f"set, or {' or '.join(self.fields[1:])}", f"Set {names}.")
        for name in given[1:] if self.alone else ():
            yield Broken(name, f"None beside {given[0]}", f"Set {names}, not both.", barred=True)


class Ascending(NamedTuple):
    """Numbers of which none is greater than the next one that is set."""

    fields: tuple[str, ...]

    def broken(self, known: Known) -> Iterator[Broken]:
        """Where `known` does not keep it."""
        numbers = [(name, known[name]) for name in self.fields if isinstance(known.get(name), int)]
        for (name, number), (above, most) in pairwise(numbers):
            if number > most:
                yield Broken(name, f"at most {above}, which is {most}", f"Lower it, or raise {above}.")


Rule: TypeAlias = When | Together | OneOf | Ascending


def _empty(value: object) -> bool:
    return value is None or value is False or value in ("", [])
