"""Rules between fields: what must, or must not, be set together. They stand in the declarations of the resources.

A rule judges what is known of a record, by field name: raw JSON values, or linkage of relationships. A field that is
not there is unknown (an update leaves it as it is stored), and nothing is said of it; None means that there is nothing.
`defaults` are what the service takes for fields that are left out; they decide whether a rule applies, but what a rule
needs has to be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["SET", "Ascending", "Broken", "OneOf", "Rule", "Together", "When"]

Known: TypeAlias = Mapping[str, Any]

NOTHING: Final[Known] = {}

SET: Final = object()
"""In `When`: any value, None and False included."""


class Broken(NamedTuple):
    """A rule that is not kept.

    Attributes:
        field: The field that is at fault.
        expected: What it must be, in words.
        way_out: What to do about it.
        by: The field that it is at odds with; empty if there is none.
        blank: What it must be, if it is set and must not be; else it is missing, or has a wrong value.
    """

    field: str
    expected: str
    way_out: str
    by: str = ""
    blank: str = ""

    @property
    def barred(self) -> bool:
        """Whether it is set and must not be."""
        return bool(self.blank)


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

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:
        """Where `known` does not keep it."""
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
    """All of some fields are set, or none."""

    fields: tuple[str, ...]

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 as of all rules
        """Where `known` does not keep it."""
        given = [name for name in self.fields if not _empty(known.get(name))]
        for name in self.fields:
            if given and name in known and name not in given:
                yield Broken(name, f"set together with {given[0]}", "Set both, or neither.", given[0])


class OneOf(NamedTuple):
    """At least one of some fields is set; at most one, if `alone`."""

    fields: tuple[str, ...]
    alone: bool = False

    def lacks(self, known: Known) -> bool:
        """Whether none of them is set, so far as that is known."""
        return all(name in known and _empty(known[name]) for name in self.fields)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 as of all rules
        """Where `known` does not keep it."""
        given = [name for name in self.fields if not _empty(known.get(name))]
        names = " or ".join(self.fields)
        if self.lacks(known):
            yield Broken(self.fields[0], f"set, or {' or '.join(self.fields[1:])}", f"Set {names}.")
        for name in given[1:] if self.alone else ():
            yield Broken(name, f"None beside {given[0]}", f"Set {names}, not both.", given[0], "None")


class Ascending(NamedTuple):
    """Numbers of which none is greater than the next one that is set."""

    fields: tuple[str, ...]

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:
        """Where `known` does not keep it."""
        known = {**known, **defaults}
        numbers = [(name, known[name]) for name in self.fields if isinstance(known.get(name), int)]
        for (name, number), (above, most) in pairwise(numbers):
            if number > most:
                yield Broken(name, f"at most {above}, which is {most}", f"Lower it, or raise {above}.", above)


Rule: TypeAlias = When | Together | OneOf | Ascending


def _empty(value: object) -> bool:
    return value is None or value is False or value in ("", [])
