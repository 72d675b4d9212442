"""The kinds of number on offer: Local, National, Toll-free, Mobile, Shared Cost, Global."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids, Texts
from didww._schema.resource import Resource


class DidGroupType(Resource, type="did_group_types", operations=("list", "find"), filters={"id": Ids}):
    """A kind of number that a DID group sells; ids differ between environments, so look them up by name."""

    name: str = attribute("What it is called, e.g. `Local`.", filter=Texts, sort=True)
