"""States and provinces, for the countries whose coverage is arranged by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Ids, RegionCodes, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country


class Region(Resource, type="regions", operations=("list", "find"), paginated=False, filters={"id": Ids}):
    """A state or province of a country."""

    name: str = attribute("What it is called, e.g. `California`.", filter=AnyCase, sort=True)
    iso: str | None = attribute(
        "ISO 3166-2 code, country part included, e.g. `US-CA`; None if unknown.", filter=RegionCodes, sort=True
    )
    country: Country | None = relationship("The country that it is in.", filter=RequiredIds, include=True)
