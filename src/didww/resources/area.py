"""Regulatory areas: parts of a country in which a number's registered address may have to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship
from didww._schema.filters import AnyCase, Ids, RequiredIds
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country

AreaFilter = TypedDict(
    "AreaFilter",
    {
        "country.id": RequiredIds,
        "id": Ids,
        "name": AnyCase,
    },
    total=False,
)
AreaInclude = Literal[
    "country",
    "country.regions",
]
AreaSort = Literal["name", "-name"]


class Area(
    Resource,
    type="areas",
    operations=("list", "find"),
    filter=AreaFilter,
    page_size=1000,
    largest_page=1000,
    include=AreaInclude,
    sort=AreaSort,
):
    """A regulatory area inside a country.

    Source: tests/contract/facts/areas.yaml.
    """

    name: str = attribute("What it is called.")
    country: Country | None = relationship("The country that it is in.")
