"""Countries where DIDWW has numbers, or could have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Bool, CountryCodes, Ids, OptionalDigitLists
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.region import Region


class Country(
    Resource, type="countries", operations=("list", "find"), paginated=False, filters={"id": Ids, "is_available": Bool}
):
    """A country with actual or potential number coverage; the list holds them all, in one response."""

    name: str = attribute("English name of the country.", filter=AnyCase, sort=True)
    prefix: str | None = attribute(
        "Calling code in digits without a plus sign, e.g. `44`; None if it has none.",
        filter=OptionalDigitLists,
        sort=True,
    )
    iso: str = attribute("ISO 3166-1 code of two letters, e.g. `GB`.", filter=CountryCodes, sort=True)
    regions: list[Region] = relationship(
        "Its states or provinces; empty where coverage is not arranged by region.", include=True
    )
