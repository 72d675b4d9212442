"""Available DIDs: single numbers in stock, to be reserved or bought by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import Bool, EveryText, Ids, NumberPart, OptionalIds
from didww._schema.resource import Resource

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
        "did_group_type.id": Ids,
        "id": Ids,
        "region.id": Ids,
    },
):
    """One particular number in stock.

    The list comes in no pages and is capped; `total_count` in the response's meta says how many numbers match.
    The filter `number_contains` takes at least 3 digits unless a country, region, city or DID group stands beside it.
    """

    number: str = attribute("E.164 digits without a plus sign, e.g. `442079460000`.", filter_contains=NumberPart)
    did_group: DidGroup | None = relationship("The group that sells it.", filter=OptionalIds, include=True)
    nanpa_prefix: NanpaPrefix | None = relationship(
        "Its NPA-NXX prefix; None outside the North American plan.", filter=Ids, include=True
    )
