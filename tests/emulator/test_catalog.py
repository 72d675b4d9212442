"""Test the catalog: deterministic by seed, consistent links, only fictional numbers."""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from didww.emulator.data.catalog import Catalog

Row = dict[str, Any]

FACTS = Path(__file__).parents[1] / "contract" / "facts"
KNOWN_IDS = json.loads((Path(__file__).parents[2] / "scripts" / "catalog_ids.json").read_text(encoding="utf-8"))

TYPES = (
    "countries",
    "regions",
    "cities",
    "areas",
    "did_group_types",
    "did_groups",
    "stock_keeping_units",
    "nanpa_prefixes",
    "pops",
)
LINKS = {
    "country": "countries",
    "region": "regions",
    "city": "cities",
    "area": "areas",
    "did_group_type": "did_group_types",
    "did_group": "did_groups",
}
KIND_NAMES = {"Local", "National", "Toll-free", "Mobile", "Shared Cost", "Global"}
FEATURES = {"voice_in", "voice_out", "t38", "sms_in", "p2p", "a2p", "emergency", "cnam_out"}

# https://www.ofcom.org.uk: telephone numbers for use in TV and radio drama programmes
OFCOM_DRAMA = re.compile(
    r"44(?:11[3-8]4960\d{3}|1[2-6]14960\d{3}|1914980\d{3}|2079460\d{3}|2896496\d{3}|2920180\d{3}"
    r"|1632960\d{3}|7700900\d{3}|8081570\d{3}|3069990\d{3})"
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Return the catalog of the default seed."""
    return Catalog()


@pytest.fixture(scope="module")
def rows(catalog: Catalog) -> dict[str, list[Row]]:
    """Return all its rows by type."""
    return {type: list(catalog.rows(type)) for type in TYPES}


@pytest.fixture(scope="module")
def by_id(rows: dict[str, list[Row]]) -> dict[str, dict[str, Row]]:
    """Return all its rows by type and id."""
    return {type: {row["id"]: row for row in all_rows} for type, all_rows in rows.items()}


def group(rows: dict[str, list[Row]], prefix: str) -> Row:
    """Return the only group of a prefix, country code included."""
    codes = {row["id"]: row["prefix"] or "" for row in rows["countries"]}
    (match,) = (row for row in rows["did_groups"] if codes[row["country"]] + row["prefix"] == prefix)
    return match


def block(catalog: Catalog, row: Row) -> tuple[str, str]:
    """Return the first and last number of a group with stock."""
    return catalog.number(row, 0), catalog.number(row, row["total_count"] - 1)


def blocks_in_stock(catalog: Catalog, rows: dict[str, list[Row]]) -> list[tuple[str, str]]:
    """Return the blocks of all groups with stock."""
    return [block(catalog, row) for row in rows["did_groups"] if row["total_count"]]


def test_same_seed_gives_same_rows(rows: dict[str, list[Row]]) -> None:
    """In the same order."""
    again = Catalog()
    assert {type: list(again.rows(type)) for type in TYPES} == rows


def test_rows_do_not_depend_on_the_order_of_access(rows: dict[str, list[Row]]) -> None:
    """Each type has the same rows when a new catalog reads it first."""
    for type in TYPES:
        assert list(Catalog().rows(type)) == rows[type]


def test_another_seed_changes_ids_but_not_places(rows: dict[str, list[Row]]) -> None:
    """It changes ids other than the service's, stock and prices; prefixes and names stay."""
    other = {type: list(Catalog(seed=7).rows(type)) for type in TYPES}
    for type in TYPES:
        same = {row["id"] for row in other[type]} & {row["id"] for row in rows[type]}
        assert same == set(KNOWN_IDS.get(type, {}).values())
    for key in ("prefix", "area_name", "number_base"):
        assert [row[key] for row in other["did_groups"]] == [row[key] for row in rows["did_groups"]]
    assert [row["total_count"] for row in other["did_groups"]] != [row["total_count"] for row in rows["did_groups"]]
    assert [row["monthly_price"] for row in other["stock_keeping_units"]] != [
        row["monthly_price"] for row in rows["stock_keeping_units"]
    ]


@pytest.mark.parametrize(
    ("type", "key", "id"),
    [
        ("countries", {"iso": "GB"}, "7eda11bb-0e66-4146-98e7-57a5281f56c8"),
        ("regions", {"name": "California"}, "c11b1f34-16cf-4ba6-8497-f305b53d5b01"),
        ("did_group_types", {"name": "Local"}, "994ea201-4a4d-4b27-ac4b-b5916ac969a3"),
        ("pops", {"name": "DE, FRA"}, "ba7ccbef-82ac-4372-9391-eac90d5c9479"),
        ("cities", {"name": "New York"}, "368bf92f-c36e-473f-96fc-d53ed1b4028b"),
    ],
)
def test_known_ids_are_those_of_the_service(type: str, key: Row, id: str) -> None:
    """Programs that use an id of the service find the same record."""
    (row,) = (row for row in Catalog(seed=3).rows(type) if key.items() <= row.items())
    assert row["id"] == id


def test_each_known_id_belongs_to_a_record(rows: dict[str, list[Row]]) -> None:
    """No known id is missing from the catalog."""
    for type in set(KNOWN_IDS) & set(TYPES):
        assert set(KNOWN_IDS[type].values()) <= {row["id"] for row in rows[type]}


def test_catalog_data_is_loaded_lazily(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data file is opened for the first rows."""

    def refuse(path: Path) -> bytes:
        raise AssertionError(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    unread = Catalog()
    with pytest.raises(AssertionError):
        next(unread.rows("countries"))


def test_unknown_type_raises_an_error(catalog: Catalog) -> None:
    """At once, not at the first row."""
    with pytest.raises(KeyError):
        catalog.rows("dids")


def test_catalog_has_a_realistic_size(rows: dict[str, list[Row]]) -> None:
    """Lists have several pages, and filters exclude rows."""
    assert len(rows["countries"]) >= 60
    assert len({row["country"] for row in rows["did_groups"]}) >= 60
    assert 3000 <= len(rows["did_groups"]) <= 6000
    assert len(rows["stock_keeping_units"]) == 2 * len(rows["did_groups"])
    assert len(rows["regions"]) == 51 + 13
    assert len(rows["areas"]) >= 24
    assert len(rows["nanpa_prefixes"]) >= 350
    assert len(rows["pops"]) >= 3


def test_every_group_type_has_stock(rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]) -> None:
    """All six group types exist."""
    assert {row["name"] for row in rows["did_group_types"]} == KIND_NAMES
    sold = {by_id["did_group_types"][row["did_group_type"]]["name"] for row in rows["did_groups"] if row["total_count"]}
    assert sold == KIND_NAMES


def test_ids_are_uuids_and_unique(rows: dict[str, list[Row]]) -> None:
    """Unique across types, in the format of uuid.UUID."""
    ids = [row["id"] for all_rows in rows.values() for row in all_rows]
    assert len(set(ids)) == len(ids)
    assert all(str(uuid.UUID(id)) == id and uuid.UUID(id).variant == uuid.RFC_4122 for id in ids)


def test_links_point_to_existing_rows(rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]) -> None:
    """Every link is None or the id of a row of the right type."""
    for all_rows in rows.values():
        for row in all_rows:
            for name, target in LINKS.items():
                if row.get(name) is not None:
                    assert row[name] in by_id[target]


def test_links_are_consistent(rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]) -> None:
    """City and region of a group, and region and area of a city, are in the same country."""
    for type in ("cities", "did_groups", "nanpa_prefixes"):
        for row in rows[type]:
            assert row["country"] in by_id["countries"]
            for name in ("region", "area", "city"):
                if row.get(name) is not None:
                    assert by_id[LINKS[name]][row[name]]["country"] == row["country"]
    for row in rows["did_groups"]:
        if row["city"] is not None:
            assert by_id["cities"][row["city"]]["region"] == row["region"]


def test_place_names_are_unique(rows: dict[str, list[Row]]) -> None:
    """One row for each country code, and city names are unique within a region."""
    assert max(Counter(row["iso"] for row in rows["countries"]).values()) == 1
    assert max(Counter((row["country"], row["region"], row["name"]) for row in rows["cities"]).values()) == 1
    assert max(Counter((row["country"], row["iso"]) for row in rows["regions"]).values()) == 1
    assert all(row["name"].strip() for type in ("countries", "regions", "cities", "areas") for row in rows[type])


def test_groups_have_known_and_unique_features(rows: dict[str, list[Row]]) -> None:
    """Every group supports calls or messages."""
    for row in rows["did_groups"]:
        features = row["features"]
        assert set(features) <= FEATURES
        assert len(set(features)) == len(features)
        assert {"voice_in", "sms_in"} & set(features)
        assert row["area_name"]
        assert re.fullmatch(r"\d*", row["prefix"], re.ASCII)


def test_number_starts_with_country_code_and_prefix(
    rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]
) -> None:
    """Only the row for global numbers has no country code."""
    for row in rows["did_groups"]:
        calling = by_id["countries"][row["country"]]["prefix"]
        assert row["number_base"].startswith((calling or "") + row["prefix"])
        assert row["prefix"] or row["area_name"] == "National"
    london = group(rows, "4420")
    assert (london["prefix"], london["area_name"]) == ("20", "London")
    assert [row["name"] for row in rows["countries"] if row["prefix"] is None] == ["International"]


def test_region_codes_are_iso_3166_2(rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]) -> None:
    """US-CA, not CA."""
    for row in rows["regions"]:
        assert row["iso"].startswith(f"{by_id['countries'][row['country']]['iso']}-")
    assert {"US-CA", "CA-MB"} <= {row["iso"] for row in rows["regions"]}


def test_numbers_have_ten_to_thirteen_digits(catalog: Catalog, rows: dict[str, list[Row]]) -> None:
    """All numbers of a group have the same length."""
    for row in rows["did_groups"]:
        if row["total_count"]:
            first, last = block(catalog, row)
            assert first.isdigit()
            assert 10 <= len(first) == len(last) <= 13


def test_number_blocks_do_not_overlap(catalog: Catalog, rows: dict[str, list[Row]]) -> None:
    """Even if one prefix starts with another."""
    blocks = sorted((len(first), first, last) for first, last in blocks_in_stock(catalog, rows))
    for (length, _, last), (next_length, next_first, _) in pairwise(blocks):
        assert length < next_length or last < next_first


def test_american_numbers_are_fictional(catalog: Catalog, rows: dict[str, list[Row]]) -> None:
    """Only 555-0100 to 555-0199 in +1."""
    american = [ends for ends in blocks_in_stock(catalog, rows) if ends[0].startswith("1")]
    assert len(american) >= 350
    for number in (number for ends in american for number in ends):
        assert re.fullmatch(r"1[2-9]\d\d55501\d\d", number)


def test_british_numbers_are_fictional(catalog: Catalog, rows: dict[str, list[Row]]) -> None:
    """Only Ofcom's drama ranges in +44."""
    british = [ends for ends in blocks_in_stock(catalog, rows) if ends[0].startswith("44")]
    assert len(british) >= 15
    for number in (number for ends in british for number in ends):
        assert OFCOM_DRAMA.fullmatch(number)


def test_other_numbers_are_fictional(rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]) -> None:
    """Two zeros follow the prefix, where no plan has subscriber numbers."""
    for row in rows["did_groups"]:
        whole = (by_id["countries"][row["country"]]["prefix"] or "") + row["prefix"]
        if not whole.startswith(("1", "44")):
            assert row["number_base"].removeprefix(whole).startswith("00")


def test_numbers_outside_the_block_raise_an_error(catalog: Catalog, rows: dict[str, list[Row]]) -> None:
    """They might be real."""
    new_york = group(rows, "1212")
    assert catalog.number(new_york, 0) == "12125550100"
    assert catalog.number(new_york, 99) == "12125550199"
    for k in (-1, 100):
        with pytest.raises(IndexError):
            catalog.number(new_york, k)


def test_prices_have_two_decimals(rows: dict[str, list[Row]]) -> None:
    """Decimal strings as in the service; the monthly price is never zero."""
    for row in rows["stock_keeping_units"]:
        for name in ("setup_price", "monthly_price"):
            assert re.fullmatch(r"(0|[1-9]\d*)\.\d\d", row[name])
        assert 0.5 <= float(row["monthly_price"]) <= 60
        assert float(row["setup_price"]) <= 60


def test_each_group_has_a_sku_with_and_without_channels(rows: dict[str, list[Row]]) -> None:
    """For zero and two channels; the latter costs more."""
    offers: dict[str, dict[int, float]] = {}
    for row in rows["stock_keeping_units"]:
        offers.setdefault(row["did_group"], {})[row["channels_included_count"]] = float(row["monthly_price"])
    assert set(offers) == {row["id"] for row in rows["did_groups"]}
    for prices in offers.values():
        assert set(prices) == {0, 2}
        assert prices[0] < prices[2]


def test_each_american_area_code_has_one_nanpa_prefix(
    rows: dict[str, list[Row]], by_id: dict[str, dict[str, Row]]
) -> None:
    """NPA and 555 for every area code of the US and Canada, with its region and group."""
    prefixes = rows["nanpa_prefixes"]
    assert {row["nxx"] for row in prefixes} == {"555"}
    assert max(Counter(row["npa"] for row in prefixes).values()) == 1
    assert {by_id["countries"][row["country"]]["iso"] for row in prefixes} == {"US", "CA"}
    for row in prefixes:
        assert re.fullmatch(r"[2-9]\d\d", row["npa"], re.ASCII)
        assert re.fullmatch(r"(?!\d11$)[2-9]\d\d", row["nxx"], re.ASCII)
        group = by_id["did_groups"][row["did_group"]]
        assert group["prefix"] == row["npa"]
        assert group["region"] == row["region"] is not None


def test_places_are_available_if_their_groups_have_stock(rows: dict[str, list[Row]]) -> None:
    """For countries and cities; some are not available."""
    for type, link in (("countries", "country"), ("cities", "city")):
        stocked = {row[link] for row in rows["did_groups"] if row["total_count"]}
        assert {row["id"] for row in rows[type] if row["is_available"]} == stocked - {None}
        assert {row["is_available"] for row in rows[type]} == {True, False}


@pytest.mark.parametrize("seed", [0, 1, 2026])
def test_groups_used_by_examples_exist(seed: int) -> None:
    """London and New York have numbers to choose, for any seed."""
    rows = {type: list(Catalog(seed).rows(type)) for type in TYPES}
    names = {
        row["id"]: row["name"] for type in ("countries", "regions", "cities", "did_group_types") for row in rows[type]
    }
    expected = {
        "4420": ("London", "United Kingdom", None, "Local", 1000),
        "1212": ("New York", "United States", "New York", "Local", 100),
    }
    for prefix, (city, country, region, kind, stock) in expected.items():
        row = group(rows, prefix)
        assert row["area_name"] == names[row["city"]] == city
        assert names[row["country"]] == country
        assert names.get(row["region"]) == region
        assert names[row["did_group_type"]] == kind
        assert row["total_count"] == stock
        assert "voice_in" in row["features"]
        assert row["available_dids_enabled"] is True
        assert row["needs_registration"] is False


@pytest.mark.parametrize("seed", [0, 1, 2026])
def test_groups_for_error_cases_exist(seed: int) -> None:
    """Sold out, nearly sold out, registration required, no number selection, for any seed."""
    catalog = Catalog(seed)
    codes = {row["id"]: row["prefix"] or "" for row in catalog.rows("countries")}
    groups = {codes[row["country"]] + row["prefix"]: row for row in catalog.rows("did_groups")}
    assert groups["44131"]["total_count"] == 0
    assert groups["44115"]["total_count"] == 2
    assert groups["4930"]["area_name"] == "Berlin"
    assert groups["4930"]["needs_registration"] is True
    assert not all(row["available_dids_enabled"] for row in groups.values())


@pytest.mark.parametrize("type", TYPES)
def test_rows_have_the_fields_of_the_contract(type: str, rows: dict[str, list[Row]]) -> None:
    """Every attribute and to-one relationship is present, and required ones are not null."""
    contract = yaml.safe_load((FACTS / f"{type}.yaml").read_text(encoding="utf-8"))
    to_one = {name for name, link in contract["relationships"].items() if link["kind"] == "one"}
    for row in rows[type]:
        assert set(contract["attributes"]) | to_one <= set(row)
        for name, field in contract["attributes"].items():
            assert field.get("nullable") or row[name] is not None
