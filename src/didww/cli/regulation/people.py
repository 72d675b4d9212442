"""Find identities and addresses by name, reference or street, and say which one was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.filter_rules import UUID_TEXT
from didww._util.suggest import did_you_mean
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from didww.cli.output import RecordTable
    from didww.cli.session import Session
    from didww.resources.address import Address
    from didww.resources.identity import Identity

__all__ = [
    "ADDRESS_INCLUDES",
    "IDENTITY_INCLUDES",
    "address",
    "address_label",
    "candidates",
    "exists",
    "identity",
    "identity_label",
    "with_reference",
]

IDENTITY_INCLUDES: Final = (
    "country",
    "birth_country",
    "proofs.proof_type",
    "permanent_documents.template",
    "addresses.country",
)
ADDRESS_INCLUDES: Final = (
    "country",
    "area",
    "city",
    "proofs.proof_type",
    "identity.country",
    "identity.proofs.proof_type",
    "identity.permanent_documents.template",
)
_LISTED: Final = 5
_SEARCHED: Final = 1000


def identity_label(record: Identity) -> str:
    """Return the name of a person or company."""
    return record.company_name or f"{record.first_name} {record.last_name}".strip()


def address_label(record: Address) -> str:
    """Return an address in one line."""
    return f"{record.address}, {record.postal_code} {record.city_name}"


def identity(client: Any, text: str, include: Iterable[str] = ()) -> Identity:
    """Return an identity by id, external reference, company name, last name, full name or description.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    fields = ("external_reference_id", "company_name", "last_name", "description")
    found: Identity = _find(client.identities(), text, fields, identity_label, "identity", include)
    return found


def address(client: Any, text: str, include: Iterable[str] = ()) -> Address:
    """Return an address by id, external reference, description or street.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    fields = ("external_reference_id", "description", "address")
    found: Address = _find(client.addresses(), text, fields, address_label, "address", include)
    return found


def _find(
    endpoint: Any,
    text: str,
    fields: Sequence[str],
    label: Callable[[Any], str],
    what: str,
    include: Iterable[str],
) -> Any:
    text = text.strip()
    include = list(include)
    if UUID_TEXT.fullmatch(text):
        return endpoint.find(text, include=include).data
    found = {
        each.id: each
        for name in fields
        if text
        for each in endpoint.iterate(filter={name: text})
        if str(getattr(each, name)).casefold() == text.casefold()  # a filter splits values at commas
    }
    records: list[Any] = []
    if not found:
        records = list(endpoint.iterate(limit=_SEARCHED))
        found = {each.id: each for each in records if label(each).casefold() == text.casefold()}
    if len(found) == 1:
        (only,) = found
        return endpoint.find(only, include=include).data
    if found:
        raise NotExactlyOneError(
            f"Several match the {what} {text!r:.80}. Pass the id: {candidates(found.values(), label)}.",
            found=len(found),
        )
    hint = did_you_mean(text, [label(each) for each in records])
    known = f" There are: {candidates(records, label)}." if records and not hint else ""
    raise NotExactlyOneError(f"There is no {what} {text!r:.80}.{hint}{known}")


def with_reference(endpoint: Any, reference: str | None, include: Iterable[str]) -> Any:
    """Return the record that has an external reference; None if there is none, or no reference.

    Raises:
        UsageError: The reference is empty, such as that of a variable that is not set.
    """
    if reference is None:
        return None
    if not reference.strip():
        raise click.UsageError("--reference must not be empty. Is a variable not set?")
    return endpoint.first(filter={"external_reference_id": reference}, include=list(include))


def exists(session: Session, endpoint: Any, reference: str | None, table: RecordTable, what: str) -> bool:
    """Print the record that has an external reference already, and return True; False if there is none."""
    known = with_reference(endpoint, reference, table.includes)
    if known is None:
        return False
    session.say(f"There is an {what} with the reference {reference} already; nothing was created.")
    table.print_one(known)
    return True


def candidates(records: Iterable[Any], label: Callable[[Any], str]) -> str:
    """Return names and ids of the first few records."""
    names = [f"{label(each)} ({each.id})" for each in records]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
