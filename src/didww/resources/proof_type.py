"""The categories of documents that count as a proof of a person, a company or an address."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids, RequiredTexts
from didww._schema.resource import Resource
from didww.enums import ProofEntityType


class ProofType(Resource, type="proof_types", operations=("list", "find"), paginated=False, filters={"id": Ids}):
    """A category of document that may serve as a proof; the whole list comes in one response."""

    name: str = attribute("What the document is, e.g. `Passport`.")
    entity_type: ProofEntityType = attribute(
        "What such a document proves; capitalised on the wire, unlike other enums.", filter=RequiredTexts
    )
