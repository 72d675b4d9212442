"""The numbers for sale that match what was asked for: one offer for each DID group and SKU."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from didww.cli import lookups, number_types, parameters
from didww.exceptions import NotExactlyOneError
from didww.resources.did_group import DidGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal

    from didww.cli.output import Row
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.stock_keeping_unit import StockKeepingUnit

__all__ = ["COLUMNS", "MORE_COLUMNS", "Offer", "find_offers", "offer_options", "requirement_in_words"]

F = TypeVar("F", bound="Callable[..., Any]")

COLUMNS: Final = ("place", "type", "channels", "monthly", "setup", "stock", "registration", "features")
MORE_COLUMNS: Final = ("sku id", "did group id", "country", "area", "region", "prefix")
_INCLUDE: Final = ("country", "region", "did_group_type", "stock_keeping_units", "address_requirement")


class Offer(NamedTuple):
    """A SKU of a DID group."""

    group: DidGroup
    sku: StockKeepingUnit

    @property
    def price(self) -> Decimal:
        """The first payment for one number: setup and one month, without VAT."""
        return self.sku.setup_price + self.sku.monthly_price

    @property
    def place(self) -> str:
        """Country, region and area, with the area prefix."""
        group = self.group
        country = group.country.iso if group.country is not None else ""
        region = group.region.iso.rpartition("-")[2] if group.region is not None and group.region.iso else ""
        prefix = f" ({group.prefix})" if group.prefix else ""
        return " ".join(part for part in (country, region, group.area_name) if part) + prefix

    def row(self) -> Row:
        """Return the values of the table."""
        group, sku = self.group, self.sku
        return {
            "place": self.place,
            "type": number_types.name_of(group),
            "channels": sku.channels_included_count,
            "setup": sku.setup_price,
            "monthly": sku.monthly_price,
            "stock": group.meta.total_count,
            "registration": requirement_in_words(group),
            "features": group.features,
            "country": group.country.iso if group.country is not None else None,
            "area": group.area_name,
            "region": group.region.name if group.region is not None else None,
            "prefix": group.prefix,
            "sku id": sku.id,
            "did group id": group.id,
        }


def requirement_in_words(group: DidGroup) -> str:
    """Return what registration of the numbers of a group needs, in a few words."""
    if not group.meta.needs_registration:
        return "no"
    requirement = group.address_requirement
    return "yes" if requirement is None else _summary(requirement)


def _summary(requirement: AddressRequirement) -> str:
    proofs = max(requirement.personal_proof_qty, requirement.business_proof_qty) + requirement.address_proof_qty
    who = {"any": "identity", "personal": "person", "business": "company"}.get(
        str(requirement.identity_type.value), str(requirement.identity_type.value)
    )
    level = requirement.address_area_level
    where = f" in the {level.value}" if level is not None and level.value in ("country", "area", "city") else ""
    return f"{who}, address{where}, {proofs} proof{'' if proofs == 1 else 's'}"


_OPTIONS: Final = (
    click.argument("country", required=False, shell_complete=parameters.complete_countries),
    click.option("--city", metavar="NAME", help="City, or area as in the list."),
    click.option("--region", metavar="NAME", help="State or province: name or code, e.g. NY."),
    click.option("--type", "type_", metavar="TYPE", help="Type of the numbers: local, mobile, national, toll-free ..."),
    click.option("--prefix", metavar="DIGITS", help="Area prefix after the country code, e.g. 20 for London."),
    click.option("--npanxx", metavar="DIGITS", help="Area code and exchange in North America, e.g. 212555."),
    click.option(
        "--feature", "features", multiple=True, metavar="FEATURE", help="Such as voice_in or sms_in; repeatable."
    ),
    click.option("--channels", type=click.IntRange(min=0), metavar="N", help="Channels included in the price."),
    click.option("--no-registration", is_flag=True, help="Only numbers that need no registration."),
)


def offer_options(function: F) -> F:
    """Add the argument and the options that select numbers for sale."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), function)


def find_offers(
    client: Any,
    *,
    country: str | None,
    city: str | None,
    region: str | None,
    type_: str | None,
    prefix: str | None,
    npanxx: str | None,
    features: tuple[str, ...],
    channels: int | None,
    no_registration: bool,
    sold_out: bool = False,
) -> Iterator[Offer]:
    """Yield the offers that match, in the order of the service.

    Raises:
        UsageError: Nothing narrows the search.
        NotExactlyOneError: There is no such country, region, city or type.
    """
    place = _country(client, country) if country is not None else None
    if region is not None and place is None:
        raise click.UsageError("--region needs the country, e.g. US --region NY.")
    if not any((country, city, npanxx)):
        raise click.UsageError("Say where: a country such as GB, or --city, or --npanxx.")
    query: dict[str, Any] = {} if sold_out else {"is_available": True}
    if place is not None:
        query["country.id"] = place.id
    if region is not None and place is not None:
        query["region.id"] = lookups.region(client, region, place).id
    if type_ is not None:
        query |= number_types.filter_by(client, DidGroup, type_)
    if prefix is not None:
        query["prefix"] = prefix
    if npanxx is not None:
        query["nanpa_prefix.npanxx"] = npanxx
    if features:
        query["features"] = list(features)
    if no_registration:
        query["needs_registration"] = False
    include = number_types.in_version(client, DidGroup, _INCLUDE)
    groups = client.did_groups().iterate(filter=query, include=include, page_size=100)
    if city is not None:
        groups = _in_city(client, city, place, query, include)
    for group in groups:
        if not sold_out and group.meta.total_count == 0:
            continue
        for sku in group.stock_keeping_units:
            if channels is None or sku.channels_included_count == channels:
                yield Offer(group, sku)


def _country(client: Any, text: str) -> Any:
    try:
        return lookups.country(client, text)
    except NotExactlyOneError as error:
        if client.cities().count(filter={"name": text}):
            raise NotExactlyOneError(f"{text!r:.80} is a city. Pass --city {text!r:.80}.") from error
        raise


def _in_city(client: Any, city: str, country: Any, query: dict[str, Any], include: list[str]) -> Iterator[DidGroup]:
    """Yield the groups of an area of this name, or else of the cities of this name."""
    named = list(client.did_groups().iterate(filter={**query, "area_name": city}, include=include))
    if not named:
        try:
            ids = [each.id for each in lookups.cities(client, city, country)]
        except NotExactlyOneError:
            if client.did_groups().count(filter={"area_name": city} | _only(query, "country.id")):
                return  # the area is sold, but not with these options
            raise
        named = client.did_groups().iterate(filter={**query, "city.id": ids}, include=include)
    yield from named


def _only(query: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: query[name]} if name in query else {}
