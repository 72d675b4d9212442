"""The prices services: the rules of lookups, the files, and the plans of an account."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from didww import SmsInPrice, SmsOutPrice, VoiceInPrice, VoiceOutPrice, read_prices
from didww._core.effects import Request, Response
from didww.emulator import Emulator
from didww.emulator.data.prices import COLUMNS, LISTS, Price, prices, start_of
from didww.emulator.http import control_api
from didww.exceptions import NotFoundError, PriceNotFoundError, PricePlanNotAssignedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = "http://emulator.example.com"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MONTH = 2026 * 12 + 10
SERVICES = {"voice_in": "api-vin", "voice_out": "api-vout", "sms_out": "api-sms", "sms_in": "api-sms"}
CLASSES: dict[str, Any] = {
    "voice_in": VoiceInPrice,
    "voice_out": VoiceOutPrice,
    "sms_out": SmsOutPrice,
    "sms_in": SmsInPrice,
}
TOLL_FREE = "448081570001"
LONDON = "442079460001"


class Services:
    """Sends requests with tokens."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.tokens: dict[str, str] = {}

    def token(self, service: str, **claims: str) -> str:
        if claims or service not in self.tokens:
            asked = {"aud": f"{service}.didww.com", "scope": "read", "api_version": "2026-11-19", "expires_in": 3600}
            body = json.dumps({**asked, **claims}).encode()
            headers = {"Api-Key": "local-key", "Content-Type": "application/json"}
            response, _ = self.emulator.exchange(Request("POST", f"{ORIGIN}/token", headers, body))
            token = str(json.loads(response.body)["access_token"])
            if claims:
                return token
            self.tokens[service] = token
        return self.tokens[service]

    def send(self, name: str, operation: str, method: str = "GET", **headers: str) -> Response:
        """Send a request to a price list, such as `sms_out/a2p`."""
        service = SERVICES[name.partition("/")[0]]
        below = f"{name}/{operation}" if name.startswith("sms") else operation
        own = {"Authorization": f"Bearer {self.token(service)}", "Accept": "*/*"}
        own |= {key.replace("_", "-"): value for key, value in headers.items()}
        response, _ = self.emulator.exchange(Request(method, f"{ORIGIN}/{service}/v3/{below}", own))
        return response

    def lookup(self, name: str, **filters: str) -> Response:
        query = "&".join(f"filter[{key}]={quote(value)}" for key, value in filters.items())
        return self.send(name, f"lookup/prices?{query}")

    def found(self, name: str, **filters: str) -> list[dict[str, Any]]:
        response = self.lookup(name, **filters)
        assert response.status == 200, response.body
        return [record["attributes"] for record in json.loads(response.body)["data"]]

    def rows(self, name: str) -> list[dict[str, str]]:
        response = self.send(name, "prices.csv.gz")
        assert response.status == 200
        return list(csv.DictReader(io.StringIO(gzip.decompress(response.body).decode())))


def error(response: Response) -> tuple[int, str]:
    """Status and code of an error response."""
    (only,) = json.loads(response.body)["errors"]
    assert only["status"] == str(response.status)
    return response.status, only["code"]


@pytest.fixture
def services() -> Iterator[Services]:
    with Emulator() as emulator:
        emulator.clock.freeze(NOW)
        yield Services(emulator)


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_list_is_plausible_and_fixed_for_a_seed(name: str) -> None:
    """Ids are unique, a rejected price has no amounts, and amounts are printed as the service prints them."""
    rows = prices(0, name, MONTH)
    assert len({row.id for row in rows}) == len(rows) > 50
    amounts = [value for row in rows for key, value in row.attributes.items() if re.search("rate|fee|price$", key)]
    assert all(re.fullmatch(r"\d+\.(0|\d*[1-9])", value) for value in amounts if value is not None)
    for row in rows:
        rejected = row.attributes.get("reject_calls", row.attributes.get("reject_sms", False))
        amount = row.attributes.get("rate", row.attributes.get("price"))
        assert (amount is None) is (rejected or not row.in_effect)
        assert amount is None or Decimal(amount) > 0
    prices.cache_clear()
    assert prices(0, name, MONTH) == rows
    assert prices(1, name, MONTH) != rows


