"""The price lists of the emulator: calls and text messages, fixed for a seed and a month.

Countries and the prefixes of toll-free and shared-cost numbers are those of the catalog. Rates, networks and conditions
are drawn from the seed. Prices of outbound calls change on the first day of a month, so that there are always scheduled
changes. A lookup and a price file read the same list.
"""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import md5
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.emulator.controls.clock import stamp
from didww.emulator.engine.prepared import catalog_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COLUMNS", "LISTS", "Price", "country_codes", "month_of", "price_file", "prices", "start_of"]

LISTS: Final = ("voice_in", "voice_out", "sms_out/a2p", "sms_out/p2p", "sms_out/otp", "sms_in")
"""The price lists; each has a plan of its own."""

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "voice_in": (
        *("Country", "Src country name", "Source type", "Destination", "Rate", "Connection fee"),
        *("Initial interval", "Next interval", "Reject calls"),
    ),
    "voice_out": (
        *("Category", "Country", "Network", "Prefix", "Rate", "Connection fee"),
        *("Initial increment", "Recurring increment", "Reject calls"),
        *("Next rate", "Next connection fee", "Next initial increment", "Next recurring increment"),
        *("Next reject calls", "Effective at", "Comment"),
    ),
    "sms_out": (
        *("Source prefix", "Destination prefix", "Country", "MCC", "MCC name", "MNC", "MNC name"),
        *("Reject SMS", "Price"),
    ),
    "sms_in": (
        *("Source prefix", "Source number length min", "Source number length max", "Destination prefix"),
        *("Destination number length min", "Destination number length max", "Country", "Price"),
    ),
}
"""The header row of each file. A column is the attribute of that name."""

_UNIT: Final = 10_000  # amounts are integers: hundredths of a cent

_WESTERN: Final = frozenset(
    "AT BE BG CH CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV NL NO PL PT RO SE SI SK".split()  # noqa: SIM905 short
)
_NANP: Final = frozenset({"US", "CA"})
_LOCAL: Final = frozenset({"DE", "FR", "GB", "NL", "US"})
_SMS_IN: Final = _WESTERN | _NANP | {"AU", "IL", "ZA"}

# Countries that share a country code with another one: the prefixes of their own.
_OWN_PREFIXES: Final = {"KZ": ("76", "77")}

# Mobile country codes (ITU-T E.212); other countries have no prices by network.
_MCC: Final = {
    iso: int(code)
    for iso, _, code in (
        pair.partition(" ")
        for pair in [
            "GB 234",
            "US 310",
            "CA 302",
            "DE 262",
            "FR 208",
            "NL 204",
            "BE 206",
            "AT 232",
            "CH 228",
            "IT 222",
            "ES 214",
            "PT 268",
            "IE 272",
            "SE 240",
            "NO 242",
            "DK 238",
            "FI 244",
            "PL 260",
            "CZ 230",
            "SK 231",
            "HU 216",
            "RO 226",
            "BG 284",
            "LT 246",
            "LV 247",
            "EE 248",
            "LU 270",
            "SI 293",
            "HR 219",
            "GR 202",
            "AU 505",
            "NZ 530",
            "JP 440",
            "SG 525",
            "HK 454",
            "IL 425",
            "BR 724",
            "MX 334",
            "AR 722",
            "CL 730",
            "CO 732",
            "ZA 655",
        ]
    )
}

# Prefixes of no country.
_WITHOUT_COUNTRY: Final = (("870", "Satellite Network"), ("882", None))

_CHANGES_ONE_IN: Final = 4
_REJECTS_ONE_IN: Final = 4
_NEW_ONE_IN: Final = 3


class Price(NamedTuple):
    """A price, and what it applies to.

    Attributes:
        id: Its id in a response.
        attributes: Its attributes in a response.
        prefix: First digits of the numbers; empty for any.
        group: The longest prefix wins among the prices of a group.
        country: ISO code of the destination.
        source: ISO code of the source; None for any.
        shortest: Minimum number of digits.
        longest: Maximum number of digits.
        in_effect: Whether the price is in effect.
    """

    id: str
    attributes: dict[str, Any]
    prefix: str
    group: tuple[str | None, ...] = ()
    country: str | None = None
    source: str | None = None
    shortest: int = 1
    longest: int = 15
    in_effect: bool = True


