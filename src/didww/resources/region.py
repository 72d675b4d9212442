"""States and provinces of countries whose coverage is organized by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Ids, RegionCodes, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country


class Region(
    Resource,
    type="regions",
    operations=("list", "find"),
    paginated=False,
    filters={"id": Ids},
    columns={"iso": "iso", "name": "name", "country": "country.name"},
):
    """A state or province of a country."""

    name: str = attribute("Name, e.g. `California`.", filter=AnyCase, sort=True)
    iso: str | None = attribute(
        "ISO 3166-2 code including the country, e.g. `US-CA`, or None if unknown.", filter=RegionCodes, sort=True
    )
    country: Country | None = relationship("Country it belongs to.", filter=RequiredIds, include=True)