def test_lists_have_every_case() -> None:
    """Rejected, global, of no country, scheduled, not in effect, and for any network or prefix."""
    inbound, outbound = prices(0, "voice_in", MONTH), prices(0, "voice_out", MONTH)
    assert {row.attributes["reject_calls"] for row in inbound} == {True, False}
    assert any(row.attributes["country"] is None for row in inbound)
    assert {row.attributes["category"] for row in outbound} == {"International", "Origin based", "Local"}
    assert any(row.attributes["country"] is None and row.attributes["network"] is None for row in outbound)
    assert {row.attributes["reject_calls"] for row in outbound} == {True, False}
    assert {row.in_effect for row in outbound} == {True, False}
    assert {row.attributes["effective_at"] for row in outbound} == {None, "2026-12-01T00:00:00.000Z"}
    messages = [row.attributes for name in LISTS if name.startswith("sms_out") for row in prices(0, name, MONTH)]
    assert {row["reject_sms"] for row in messages} == {True, False}
    assert any(row["destination_prefix"] is None for row in messages)
    assert any(row["mcc"] is not None and row["mnc"] is None for row in messages)
    assert any(row["source_prefix"] is not None for row in messages)


def test_scheduled_changes_take_effect() -> None:
    """The next rate of a month is the rate of the next; ids of voice stay, those of messages follow their price."""
    now, later = ({row.id: row for row in prices(0, "voice_out", month)} for month in (MONTH, MONTH + 1))
    assert now.keys() == later.keys()
    scheduled = [row for row in now.values() if row.attributes["effective_at"] is not None]
    assert scheduled
    for row in now.values():
        name = "next_rate" if row.attributes["effective_at"] is not None else "rate"
        if later[row.id].in_effect:
            assert later[row.id].attributes["rate"] == row.attributes[name]
    ids = [{row.id for row in prices(seed, "sms_in", MONTH)} for seed in (0, 0)]
    assert ids[0] == ids[1]


# --- lookups ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_lookup_has_only_data_and_a_total(name: str, services: Services) -> None:
    """No links, no version, no relationships; the id is a UUID."""
    filters = {"number": TOLL_FREE} if name.startswith("voice") else {"dst_country_iso": "GB"}
    response = services.lookup(name, **filters)
    document = json.loads(response.body)
    assert (response.status, response.headers["content-type"]) == (200, "application/vnd.api+json")
    assert document.keys() == {"data", "meta"}
    assert document["meta"] == {"total_records": len(document["data"])}
    columns = {column.lower().replace(" ", "_") for column in COLUMNS[name.partition("/")[0]]}
    for record in document["data"]:
        assert record.keys() == {"id", "type", "attributes"}
        assert record["type"] == "prices"
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record["id"])
        assert record["attributes"].keys() == columns


def test_inbound_price_without_a_source_is_that_for_any(services: Services) -> None:
    """One for each source type; those of a source country do not count."""
    found = services.found("voice_in", number=TOLL_FREE)
    assert [price["source_type"] for price in found] == ["fixed", "cellular", "payphone"]
    assert {price["src_country_name"] for price in found} == {None}


def test_inbound_price_of_the_source_country_wins(services: Services) -> None:
    """Although its prefix is shorter; a source type without one keeps the price for any country."""
    found = {
        price["source_type"]: price for price in services.found("voice_in", number=TOLL_FREE, src_country_iso="GB")
    }
    rows = {row.attributes["destination"]: row for row in prices(0, "voice_in", MONTH) if row.country == "GB"}
    assert rows["United Kingdom - Special services"].prefix < rows["United Kingdom - Toll-free"].prefix
    assert found["fixed"]["destination"] == found["cellular"]["destination"] == "United Kingdom - Special services"
    assert found["fixed"]["src_country_name"] == "United Kingdom"
    assert found["payphone"]["src_country_name"] is None
    elsewhere = services.found("voice_in", number=TOLL_FREE, src_country_iso="FR")
    assert elsewhere == services.found("voice_in", number=TOLL_FREE)


