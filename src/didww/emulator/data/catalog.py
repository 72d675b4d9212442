"""The number catalog of the emulator: countries, cities, DID groups, stock and prices, fixed for a seed.

It generates the rows that the store keeps. Place names, calling codes and area codes are real, from a data file that
`scripts/build_catalog.py` builds from the phonenumbers metadata (libphonenumber, Apache-2.0; see data/README.md), as
are the ids in recorded responses; features, prices, stock and all other ids are drawn from the seed.

No number of the catalog can belong to a subscriber:

- +1: only `555-0100` to `555-0199` of each area code, which are reserved for fiction; so the only NXX of an NPA is 555.
- +44: only the ranges that Ofcom reserves for drama; other cities are listed without stock.
- elsewhere: two zeros or more follow the prefix, where no plan has subscribers' numbers. Where a plan of one
  fixed length might, the number is short of that length.
"""

from __future__ import annotations

import json
import zlib
from functools import cached_property
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Catalog"]

_FILE: Final = Path(__file__).with_name("catalog.json.gz")
_GZIP: Final = 31  # zlib's wbits for a gzip header; the gzip module costs an import and does no more

# Stock by number base, where tests and examples depend on it.
_PINNED_STOCK: Final = {
    "442079460": 1000,  # London, full: the group of examples and tests
    "121255501": 100,  # New York 212, full
    "441314960": 0,  # Edinburgh: sold out
    "441154960": 2,  # Nottingham: two numbers left
}

# Countries that require the customer's address before a number is activated.
_NEEDS_REGISTRATION: Final = frozenset(
    """
    AE AT AU BE BG BR CH CL CO CZ DE DZ EE EG ES FR GR HK HR HU IN IT JP KE KR LT LV MA MX MY NG NO PL PT RO RS SG SI SK
    TH TR TW UA VN ZA
    """.split()  # noqa: SIM905 - a list of codes reads better as one
)

_PLAIN: Final = ("voice_in", "voice_out")
_FAX: Final = ("voice_in", "voice_out", "t38")
_FAX_EMERGENCY: Final = ("voice_in", "voice_out", "t38", "emergency")
_NANP: Final = ("voice_in", "voice_out", "t38", "sms_in", "p2p", "a2p", "emergency", "cnam_out")
_NANP_NO_A2P: Final = ("voice_in", "voice_out", "t38", "sms_in", "p2p", "emergency", "cnam_out")
_TEXT: Final = ("voice_in", "voice_out", "sms_in", "p2p", "a2p")


class _Kind(NamedTuple):
    """The defaults of a number type; its feature set is drawn uniformly."""

    features: tuple[tuple[str, ...], ...]
    monthly: int  # cents, before the country's factor
    setup: int
    is_metered: bool
    service_restrictions: str | None


_KINDS: Final = {
    "Local": _Kind((_PLAIN, _FAX, _FAX, _FAX_EMERGENCY), 150, 0, False, None),
    "National": _Kind((_PLAIN, _PLAIN, _FAX), 250, 100, False, None),
    "Toll-free": _Kind((("voice_in",), _PLAIN), 1200, 500, True, "Not reachable from outside the country"),
    "Mobile": _Kind((_TEXT, (*_TEXT[:3], "p2p"), ("sms_in",)), 600, 300, False, "No bulk messages"),
    "Shared Cost": _Kind((("voice_in",),), 900, 500, True, "Callers share the cost of the call"),
    "Global": _Kind((("voice_in",),), 1500, 1000, True, "Not reachable from every network"),
}
_KINDS_OF_COUNTRY: Final = {
    ("US", "Local"): _Kind((_NANP, _NANP, _NANP_NO_A2P), 90, 0, False, None),
    ("CA", "Local"): _Kind((_NANP, _NANP_NO_A2P), 110, 0, False, None),
    ("GB", "Local"): _Kind((_FAX_EMERGENCY,), 120, 0, False, None),
}
_TWO_CHANNELS: Final = 200  # cents per month in addition to the price without channels

