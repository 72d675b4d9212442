"""States and provinces, for the countries whose coverage is arranged by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship
from didww._schema.filters import AnyCase, Ids, RegionCodes, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country

RegionFilter = TypedDict(
    "RegionFilter",
    {
        "country.id": RequiredIds,
        "id": Ids,
        "iso": RegionCodes,
        "name": AnyCase,
    },
    total=False,
)
RegionInclude = Literal[
    "country",
    "country.regions",
]
RegionSort = Literal["iso", "-iso", "name", "-name"]


class Region(
    Resource,
    type="regions",
    operations=("list", "find"),
    paginated=False,
    filter=RegionFilter,
    include=RegionInclude,
    sort=RegionSort,
):
    """A state or province of a country.

    Source: tests/contract/facts/regions.yaml.
    """

    name: str = attribute("What it is called, e.g. `California`.")
    iso: str | None = attribute(
        "ISO 3166-2 code, country part included, e.g. `US-CA`; None if unknown.",
    )
    country: Country | None = relationship("The country that it is in.")