def test_inbound_price_is_grouped_by_country(services: Services) -> None:
    """A toll-free number of two countries has the prices of both; a global one has no country."""
    found = services.found("voice_in", number="18005550100")
    assert sorted({price["country"] for price in found}) == ["Canada", "United States"]
    assert {price["country"] for price in services.found("voice_in", number="80000000001")} == {None}


def test_outbound_price_has_the_longest_prefix_of_each_group(services: Services) -> None:
    """One for each set of conditions; an International mobile prefix does not hide the Local one."""
    rows = prices(0, "voice_out", MONTH)
    mobile = next(
        row for row in rows if row.country == "GB" and len(row.prefix) > 2 and row.attributes["network"].endswith("A")
    )
    found = services.found("voice_out", number=mobile.prefix.ljust(12, "0"))
    assert {price["category"]: price["prefix"] for price in found} == {
        "International": mobile.prefix,
        "Origin based": "44",
        "Local": "44",
    }


def test_outbound_price_must_be_in_effect(services: Services) -> None:
    """A prefix that begins next month is in the file, without rate and increments, and in no lookup until then."""
    new = next(row for row in prices(0, "voice_out", MONTH) if not row.in_effect)
    number = new.prefix.ljust(12, "0")

    def prefixes() -> set[str]:
        return {price["prefix"] for price in services.found("voice_out", number=number)}

    assert new.prefix not in prefixes()
    (row,) = (row for row in services.rows("voice_out") if row["Prefix"] == new.prefix)
    assert [row[column] for column in ("Rate", "Connection fee", "Initial increment", "Recurring increment")] == [
        ""
    ] * 4
    services.emulator.clock.advance(start_of(MONTH + 1) - NOW)
    services.tokens.clear()
    assert new.prefix in prefixes()


def test_outbound_number_must_have_the_length_of_the_plan(services: Services) -> None:
    """A number in North America has 11 digits."""
    assert services.found("voice_out", number="12125550100")
    assert error(services.lookup("voice_out", number="121255501001")) == (404, "price_not_found")


def test_message_prices_by_number_and_country(services: Services) -> None:
    """By number: all prices of the longest prefix. By country: all of it. With both, the country narrows first."""
    by_number = services.found("sms_out/p2p", dst_number=LONDON)
    assert {price["destination_prefix"] for price in by_number} == {"44"}
    assert len(by_number) > 1
    assert services.found("sms_out/p2p", dst_country_iso="GB") == by_number
    assert services.found("sms_out/p2p", dst_number=LONDON, dst_country_iso="GB") == by_number
    assert error(services.lookup("sms_out/p2p", dst_number=LONDON, dst_country_iso="FR")) == (404, "price_not_found")
    (anywhere,) = services.found("sms_out/otp", dst_number="999999999")
    assert (anywhere["destination_prefix"], anywhere["country"]) == (None, None)


def test_inbound_message_price_needs_the_length(services: Services) -> None:
    """The number must be in the range of the price."""
    (price,) = services.found("sms_in", dst_number="12125550100")
    assert (price["destination_number_length_min"], price["destination_number_length_max"]) == (11, 11)
    assert error(services.lookup("sms_in", dst_number="121255501001")) == (404, "price_not_found")