# Country price levels, in percent; 250 for all others.
_PRICE_LEVEL: Final = {
    iso: percent
    for percent, countries in (
        (100, "US CA GB DE FR NL BE AT CH IT ES PT IE SE NO DK FI PL CZ SK HU RO BG LT LV EE LU SI HR GR"),
        (170, "AU NZ JP SG HK IL BR MX AR CL CO PE ZA TR MY MT CY IS"),
    )
    for iso in countries.split()
}

# One group in this many is sold in bulk only, except in countries where any number can be chosen.
_BULK_ONE_IN: Final = 12
_ALWAYS_CHOSEN: Final = frozenset({"US", "CA", "GB"})

_SOLD_OUT_ONE_IN: Final = 40
_DEMO_ONE_IN: Final = 64

# One group in this many does not allow back orders, except where tests and examples depend on its stock.
_NO_BACK_ORDERS_ONE_IN: Final = 8

_VARIANT: Final = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}

_POPS: Final = (
    "AU, SYD",
    "BR, SAO",
    "DE, FRA",
    "HK, HKG",
    "JP, TYO",
    "NL, AMS",
    "SG, SIN",
    "US, LA",
    "US, MIA",
    "US, NY",
)


class _Group(NamedTuple):
    """A group of the data file, with indexes into its other lists.

    The prefix includes the country code here, unlike in responses.
    """

    type: int
    country: int
    region: int | None
    city: int | None
    prefix: str
    area_name: str
    base: str
    start: int
    width: int
    capacity: int


