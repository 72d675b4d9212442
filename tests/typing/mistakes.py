"""Mistakes that a type checker finds before the program runs: mypy strict and pyright strict must refuse each marked line.

An ignore that is not needed is an error itself (`warn_unused_ignores`, `reportUnnecessaryTypeIgnoreComment`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import didww
from didww import AsyncDidwwClient, BearerToken, DidwwClient, Environment, QueryParams, ServiceUrls, TokenProvider
from didww.enums import CliFormat, Codec, ExportType, TransportProtocol
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.shared_capacity_group import SharedCapacityGroup
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_out_trunk import VoiceOutTrunk

if TYPE_CHECKING:
    from didww.resources.did_group import DidGroup


def clients() -> None:
    DidwwClient("key", enviroment=Environment.SANDBOX)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    DidwwClient("key", timeout="60")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    DidwwClient("key", Environment.SANDBOX, None, None, 60.0)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    DidwwClient(credentials="key")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    DidwwClient("key", scope=["read"])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    DidwwClient("key", service_urls={"token": "x"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ServiceUrls(tokens="x")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    BearerToken(lambda audience: "x")  # type: ignore[arg-type,misc] # pyright: ignore[reportArgumentType,reportUnknownLambdaType]
    TokenProvider("key", expires_in="900")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    AsyncDidwwClient("key", session=None)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def filters(client: DidwwClient) -> None:
    client.did_groups().list(filter={"area_nam": "London"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_groups().list(filter={"is_available": "yes"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_groups().list(filter={"meta.total_count_gteq": "5"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_groups().list(filter={"id": None})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_groups().list({"area_name": "London"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(filter={"number": 442079460001})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(filter={"blocked": None})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.orders().list(filter={"created_at_gteq": 20260301})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.orders().list(filter={"external_reference_id": ["one", "two"]})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_history().iterate(filter={"numbr": "442079460001"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.pops().list(filter={"name": "London"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    wanted = {"blocked": False}  # needs `wanted: DidFilter`, as docs/explanation/queries.md says
    client.dids().list(filter=wanted)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def includes_and_sorting(client: DidwwClient) -> None:
    client.dids().list(include="voice_trunk")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(include=["order", "did_group.county"])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    client.dids().find("id", include="voice_trunk")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(sort="nummer")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(sort=["number", "+created_at"])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    client.orders().list(include="items")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.emergency_requirements().list(sort="id")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(page="1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(fields={"dids": 1})  # type: ignore[dict-item] # pyright: ignore[reportArgumentType]
    client.dids().find("id", filter={"number": "442079460001"})  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    QueryParams().page("1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    QueryParams().include(["order"])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    QueryParams().filtr("name", "London")  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def operations(client: DidwwClient, did: Did, order: Order) -> None:
    client.countries().create(Country.build("id"))  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.countries().delete("id")  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.balance().list()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.balance().find("id")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.stock_keeping_units()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.did_reservations().update(did)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.address_requirement_validations().list()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.encrypted_files().create(did)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().iterate(page_size="5")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().iterate(resume=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().first(filter={"numbr": "1"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().one(include="ordr")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().count(sort="number")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    client.dids().create_many([did])  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().update_many([order])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    client.dids().update_many(did)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.orders().wait(order, on_update=5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().wait(did)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().update(order)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.orders().create(did)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().delete(order)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().find(1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def responses(client: DidwwClient, group: DidGroup) -> None:
    client.dids().find("id").data[0]  # type: ignore[index] # pyright: ignore[reportIndexIssue]
    client.dids().list().number  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().list().data.number  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().list().data[0].order.reference  # type: ignore[union-attr] # pyright: ignore[reportOptionalMemberAccess]
    client.orders().delete("id").data.status  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    group.meta.total  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    group.meta.total_count + 1  # type: ignore[operator] # pyright: ignore[reportOptionalOperand, reportUnusedExpression]
    client.balance().find().data.total_balance + 0.5  # type: ignore[operator] # pyright: ignore[reportOperatorIssue, reportUnusedExpression]
    client.exports().find("id").data.url.split("/")  # type: ignore[union-attr] # pyright: ignore[reportOptionalMemberAccess]


def writing(did: Did, order: Order, trunk: VoiceInTrunk) -> None:
    Did(number="442079460001")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    Did(descripton="x")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    VoiceInTrunk(cli_format="e164")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    VoiceInTrunk(priority="1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    VoiceInTrunk("Front desk")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    VoiceInTrunk.build(1)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Identity(identity_type="personal")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Order(items=DidOrderItem(sku_id="id", qty=1))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Order(items=[{"sku_id": "id", "qty": 1}])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    Order(amount=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    DidOrderItem(sku="id")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    DidOrderItem(sku_id="id", qty="1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    order.amount = 3.6  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    did.descripton = "x"  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    did.description = 5  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    did.capacity_limit = "20"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    did.voice_in_trunk = "uuid"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    did.terminated = None  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.cli_format = "e164"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.cli_format = Codec.PCMA  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.voice_in_trunk_group = did  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    SharedCapacityGroup(name="Shared", capacity_pool="id")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    SharedCapacityGroup(name="Shared", dids=["id"])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    VoiceOutTrunk(threshold_amount=99.5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    trunk.cli_format = CliFormat.E146  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def nested(trunk: VoiceInTrunk, sip: SipConfiguration) -> None:
    sip.codec_ids = Codec.PCMA  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    sip.codec_ids = ["PCMA"]  # type: ignore[list-item] # pyright: ignore[reportAttributeAccessIssue]
    sip.codec_ids = [9, 10]  # type: ignore[list-item] # pyright: ignore[reportAttributeAccessIssue]
    sip.codec_ids.append(TransportProtocol.UDP)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    sip.transport_protocol_id = 1  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    sip.port = "5060"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    sip.hots = "sip.example.com"  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    SipConfiguration(hots="sip.example.com")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    SipConfiguration(incoming_auth_username="me")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    trunk.configuration = {"host": "sip.example.com"}  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.configuration = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=[])  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.configuration = None  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    trunk.configuration.host  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    CredentialsAndIpAuthenticationMethod(allowed_sip_ips="203.0.113.0/24")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    CredentialsAndIpAuthenticationMethod(username="me")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def uploads(client: DidwwClient) -> None:
    client.upload_file(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.upload_file("passport.pdf", "passport")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    client.upload_encrypted_file(fingerprint="fingerprint", data="text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.upload_encrypted_files(fingerprint="fingerprint", files=[b""])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
    client.upload_encrypted_files(fingerprint="fingerprint", files=[{"description": "no data"}])  # type: ignore[typeddict-item] # pyright: ignore[reportArgumentType]
    client.upload_encrypted_files(fingerprint="fingerprint", files=[{"data": b"", "name": "x"}])  # type: ignore[typeddict-unknown-key] # pyright: ignore[reportArgumentType]
    client.download_export("url")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    client.download_export(Did.build("id"), "export.csv.gz")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def asynchronously(client: AsyncDidwwClient) -> None:
    client.dids().list().data  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().list()  # type: ignore[unused-coroutine] # pyright: ignore[reportUnusedCoroutine]
    client.orders().create(Order()).data  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.upload_file(b"").id  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    for _ in client.dids().iterate():  # type: ignore[attr-defined] # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass
    await client.dids().iterate()  # type: ignore[misc] # pyright: ignore[reportGeneralTypeIssues]
    (await client.dids().find("id")).data[0]  # type: ignore[index] # pyright: ignore[reportIndexIssue]
    await client.dids().list(filter={"numbr": "442079460001"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await client.countries().create(Country.build("id"))  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    with client:  # type: ignore[attr-defined] # pyright: ignore[reportGeneralTypeIssues]
        pass


def misspelt_imports() -> None:
    didww.Identty  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def export_filters(client: DidwwClient) -> None:
    Export(export_type=ExportType.CDR_IN, filters={"from": "2026-03-01"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    Export(filters={"from": "2026-03-01", "to": "2026-03-02", "did": "1"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    for item in client.dids().delete_many(["id"]).items:
        item.input.id  # type: ignore[union-attr] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def call_records() -> None:
    didww.read_calls("calls.csv", Did)  # type: ignore[type-var] # pyright: ignore[reportCallIssue,reportArgumentType]
    didww.read_calls(5)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]
    call = next(didww.read_calls("calls.csv", didww.InboundCall))
    call.billing_duration += 1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue,reportUnknownMemberType]
