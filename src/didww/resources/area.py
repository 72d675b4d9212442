"""Regulatory areas: parts of a country where the registered address of a number may have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Ids, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country


class Area(
    Resource,
    type="areas",
    operations=("list", "find"),
    page_size=1000,
    largest_page=1000,
    filters={"id": Ids},
    columns={"name": "name", "country": "country.name"},
):
    """A regulatory area of a country."""

    name: str = attribute("Name.", filter=AnyCase, sort=True)
    country: Country | None = relationship("Country it belongs to.", filter=RequiredIds, include=True)