def test_id_is_that_of_the_price(services: Services) -> None:
    """Voice: the same price of two numbers. Messages: it depends on the content."""
    first, second = (
        json.loads(services.lookup("voice_out", number=number).body)["data"][0]["id"]
        for number in (LONDON, "442079460002")
    )
    assert first == second


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("voice_in", "", "106"),
        ("voice_in", "filter[src_country_iso]=GB", "106"),
        ("voice_in", "filter[number]=", "107"),
        ("voice_in", "filter[number]=%2B448081570001", "107"),
        ("voice_in", "filter[number]=0448081570001", "107"),
        ("voice_in", "filter[number]=4480815", "107"),
        ("voice_in", "filter[number]=4480815700011111", "107"),
        ("voice_in", f"filter[number]={TOLL_FREE}&filter[src_country_iso]=gb", "107"),
        ("voice_in", f"filter[number]={TOLL_FREE}&filter[src_country_iso]=XX", "107"),
        ("voice_in", f"filter[number]={TOLL_FREE}&filter[id]=1", "102"),
        ("voice_in", f"filter[number]={TOLL_FREE}&sort=rate", "105"),
        ("voice_in", f"filter[number]={TOLL_FREE}&page[number]=1", "105"),
        ("voice_in", f"filter[number]={TOLL_FREE}&fields[prices]=rate", "105"),
        ("voice_in", f"filter[number]={TOLL_FREE}&include=country", "105"),
        ("voice_in", f"filter[number]={TOLL_FREE}&other=1", "105"),
        ("voice_in", f"filter={TOLL_FREE}", "105"),
        ("voice_out", f"filter[number]={LONDON}&filter[src_country_iso]=GB", "102"),
        ("sms_out/a2p", "", "106"),
        ("sms_out/a2p", f"filter[number]={LONDON}", "102"),
        ("sms_in", "filter[dst_country_iso]=GBR", "107"),
    ],
)
def test_invalid_query_is_refused(name: str, query: str, code: str, services: Services) -> None:
    """Only the filters of the lookup are allowed, and one is needed."""
    assert error(services.send(name, f"lookup/prices?{query}")) == (400, code)


def test_accept_must_allow_json_api(services: Services) -> None:
    """406 otherwise; a file has no such check."""
    lookup = f"lookup/prices?filter[number]={TOLL_FREE}"
    assert error(services.send("voice_in", lookup, Accept="text/csv"))[0] == 406
    assert services.send("voice_in", lookup, Accept="application/vnd.api+json").status == 200
    assert services.send("voice_in", "prices.csv.gz", Accept="text/csv").status == 200


def test_other_paths_and_methods_are_refused(services: Services) -> None:
    """The domain of messages is part of the path, and nothing can be written."""
    assert services.send("sms_out/mms", "lookup/prices").status == 404
    assert services.send("voice_in", "").status == 404
    assert services.send("voice_in", "lookup/prices/8d1a3c5e-0000-4000-8000-000000000001").status == 404
    services.tokens["api-vin"] = services.token("api-vin", scope="full")
    for operation in ("prices.csv.gz", "lookup/prices"):
        assert services.send("voice_in", operation, "POST").status == 405


def test_token_must_be_for_the_service(services: Services) -> None:
    """A key, no credentials, or the token of another service: 401 with a challenge."""
    other = services.token("api-vout")
    for headers in ({"Authorization": f"Bearer {other}"}, {"Api-Key": "local-key"}, {}):
        request = Request("GET", f"{ORIGIN}/api-vin/v3/prices.csv.gz", headers)
        response, _ = services.emulator.exchange(request)
        assert response.status == 401
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LISTS)
def test_file_has_the_prices_of_the_lookup(name: str, services: Services, tmp_path: Path) -> None:
    """Each row equals the attributes of a price; lookups find exactly those in effect."""
    kind = name.partition("/")[0]
    body = services.send(name, "prices.csv.gz").body
    path = tmp_path / "prices.csv.gz"
    path.write_bytes(body)
    assert gzip.decompress(body).decode().split("\n", 1)[0] == ",".join(COLUMNS[kind])
    assert b"\r" not in gzip.decompress(body)
    rows = [row.to_dict()["attributes"] for row in read_prices(path, CLASSES[kind])]
    expected: tuple[Price, ...] = prices(0, name, MONTH)
    assert rows == [price.attributes for price in expected]
    for price in expected[::17]:
        if not price.in_effect:
            continue
        if kind.startswith("sms"):
            if price.country is None:
                continue
            found = services.found(name, dst_country_iso=price.country)
        else:
            number = price.prefix.ljust(price.shortest if price.shortest > 8 else 12, "0")
            filters = {"src_country_iso": price.source} if price.source is not None else {}
            found = services.found(name, number=number, **filters)
        assert price.attributes in found


