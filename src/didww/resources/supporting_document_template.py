"""Supporting document templates: blank forms required for registration."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Bool, Ids, Part, Texts
from didww._schema.resource import Resource


class SupportingDocumentTemplate(
    Resource,
    type="supporting_document_templates",
    operations=("list", "find"),
    filters={"id": Ids},
    columns={"name": "name", "permanent": "permanent", "file": "url"},
):
    """A blank form to complete and submit for a registration."""

    name: str = attribute(
        "Name of the form, e.g. `Letter of Authorization`.", filter=Texts, filter_contains=Part, sort=True
    )
    permanent: bool = attribute(
        "True if the completed form is stored as a permanent supporting document; False if it is submitted with each "
        "address verification.",
        filter=Bool,
        sort=True,
    )
    url: str = attribute("Download URL of the blank form.")
