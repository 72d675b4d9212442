"""Rules between fields: which fields must, or must not, be set together. Resources declare them.

A rule checks the known values of a record by field name: raw JSON values, or linkage of relationships. A missing field
is unknown (an update keeps the stored value) and is not checked; None means not set. `defaults` are the values that the
service applies to missing fields. They determine whether a rule applies, but do not count as set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["SET", "Ascending", "Broken", "OneOf", "Rule", "Together", "When"]

Known: TypeAlias = Mapping[str, Any]

NOTHING: Final[Known] = {}

SET: Final = object()
"""In `When`: the field is set, to any value that is not empty."""


class Broken(NamedTuple):
    """A violated rule.

    Attributes:
        field: The invalid field.
        expected: The requirement in words.
        way_out: How to fix it.
        by: The conflicting field; empty if there is none.
        blank: The empty value it must have, if it must not be set; otherwise empty.
    """

    field: str
    expected: str
    way_out: str
    by: str = ""
    blank: str = ""

    @property
    def barred(self) -> bool:
        """Whether the field is set but must not be."""
        return bool(self.blank)


class When(NamedTuple):
    """If a field has one of some values, other fields must be set (`needs`), or must not be set (`bars`)."""

    field: str
    values: tuple[object, ...]
    needs: tuple[str, ...] = ()
    bars: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the rule."""
        return (self.field, *self.needs, *self.bars)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:
        """Yield the violations in `known`."""
        value = defaults.get(self.field, known.get(self.field))
        if value not in self.values and (SET not in self.values or _empty(value)):
            return
        state = f"{self.field} is {'set' if SET in self.values else repr(value)}"
        for name in self.needs:
            if name in known and _empty(known[name]):
                yield Broken(name, f"set while {state}", f"Set it, or change {self.field}.", self.field)
        for name in self.bars:
            if not _empty(known.get(name)):
                blank = "False" if known[name] is True else "[]" if isinstance(known[name], list) else "None"
                words = f"{'empty' if blank == '[]' else blank} while {state}"
                yield Broken(name, words, f"Leave it out, or change {self.field}.", self.field, blank)


class Together(NamedTuple):
    """Either all of some fields are set, or none of them."""

    fields: tuple[str, ...]

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 the common signature of rules
        """Yield the violations in `known`."""
        present = [name for name in self.fields if not _empty(known.get(name))]
        for name in self.fields:
            if present and name in known and name not in present:
                yield Broken(name, f"set together with {present[0]}", "Set both, or neither.", present[0])


class OneOf(NamedTuple):
    """At least one of some fields is set; exactly one, if `alone`."""

    fields: tuple[str, ...]
    alone: bool = False

    def lacks(self, known: Known) -> bool:
        """Return whether all fields are known and none of them is set."""
        return all(name in known and _empty(known[name]) for name in self.fields)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 the common signature of rules
        """Yield the violations in `known`."""
        present = [name for name in self.fields if not _empty(known.get(name))]
        names = " or ".join(self.fields)
        if self.lacks(known):
            yield Broken(self.fields[0], f"set, or {' or '.join(self.fields[1:])}", f"Set {names}.")
        for name in present[1:] if self.alone else ():
            yield Broken(name, f"None if {present[0]} is set", f"Set {names}, not both.", present[0], "None")


class Ascending(NamedTuple):
    """Each number is at most the next one that is set."""

    fields: tuple[str, ...]

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:
        """Yield the violations in `known`."""
        known = {**known, **defaults}
        numbers = [(name, known[name]) for name in self.fields if isinstance(known.get(name), int)]
        for (name, number), (above, most) in pairwise(numbers):
            if number > most:
                yield Broken(name, f"at most {above}, which is {most}", f"Lower it, or raise {above}.", above)


Rule: TypeAlias = When | Together | OneOf | Ascending


def _empty(value: object) -> bool:
    return value is None or value is False or value in ("", [])
