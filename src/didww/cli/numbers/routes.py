"""Where calls and text messages of numbers are routed to: a trunk, a trunk group, or nowhere."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from didww.cli import lookups, parameters
from didww.cli.bulk import Change
from didww.cli.errors import RefusedError
from didww.cli.framework import SINCE_TOKENS, SectionOption
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from didww.resources.did import Did

__all__ = [
    "INCLUDE",
    "NOWHERE",
    "NO_SMS_ROUTE",
    "OPTIONS",
    "Route",
    "change",
    "count",
    "route_options",
    "sms_route_options",
]

F = TypeVar("F", bound="Callable[..., Any]")


class Kind(NamedTuple):
    """A kind of target.

    Attributes:
        name: What it is called.
        field: The relationship of a number.
        path: The accessor of the client.
        traffic: What it receives: calls or messages.
        option: The name of the option, with underscores, and of the column of a CSV file.
    """

    name: str
    field: str
    path: str
    traffic: str
    option: str

    @property
    def sibling(self) -> Kind:
        """The other kind that receives the same."""
        return next(kind for kind in _KINDS if kind.traffic == self.traffic and kind is not self)


_KINDS: Final = (
    Kind("trunk", "voice_in_trunk", "voice_in_trunks", "route", "trunk"),
    Kind("trunk group", "voice_in_trunk_group", "voice_in_trunk_groups", "route", "group"),
    Kind("SMS trunk", "sms_trunk", "sms_trunks", "SMS route", "sms_trunk"),
    Kind("SMS trunk group", "sms_trunk_group", "sms_trunk_groups", "SMS route", "sms_group"),
)
INCLUDE: Final = tuple(kind.field for kind in _KINDS)
"""The relationships that `Route.current` reads; those of messages exist in some API versions only."""
OPTIONS: Final = tuple(kind.option for kind in _KINDS)


class Route(NamedTuple):
    """The target of calls or of text messages: a trunk or a trunk group, or None."""

    kind: Kind
    target: Any

    @classmethod
    def of(cls, client: Any, **names: str | None) -> Route:
        """Find a trunk or a group by name or id.

        Args:
            client: The client.
            **names: The name of one target, by option: `trunk`, `group`, `sms_trunk` or `sms_group`.

        Raises:
            UsageError: Not exactly one is given.
            NotExactlyOneError: There is none.
            RefusedError: It does not receive messages.
        """
        given = {option: name for option, name in names.items() if name is not None}
        if len(given) != 1:
            raise click.UsageError("Pass either --trunk or --group.")
        ((option, name),) = given.items()
        kind = next(kind for kind in _KINDS if kind.option == option)
        try:
            target = lookups.by_name(getattr(client, kind.path)(), name, kind.name)
        except NotExactlyOneError as error:
            other = kind.sibling
            if any(each.name == name.strip() for each in getattr(client, other.path)().iterate()):
                way = f"--{other.option.replace('_', '-')}"
                raise NotExactlyOneError(
                    f"{name!r:.80} is the name of the {other.name}. Pass {way} {name!r:.80}."
                ) from error
            raise
        if kind.field == "sms_trunk" and not target.allow_in:
            raise RefusedError(f"SMS trunk {target.name!r} only sends messages, so no number can be routed to it.")
        return cls(kind, target)

    @classmethod
    def current(cls, did: Did, nowhere: Route | None = None) -> Route:
        """Return the route of a number, loaded with its routes.

        Args:
            did: The number.
            nowhere: `NOWHERE` for calls, the default, or `NO_SMS_ROUTE`.
        """
        none = nowhere or NOWHERE
        for kind in (none.kind, none.kind.sibling):
            target = getattr(did, kind.field)
            if target is not None:
                return cls(kind, target)
        return none

    def assign(self, record: Did) -> None:
        """Set the route of a record."""
        if self.target is None:
            setattr(record, self.kind.sibling.field, None)
        setattr(record, self.kind.field, self.target)

    def change(self, did: Did) -> Change:
        """Return the change of the route of a number, loaded with its routes."""
        return change(did, [self])

    def same(self, other: Route) -> bool:
        """Return whether two routes lead to the same target."""
        return self.id == other.id

    @property
    def nowhere(self) -> Route:
        """No route of what this one receives."""
        return next(route for route in (NOWHERE, NO_SMS_ROUTE) if route.kind.traffic == self.kind.traffic)

    @property
    def id(self) -> str | None:
        """The id of the trunk or group."""
        return None if self.target is None else str(self.target.id)

    def __str__(self) -> str:
        return "none" if self.target is None else f"{self.kind.name} {self.target.name}"


NOWHERE: Final = Route(_KINDS[0], None)
"""Calls are not answered."""
NO_SMS_ROUTE: Final = Route(_KINDS[2], None)
"""Text messages are not received."""


def change(did: Did, routes: Iterable[Route]) -> Change:
    """Return the change of the routes of a number, loaded with its routes: of calls, of messages, or of both."""
    from didww.resources.did import Did

    record = Did.build(did.id)
    differences: dict[str, tuple[str, str]] = {}
    wanted: list[str] = []
    for route in routes:
        current = Route.current(did, route.nowhere)
        before = str(current)
        differences[route.kind.traffic] = (before, before if route.same(current) else str(route))
        wanted.append(f"{route.kind.name} {route.id}")
        route.assign(record)
    return Change(did.number, record, differences, wanted=", ".join(wanted))


def count(dids: Sequence[Did]) -> str:
    """Return how many numbers there are, in words."""
    return f"{len(dids)} number{'' if len(dids) == 1 else 's'}"


def route_options(function: F) -> F:
    """Add `--trunk` and `--group`."""
    options = (
        click.option("--trunk", metavar="NAME", shell_complete=parameters.complete_trunks, help="Route to this trunk."),
        click.option(
            "--group", metavar="NAME", shell_complete=parameters.complete_groups, help="Route to this trunk group."
        ),
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)


def sms_route_options(function: F) -> F:
    """Add `--sms-trunk` and `--sms-group`."""
    options = (
        click.option(
            "--sms-trunk",
            cls=SectionOption,
            versions=SINCE_TOKENS,
            metavar="NAME",
            shell_complete=parameters.complete_sms_trunks_in,
            help="Route text messages to this SMS trunk.",
        ),
        click.option(
            "--sms-group",
            cls=SectionOption,
            versions=SINCE_TOKENS,
            metavar="NAME",
            shell_complete=parameters.complete_sms_groups,
            help="Route text messages to this SMS trunk group.",
        ),
    )
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), function)
