"""DID group types: Local, National, Toll-free, Mobile, Shared Cost, Global."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww._schema.filter_rules import Ids, Texts
from didww._schema.resource import Resource


class DidGroupType(
    Resource,
    type="did_group_types",
    operations=("list", "find"),
    filters={"id": Ids},
    columns={"name": "name"},
    until="2026-04-16",
    replacement="the attribute number_type of did_groups",
):
    """The type of the numbers in a DID group. Ids differ between environments, so look types up by name."""

    name: str = attribute("Name, e.g. `Local`.", filter=Texts, sort=True)