@pytest.mark.parametrize("name", LISTS)
def test_file_has_the_documented_headers(name: str, services: Services) -> None:
    """`HEAD` has the same ones; there is no ETag."""
    whole, head = (services.send(name, "prices.csv.gz", method) for method in ("GET", "HEAD"))
    assert whole.status == head.status == 200
    stem = name.replace("/", "_")
    expected = {
        "content-type": "application/gzip",
        "content-disposition": f'attachment; filename="{stem}_prices.csv.gz"',
        "last-modified": "Sun, 01 Nov 2026 00:00:00 GMT",
        "cache-control": "private",
        "vary": "Authorization",
        "accept-ranges": "none",
        "content-length": str(len(whole.body)),
    }
    for response in (whole, head):
        assert {key: response.headers.get(key) for key in expected} == expected
        assert "etag" not in response.headers


def test_file_is_conditional(services: Services) -> None:
    """304 if it was not changed later, without a length; `If-None-Match` and invalid dates are ignored."""
    changed = "Sun, 01 Nov 2026 00:00:00 GMT"
    for method in ("GET", "HEAD"):
        response = services.send("voice_out", "prices.csv.gz", method, If_Modified_Since=changed)
        assert (response.status, response.body) == (304, b"")
        assert response.headers["last-modified"] == changed
        assert "content-length" not in response.headers
    for headers in (
        {"If_Modified_Since": "Sat, 31 Oct 2026 23:59:59 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_None_Match": "*"},
    ):
        assert services.send("voice_out", "prices.csv.gz", **headers).status == 200
    services.emulator.clock.advance(timedelta(days=6))
    services.tokens.clear()
    response = services.send("voice_out", "prices.csv.gz", If_Modified_Since=changed)
    assert (response.status, response.headers["last-modified"]) == (200, "Tue, 01 Dec 2026 00:00:00 GMT")


def test_file_ignores_ranges(services: Services) -> None:
    """It is sent whole."""
    whole = services.send("voice_in", "prices.csv.gz")
    assert services.send("voice_in", "prices.csv.gz", Range="bytes=10-").body == whole.body


def test_preset_makes_files_unavailable(services: Services) -> None:
    """503 `serving_failure` with `Retry-After`; a HEAD has no body, and lookups work."""
    services.emulator.faults.preset("price-files-missing")
    response = services.send("sms_out/a2p", "prices.csv.gz")
    assert error(response) == (503, "serving_failure")
    assert response.headers["retry-after"] == "30"
    head = services.send("voice_in", "prices.csv.gz", "HEAD")
    assert (head.status, head.body, head.headers["retry-after"]) == (503, b"", "30")
    assert services.lookup("voice_in", number=TOLL_FREE).status == 200


# --- plans -----------------------------------------------------------------------------------------------------------


def test_plan_can_be_unassigned(services: Services) -> None:
    """Each domain alone, and for one account; lookup and file are 404, whatever the query."""
    plan = services.emulator.prices.unassign("sms_out", "p2p")
    assert (plan.service, plan.domain, plan.assigned) == ("sms_out", "p2p", False)
    for operation in ("prices.csv.gz", f"lookup/prices?filter[dst_number]={LONDON}"):
        assert error(services.send("sms_out/p2p", operation)) == (404, "price_plan_not_assigned")
    assert services.send("sms_out/a2p", "prices.csv.gz").status == 200
    assert [plan.assigned for plan in services.emulator.prices.show()] == [True, True, True, False, True, True]
    assert all(plan.assigned for plan in services.emulator.prices.show(api_key="other"))
    services.emulator.state.reset()
    assert all(plan.assigned for plan in services.emulator.prices.show())


def test_file_changes_when_the_plan_is_assigned(services: Services) -> None:
    """`Last-Modified` is the later of the change of the file and that of the plan."""
    services.emulator.prices.unassign("voice_in")
    services.emulator.prices.assign("voice_in")
    response = services.send("voice_in", "prices.csv.gz", If_Modified_Since="Sun, 01 Nov 2026 00:00:00 GMT")
    assert (response.status, response.headers["last-modified"]) == (200, "Thu, 26 Nov 2026 12:00:00 GMT")


