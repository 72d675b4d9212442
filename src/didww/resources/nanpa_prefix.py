"""NPA-NXX prefixes of the North American Numbering Plan, for orders of numbers in one rate center."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import Bool, EveryText, Ids, NanpCodes, NanpPart, OptionalIds, RequiredIds
from didww._schema.forms import Form
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.region import Region


class NanpaPrefix(
    Resource,
    type="nanpa_prefixes",
    operations=("list", "find"),
    filters={"did_group.features": EveryText, "did_group.is_available": Bool, "id": Ids, "npanxx": NanpPart},
    columns={"area code": "npa", "exchange": "nxx", "country": "country.iso", "region": "region.name"},
):
    """An NPA-NXX prefix with numbers. Its id in an order item limits the order to numbers with this prefix."""

    npa: str = attribute(
        "Area code, three digits, e.g. `212`.",
        form=Form(r"^[2-9]\d\d$", "three digits of which the first is 2 to 9"),
        filter=NanpCodes,
        sort=True,
    )
    nxx: str = attribute(
        "Central office (exchange) code, three digits, e.g. `555`.",
        form=Form(
            r"^(?!\d11$)[2-9]\d{2}$", "three digits of which the first is 2 to 9, and no service code such as 911"
        ),
        filter=NanpCodes,
        sort=True,
    )
    country: Country | None = relationship(
        "Country of the prefix; several countries share the code +1.", filter=RequiredIds, include=True
    )
    region: Region | None = relationship("State or province of the prefix.", filter=OptionalIds, include=True)
