"""Buy a number, route it, and list all numbers, with the PyPI package `didww`: program.py <base URL> <key>."""

import sys
import time

from didww.client import DidwwClient
from didww.enums import Codec
from didww.query_params import QueryParams
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk

client = DidwwClient(api_key=sys.argv[2], base_url=sys.argv[1])
country = client.countries().list(QueryParams().filter("iso", "GB")).data[0]
params = QueryParams().filter("country.id", country.id).filter("area_name", "London")
params.filter("needs_registration", "false").filter("is_available", "true").include("stock_keeping_units")
groups = client.did_groups().list(params).data
if not groups:
    raise SystemExit("No such number is in stock.")
item = DidOrderItem()
item.sku_id = groups[0].stock_keeping_units[0].id
item.qty = 1
order = Order()
order.items = [item]
order = client.orders().create(order).data
deadline = time.monotonic() + 300
while order.is_pending:
    if time.monotonic() > deadline:
        raise SystemExit("The order is still pending.")
    time.sleep(0.5)
    order = client.orders().find(order.id).data
if not order.is_completed:
    raise SystemExit(f"The order is {order.status.value}.")
sip = SipConfiguration()
sip.host = "sip.example.com"
sip.codec_ids = [Codec.PCMU]
trunk = VoiceInTrunk()
trunk.name = "Front desk"
trunk.configuration = sip
trunk = client.voice_in_trunks().create(trunk).data
did = client.dids().list(QueryParams().filter("order.id", order.id)).data[0]
did.voice_in_trunk = trunk
client.dids().update(did)
number = 1
seen = 0
while True:
    page = QueryParams().include("did_group", "voice_in_trunk").sort("number").page(number, 100)
    response = client.dids().list(page)
    for did in response.data:
        print(did.number, did.did_group.area_name, did.voice_in_trunk.name if did.voice_in_trunk else "-")
    seen += len(response.data)
    if not response.data or seen >= response.meta["total_records"]:
        break
    number += 1
