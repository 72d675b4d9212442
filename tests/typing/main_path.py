"""The main path as users write it, with both clients: each result has the type that the reader expects.

mypy strict and pyright strict accept every line; `assert_type` says what they must see.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type
from uuid import UUID

from didww import (
    ApiKey,
    ApiResponse,
    AsyncDidwwClient,
    AsyncRecordIterator,
    BearerToken,
    DidwwClient,
    DidwwError,
    Environment,
    InboundCall,
    OutboundCall,
    Progress,
    QueryParams,
    RawResponse,
    ReadOnlyClientError,
    RecordIterator,
    RejectedRow,
    Report,
    ServiceUrls,
    TokenProvider,
    read_calls,
)
from didww._schema.meta import Meta
from didww.callback.request_validator import RequestValidator
from didww.encrypt import Encrypt
from didww.enums import (
    CallbackMethod,
    CallStatus,
    CliFormat,
    Codec,
    DidHistoryAction,
    EmergencyCallingServiceStatus,
    ExportStatus,
    ExportType,
    Feature,
    IdentityType,
    OrderStatus,
    SenderIdVerificationStatus,
    SmsBodyType,
    SmsHttpMethod,
    TransportProtocol,
    enum_value,
    to_enum,
    to_enum_list,
)
from didww.exceptions import DidwwApiError, InsufficientBalanceError, NotFoundError, ValidationError
from didww.query_types import DidGroupFilter
from didww.rate_limit.shared import RedisLimiter, SqliteLimiter
from didww.resources.address import Address
from didww.resources.address_verification import AddressVerification
from didww.resources.authentication_method import (
    AuthenticationMethod,
    CredentialsAndIpAuthenticationMethod,
    IpOnlyAuthenticationMethod,
    TwilioAuthenticationMethod,
)
from didww.resources.available_did import AvailableDid
from didww.resources.balance import Balance
from didww.resources.capacity_pool import CapacityPool
from didww.resources.configuration.base import TrunkConfiguration
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.did_group import DidGroup, DidGroupMeta
from didww.resources.did_history import DidHistory
from didww.resources.did_reservation import DidReservation
from didww.resources.emergency_calling_service import EmergencyCallingService
from didww.resources.emergency_verification import EmergencyVerification
from didww.resources.encrypted_file import EncryptedFile
from didww.resources.export import CdrInFilters, CdrOutFilters, Export, SmsInFilters, SmsOutFilters
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.emergency_order_item import EmergencyOrderItem
from didww.resources.order_item.generic_order_item import GenericOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem
from didww.resources.proof import Proof
from didww.resources.sender_id_verification import SenderIdVerification
from didww.resources.shared_capacity_group import SharedCapacityGroup
from didww.resources.sms_configuration import (
    HttpInConfiguration,
    HttpOutConfiguration,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
)
from didww.resources.sms_trunk import SmsTrunk
from didww.resources.sms_trunk_group import SmsTrunkGroup
from didww.resources.sms_trunk_regenerate_credential import SmsTrunkRegenerateCredential
from didww.resources.stock_keeping_unit import StockKeepingUnit
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from didww.resources.voice_out_trunk import VoiceOutTrunk

Item = (
    DidOrderItem
    | AvailableDidOrderItem
    | ReservationDidOrderItem
    | CapacityOrderItem
    | EmergencyOrderItem
    | GenericOrderItem
)


def clients() -> None:
    """Both clients are created alike, and keep their own type in a with block."""
    with DidwwClient("key", Environment.PRODUCTION, timeout=5, headers={"X-Team": "voice"}) as client:
        assert_type(client, DidwwClient)
        assert_type(client.with_options(timeout=1), DidwwClient)
        assert_type(client.base_url, str)
    assert_type(DidwwClient.from_env(), DidwwClient)
    assert_type(AsyncDidwwClient.from_env(), AsyncDidwwClient)


async def fetched() -> str:
    return "token"


def credentials() -> None:
    provider = TokenProvider("key", scope="read", expires_in=600)
    assert_type(provider.scope, str)
    urls = ServiceUrls(token="https://tokens.example.com/token")
    assert_type(urls.sms_prices, str | None)
    DidwwClient(credentials=provider, api_version="2026-11-19", service_urls=urls)
    DidwwClient(credentials=ApiKey("key"), scope="read")
    DidwwClient(credentials=BearerToken(lambda: "token"), api_version="2026-11-19")
    AsyncDidwwClient(credentials=BearerToken(fetched), api_version="2026-11-19")
    try:
        DidwwClient("key", scope="read").post("/orders", {})
    except ReadOnlyClientError as error:
        assert_type(error.outcome_unknown, bool)


def searching(client: DidwwClient) -> str:
    """Go from a country to the SKU and price of a number."""
    response = client.countries().list(filter={"iso": ["GB", "US"]}, sort=["name", "-prefix"])
    assert_type(response, ApiResponse[list[Country]])
    assert_type(response.total_records, int | None)
    assert_type(response.raw, dict[str, Any])
    wanted: DidGroupFilter = {
        "country.id": response.data[0].id,
        "features": [Feature.VOICE_IN, "t38"],
        "needs_registration": False,
        "meta.total_count_gteq": 5,
        "region.id": None,
    }
    groups = client.did_groups().list(
        filter=wanted,
        include=["stock_keeping_units", "country", "address_requirement"],
        sort="-area_name",
        page=(1, 25),
        fields={"countries": ["iso"]},
    )
    group = groups.data[0]
    assert_type(group, DidGroup)
    assert_type(group.features, list[Feature])
    assert_type(group.meta, DidGroupMeta)
    assert_type(group.meta.available_dids_enabled, bool)
    assert_type(group.meta.total_count, int | None)
    assert_type(group.country, Country | None)
    assert_type(group.meta.get("total_count"), Any)
    assert_type(group.meta["total_count"], Any)
    assert_type(response.data[0].meta, Meta)
    assert_type(group.stock_keeping_units, list[StockKeepingUnit])
    assert_type(group.stock_keeping_units[0].monthly_price, Decimal)
    for number in client.available_dids().iterate(filter={"did_group.id": group.id}, limit=3):
        assert_type(number, AvailableDid)
        assert_type(number.did_group, DidGroup | None)
    return group.stock_keeping_units[0].id


def fluent(client: DidwwClient) -> None:
    """Pass QueryParams first and keywords after; each fluent call returns QueryParams."""
    params = QueryParams().filter("country.id", "uuid").include("country").sort("name", "-iso").page(1, 25)
    assert_type(params, QueryParams)
    assert_type(params.fields("regions", "name").param("x", "y").copy().merge(QueryParams()), QueryParams)
    assert_type(params.encode(), str)
    client.regions().list(params, page=2)
    client.dids().find("id", QueryParams().include("order"), include="did_group.country")
    client.dids().update(Did.build("id"), QueryParams().include("order"))
    client.voice_in_trunks().create(VoiceInTrunk(), QueryParams().include("pop"))


def buying(client: DidwwClient, sku: str) -> None:
    """Order items, wait for the outcome and handle the errors."""
    held = client.did_reservations().create(DidReservation(available_did=AvailableDid.build("id"), description="hold"))
    assert_type(held.data.expires_at, datetime | None)
    assert_type(held.data.available_did, AvailableDid)
    order = Order(
        items=[
            DidOrderItem(sku_id=sku, qty=1, billing_cycles_count=3),
            AvailableDidOrderItem(sku_id=sku, available_did_id="id"),
            ReservationDidOrderItem(sku_id=sku, did_reservation_id=held.data.id),
            CapacityOrderItem(capacity_pool_id="id", qty=5),
        ],
        allow_back_ordering=False,
        callback_url="https://hooks.example.com",
        callback_method=CallbackMethod.POST,
    )
    try:
        bought = client.orders().create(order).data
    except InsufficientBalanceError as error:
        assert_type(error.total_cost, Decimal | None)
        return
    except ValidationError as error:
        assert_type(error.fields, dict[str, list[str]])
        raise
    except DidwwApiError as error:
        assert_type(error.status_code, int)
        raise
    client.orders().list(filter={"status": OrderStatus.PENDING, "created_at_gteq": datetime.now(UTC)})
    assert_type(bought, Order)
    assert_type(bought.amount, Decimal)
    assert_type(bought.status, OrderStatus)
    assert_type(bought.items, list[Item])
    assert_type(bought.is_completed, bool)
    assert_type(Order.from_dict({"id": "id"}).is_canceled, bool)
    assert_type(bought.items[0].mrc, Decimal)
    assert_type(bought.items[0].billed_to, str | None)
    assert_type(client.orders().wait(bought, timeout=30), ApiResponse[Order])
    assert_type(client.orders().wait("id", until=lambda one: one.status == "canceled").data.reference, str)
    assert_type(client.orders().delete(bought), ApiResponse[None])
    assert_type(client.balance().find(), ApiResponse[Balance])
    assert_type(client.balance().find().data.total_balance, Decimal)


def routing(client: DidwwClient) -> None:
    """Use trunks, their nested objects and the numbers that they serve."""
    sip = SipConfiguration(host="sip.example.com", port=5060, codec_ids=[Codec.PCMA, Codec.PCMU])
    sip.transport_protocol_id = TransportProtocol.TLS
    assert_type(sip.codec_ids, list[Codec])
    sip.codec_ids.append(Codec.GSM)
    trunk = VoiceInTrunk(name="Front desk", cli_format=CliFormat.E164, configuration=sip, capacity_limit=None)
    made = client.voice_in_trunks().create(trunk, include="pop").data
    assert_type(made.configuration, SipConfiguration | PstnConfiguration)
    if isinstance(made.configuration, SipConfiguration):
        assert_type(made.configuration.host, str | None)
        made.configuration.auth_password = None
    made.configuration = PstnConfiguration(dst="12125550100")
    client.voice_in_trunks().update(made)
    same = VoiceInTrunk(description="x")
    same.id = made.id
    assert_type(same.id, str)
    assert_type(VoiceInTrunk.build("id", description="x"), VoiceInTrunk)
    configuration: TrunkConfiguration = made.configuration
    method: AuthenticationMethod = TwilioAuthenticationMethod(twilio_account_sid="AC0")
    assert_type((configuration.type, method.to_dict()), tuple[str, dict[str, Any]])
    group = VoiceInTrunkGroup(name="All", capacity_limit=5, voice_in_trunks=[made])
    group.voice_in_trunks.append(made)
    for did in client.dids().iterate(filter={"number": "442079460001"}, include=["voice_in_trunk", "order"]):
        assert_type(did.voice_in_trunk, VoiceInTrunk | None)
        did.voice_in_trunk_group = group
        did.voice_in_trunk = None
        did.capacity_limit, did.description = 20, None
        assert_type(client.dids().update(did, include="did_group.country"), ApiResponse[Did])
        assert_type(did.changes, dict[str, Any])
    out = VoiceOutTrunk(name="Out", threshold_amount=Decimal("99.5"))
    out.authentication_method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.0/24"])
    out.authentication_method = TwilioAuthenticationMethod(twilio_account_sid="AC0")
    sent = client.voice_out_trunks().create(out).data
    assert_type(
        sent.authentication_method,
        CredentialsAndIpAuthenticationMethod | TwilioAuthenticationMethod | IpOnlyAuthenticationMethod,
    )
    assert_type(sent.meta.spent_amount, Decimal)
    shared = SharedCapacityGroup(name="Shared", shared_channels_count=2, capacity_pool=CapacityPool.build("id"))
    assert_type(client.shared_capacity_groups().create(shared).data.dids, list[Did])


def registering(client: DidwwClient) -> None:
    """Use identities, addresses, proofs and verifications."""
    country = Country.build("id")
    person = Identity(identity_type=IdentityType.PERSONAL, first_name="Jane", last_name="Roe", country=country)
    person.birth_date = "1980-02-29"
    made = client.identities().create(person).data
    assert_type(made.birth_date, str | None)
    address = Address(address="1 Example St", city_name="London", postal_code="W1", identity=made, country=country)
    place = client.addresses().create(address).data
    file = client.upload_file(Path("passport.pdf"), description="passport", filename="passport.pdf")
    assert_type(file, EncryptedFile)
    client.upload_file(b"%PDF-1.7")
    with Path("passport.pdf").open("rb") as stream:
        client.upload_file(stream)
    proof = client.proofs().create(Proof(entity=made, files=[file])).data
    assert_type(proof.entity, Identity | Address)
    keys = [one.key for one in client.public_keys().list().data]
    fingerprint, container = Encrypt.calculate_fingerprint(keys), Encrypt.encrypt_with_keys(b"%PDF-1.7", keys)
    assert_type(fingerprint, str)
    assert_type(container, bytes)
    assert_type(client.upload_encrypted_file(fingerprint=fingerprint, data=container), str)
    ids = client.upload_encrypted_files(
        fingerprint=fingerprint, files=[{"data": container, "description": "one"}, {"data": container}]
    )
    assert_type(ids, list[str])
    verification = AddressVerification(address=place, dids=[Did.build("id")])
    assert_type(
        client.address_verifications()
        .wait(client.address_verifications().create(verification).data.id)
        .data.reject_reasons,
        list[str] | None,
    )
    emergency = client.emergency_verifications().create(EmergencyVerification(address=place, dids=[])).data
    assert_type(emergency.emergency_calling_service, EmergencyCallingService)
    service = client.emergency_calling_services().find("id", include="dids").data
    assert_type(service.status, EmergencyCallingServiceStatus)
    assert_type(service.renew_date, str | None)
    assert_type(service.activated_at, datetime | None)
    assert_type(client.emergency_requirements().find("id").data.estimate_setup_time, str)


def raw_calls(client: DidwwClient) -> None:
    """Make raw calls; pass ids and filters in their forms."""
    params = QueryParams().page(size=1)
    assert_type(params.to_dict(), dict[str, Any])
    document = client.get("/dids", {"page[size]": 1})
    assert_type(document, RawResponse)
    assert_type(document.raw, dict[str, Any])
    assert_type(client.post("/dids", {"data": {}}, params), RawResponse)
    assert_type(client.request("DELETE", "/dids/id", json={"data": []}), RawResponse)
    assert_type(client.environment, Environment | None)
    did = client.dids().find(resource_id=UUID(int=1)).data
    client.did_history().list(filter={"did.id": did})
    client.regions().list(filter={"country.id": [UUID(int=1), "id", Country.build("id")]})
    assert_type(to_enum(OrderStatus, "pending"), OrderStatus | None)
    assert_type(to_enum_list(OrderStatus, ["pending"]), list[OrderStatus | None] | None)
    assert_type(enum_value(OrderStatus.PENDING), object)
    assert_type(client.upload_encrypted_file("fingerprint", b""), str)
    assert_type(Encrypt(["pem", "pem"]).encrypt(b""), bytes)


def messaging(client: DidwwClient) -> None:
    """Receive and send text messages."""
    configuration = HttpInConfiguration(url="https://hooks.example.com", http_method=SmsHttpMethod.GET)
    trunk = client.sms_trunks().create(SmsTrunk(name="Web", configuration=configuration, priority=None)).data
    assert_type(
        trunk.configuration,
        SmsToEmailConfiguration
        | HttpInConfiguration
        | HttpOutConfiguration
        | SmppEsmeConfiguration
        | SmppSmscConfiguration,
    )
    if isinstance(trunk.configuration, HttpInConfiguration):
        assert_type(trunk.configuration.body, str | dict[str, Any] | None)
        assert_type(trunk.configuration.headers, dict[str, str] | None)
        assert_type(trunk.configuration.body_type, SmsBodyType | None)
    assert_type(trunk.meta.host, str | None)
    assert_type(trunk.outgoing_dids, list[Did])
    assert_type(trunk.sender_id_verifications, list[SenderIdVerification])
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Group", sms_trunks=[trunk])).data
    assert_type(group.meta.sms_trunks_count, int)
    did = client.dids().one(filter={"sms_trunk.id": [trunk, "id"], "sms_trunk_group.id": group}, include="sms_trunk")
    assert_type(did.sms_trunk, SmsTrunk | None)
    client.sms_trunk_regenerate_credentials().create(SmsTrunkRegenerateCredential(sms_trunk=trunk))
    sender = client.sender_id_verifications().one(filter={"status": "active", "sms_trunk.id": trunk})
    client.sender_id_verifications().list(sort="-renew_date", include=["countries", "sms_trunk"])
    assert_type(sender.status, SenderIdVerificationStatus)
    assert_type(sender.reject_reasons, list[str] | None)
    sender.sms_trunk = None


def reporting(client: DidwwClient) -> None:
    """Read call records, history and callbacks."""
    filters: CdrInFilters = {"from": datetime(2026, 3, 1, tzinfo=UTC), "to": "2026-03-02 00:00:00"}
    export = client.exports().create(Export(export_type=ExportType.CDR_IN, filters=filters)).data
    assert_type(export.status, ExportStatus)
    done = client.exports().wait(export).data
    assert_type(done.url, str | None)
    assert_type(done.filters, CdrInFilters | CdrOutFilters | SmsInFilters | SmsOutFilters)
    assert_type(done.filters["from"], datetime | str)
    received: SmsInFilters = {
        "from": "2026-11-19 00:00:00",
        "to": "2026-11-20 00:00:00",
        "status": "Failed",
        "trunk_type": ["Email", "HTTP IN"],
        "sms_trunk.id": [SmsTrunk.build("id"), UUID(int=1), "id"],
    }
    sent: SmsOutFilters = {"from": "2026-11-19 00:00:00", "to": "2026-11-20 00:00:00", "service_type": "a2p"}
    Export(export_type=ExportType.SMS_IN, filters=received)
    Export(export_type=ExportType.SMS_OUT, filters=sent)
    client.exports().list(filter={"export_type": [ExportType.SMS_IN], "created_at_gteq": datetime.now(UTC)})
    done.filters = {"from": "2026-03-01", "to": "2026-03-02", "voice_out_trunk.id": "id"}
    assert_type(client.download_export(url=done, file_path="export.csv.gz"), Path)
    assert_type(client.download_and_decompress_export(done.url or "", Path("export.csv"), max_bytes=1 << 20), Path)
    events = client.did_history().list(
        filter={"created_at_gteq": datetime.now(UTC), "action": DidHistoryAction.RENEWED}
    )
    assert_type(events.data, list[DidHistory])
    assert_type(events.data[0].meta.to, str | None)
    assert_type(events.data[0].number, str | None)
    validator = RequestValidator("secret")
    assert_type(validator.validate(url="https://hooks.example.com", payload={"id": "1"}, signature=None), bool)
    try:
        client.voice_in_trunks().find("nonexistent")
    except NotFoundError as error:
        assert_type(error.status_code, int)


def in_numbers(client: DidwwClient, orders: list[Order]) -> None:
    """Use iteration, bulk writes and their reports, waits and transfers with hooks."""
    with client.dids().iterate(page_size=100, prefetch=2, resume=None) as walk:
        assert_type(walk, RecordIterator[Did])
        assert_type(next(walk), Did)
        assert_type(walk.cursor, str)
    assert_type(client.dids().first(filter={"number": "442079460001"}), Did | None)
    assert_type(client.countries().one(filter={"iso": "GB"}), Country)
    assert_type(client.cities().count(), int)
    report = client.orders().create_many(orders, progress=lambda report: (len(report.done), report.total))
    assert_type(report, Report[Order])
    assert_type(report.data, list[Order | None])
    assert_type(report.failed[0].error, DidwwError | None)
    mine: Report[Did] = Report()
    for item in mine.failed:
        assert_type(item.input, Did)
        assert_type(item.data, Did | None)
    assert_type(mine.remaining, list[Did])
    assert_type(client.dids().delete_many(["id"]), Report[str | Did])
    assert_type(client.dids().delete_many(mine.remaining).items[0].input, str | Did)
    assert_type(client.dids().update_many((did for did in walk), report=mine), Report[Did])
    client.voice_in_trunks().delete_many(["id", VoiceInTrunk.build("id")], stop_on_error=True, concurrency=2)
    client.orders().wait("id", on_update=lambda order: order.status)
    assert_type(client.emergency_calling_services().wait("id").data, EmergencyCallingService)
    client.download_export("url", "path", progress=lambda progress: (progress.done, progress.total))
    client.upload_file(b"", progress=show)
    DidwwClient("key", rate_limit=SqliteLimiter("turns.sqlite"), tracing=False)
    DidwwClient("key", rate_limit=RedisLimiter("redis://192.0.2.1", 5))


def show(progress: Progress) -> None:
    """Show a progress bar."""
    assert_type(progress.done, int)
    assert_type(progress.total, int | None)


async def show_later(progress: Progress) -> None:
    """Show a progress bar asynchronously."""


async def in_numbers_asynchronously(client: AsyncDidwwClient) -> None:
    """Do the same with await."""
    async with client.dids().iterate(limit=3) as walk:
        assert_type(walk, AsyncRecordIterator[Did])
        assert_type([did async for did in walk], list[Did])
    assert_type(await client.dids().first(), Did | None)
    assert_type(await client.dids().one(), Did)
    assert_type(await client.dids().count(), int)
    assert_type(await client.dids().update_many([]), Report[Did])
    await client.upload_file(b"", progress=show_later)


async def asynchronously(client: AsyncDidwwClient) -> None:
    """Follow the same path with await."""
    async with client:
        assert_type(client.with_options(timeout=1), AsyncDidwwClient)
    countries = await client.countries().list(filter={"iso": "GB"}, sort="name")
    assert_type(countries, ApiResponse[list[Country]])
    groups = await client.did_groups().list(
        QueryParams().sort("area_name"), filter={"country.id": countries.data[0].id}, include="stock_keeping_units"
    )
    group = groups.data[0]
    assert_type(group.stock_keeping_units, list[StockKeepingUnit])
    assert_type(group.meta.is_available, bool | None)
    async for number in client.available_dids().iterate(filter={"did_group.id": group.id}, limit=3):
        assert_type(number, AvailableDid)
    order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)])
    bought = (await client.orders().create(order)).data
    assert_type(bought.amount, Decimal)
    assert_type(await client.orders().wait(bought), ApiResponse[Order])
    did = (await client.dids().find("id", include=["order", "voice_in_trunk.pop"])).data
    assert_type(did, Did)
    did.voice_in_trunk = (await client.voice_in_trunks().create(VoiceInTrunk(name="Front desk"))).data
    assert_type((await client.dids().update(did)).data.expires_at, datetime | None)
    assert_type(await client.dids().delete(did), ApiResponse[None])
    assert_type((await client.balance().find()).data, Balance)
    assert_type(await client.upload_file(b"%PDF-1.7"), EncryptedFile)
    assert_type(await client.upload_encrypted_file(fingerprint="", data=b""), str)
    assert_type(await client.upload_encrypted_files(fingerprint="", files=[{"data": b""}]), list[str])
    export = (await client.exports().wait("id")).data
    assert_type(await client.download_export(export, "export.csv.gz"), Path)
    assert_type(await client.download_and_decompress_export(export, "export.csv"), Path)


def call_records(path: Path) -> None:
    """Read exports of calls."""
    rejects: list[RejectedRow] = []
    for call in read_calls(path, InboundCall, rejects=rejects):
        assert_type(call, InboundCall)
        assert_type(call.time_start, datetime)
        assert_type(call.time_connect, datetime | None)
        assert_type(call.cost, Decimal | None)
        assert_type(call.duration, int | None)
        assert_type(call.status, CallStatus | None)
    for either in read_calls(["calls.csv.gz", path]):
        assert_type(either, InboundCall | OutboundCall)
