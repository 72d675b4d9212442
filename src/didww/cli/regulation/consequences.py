"""Ask before a change of what numbers are registered to, or of what emergency services see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from didww.cli.regulation.fields import FieldOption
    from didww.cli.session import Session

__all__ = ["confirm_update", "values_before"]

_OWN_NOTES: Final = frozenset({"description", "external_reference_id"})
"""Fields that nobody but the account sees."""


def values_before(record: Any, fields: Iterable[FieldOption], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the current values of the fields that change, by the name of their option."""
    return {
        each.option.removeprefix("--").replace("-", " "): _text(getattr(record, each.field))
        for each in fields
        if each.field in values
    }


def confirm_update(
    session: Session, record: Any, before: Mapping[str, str], values: Mapping[str, Any], what: str
) -> None:
    """Show and confirm a change, if numbers or emergency calling depend on the record.

    Args:
        session: The run.
        record: The identity or address, with its new values. Addresses need their identity.
        before: The values before, of `values_before`.
        values: The new values by field, in the same order.
        what: What the record is called.
    """
    if set(values) <= _OWN_NOTES:
        return
    uses = list(_uses(session, record))
    if not uses:
        return
    after = (_text(getattr(record, field)) for field in values)
    session.confirm(
        f"Changes {what}. {' '.join(uses)}",
        *(f"- {name}: {old} -> {new}" for (name, old), new in zip(before.items(), after, strict=True)),
        question="Change it?",
    )


def _uses(session: Session, record: Any) -> Iterable[str]:
    """Yield sentences about what depends on an identity or address."""
    is_address = record.type == "addresses"
    if record.verified:
        yield f"Numbers are registered {'at' if is_address else 'to'} it."
    identity = record.identity if is_address else record
    if identity is None:
        return
    services = session.client.emergency_calling_services().iterate(
        filter={"identity.id": identity.id}, include=["address"]
    )
    for service in services:
        here = not is_address or (service.address is not None and service.address.id == record.id)
        if here and str(service.status) != "canceled":
            yield f"Emergency calling uses it: {service.name}."


def _text(value: Any) -> str:
    return str(getattr(value, "name", value)) if value not in (None, "") else "none"
