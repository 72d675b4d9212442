"""Cities with actual or potential number coverage."""

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
    columns={"name": "name", "region": "region.name", "country": "country.name"},
):
    """A city with actual or potential number coverage."""

    name: str = attribute("Name.", filter=AnyCase, sort=True)
    country: Country | None = relationship("Country it belongs to.", filter=RequiredIds, include=True)
    region: Region | None = relationship(
        "State or province, or None if the country has none.", filter=OptionalIds, include=True
    )
    area: Area | None = relationship("Regulatory area, or None if there is none.", filter=Ids, include=True)
