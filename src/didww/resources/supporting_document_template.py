"""The blank forms that registrations ask for."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Bool, Ids, Part, Texts
from didww._schema.resource import Resource


class SupportingDocumentTemplate(
    Resource, type="supporting_document_templates", operations=("list", "find"), filters={"id": Ids}
):
    """A blank form to be filled in and handed in for a registration."""

    name: str = attribute(
        "What the form is, e.g. `Letter of Authorization`.", filter=Texts, filter_contains=Part, sort=True
    )
    permanent: bool = attribute(
        "True: the filled-in form is kept as a permanent supporting document. "
        "False: it goes with each address verification.",
        filter=Bool,
        sort=True,
    )
    url: str = attribute("Where the blank form can be downloaded.")
