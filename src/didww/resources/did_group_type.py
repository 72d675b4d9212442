"""The kinds of number on offer: Local, National, Toll-free, Mobile, Shared Cost, Global."""

from __future__ import annotations

from typing import Literal, TypedDict

from didww._schema.fields import attribute
from didww._schema.filters import Ids, Texts
from didww._schema.resource import Resource

DidGroupTypeFilter = TypedDict(
    "DidGroupTypeFilter",
    {
        "id": Ids,
        "name": Texts,
    },
    total=False,
)
DidGroupTypeSort = Literal["name", "-name"]


class DidGroupType(
    Resource,
    type="did_group_types",
    operations=("list", "find"),
    filter=DidGroupTypeFilter,
    sort=DidGroupTypeSort,
):
    """A kind of number that a DID group sells; ids differ between environments, so look them up by name.

    Source: tests/contract/facts/did_group_types.yaml.
    """

    name: str = attribute("What it is called, e.g. `Local`.")
