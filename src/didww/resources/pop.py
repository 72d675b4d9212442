"""Points of presence (POPs): locations of the platform that a trunk can be pinned to."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids
from didww._schema.resource import Resource


class Pop(
    Resource,
    type="pops",
    operations=("list",),
    extra_operations=("find",),
    paginated=False,
    filters={"id": Ids},
    columns={"name": "name"},
    until="2026-04-16",
    replacement="the attribute pop_code of voice_in_trunks",
):
    """A point of presence (POP) of the platform. The list is not paginated.

    `find` is provided although the API does not document it.
    """

    name: str = attribute("Location, e.g. `US, NY`.")
