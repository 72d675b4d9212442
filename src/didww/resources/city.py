"""Cities where DIDWW has numbers, or could have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship
from didww._schema.filters import AnyCase, Bool, Ids, OptionalIds, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.area import Area
    from didww.resources.country import Country
    from didww.resources.region import Region

CityFilter = TypedDict(
    "CityFilter",
    {
        "area.id": Ids,
        "country.id": RequiredIds,
        "id": Ids,
        "is_available": Bool,
        "name": AnyCase,
        "region.id": OptionalIds,
    },
    total=False,
)
CityInclude = Literal[
    "area",
    "area.country",
    "country",
    "country.regions",
    "region",
    "region.country",
]
CitySort = Literal["name", "-name"]


class City(
    Resource,
    type="cities",
    operations=("list", "find"),
    filter=CityFilter,
    page_size=1000,
    largest_page=1000,
    include=CityInclude,
    sort=CitySort,
):
    """A city with actual or potential number coverage.

    Source: tests/contract/facts/cities.yaml.
    """

    name: str = attribute("What it is called.")
    country: Country | None = relationship("The country that it is in.")
    region: Region | None = relationship("The state or province that it is in; None if its country has none.")
    area: Area | None = relationship("The regulatory area that it belongs to; None if there is none.")
