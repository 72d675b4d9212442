"""Countries where DIDWW has numbers, or could have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship
from didww._schema.filters import AnyCase, Bool, CountryCodes, Ids, OptionalDigitLists
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.region import Region

CountryFilter = TypedDict(
    "CountryFilter",
    {
        "id": Ids,
        "is_available": Bool,
        "iso": CountryCodes,
        "name": AnyCase,
        "prefix": OptionalDigitLists,
    },
    total=False,
)
CountryInclude = Literal[
    "regions",
    "regions.country",
]
CountrySort = Literal["iso", "-iso", "name", "-name", "prefix", "-prefix"]


class Country(
    Resource,
    type="countries",
    operations=("list", "find"),
    paginated=False,
    filter=CountryFilter,
    include=CountryInclude,
    sort=CountrySort,
):
    """A country with actual or potential number coverage; the list holds them all, in one answer.

    Source: tests/contract/facts/countries.yaml.
    """

    name: str = attribute("English name of the country.")
    prefix: str | None = attribute(
        "Calling code in digits without a plus sign, e.g. `44`; None if it has none.",
    )
    iso: str = attribute("ISO 3166-1 code of two letters, e.g. `GB`.")
    regions: list[Region] = relationship(
        "Its states or provinces; empty where coverage is not arranged by region.",
    )
