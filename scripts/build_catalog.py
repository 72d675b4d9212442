"""Write src/didww/emulator/data/catalog.json.gz, the numbering plan of the emulator's catalog.

Run `python scripts/build_catalog.py` to refresh the plan (requires `phonenumbers`). Names, calling codes and area codes
come from the metadata of phonenumbers (libphonenumber, Apache-2.0), and ids of recorded responses from
`catalog_ids.json`. The number ranges are chosen so that they never contain an assignable number. Prices and stock are
in `didww.emulator.data.catalog`.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.geodata.locale import LOCALE_DATA
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberType

IDS = Path(__file__).with_name("catalog_ids.json")
TARGET = Path(__file__).parents[1] / "src" / "didww" / "emulator" / "data" / "catalog.json.gz"

# The order is part of the file format: a group refers to its type by index.
TYPES = ["Local", "National", "Toll-free", "Mobile", "Shared Cost", "Global"]
LOCAL, NATIONAL, TOLL_FREE, MOBILE, SHARED_COST, GLOBAL = range(6)

# Countries with numbers for sale, besides the US, Canada and the United Kingdom, which are handled separately.
SERVED = """
    AE AL AM AO AR AT AU AZ BA BD BE BG BH BN BO BR BW CH CI CL CM CO CR CY CZ DE DK DZ EC EE EG ES
    ET FI FR GE GH GR GT HK HN HR HU ID IE IL IN IS IT JO JP KE KG KR KZ LB LK LT LU LV MA MD ME MG
    MK MN MT MU MX MY MZ NA NG NI NL NO NZ PA PE PH PK PL PT PY QA RO RS RW SA SE SG SI SK SN SV TH
    TJ TN TR TW TZ UA UG UY UZ VE VN XK ZA ZM ZW
""".split()  # noqa: SIM905 - a list of codes reads better as one
MOBILE_SERVED = """
    AT AU BE BG CH CO CZ DE DK EE ES FI FR GE HR HU IE IL IT KE LT LV MX MY NL NO NZ PE PH PL PT RO
    RS SE SI SK TH ZA
