"""Countries with actual or potential number coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import AnyCase, Bool, CountryCodes, Ids, OptionalDigitLists
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.region import Region


class Country(
    Resource,
    type="countries",
    operations=("list", "find"),
    paginated=False,
    filters={"id": Ids, "is_available": Bool},
    columns={"iso": "iso", "name": "name", "prefix": "prefix"},
):
    """A country with actual or potential number coverage. The list is not paginated."""

    name: str = attribute("English name of the country.", filter=AnyCase, sort=True)
    prefix: str | None = attribute(
        "Country calling code, digits without a plus sign, e.g. `44`, or None if it has none.",
        filter=OptionalDigitLists,
        sort=True,
    )
    iso: str = attribute("Two-letter ISO 3166-1 country code, e.g. `GB`.", filter=CountryCodes, sort=True)
    regions: list[Region] = relationship(
        "States or provinces; empty if coverage is not organized by region.", include=True
    )
