"""Programs as users write them; mypy strict and pyright strict must accept each line, but for those marked.

A marked line must be refused by both: an ignore that is not needed is an error itself (`warn_unused_ignores`,
`reportUnnecessaryTypeIgnoreComment`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from didww import ApiResponse, AsyncDidwwClient, DidwwClient, Environment, QueryParams
from didww.enums import CliFormat, Codec, ExportType, OrderStatus
from didww.resources.balance import Balance
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did import Did
from didww.resources.export import Export
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.stock_keeping_unit import StockKeepingUnit
from didww.resources.voice_in_trunk import VoiceInTrunk


def reading(client: DidwwClient) -> None:
    assert_type(client.balance().find(), ApiResponse[Balance])
    assert_type(client.balance().find().data.total_balance, Decimal)
    dids = client.dids().list(include=["voice_in_trunk", "did_group.country"], sort="-created_at", page=(1, 25)).data
    assert_type(dids, list[Did])
    assert_type(dids[0].expires_at, datetime | None)
    assert_type(dids[0].voice_in_trunk, VoiceInTrunk | None)
    for group in client.did_groups().iterate(filter={"area_name": "London", "is_available": True}, limit=10):
        assert_type(group.stock_keeping_units, list[StockKeepingUnit])
        assert_type(group.meta.total_count, int | None)
    client.orders().list(filter={"status": OrderStatus.PENDING, "created_at_gteq": datetime.now(UTC)})
    client.regions().list(QueryParams().filter("country.id", "uuid").include("country").sort("name").page(1, 25))


def writing(client: DidwwClient) -> None:
    order = Order(items=[DidOrderItem(sku_id="sku", qty=1)], external_reference_id="mine")
    assert_type(client.orders().create(order).data.amount, Decimal)
    assert_type(client.orders().wait("id").data.status, OrderStatus)
    trunk = VoiceInTrunk(name="Front desk", cli_format=CliFormat.E164)
    trunk.configuration = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU])
    trunk.configuration = PstnConfiguration(dst="12125550100")
    did = Did.build("id")
    did.description = None
    did.voice_in_trunk = trunk
    did.voice_in_trunk = None
    client.dids().update(did)
    client.voice_in_trunks().delete(trunk)
    client.exports().create(Export(export_type=ExportType.CDR_IN, filters={"from": "2026-03-01 00:00:00"}))


async def asynchronously(client: AsyncDidwwClient) -> None:
    assert_type((await client.dids().find("id")).data, Did)
    async for did in client.dids().iterate(filter={"number": ["12125550100", "12125550101"]}):
        assert_type(did, Did)


def mistakes(client: DidwwClient, did: Did, order: Order) -> None:
    client.did_groups().list(filter={"area_nam": "London"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.did_groups().list(filter={"is_available": "yes"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(include="voice_trunk")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.dids().list(sort="nummer")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.countries().create(did)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    client.dids().update(order)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.balance().list()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    Did(number="12125550100")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    VoiceInTrunk(cli_format="e164")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    order.amount = 3.6  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    did.descripton = "x"  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    did.voice_in_trunk = "uuid"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    DidwwClient("key", enviroment=Environment.SANDBOX)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