""".split()  # noqa: SIM905 - a list of codes reads better as one
NAMELESS = {"XK": "Kosovo"}  # the metadata gives it a calling code but no name

# One regulatory area for every area code city of these countries, up to AREAS_PER_COUNTRY.
WITH_AREAS = {"BE", "CH", "DE", "ES", "IT"}
AREAS_PER_COUNTRY = 60

PREFIXES_PER_COUNTRY = 130
# Where a plan has few area codes (France: five), one area code serves several cities, each with a block of numbers.
CITIES_PER_PREFIX = 10
FEW_PREFIXES = 20
CITIES_PER_NPA = 4

WIDER_THAN_A_CITY = (" island", " province", " provinces", " region", " canton", " south wales", " de france", " state")

SHORTEST, LONGEST = 10, 13  # digits of a number, including the country code
STOCK_DIGITS = 3  # a block has at most 1,000 numbers

STATES = {
    "US": {
        "AL": "Alabama",
        "AK": "Alaska",
        "AZ": "Arizona",
        "AR": "Arkansas",
        "CA": "California",
        "CO": "Colorado",
        "CT": "Connecticut",
        "DE": "Delaware",
        "DC": "District of Columbia",
        "FL": "Florida",
        "GA": "Georgia",
        "HI": "Hawaii",
        "ID": "Idaho",
        "IL": "Illinois",
        "IN": "Indiana",
        "IA": "Iowa",
        "KS": "Kansas",
        "KY": "Kentucky",
        "LA": "Louisiana",
        "ME": "Maine",
        "MD": "Maryland",
        "MA": "Massachusetts",
        "MI": "Michigan",
        "MN": "Minnesota",
        "MS": "Mississippi",
        "MO": "Missouri",
        "MT": "Montana",
        "NE": "Nebraska",
        "NV": "Nevada",
        "NH": "New Hampshire",
        "NJ": "New Jersey",
        "NM": "New Mexico",
        "NY": "New York",
        "NC": "North Carolina",
        "ND": "North Dakota",
        "OH": "Ohio",
        "OK": "Oklahoma",
        "OR": "Oregon",
        "PA": "Pennsylvania",
        "RI": "Rhode Island",
        "SC": "South Carolina",
        "SD": "South Dakota",
        "TN": "Tennessee",
        "TX": "Texas",
        "UT": "Utah",
        "VT": "Vermont",
        "VA": "Virginia",
        "WA": "Washington",
        "WV": "West Virginia",
        "WI": "Wisconsin",
        "WY": "Wyoming",
    },
    "CA": {
        "AB": "Alberta",
        "BC": "British Columbia",
        "MB": "Manitoba",
        "NB": "New Brunswick",
        "NL": "Newfoundland and Labrador",
        "NS": "Nova Scotia",
        "NT": "Northwest Territories",
        "NU": "Nunavut",
        "ON": "Ontario",
        "PE": "Prince Edward Island",
        "QC": "Quebec",
        "SK": "Saskatchewan",
        "YT": "Yukon",
    },
}
# The metadata's own spellings of a whole area code, where they are not a state's name or "city, ST".
NANP_ALIASES = {
    "British Colombia": "British Columbia",
    "Washington State": "Washington",
    "Washington D.C.": "Washington, DC",
}

# Ofcom's numbers for drama: (prefix, city, number base, digits behind it). The base has all digits that stay the same.
UK_DRAMA = [
    ("4420", "London", "442079460", 3),
    ("44113", "Leeds", "441134960", 3),
    ("44114", "Sheffield", "441144960", 3),
    ("44115", "Nottingham", "441154960", 3),
    ("44116", "Leicester", "441164960", 3),
    ("44117", "Bristol", "441174960", 3),
    ("44118", "Reading", "441184960", 3),
    ("44121", "Birmingham", "441214960", 3),
    ("44131", "Edinburgh", "441314960", 3),
    ("44141", "Glasgow", "441414960", 3),
    ("44151", "Liverpool", "441514960", 3),
    ("44161", "Manchester", "441614960", 3),
    ("44191", "Tyneside", "441914980", 3),
    ("4428", "Belfast", "442896496", 3),
    ("4429", "Cardiff", "442920180", 3),
]
UK_DRAMA_NON_LOCAL = [
    (NATIONAL, "441632", "441632960", 3),
    (NATIONAL, "4430", "443069990", 3),
    (TOLL_FREE, "44808", "448081570", 3),
    (MOBILE, "447700", "447700900", 3),
]


class Range(NamedTuple):
    """A range of numbers and its location."""

    type: int
    country: str
    region: str | None
    city: str | None
    prefix: str
    area_name: str
    base: str
    start: int
    width: int
    capacity: int


def english() -> dict[str, str]:
    """Return geographic prefixes with English place names, except the many Chinese mobile ranges (not for sale)."""
    return {
        prefix: names["en"] for prefix, names in GEOCODE_DATA.items() if "en" in names and not prefix.startswith("86")
    }


def country_name(iso: str) -> str:
    names = LOCALE_DATA.get(iso, {})
    name = names.get("en", "")
    # "*aa" means the same name as in language aa.
    return NAMELESS.get(iso) or (names[name[1:]] if name.startswith("*") else name)


def place(text: str) -> str:
    """Return one name from a description such as 'Athens/Piraeus', 'Meerut, Uttar Pradesh' or 'Barueri - SP'."""
    return re.split(r"/|,| - [A-Z]{2}$", text)[0].strip()


def assignable(number: str) -> bool:
    """Return whether the number could be assigned to a subscriber according to the metadata."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse("+" + number, None))
    except phonenumbers.NumberParseException:
        return False


