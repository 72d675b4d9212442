"""Proof types: categories of documents that prove a person, a company or an address."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids, RequiredTexts
from didww._schema.resource import Resource
from didww.enums import ProofEntityType


class ProofType(
    Resource,
    type="proof_types",
    operations=("list", "find"),
    paginated=False,
    filters={"id": Ids},
    columns={"name": "name", "for": "entity_type"},
):
    """A category of documents accepted as a proof. The list is not paginated."""

    name: str = attribute("Name of the document type, e.g. `Passport`.")
    entity_type: ProofEntityType = attribute(
        "What the document proves. Unlike other enums, its values are capitalized.", filter=RequiredTexts
    )
