"""Rules between fields: which fields must, or must not, be set together. Resources declare them.

A rule checks the known values of a record by field name: raw JSON values, or linkage of relationships. A missing field
is unknown (an update keeps the stored value) and is not checked; None means not set. `defaults` are the values that the
service applies to missing fields. They determine whether a rule applies, but do not count as set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias, cast

__all__ = ["SET", "Ascending", "Broken", "Equal", "OfType", "OneOf", "Rule", "Together", "Typed", "When"]

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
                yield _barred(name, known[name], state, f"Leave it out, or change {self.field}.", self.field)


class OfType(NamedTuple):
    """If a nested object has one of some types, other fields must not be set."""

    field: str
    types: tuple[str, ...]
    bars: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the rule."""
        return (self.field, *self.bars)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 the common signature of rules
        """Yield the violations in `known`."""
        value = known.get(self.field)
        type_ = cast("Known", value).get("type") if isinstance(value, Mapping) else None
        for name in self.bars if type_ in self.types else ():
            if not _empty(known.get(name)):
                yield _barred(name, known[name], f"the type of {self.field} is {type_!r}", "Leave it out.", self.field)


class Typed(NamedTuple):
    """If another field has one of some values, a field has values of one Python type."""

    field: str
    type: type[object]
    words: str
    by: str
    values: tuple[object, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the rule."""
        return (self.field, self.by)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:  # noqa: ARG002 the common signature of rules
        """Yield the violations in `known`."""
        value, other = known.get(self.field), known.get(self.by)
        if value is not None and other in self.values and not isinstance(value, self.type):
            yield Broken(
                self.field,
                f"{self.words} while {self.by} is {other!r}",
                f"Set {self.words}, or change {self.by}.",
                self.by,
            )


class Equal(NamedTuple):
    """If another field has one of some values, two fields are equal."""

    pair: tuple[str, str]
    by: str
    values: tuple[object, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the rule."""
        return (*self.pair, self.by)

    def broken(self, known: Known, defaults: Known = NOTHING) -> Iterator[Broken]:
        """Yield the violations in `known`."""
        known = {**known, **defaults}
        first, second = self.pair
        both = known.get(first) is not None and known.get(second) is not None
        if both and known.get(self.by) in self.values and known[first] != known[second]:
            state = f"{self.by} is {known[self.by]!r}"
            yield Broken(
                second, f"equal to {first}, which is {known[first]}, while {state}", "Set both to one value.", self.by
            )


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


Rule: TypeAlias = When | OfType | Typed | Equal | Together | OneOf | Ascending


def _barred(name: str, value: object, state: str, way_out: str, by: str) -> Broken:
    blank = "False" if value is True else "[]" if isinstance(value, list) else "None"
    return Broken(name, f"{'empty' if blank == '[]' else blank} while {state}", way_out, by, blank)


def _empty(value: object) -> bool:
    return value is None or value is False or value in ("", [])
