"""Cities where DIDWW has numbers, or could have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Bool, Ids, OptionalIds, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.area import Area
    from didww.resources.country import Country
    from didww.resources.region import Region


class City(
    Resource,
    type="cities",
    operations=("list", "find"),
    page_size=1000,
    largest_page=1000,
    filters={"id": Ids, "is_available": Bool},
):
    """A city with actual or potential number coverage."""

    name: str = attribute("What it is called.", filter=AnyCase, sort=True)
    country: Country | None = relationship("The country that it is in.", filter=RequiredIds, include=True)
    region: Region | None = relationship(
        "The state or province that it is in; None if its country has none.", filter=OptionalIds, include=True
    )
    area: Area | None = relationship(
        "The regulatory area that it belongs to; None if there is none.", filter=Ids, include=True
    )
