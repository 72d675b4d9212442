"""DID groups: the catalog of numbers for sale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import (
    AnyCase,
    AreaPrefixes,
    AtLeast,
    Bool,
    EveryText,
    Ids,
    OptionalId,
    OptionalIds,
    OptionalNanpCodes,
    RequiredIds,
    Texts,
)
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww.enums import Feature, NumberType

if TYPE_CHECKING:
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.city import City
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.region import Region
    from didww.resources.stock_keeping_unit import StockKeepingUnit


class DidGroupMeta(Meta):
    """Current stock and terms of a DID group."""

    available_dids_enabled: bool = attribute(
        "True if individual numbers can be selected (`available_dids`); False if numbers are sold by quantity only."
    )
    needs_registration: bool | None = attribute(
        "True if the numbers require a verified address, or None if not in the response."
    )
    is_available: bool | None = attribute("True if numbers are in stock, or None if not in the response.")
    total_count: int | None = attribute("Count of numbers in stock, or None if not in the response.")


class DidGroup(
    Resource,
    type="did_groups",
    operations=("list", "find"),
    filters={
        "available_dids_enabled": Bool,
        "id": Ids,
        "is_available": Bool,
        "meta.total_count_gteq": AtLeast,
        "nanpa_prefix.id": OptionalId,
        "nanpa_prefix.npanxx": OptionalNanpCodes,
        "needs_registration": Bool,
    },
    sorts=("country.name", "did_group_type.name"),
    columns={
        "country": "country.iso",
        "area": "area_name",
        "type": ("did_group_type.name", "number_type"),
        "prefix": "prefix",
        "monthly": "stock_keeping_units.monthly_price",
        "setup": "stock_keeping_units.setup_price",
        "stock": "meta.total_count",
        "registration": "meta.needs_registration",
    },
):
    """A group of numbers for sale that share country, city, type and prefix.

    Prices are in `stock_keeping_units`, stock is in `meta`.
    """

    prefix: str = attribute(
        "Area prefix after the country code, e.g. `20` for London; empty if the group covers the whole country.",
        filter=AreaPrefixes,
        sort=True,
    )
    area_name: str = attribute("Human-readable name of the area.", filter=AnyCase, sort=True)
    features: list[Feature] = attribute("Features that the numbers support.", filter=EveryText)
    is_metered: bool = attribute(
        "True if inbound calls are charged per minute; False if minutes are included.", filter=Bool, sort=True
    )
    allow_additional_channels: bool = attribute(
        "True if additional channels can be bought for the numbers.", filter=Bool, sort=True
    )
    service_restrictions: str | None = attribute(
        "Description of service restrictions, or None if there are none.", sort=True
    )
    number_type: NumberType = attribute("Type of the numbers.", filter=Texts, sort=True, since="2026-11-19")
    is_demo: bool = attribute("True if it is a demo group.", filter=Bool, sort=True, since="2026-11-19")
    country: Country | None = relationship("Country of the numbers.", filter=RequiredIds, include=True)
    city: City | None = relationship(
        "City of the numbers, or None if they belong to no city.", filter=OptionalIds, include=True
    )
    did_group_type: DidGroupType | None = relationship(
        "Type of the numbers, e.g. Local, Mobile or Toll-free.",
        filter=RequiredIds,
        include=True,
        until="2026-04-16",
        replacement="number_type",
    )
    region: Region | None = relationship(
        "State or province of the numbers, or None if they belong to none.", filter=OptionalIds, include=True
    )
    stock_keeping_units: list[StockKeepingUnit] = relationship(
        "Priced offers, one for each number of included channels. An order item refers to one of them.", include=True
    )
    address_requirement: AddressRequirement | None = relationship(
        "Registration requirements of the numbers, or None if no registration is required.", include=True
    )
    meta = resource_meta(DidGroupMeta, "Current stock and terms.")
