"""DID groups: the catalog of numbers that can be bought, block by block."""

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
)
from didww._schema.record import Meta
from didww._schema.resource import Resource
from didww.enums import Feature

if TYPE_CHECKING:
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.city import City
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.region import Region
    from didww.resources.stock_keeping_unit import StockKeepingUnit


class DidGroupMeta(Meta):
    """Stock and terms of a DID group, as they are now."""

    available_dids_enabled: bool = attribute(
        "True if single numbers can be chosen (`available_dids`); False if they are only sold by quantity."
    )
    needs_registration: bool | None = attribute(
        "True if its numbers need a verified address; None if the response does not say."
    )
    is_available: bool | None = attribute("True if there is stock now; None if the response does not say.")
    total_count: int | None = attribute("Numbers in stock now; None if the response does not say.")


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
):
    """Numbers on offer that share country, city, type and prefix.

    Its prices are in `stock_keeping_units`, its stock in `meta`.
    """

    prefix: str = attribute(
        "Digits after the country code, e.g. `20` for London; empty if the group covers a whole country.",
        filter=AreaPrefixes,
        sort=True,
    )
    area_name: str = attribute("Name of the area covered, for people to read.", filter=AnyCase, sort=True)
    features: list[Feature] = attribute("Services that its numbers can have.", filter=EveryText)
    is_metered: bool = attribute(
        "True if inbound calls are charged per minute; False if minutes are included.", filter=Bool, sort=True
    )
    allow_additional_channels: bool = attribute(
        "True if its numbers can be given extra channels for money.", filter=Bool, sort=True
    )
    service_restrictions: str | None = attribute(
        "Restrictions on its numbers, in words; None if there are none.", sort=True
    )
    country: Country | None = relationship("The country of its numbers.", filter=RequiredIds, include=True)
    city: City | None = relationship(
        "The city of its numbers; None if they belong to no city.", filter=OptionalIds, include=True
    )
    did_group_type: DidGroupType | None = relationship(
        "The kind of number: Local, Mobile, Toll-free and so on.", filter=RequiredIds, include=True
    )
    region: Region | None = relationship(
        "The state or province of its numbers; None if they belong to none.", filter=OptionalIds, include=True
    )
    stock_keeping_units: list[StockKeepingUnit] = relationship(
        "Its priced offers, one for each count of channels; an order names one of them.", include=True
    )
    address_requirement: AddressRequirement | None = relationship(
        "What registering its numbers takes; None if they need no registration.", include=True
    )
    meta = resource_meta(DidGroupMeta, "Stock and terms as they are now.")