class Catalog:
    """The rows of the read-only types, drawn from a seed.

    Rows are generated lazily and are the same on every machine. Another seed gives other prices, stock and ids (where
    the service's are not known) for the same places.

        >>> catalog = Catalog(seed=1)
        >>> next(row["prefix"] for row in catalog.rows("countries") if row["iso"] == "GB")
        '44'
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def rows(self, type: str) -> Iterator[dict[str, Any]]:
        """Yield the rows of a type: id, attributes, and the id (or None) of each to-one relationship.

        Internal fields in addition to those of the contract: `is_available` of countries and cities; of
        did_groups the meta values `needs_registration`, `available_dids_enabled` and `total_count` (the stock of the
        first day), `back_orders` (whether it can be ordered without stock) and what `number` needs; and `did_group` of
        stock_keeping_units and nanpa_prefixes, their group's id.

        Raises:
            KeyError: The catalog has no such type.
        """
        return self._makers[type]()

    def number(self, group: Mapping[str, Any], k: int) -> str:
        """Return stock number k of a row of did_groups, digits with the country code, without a plus sign.

        The first is number 0; `total_count` of the group is ignored, since the store may have lowered it.

        Raises:
            IndexError: k is beyond the group's range.
        """
        digits = str(group["number_from"] + k).zfill(group["number_width"])
        # One more digit could be a real number.
        if k < 0 or len(digits) > group["number_width"]:
            raise IndexError(f"DID group {group['number_base']} {group['area_name']} has no number {k}")
        return f"{group['number_base']}{digits}"

    @cached_property
    def _makers(self) -> dict[str, Callable[[], Iterator[dict[str, Any]]]]:
        return {
            "countries": self._countries,
            "regions": self._regions,
            "areas": self._areas,
            "cities": self._cities,
            "did_group_types": self._did_group_types,
            "did_groups": self._did_groups,
            "stock_keeping_units": self._stock_keeping_units,
            "nanpa_prefixes": self._nanpa_prefixes,
            "pops": self._pops,
        }

    @cached_property
    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(zlib.decompress(_FILE.read_bytes(), _GZIP))
        return data

    @cached_property
    def _groups(self) -> list[_Group]:
        return [_Group._make(line) for line in self._data["did_groups"]]

    def id_of(self, type: str, key: str) -> str:
        """Return the UUID for a natural key.

        It is the service's own if known, else an MD5 in the format of a name-based UUID (version 3).
        """
        known: str | None = self._data["ids"].get(type, {}).get(key)
        if known is not None:
            return known
        text = md5(f"{self.seed}/{type}/{key}".encode(), usedforsecurity=False).hexdigest()
        return f"{text[:8]}-{text[8:12]}-3{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:]}"

    def capacity(self, group_id: str) -> int:
        """Return the size of a DID group's range; 0 for an unknown group."""
        try:
            return self._groups[self._did_group_ids.index(group_id)].capacity
        except ValueError:
            return 0

    @cached_property
    def _country_isos(self) -> list[str]:
        return [iso for iso, _, _ in self._data["countries"]]

    # The id lists are in the order of the data file.

    @cached_property
    def _country_ids(self) -> list[str]:
        return [self.id_of("countries", iso) for iso, _, _ in self._data["countries"]]

    @cached_property
    def _region_ids(self) -> list[str]:
        isos = self._country_isos
        return [self.id_of("regions", f"{isos[country]}/{iso}") for country, iso, _ in self._data["regions"]]

    @cached_property
    def _area_ids(self) -> list[str]:
        isos = self._country_isos
        return [self.id_of("areas", f"{isos[country]}/{name}") for country, name in self._data["areas"]]

    @cached_property
    def _city_ids(self) -> list[str]:
        isos = self._country_isos
        states = [iso for _, iso, _ in self._data["regions"]]
        return [
            self.id_of("cities", f"{isos[country]}/{'' if region is None else states[region]}/{name}")
            for country, region, _, name in self._data["cities"]
        ]

    @cached_property
    def _did_group_type_ids(self) -> list[str]:
        return [self.id_of("did_group_types", name) for name in self._data["did_group_types"]]

    @cached_property
    def _did_group_ids(self) -> list[str]:
        return [self._did_group_id(group) for group in self._groups]

    def _did_group_id(self, group: _Group) -> str:
        return self.id_of("did_groups", f"{group.base}/{group.start}")

    def _countries(self) -> Iterator[dict[str, Any]]:
        available: set[int] = set()
        for group in self._groups:
            # One group with stock is enough; drawing all would double the time to the first country.
            if group.country not in available and _stock(group, self._did_group_id(group)):
                available.add(group.country)
        for n, (iso, name, prefix) in enumerate(self._data["countries"]):
            yield {
                "id": self._country_ids[n],
                "name": name,
                "prefix": prefix,
                "iso": iso,
                "is_available": n in available,
            }

    def _regions(self) -> Iterator[dict[str, Any]]:
        for n, (country, iso, name) in enumerate(self._data["regions"]):
            whole = f"{self._country_isos[country]}-{iso}"
            yield {"id": self._region_ids[n], "name": name, "iso": whole, "country": self._country_ids[country]}

    def _areas(self) -> Iterator[dict[str, Any]]:
        for n, (country, name) in enumerate(self._data["areas"]):
            yield {"id": self._area_ids[n], "name": name, "country": self._country_ids[country]}

    def _cities(self) -> Iterator[dict[str, Any]]:
        groups = zip(self._groups, self._did_group_ids, strict=True)
        available = {group.city for group, id in groups if _stock(group, id)}
        countries, regions, areas = self._country_ids, self._region_ids, self._area_ids
        for n, (country, region, area, name) in enumerate(self._data["cities"]):
            yield {
                "id": self._city_ids[n],
                "name": name,
                "country": countries[country],
                "region": None if region is None else regions[region],
                "area": None if area is None else areas[area],
                "is_available": n in available,
            }

    def _did_group_types(self) -> Iterator[dict[str, Any]]:
        for id, name in zip(self._did_group_type_ids, self._data["did_group_types"], strict=True):
            yield {"id": id, "name": name}

    def _did_groups(self) -> Iterator[dict[str, Any]]:
        countries, regions, cities = self._country_ids, self._region_ids, self._city_ids
        isos = self._country_isos
        codes: list[str | None] = [code for _, _, code in self._data["countries"]]
        names: list[str] = self._data["did_group_types"]
        for id, group in zip(self._did_group_ids, self._groups, strict=True):
            iso, name = isos[group.country], names[group.type]
            kind = _kind(iso, name)
            draw = _draw(id)
            yield {
                "id": id,
                "prefix": group.prefix.removeprefix(codes[group.country] or ""),
                "area_name": group.area_name,
                "features": list(kind.features[draw % len(kind.features)]),
                "is_metered": kind.is_metered,
                "allow_additional_channels": not kind.is_metered,
                "service_restrictions": kind.service_restrictions,
                "number_type": _number_type(name),
                "is_demo": group.base not in _PINNED_STOCK and draw % _DEMO_ONE_IN == _DEMO_ONE_IN - 1,
                "country": countries[group.country],
                "region": None if group.region is None else regions[group.region],
                "city": None if group.city is None else cities[group.city],
                "did_group_type": self._did_group_type_ids[group.type],
                "address_requirement": (
                    self.id_of(
                        "address_requirements", f"{countries[group.country]}/{self._did_group_type_ids[group.type]}"
                    )
                    if iso in _NEEDS_REGISTRATION
                    else None
                ),
                "needs_registration": iso in _NEEDS_REGISTRATION,
                "available_dids_enabled": iso in _ALWAYS_CHOSEN or draw % _BULK_ONE_IN != 0,
                "back_orders": group.base in _PINNED_STOCK or (draw >> 8) % _NO_BACK_ORDERS_ONE_IN != 0,
                "total_count": _stock(group, id),
                "number_base": group.base,
                "number_from": group.start,
                "number_width": group.width,
            }

    def _stock_keeping_units(self) -> Iterator[dict[str, Any]]:
        isos = self._country_isos
        names: list[str] = self._data["did_group_types"]
        for group_id, group in zip(self._did_group_ids, self._groups, strict=True):
            iso = isos[group.country]
            kind = _kind(iso, names[group.type])
            # Prices are multiples of five cents and vary by up to 20% between groups.
            percent = _PRICE_LEVEL.get(iso, 250) + _draw(group_id) % 21
            monthly = kind.monthly * percent // 500 * 5
            setup = kind.setup * percent // 500 * 5
            for channels, price in ((0, monthly), (2, monthly + _TWO_CHANNELS)):
                yield {
                    "id": self.id_of("stock_keeping_units", f"{group_id}/{channels}"),
                    "setup_price": _money(setup),
                    "monthly_price": _money(price),
                    "channels_included_count": channels,
                    "did_group": group_id,
                }

    def _nanpa_prefixes(self) -> Iterator[dict[str, Any]]:
        countries, regions = self._country_ids, self._region_ids
        for group_id, group in zip(self._did_group_ids, self._groups, strict=True):
            # Groups of +1 in a state have an area code; 800 belongs to no state.
            if group.prefix.startswith("1") and group.region is not None:
                npa = group.prefix[1:]
                yield {
                    "id": self.id_of("nanpa_prefixes", f"{npa}555"),
                    "npa": npa,
                    "nxx": "555",
                    "country": countries[group.country],
                    "region": regions[group.region],
                    "did_group": group_id,
                }

    def _pops(self) -> Iterator[dict[str, Any]]:
        for name in _POPS:
            yield {"id": self.id_of("pops", name), "name": name}


def _number_type(name: str) -> str:
    """Return `number_type` for the name of a DID group type, such as toll_free for Toll-free."""
    return name.lower().replace(" ", "_").replace("-", "_")


def _draw(id: str) -> int:
    """Return the group's random bits, 32 of its id, which is a hash of the seed already."""
    return int(id[:8], 16)


def _stock(group: _Group, id: str) -> int:
    """Return the initial stock of a group."""
    pinned = _PINNED_STOCK.get(group.base)
    if pinned is not None:
        return pinned
    draw = _draw(id)
    if draw % _SOLD_OUT_ONE_IN == 0:
        return 0
    # Most groups are partly sold: 5% to 100% of the numbers are left.
    return group.capacity * (5 + (draw >> 16) % 96) // 100


def _kind(iso: str, name: str) -> _Kind:
    return _KINDS_OF_COUNTRY.get((iso, name)) or _KINDS[name]


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
