"""Points of presence: the places of the platform to which a trunk can be pinned."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids
from didww._schema.resource import Resource


class Pop(
    Resource, type="pops", operations=("list",), extra_operations=("find",), paginated=False, filters={"id": Ids}
):
    """A point of presence (POP) of the platform; the list holds them all, in one response.

    `find` is offered although the contract does not list it.
    """

    name: str = attribute("Where it is, e.g. `US, NY`.")
