"""`didww documents`: proofs and completed forms of identities and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import parameters
from didww.cli.framework import Group
from didww.cli.output import print_row, print_rows
from didww.cli.regulation import people, uploads
from didww.exceptions import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from didww.cli.session import Session

__all__ = ["documents"]

NAMES: Final = ("id", "document", "of", "created")
MORE_NAMES: Final = ("kind", "expires", "reference")
_PROOF: Final = "proof"
_FORM: Final = "form"

identity_option: Final = click.option("--identity", metavar="IDENTITY", help="Of this person or company.")
address_option: Final = click.option("--address", metavar="ADDRESS", help="Of this address.")


@click.group(
    cls=Group,
    examples=(
        "didww documents list --identity Example",
        "didww documents upload passport.pdf --type passport --identity Example",
    ),
)
def documents() -> None:
    """Proofs, and forms kept on file, of identities and addresses."""


@documents.command(
    "list", examples=("didww documents list --identity Example", 'didww documents list --address "1 Example Street"')
)
@identity_option
@address_option
@click.pass_obj
def list_(session: Session, identity: str | None, address: str | None) -> None:
    """List proofs and forms.

    Those of an identity include the proofs of its addresses.
    """
    print_rows(session.settings, _rows(_owners(session, identity, address)), NAMES, more=MORE_NAMES)


def _owners(session: Session, identity: str | None, address: str | None) -> list[Any]:
    client = session.client
    _check_one(identity, address)
    if address is not None:
        return [people.address(client, address, ["proofs.proof_type"])]
    include = [*people.IDENTITY_INCLUDES, "addresses.proofs.proof_type"]
    owner = people.identity(client, str(identity), include)
    return [owner, *owner.addresses]


def _check_one(identity: str | None, address: str | None) -> None:
    if (identity is None) == (address is None):
        raise click.UsageError("Pass either --identity or --address.")


def _rows(owners: list[Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for owner in owners:
        of = _label(owner)
        rows += [_row(each, each.proof_type.name, of, _PROOF) for each in owner.proofs]
        if owner.type == "identities":
            rows += [_row(each, each.template.name, of, _FORM) for each in owner.permanent_documents]
    return rows


def _label(owner: Any) -> str:
    return people.identity_label(owner) if owner.type == "identities" else people.address_label(owner)


def _row(record: Any, name: str, of: str, kind: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "document": name,
        "of": of,
        "kind": kind,
        "created": record.created_at,
        "expires": getattr(record, "expires_at", None),
        "reference": record.external_reference_id,
    }


@documents.command(
    changes=True,
    examples=(
        "didww documents upload passport.pdf --type passport --identity Example",
        'didww documents upload bill.pdf --type "utility bill" --address "1 Example Street"',
    ),
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=uploads.FILE)
@click.option("--type", "kind", metavar="TYPE", required=True, help="Proof type, such as passport, or name of a form.")
@identity_option
@address_option
@click.option(
    "--reference",
    type=parameters.reference,
    metavar="TEXT",
    help="Your own identifier. Defaults to one made from the contents.",
)
@click.pass_obj
def upload(
    session: Session,
    files: tuple[Path, ...],
    kind: str,
    identity: str | None,
    address: str | None,
    reference: str | None,
) -> None:
    """Encrypt and store files as one document.

    Up to five files, such as the two sides of an identity card: JPG, PNG or PDF, at most 20 MB each. The same files
    are not stored twice.
    """
    owner = _owners(session, identity, address)[0]
    document = uploads.document(_kind(session, owner, kind), owner, files, reference)
    if document.is_stored():
        session.say(f"{_label(owner)} has this document already; nothing was uploaded.")
        stored = owner.permanent_documents if document.is_form else owner.proofs
        record = next(each for each in stored if each.external_reference_id == document.reference)
    else:
        record = document.store(session)
        if session.settings.dry_run:
            return
        record.external_reference_id = document.reference
    print_row(session.settings, _row(record, document.kind.name, _label(owner), _FORM if document.is_form else _PROOF))


def _kind(session: Session, owner: Any, text: str) -> Any:
    """Return the proof type or form of a name that fits the owner."""
    client = session.client
    proves = owner.identity_type.value if owner.type == "identities" else "address"
    kinds = [each for each in client.proof_types().list().data if each.entity_type.value.lower() == proves]
    if owner.type == "identities":
        kinds += client.supporting_document_templates().iterate(filter={"permanent": True})
    what = {"personal": "document of a person", "business": "document of a company"}.get(proves, "proof of an address")
    return uploads.type_named(kinds, text, what)


@documents.command(
    changes=True, output=False, examples=("didww documents delete 3f2504e0-4f89-41d3-9a0c-0305e82c3301",)
)
@click.argument("id")
@click.pass_obj
def delete(session: Session, id: str) -> None:
    """Delete a proof or a form. Fails while a verification under review needs it."""
    client = session.client
    try:
        endpoint, record = client.proofs(), client.proofs().find(id, include=["proof_type", "entity"]).data
        name, owner = record.proof_type.name, record.entity
    except NotFoundError:
        endpoint = client.permanent_supporting_documents()
        record = endpoint.find(id, include=["template", "identity"]).data
        name, owner = record.template.name, record.identity
    session.confirm(f"Deletes {name} of {_label(owner)}.", question="Delete the document?")
    endpoint.delete(record)
    session.say(f"{name} was deleted.")