def month_of(moment: datetime) -> int:
    """Return the number of a month, counted without gaps."""
    return moment.year * 12 + moment.month - 1


def start_of(month: int) -> datetime:
    """Return the start of a month in UTC."""
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


@lru_cache(maxsize=48)
def prices(seed: int, name: str, month: int) -> tuple[Price, ...]:
    """Return a price list of `LISTS` as of a month."""
    kind, _, domain = name.partition("/")
    lists = _Lists(seed)
    if kind == "voice_in":
        return tuple(lists.voice_in())
    if kind == "voice_out":
        return tuple(lists.voice_out(month))
    return tuple(lists.sms_out(domain) if kind == "sms_out" else lists.sms_in())


@lru_cache(maxsize=48)
def price_file(seed: int, name: str, month: int) -> bytes:
    """Return the price list as a gzip CSV file."""
    columns = COLUMNS[name.partition("/")[0]]
    names = [column.lower().replace(" ", "_") for column in columns]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(price.attributes[column]) for column in names] for price in prices(seed, name, month))
    return gzip.compress(text.getvalue().encode(), mtime=0)


@lru_cache(maxsize=4)
def country_codes(seed: int) -> frozenset[str]:
    """Return the ISO codes of all countries."""
    return frozenset(country["iso"] for country in catalog_of(seed).rows("countries"))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _amount(units: int) -> str:
    """Return an amount without trailing zeros, but with one decimal."""
    whole, rest = divmod(units, _UNIT)
    return f"{whole}.{f'{rest:04d}'.rstrip('0') or '0'}"


class _Country(NamedTuple):
    iso: str
    name: str
    prefixes: tuple[str, ...]
    level: int  # of prices, in percent
    shortest: int
    longest: int