def test_unknown_plan_is_refused(services: Services) -> None:
    """The error lists the plans."""
    for arguments in (("sms_out",), ("voice_in", "a2p"), ("sms_ut", "a2p")):
        with pytest.raises(ValueError, match="there are: voice_in, voice_out, sms_out/a2p"):
            services.emulator.prices.unassign(*arguments)


def test_plans_are_controlled_over_http(services: Services) -> None:
    """As `prices/show`, `prices/assign` and `prices/unassign`."""

    def control(method: str, name: str, body: dict[str, Any] | None = None) -> Any:
        request = Request(method, f"{ORIGIN}/_emulator/prices/{name}", {}, json.dumps(body or {}).encode())
        response = control_api.handle(services.emulator, request)
        assert response.status == 200
        return json.loads(response.body)

    assert control("POST", "unassign", {"service": "voice_out"}) == {
        "service": "voice_out",
        "domain": None,
        "assigned": False,
    }
    assert control("GET", "show")[1]["assigned"] is False
    assert control("POST", "assign", {"service": "voice_out"})["assigned"] is True


# --- clients ---------------------------------------------------------------------------------------------------------


def test_client_looks_up_and_downloads(tmp_path: Path) -> None:
    """With tokens that it gets itself, one for each service."""
    with Emulator() as emulator, emulator.client(api_version="2026-11-19") as client:
        prices = client.prices()
        target = tmp_path / "prices.csv.gz"
        file = prices.voice_in.download(target)
        assert file.path == target
        assert file.changed
        assert prices.voice_in.file_info() == file._replace(path=None)
        (found, *_) = prices.voice_in.lookup(TOLL_FREE).data
        assert found.to_dict()["attributes"] in [
            price.to_dict()["attributes"] for price in read_prices(target, VoiceInPrice)
        ]
        assert not prices.voice_in.download(target, if_modified_since=file.last_modified).changed
        assert prices.voice_out.lookup(LONDON).data[0].prefix == "44"
        assert prices.sms_out("a2p").lookup(LONDON).data[0].mcc == 234
        assert prices.sms_in.lookup(dst_country_iso="GB").data[0].destination_prefix == "44"
        emulator.prices.unassign("voice_in")
        with pytest.raises(PricePlanNotAssignedError):
            prices.voice_in.lookup(TOLL_FREE)
        with pytest.raises(PriceNotFoundError):
            prices.voice_out.lookup("99999999")
        with pytest.raises(NotFoundError) as caught:
            prices.voice_in.file_info()
        assert type(caught.value) is NotFoundError
        assert len([entry for entry in emulator.journal.entries() if entry.path == "/token"]) == 3


def test_asynchronous_client_looks_up_and_downloads(tmp_path: Path) -> None:
    """The same, with the same results."""

    async def main(emulator: Emulator) -> None:
        async with emulator.async_client(api_version="2026-11-19") as client:
            prices = client.prices()
            file = await prices.sms_out("otp").download(tmp_path / "prices.csv", decompress=True)
            assert file.filename == "sms_out_otp_prices.csv.gz"
            assert await prices.sms_out("otp").file_info() == file._replace(path=None)
            found = (await prices.sms_out("otp").lookup(dst_country_iso="GB")).data
            rows = [
                price
                for price in read_prices(tmp_path / "prices.csv", SmsOutPrice)
                if price.country == "United Kingdom"
            ]
            assert [price.to_dict()["attributes"] for price in found] == [row.to_dict()["attributes"] for row in rows]

    with Emulator() as emulator:
        asyncio.run(main(emulator))


def test_token_is_renewed_during_a_download(tmp_path: Path) -> None:
    """A token that expired between two calls is replaced; the file is the same."""
    with Emulator() as emulator, emulator.client(api_version="2026-11-19") as client:
        first = client.prices().voice_out.download(tmp_path / "first.csv.gz")
        emulator.clock.advance("2 hours")
        second = client.prices().voice_out.download(tmp_path / "second.csv.gz")
        assert first.path is not None
        assert second.path is not None
        assert first.path.read_bytes() == second.path.read_bytes()