def base_in(iso: str, type: int, prefix: str, national_length: int, block: str = "") -> str | None:
    """Return all but the last three digits of an unassignable range, with zeros after the prefix.

    Prefers numbers of the usual length, then shorter ones, which cannot be dialed. If the metadata is too loose to
    decide, accepts area codes in countries with the trunk prefix 0 (or Italy, where it became part of the number),
    because subscriber numbers there do not start with 0.
    """
    calling = str(phonenumbers.country_code_for_region(iso))
    usual = len(calling) + national_length
    fitting = []
    for length in range(min(usual, LONGEST), SHORTEST - 1, -1):
        zeros = length - len(prefix) - len(block) - STOCK_DIGITS
        if zeros < 2:
            break
        base = prefix + "0" * zeros + block
        fitting.append(base)
        samples = [base + f"{last:03d}" for last in (0, 1, 99, 100, 123, 555, 900, 999)]
        if not any(map(assignable, samples)):
            return base
    trunk_prefix = phonenumbers.ndd_prefix_for_region(iso, True) or ""
    if type != LOCAL or not (trunk_prefix.startswith("0") or iso == "IT"):
        return None
    if fitting:
        return fitting[0]
    # Long area codes of open plans, where the usual length leaves no room for two zeros.
    base = prefix + "00" + block
    return base if SHORTEST <= len(base) + STOCK_DIGITS <= LONGEST else None


