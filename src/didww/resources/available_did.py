"""Available DIDs: individual numbers in stock, which can be reserved or ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import Bool, EveryText, Ids, NumberPart, OptionalIds, Texts
from didww._schema.resource import Resource
from didww._schema.versions import Versions

if TYPE_CHECKING:
    from didww.resources.did_group import DidGroup
    from didww.resources.nanpa_prefix import NanpaPrefix


class AvailableDid(
    Resource,
    type="available_dids",
    operations=("list", "find"),
    paginated=False,
    filters={
        "city.id": Ids,
        "country.id": Ids,
        "did_group.features": EveryText,
        "did_group.needs_registration": Bool,
        "did_group.number_type": Annotated[Texts, Versions(since="2026-11-19")],
        "did_group_type.id": Annotated[Ids, Versions(until="2026-04-16", replacement="did_group.number_type")],
        "id": Ids,
        "region.id": Ids,
    },
    columns={
        "number": "number",
        "country": "did_group.country.iso",
        "area": "did_group.area_name",
        "type": ("did_group.did_group_type.name", "did_group.number_type"),
    },
):
    """One specific number in stock.

    The list is not paginated and is capped; `total_count` in the meta of the response is the number of matches.
    The filter `number_contains` needs at least 3 digits, or a filter by country, region, city or DID group beside it.
    """

    number: str = attribute(
        "Phone number in E.164 format without the plus sign, e.g. `442079460000`.", filter_contains=NumberPart
    )
    did_group: DidGroup | None = relationship("DID group it is sold from.", filter=OptionalIds, include=True)
    nanpa_prefix: NanpaPrefix | None = relationship(
        "NPA-NXX prefix, or None outside the North American numbering plan.", filter=Ids, include=True
    )
