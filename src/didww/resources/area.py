"""Regulatory areas: parts of a country in which a number's registered address may have to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Ids, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country


class Area(Resource, type="areas", operations=("list", "find"), page_size=1000, largest_page=1000, filters={"id": Ids}):
    """A regulatory area inside a country."""

    name: str = attribute("What it is called.", filter=AnyCase, sort=True)
    country: Country | None = relationship("The country that it is in.", filter=RequiredIds, include=True)
