"""The blank forms that registrations ask for."""

from __future__ import annotations

from typing import Literal, TypedDict

from didww._schema.fields import attribute
from didww._schema.filters import Bool, Ids, Part, Texts
from didww._schema.resource import Resource

SupportingDocumentTemplateFilter = TypedDict(
    "SupportingDocumentTemplateFilter",
    {
        "id": Ids,
        "name": Texts,
        "name_contains": Part,
        "permanent": Bool,
    },
    total=False,
)
SupportingDocumentTemplateSort = Literal["name", "-name", "permanent", "-permanent"]


class SupportingDocumentTemplate(
    Resource,
    type="supporting_document_templates",
    operations=("list", "find"),
    filter=SupportingDocumentTemplateFilter,
    sort=SupportingDocumentTemplateSort,
):
    """A blank form to be filled in and handed in for a registration.

    Source: tests/contract/facts/supporting_document_templates.yaml.
    """

    name: str = attribute("What the form is, e.g. `Letter of Authorization`.")
    permanent: bool = attribute(
        "True: the filled-in form is kept as a permanent supporting document. "
        "False: it goes with each address verification."
    )
    url: str = attribute("Where the blank form can be downloaded.")
