"""Where numbers are routed to: a trunk, a trunk group, or nowhere."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from didww.cli import lookups, parameters
from didww.cli.bulk import Change
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from didww.resources.did import Did

__all__ = ["NOWHERE", "Route", "count", "route_options"]

F = TypeVar("F", bound="Callable[..., Any]")


class Route(NamedTuple):
    """The target of calls: a trunk or a trunk group, or None."""

    kind: str
    target: Any

    @classmethod
    def of(cls, client: Any, *, trunk: str | None = None, group: str | None = None) -> Route:
        """Find a trunk or a group by name or id.

        Raises:
            UsageError: Both or neither are given.
            NotExactlyOneError: There is none.
        """
        if (trunk is None) == (group is None):
            raise click.UsageError("Pass either --trunk or --group.")
        kind, name = ("trunk", trunk) if trunk is not None else ("trunk group", str(group))
        try:
            return cls(kind, lookups.by_name(_endpoint(client, kind), name, kind))
        except NotExactlyOneError as error:
            other = "trunk group" if kind == "trunk" else "trunk"
            if any(each.name == name.strip() for each in _endpoint(client, other).iterate()):
                option = "--group" if kind == "trunk" else "--trunk"
                raise NotExactlyOneError(f"{name!r:.80} is a {other}. Pass {option} {name!r:.80}.") from error
            raise

    @classmethod
    def current(cls, did: Did) -> Route:
        """Return the route of a number, loaded with its trunk and group."""
        if did.voice_in_trunk is not None:
            return cls("trunk", did.voice_in_trunk)
        return cls("trunk group", did.voice_in_trunk_group) if did.voice_in_trunk_group is not None else NOWHERE

    def changed(self, did: Did) -> Did:
        """Return a record that changes the route of a number."""
        from didww.resources.did import Did

        record = Did.build(did.id)
        if self.target is None:
            record.voice_in_trunk = record.voice_in_trunk_group = None
        elif self.kind == "trunk":
            record.voice_in_trunk = self.target
        else:
            record.voice_in_trunk_group = self.target
        return record

    def change(self, did: Did) -> Change:
        """Return the change of the route of a number, loaded with its trunk and group."""
        current = Route.current(did)
        before = str(current)
        differences = {"route": (before, before if self.same(current) else str(self))}
        return Change(did.number, self.changed(did), differences, wanted=f"{self.kind} {self.id}")

    def same(self, other: Route) -> bool:
        """Return whether two routes lead to the same target."""
        return self.id == other.id

    @property
    def id(self) -> str | None:
        """The id of the trunk or group."""
        return None if self.target is None else str(self.target.id)

    def __str__(self) -> str:
        return "none" if self.target is None else f"{self.kind} {self.target.name}"


NOWHERE = Route("trunk", None)


def count(dids: Sequence[Did]) -> str:
    """Return how many numbers there are, in words."""
    return f"{len(dids)} number{'' if len(dids) == 1 else 's'}"


def _endpoint(client: Any, kind: str) -> Any:
    return client.voice_in_trunks() if kind == "trunk" else client.voice_in_trunk_groups()


def route_options(function: F) -> F:
    """Add `--trunk` and `--group`."""
    options = (
        click.option("--trunk", metavar="NAME", shell_complete=parameters.complete_trunks, help="Route to this trunk."),
        click.option(
            "--group", metavar="NAME", shell_complete=parameters.complete_groups, help="Route to this trunk group."
        ),
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)
