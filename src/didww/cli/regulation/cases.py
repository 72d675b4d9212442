"""The registration of some numbers: the requirement that they share, and how they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.number_types import in_version, name_of
from didww.cli.regulation import requirements
from didww.cli.regulation.requirements import Case
from didww.exceptions import NotExactlyOneError
from didww.resources.address_requirement import AddressRequirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["case_of", "heading", "listed"]

_LISTED: Final = 5


def listed(dids: Sequence[Did]) -> str:
    """Return the first numbers, separated by commas."""
    numbers = ", ".join(f"+{did.number}" for did in dids[:_LISTED])
    return f"{numbers} and {len(dids) - _LISTED} more" if len(dids) > _LISTED else numbers


def heading(case: Case, dids: Sequence[Did]) -> str:
    """Return what is registered, for the line above a plan."""
    return f"Registration of {listed(dids)} ({', '.join(_country_and_type(case.requirement))}):"


def _country_and_type(record: Any) -> list[str]:
    """Return the names of the country and the type of numbers of a requirement or a DID group."""
    country, kind = record.country, name_of(record)
    return [*([country.name] if country is not None else []), *([kind] if kind is not None else [])]


def case_of(session: Session, dids: Sequence[Did]) -> Case:
    """Return the requirement that the numbers share.

    Raises:
        UsageError: They have several.
        NotExactlyOneError: They have none.
    """
    groups: dict[tuple[str, str], list[Did]] = {}
    for did in dids:
        groups.setdefault(_key(did), []).append(did)
    if len(groups) > 1:
        session.say("The numbers have different requirements:")
        for group in groups.values():
            session.say(f"- {_place(group[0])}: {' '.join(f'+{did.number}' for did in group)}")
        raise click.UsageError("Register each of these groups by itself.")
    ((id, area),) = groups
    if not id:
        raise NotExactlyOneError(f"DIDWW lists no requirement for {listed(dids)}.")
    client = session.client
    include = in_version(client, AddressRequirement, requirements.INCLUDES)
    requirement = client.address_requirements().find(id, include=include).data
    return Case(requirement, area, session.now(), command=session.command_line)


def _key(did: Did) -> tuple[str, str]:
    """Return the requirement of a number and, if the address must be near it, its area."""
    group = did.did_group
    requirement = group.address_requirement if group is not None else None
    if group is None or requirement is None:
        return "", ""
    return requirement.id, group.area_name if str(requirement.address_area_level) in ("area", "city") else ""


def _place(did: Did) -> str:
    group = did.did_group
    if group is None:
        return "unknown"
    return ", ".join([*_country_and_type(group), group.area_name])