def area_codes(iso: str, names: dict[str, str]) -> dict[str, Counter[str]]:
    """Return the area codes of a country with their places, weighted by the quantity of numbers."""
    calling = str(phonenumbers.country_code_for_region(iso))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(iso)
    lengths = metadata.fixed_line.possible_length or metadata.general_desc.possible_length
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    fixed = (PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    for prefix, text in names.items():
        name = place(text)
        if not name:
            continue
        for length in reversed(lengths):
            # Which digits follow decides whether the number is a possible one; the area code does not depend on them.
            numbers = (prefix.ljust(len(calling) + length, filler) for filler in "234567")
            parsed = [phonenumbers.parse("+" + number, None) for number in numbers]
            parsed = [p for p in parsed if phonenumbers.number_type(p) in fixed]
            parsed = [p for p in parsed if phonenumbers.region_code_for_number(p) == iso]
            if parsed:
                own = len(prefix) - len(calling)
                sizes = [size for size in map(phonenumbers.length_of_geographical_area_code, parsed) if size]
                # Plans without a trunk prefix have no area codes for the library; the geographic prefix serves as one.
                size = own if own in sizes or not sizes else sizes[0]
                if sizes or size <= 4:
                    national = phonenumbers.national_significant_number(parsed[0])
                    codes[calling + national[:size]][name] += 10 ** (9 - min(9, own))
                break
    return codes


def local_ranges(iso: str, names: dict[str, str]) -> list[Range]:
    codes = area_codes(iso, names)
    length = usual_length(iso, PhoneNumberType.FIXED_LINE)
    each = CITIES_PER_PREFIX if len(codes) <= FEW_PREFIXES else 1
    ranges = []
    # Short area codes first: a plan gives them to its big cities.
    for prefix in sorted(codes, key=lambda code: (len(code), code))[:PREFIXES_PER_COUNTRY]:
        weights = codes[prefix]
        places = sorted(weights, key=lambda name: (name.lower().endswith(WIDER_THAN_A_CITY), -weights[name], name))[
            :each
        ]
        for block, name in enumerate(places):
            base = base_in(iso, LOCAL, prefix, length, str(block) if each > 1 else "")
            if base:
                ranges.append(Range(LOCAL, iso, None, name, prefix, name, base, 0, STOCK_DIGITS, 10**STOCK_DIGITS))
    return ranges


def usual_length(iso: str, kind: int) -> int:
    example = phonenumbers.example_number_for_type(iso, kind)
    if example is None:
        example = phonenumbers.example_number(iso)
    return len(phonenumbers.national_significant_number(example))


def non_local_ranges(iso: str) -> list[Range]:
    """Return the nationwide ranges of a country, for the number types in its plan."""
    calling = str(phonenumbers.country_code_for_region(iso))
    kinds = [
        (NATIONAL, (PhoneNumberType.VOIP, PhoneNumberType.UAN)),
        (TOLL_FREE, (PhoneNumberType.TOLL_FREE,)),
        (MOBILE, (PhoneNumberType.MOBILE,) if iso in MOBILE_SERVED else ()),
        (SHARED_COST, (PhoneNumberType.SHARED_COST,)),
    ]
    ranges = []
    for type, candidates in kinds:
        for kind in candidates:
            example = phonenumbers.example_number_for_type(iso, kind)
            if example is None:
                continue
            national = phonenumbers.national_significant_number(example)
            size = phonenumbers.length_of_national_destination_code(example)
            if size < 3 and type in (TOLL_FREE, SHARED_COST) and national.startswith("1"):
                size = len("1800")  # written with a space after the 1
            prefix = calling + national[: size if 0 < size <= 4 else 3]
            base = base_in(iso, type, prefix, len(national))
            if base:
                ranges.append(
                    Range(type, iso, None, None, prefix, TYPES[type], base, 0, STOCK_DIGITS, 10**STOCK_DIGITS)
                )
                break
        else:
            if type == NATIONAL:
                # In plans without area codes, the calling code is the whole prefix, and no number starts with zeros.
                base = base_in(iso, type, calling, usual_length(iso, PhoneNumberType.FIXED_LINE))
                if base:
                    ranges.append(
                        Range(type, iso, None, None, calling, TYPES[type], base, 0, STOCK_DIGITS, 10**STOCK_DIGITS)
                    )
    return ranges


def nanp(names: dict[str, str]) -> tuple[list[Range], list[tuple[str, str, str]]]:
    """Return the US and Canadian ranges, and the other cities (country, state, name) with area codes there."""
    country_of = {code: country for country, states in STATES.items() for code in states}
    name_of = {code: name for states in STATES.values() for code, name in states.items()}
    code_of = {name: code for code, name in name_of.items()}
    npas: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    for prefix, text in sorted(names.items()):
        if not prefix.startswith("1") or len(prefix) < 4:
            continue
        spelled = NANP_ALIASES.get(text, text)
        city, _, code = spelled.rpartition(", ")
        if not city:
            code = code_of.get(place(spelled), "")
        if code in country_of:
            npas[prefix[1:4]].append((place(city) or None, code))
    ranges, more = [], []
    for npa, entries in sorted(npas.items()):
        state = Counter(code for _, code in entries).most_common(1)[0][0]
        cities = Counter(city for city, code in entries if city and code == state)
        ranked = sorted(cities, key=lambda name: (-cities[name], name))[:CITIES_PER_NPA]
        # An overlay that the metadata knows by its state alone has no city.
        city = ranked[0] if ranked else None
        base = f"1{npa}55501"
        ranges.append(Range(LOCAL, country_of[state], state, city, f"1{npa}", city or name_of[state], base, 0, 2, 100))
        more += [(country_of[state], state, name) for name in ranked]
    # Both countries dial the same 800 numbers, so the hundred fictional ones are shared out between them.
    ranges += [
        Range(TOLL_FREE, country, None, None, "1800", TYPES[TOLL_FREE], "180055501", start, 2, 50)
        for country, start in (("US", 0), ("CA", 50))
    ]
    return ranges, more


def global_ranges() -> list[Range]:
    """Return ranges of international networks and freephone, with real calling codes and numbers too short to dial."""
    plans = [("883510", "International Networks", "88351000"), ("800", "International Freephone", "8000000")]
    for _, _, base in plans:
        assert not any(assignable(base + f"{last:03d}") for last in range(1000)), base
    return [
        Range(GLOBAL, "QI", None, None, prefix, name, base, 0, STOCK_DIGITS, 10**STOCK_DIGITS)
        for prefix, name, base in plans
    ]


def without_overlaps(ranges: list[Range]) -> list[Range]:
    """Return the ranges without those that overlap an earlier one, as one area code can be the prefix of another."""
    taken: set[str] = set()
    kept = []
    for item in ranges:
        numbers = {item.base + str(item.start + k).zfill(item.width) for k in range(item.capacity)}
        if not numbers & taken:
            taken |= numbers
            kept.append(item)
    return kept


def build() -> dict[str, Any]:
    names = english()
    by_calling: dict[str, dict[str, str]] = defaultdict(dict)
    callings = {str(code) for code in COUNTRY_CODE_TO_REGION_CODE}
    for prefix, text in names.items():
        calling = next(prefix[:n] for n in (1, 2, 3) if prefix[:n] in callings)
        by_calling[calling][prefix] = text

    countries = [
        (regions[0], country_name(regions[0]), str(code))
        for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()
        # Territories that share a calling code are not for sale; Ascension has no name; 001 is not a country.
        if regions[0] != "001" and country_name(regions[0])
    ]
    countries += [(iso, country_name(iso), code) for iso, code in (("CA", "1"), ("KZ", "7"))]
    # Global groups also need a country. QI is an ISO user-assigned code. Its prefix is null, as the contract allows,
    # because several calling codes (800, 883) belong to no country.
    countries.append(("QI", "International", None))
    countries.sort()

    ranges, places = nanp(by_calling["1"])
    ranges += [
        Range(LOCAL, "GB", None, city, prefix, city, base, 0, width, 10**width)
        for prefix, city, base, width in UK_DRAMA
    ]
    ranges += [
        Range(type, "GB", None, None, prefix, TYPES[type], base, 0, width, 10**width)
        for type, prefix, base, width in UK_DRAMA_NON_LOCAL
    ]
    for iso in SERVED:
        calling = str(phonenumbers.country_code_for_region(iso))
        ranges += local_ranges(iso, by_calling[calling])
        ranges += non_local_ranges(iso)
    ranges = without_overlaps(ranges + global_ranges())

    regions = [(country, code, name) for country in sorted(STATES) for code, name in sorted(STATES[country].items())]
    # Other UK cities have no drama numbers: they are listed, but have no numbers for sale.
    cities: set[tuple[str, str, str]] = {("GB", "", place(text)) for text in by_calling["44"].values() if place(text)}
    cities |= {*places, *((item.country, item.region or "", item.city) for item in ranges if item.city)}
    ordered = sorted(cities)
    areas = []
    for iso in sorted(WITH_AREAS):
        served = dict.fromkeys(item.city for item in ranges if item.country == iso and item.city)
        areas += sorted((iso, name) for name in list(served)[:AREAS_PER_COUNTRY])

    # Rows refer to each other by index.
    country_at = {iso: n for n, (iso, _, _) in enumerate(countries)}
    region_at = {(country, code): n for n, (country, code, _) in enumerate(regions)}
    area_at = {key: n for n, key in enumerate(areas)}
    city_at = {key: n for n, key in enumerate(ordered)}
    return {
        "source": f"phonenumbers {phonenumbers.__version__} (libphonenumber metadata, Apache-2.0)",
        "countries": countries,
        "regions": [(country_at[country], code, name) for country, code, name in regions],
        "areas": [(country_at[country], name) for country, name in areas],
        "cities": [
            (country_at[country], region_at.get((country, code)), area_at.get((country, name)), name)
            for country, code, name in ordered
        ],
        "ids": {type: known for type, known in json.loads(IDS.read_text(encoding="utf-8")).items() if type != "_about"},
        "did_group_types": TYPES,
        "did_groups": [
            (
                item.type,
                country_at[item.country],
                region_at.get((item.country, item.region or "")),
                city_at[item.country, item.region or "", item.city] if item.city else None,
                *item[4:],
            )
            for item in sorted(ranges, key=lambda item: (item.base, item.start))
        ],
    }


def main() -> None:
    catalog = build()
    text = json.dumps(catalog, ensure_ascii=False, separators=(",", ":"))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")
    for name, rows in catalog.items():
        print(f"  {name}: {rows if isinstance(rows, str) else len(rows)}")


if __name__ == "__main__":
    main()