class _Lists:
    """The price lists of a seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._catalog = catalog_of(seed)

    def _draw(self, key: str) -> int:
        """Return the random bits of a key."""
        return int(md5(f"{self._seed}/prices/{key}".encode(), usedforsecurity=False).hexdigest()[:12], 16)

    def _id(self, key: str) -> str:
        return self._catalog.id_of("prices", key)

    def _countries(self) -> Iterator[_Country]:
        rows = list(self._catalog.rows("countries"))
        owner = {row["prefix"]: row["iso"] for row in rows if row["iso"] not in {"CA", *_OWN_PREFIXES}}
        canada = next(row["id"] for row in rows if row["iso"] == "CA")
        areas = {
            f"1{group['prefix']}"
            for group in self._catalog.rows("did_groups")
            if group["country"] == canada and group["region"] is not None
        }
        for row in rows:
            code, iso = row["prefix"], row["iso"]
            if code is None:
                continue
            own = _OWN_PREFIXES.get(iso, tuple(sorted(areas)) if iso == "CA" else (code,))
            level = 100 if iso in _WESTERN | _NANP else 250 + self._draw(f"level/{iso}") % 300
            lengths = (11, 11) if iso in _NANP else (8, 15)
            if iso in owner.values() or iso in _OWN_PREFIXES or iso == "CA":
                yield _Country(iso, row["name"], own, level, *lengths)

    # Inbound calls

    def voice_in(self) -> Iterator[Price]:
        """Yield the prices of calls to toll-free and shared-cost numbers."""
        countries = {row["id"]: row for row in self._catalog.rows("countries")}
        types = {row["id"]: row["name"] for row in self._catalog.rows("did_group_types")}
        seen: set[tuple[str, str, str | None, str]] = set()
        for group in self._catalog.rows("did_groups"):
            if not group["is_metered"]:
                continue
            country, type = countries[group["country"]], types[group["did_group_type"]]
            iso, name, code = country["iso"], country["name"], country["prefix"]
            prefix = f"{code or ''}{group['prefix']}"
            level = 100 if iso in _WESTERN | _NANP else 220
            where = "International" if code is None else name
            for source_type, percent in (("fixed", 100), ("cellular", 240), ("payphone", 400)):
                sources: list[tuple[str | None, str | None, str, str, int]] = [
                    (None, None, prefix, f"{where} - {type}", percent)
                ]
                if code is None:
                    sources += [
                        (row["iso"], row["name"], prefix, f"{where} - {type}", percent * 80 // 100)
                        for row in countries.values()
                        if row["iso"] in _LOCAL
                    ]
                elif source_type != "payphone":
                    # Calls from the country itself, with a shorter prefix than calls from anywhere.
                    sources.append((iso, name, prefix[:-1], f"{where} - Special services", percent * 60 // 100))
                for source, source_name, covered, destination, share in sources:
                    key = (source_type, iso, source, covered)
                    if key in seen:
                        continue
                    seen.add(key)
                    draw = self._draw("voice_in/" + "/".join(map(str, key)))
                    rejected = source_type == "payphone" and draw % 2 == 0
                    rate = (200 + draw % 600) * level * share // 10_000
                    attributes = {
                        "destination": destination,
                        "country": None if code is None else name,
                        "src_country_name": source_name,
                        "source_type": source_type,
                        "rate": None if rejected else _amount(rate),
                        "connection_fee": None if rejected else _amount(draw % 3 * 50),
                        "initial_interval": 60 if draw & 8 else 1,
                        "next_interval": 60 if draw & 16 else 1,
                        "reject_calls": rejected,
                    }
                    yield Price(
                        self._id("voice_in/" + "/".join(map(str, key))),
                        attributes,
                        covered,
                        (source_type, None if code is None else iso),
                        iso,
                        source,
                    )

    # Outbound calls

    def voice_out(self, month: int) -> Iterator[Price]:
        """Yield the prices of outbound calls in a month, also those that begin later."""
        seen: set[tuple[str, tuple[str | None, ...]]] = set()
        for country in self._countries():
            for price in chain.from_iterable(self._to_prefix(country, prefix, month) for prefix in country.prefixes):
                if (price.prefix, price.group) not in seen:  # countries can share a country code
                    seen.add((price.prefix, price.group))
                    yield price
        for prefix, network in _WITHOUT_COUNTRY:
            yield self._outbound(month, prefix, "International", network, 30_000)

    def _to_prefix(self, country: _Country, prefix: str, month: int) -> Iterator[Price]:
        draw = self._draw(f"voice_out/{prefix}")
        base = (50 + draw % 150) * country.level // 100
        yield self._outbound(month, prefix, "International", f"{country.name} Fixed", base, country)
        if country.iso in _WESTERN | _NANP:
            yield self._outbound(month, prefix, "Origin based", f"{country.name} Fixed", base * 3 // 4, country)
        if country.iso in _LOCAL:
            yield self._outbound(month, prefix, "Local", f"{country.name} Fixed", base // 2, country)
        if country.iso in _NANP:
            return
        mobile = 5 + draw % 3  # the first digit of mobile numbers
        for place, letter in enumerate("ABC"[: 1 + draw % 3]):
            at = f"{prefix}{mobile}" + ("" if place == 0 else str((draw + place) % 10))
            network = f"{country.name} Mobile {letter}"
            yield self._outbound(month, at, "International", network, base * (4 + place), country)
        if draw % _REJECTS_ONE_IN == 0:
            yield self._outbound(month, f"{prefix}90", "International", None, None, country)
        if draw % _NEW_ONE_IN == 0:
            # In one month of twelve it is announced, and not in effect yet.
            new = (month + draw // _NEW_ONE_IN) % 12 == 0
            yield self._outbound(
                month, f"{prefix}49", "International", f"{country.name} New", base * 3, country, new=new
            )

    def _outbound(
        self,
        month: int,
        prefix: str,
        category: str,
        network: str | None,
        base: int | None,
        country: _Country | None = None,
        *,
        new: bool = False,
    ) -> Price:
        key = f"voice_out/{prefix}/{category}"
        draw = self._draw(key)
        terms = {
            "connection_fee": None if base is None else _amount(draw % 4 // 3 * 100),
            "initial_increment": 60 if draw & 4 else 1,
            "recurring_increment": 60 if draw & 8 else 1,
            "reject_calls": base is None,
        }

        def rate(month: int) -> str | None:
            if base is None:
                return None
            changed = draw % _CHANGES_ONE_IN == 0
            return _amount(base * (90 + self._draw(f"{key}/{month}") % 21) // 100 if changed else base)

        now, later = {"rate": rate(month), **terms}, {"rate": rate(month + 1), **terms}
        scheduled = new or now != later
        if new:
            now = {**dict.fromkeys(now), "reject_calls": False}
        attributes = {
            "category": category,
            "country": country.name if country is not None else None,
            "network": network,
            "prefix": prefix,
            **now,
            **{f"next_{name}": value if scheduled else None for name, value in later.items()},
            "effective_at": stamp(start_of(month + 1)) if scheduled else None,
            "comment": ("New prefix" if new else "Price change") if scheduled else None,
        }
        shortest, longest = (8, 15) if country is None else (country.shortest, country.longest)
        return Price(
            self._id(key),
            attributes,
            prefix,
            (category,),
            None if country is None else country.iso,
            shortest=shortest,
            longest=longest,
            in_effect=not new,
        )

    # Text messages

    def sms_out(self, domain: str) -> Iterator[Price]:
        """Yield the prices of outbound text messages of a domain."""
        for country in self._countries():
            mcc = _MCC.get(country.iso)
            draw = self._draw(f"sms_out/{domain}/{country.iso}")
            base = (150 + draw % 400) * country.level // 100
            networks: list[tuple[int | None, int]] = [(None, base)]
            if mcc is not None:
                networks += [(mnc, base * (90 + (draw >> mnc) % 40) // 100) for mnc in range(1, 2 + draw % 3)]
            for prefix in country.prefixes:
                for mnc, price in networks:
                    # The last network of one country in five accepts no such messages.
                    rejected = draw % 5 == 0 and mnc == networks[-1][0] and mnc is not None
                    yield self._message(domain, country, None, prefix, mcc, mnc, None if rejected else price)
                if domain == "p2p":
                    yield self._message(domain, country, prefix, prefix, mcc, None, base * 2 // 3)
        if domain == "otp":
            yield self._message(domain, None, None, None, None, None, 9000)

    def _message(
        self,
        domain: str,
        country: _Country | None,
        source_prefix: str | None,
        prefix: str | None,
        mcc: int | None,
        mnc: int | None,
        price: int | None,
    ) -> Price:
        name = None if country is None else country.name
        attributes = {
            "source_prefix": source_prefix,
            "destination_prefix": prefix,
            "country": name,
            "mcc": mcc,
            "mcc_name": None if mcc is None else name,
            "mnc": mnc,
            "mnc_name": None if mnc is None else f"{name} Mobile {'ABCD'[mnc - 1]}",
            "reject_sms": price is None,
            "price": None if price is None else _amount(price),
        }
        key = f"sms_out/{domain}/{'/'.join(map(str, attributes.values()))}"
        return Price(self._id(key), attributes, prefix or "", (), None if country is None else country.iso)

    def sms_in(self) -> Iterator[Price]:
        """Yield the prices of inbound text messages."""
        for country in self._countries():
            if country.iso not in _SMS_IN:
                continue
            price = _amount((20 + self._draw(f"sms_in/{country.iso}") % 80) * country.level // 100)
            for prefix in country.prefixes:
                attributes = {
                    "source_prefix": None,
                    "source_number_length_min": 1,
                    "source_number_length_max": 15,
                    "destination_prefix": prefix,
                    "destination_number_length_min": country.shortest,
                    "destination_number_length_max": country.longest,
                    "country": country.name,
                    "price": price,
                }
                key = f"sms_in/{'/'.join(map(str, attributes.values()))}"
                yield Price(
                    self._id(key),
                    attributes,
                    prefix,
                    (),
                    country.iso,
                    shortest=country.shortest,
                    longest=country.longest,
                )
