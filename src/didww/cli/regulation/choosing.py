"""Which identity and address to register to: those of the options, the only ones that fit, or those chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from didww.cli.regulation import asking, people, requirements

if TYPE_CHECKING:
    from didww.cli.regulation.requirements import Case
    from didww.cli.session import Session
    from didww.resources.address import Address
    from didww.resources.identity import Identity

__all__ = ["choose_address", "choose_identity", "fitting_addresses", "fitting_identities"]

_INCLUDES: Final = (*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type")


def choose_identity(session: Session, case: Case, identity: str | None, address: str | None) -> Identity:
    """Return the identity of `--identity`, or of `--address`, or the one chosen in the terminal.

    Raises:
        UsageError: There is none that fits, or several without a terminal to ask at.
    """
    client = session.client
    if identity is not None:
        return people.identity(client, identity, _INCLUDES)
    if address is not None:
        return people.identity(client, people.address(client, address, ["identity"]).identity.id, _INCLUDES)
    known = fitting_identities(session, case)
    if not known:
        what = " or ".join(requirements.PERSON_OR_COMPANY[kind] for kind in requirements.kinds_of(case.requirement))
        raise click.UsageError(
            f"The account has no identity of a {what}. Create one: {session.command_line('identities', 'create')}"
        )
    return asking.choose(session, "--identity", "Register to which identity", known, people.identity_label)


def fitting_identities(session: Session, case: Case) -> list[Identity]:
    """Return the identities of an accepted type."""
    accepted = requirements.kinds_of(case.requirement)
    known = session.client.identities().iterate(include=_INCLUDES, limit=_SEARCHED)
    return [each for each in known if each.identity_type.value in accepted]


_SEARCHED: Final = 100


def choose_address(session: Session, case: Case, identity: Identity, text: str | None) -> Address:
    """Return the address of `--address`, or the only one that fits, or the one chosen in the terminal.

    Raises:
        UsageError: There is none that fits, or several without a terminal to ask at.
    """
    name = people.identity_label(identity)
    if text is not None:
        address = people.address(session.client, text, people.ADDRESS_INCLUDES)
        if address.identity.id != identity.id:
            owner = people.identity_label(address.identity)
            raise click.UsageError(f"--address: {people.address_label(address)} belongs to {owner}, not to {name}.")
        return address
    fitting = fitting_addresses(case, identity)
    if not fitting:
        country = case.requirement.country
        options = ("--country", country.iso if country is not None else "COUNTRY", "--city", "CITY")
        create = ("addresses", "create", "--identity", name, *options, "--postal-code", "CODE", "--street", "STREET")
        raise click.UsageError(
            f"{name} has no address{f' in {country.name}' if country is not None else ''}. Create one: "
            f"{session.command_line(*create)}"
        )
    return asking.choose(session, "--address", "Register at which address", fitting, people.address_label)


def fitting_addresses(case: Case, identity: Identity) -> list[Address]:
    """Return the addresses of an identity that are in the required country."""
    return [each for each in identity.addresses if requirements.is_in(case, case.requirement.address_area_level, each)]
