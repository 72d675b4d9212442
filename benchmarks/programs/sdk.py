"""Buy a number, route it, and list all numbers, with this SDK: program.py <base URL> <key>."""

import sys

from didww import Codec, DidOrderItem, DidwwClient, Order, SipConfiguration, VoiceInTrunk

client = DidwwClient(sys.argv[2], base_url=sys.argv[1])
country = client.countries().one(filter={"iso": "GB"})
group = client.did_groups().first(
    filter={"country.id": country, "area_name": "London", "needs_registration": False, "is_available": True},
    include="stock_keeping_units",
)
if group is None:
    raise SystemExit("No such number is in stock.")
item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
order = client.orders().wait(client.orders().create(Order(items=[item])).data).data
sip = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU])
trunk = client.voice_in_trunks().create(VoiceInTrunk(name="Front desk", configuration=sip)).data
did = client.dids().one(filter={"order.id": order})
did.voice_in_trunk = trunk
client.dids().update(did)
for did in client.dids().iterate(include=["did_group", "voice_in_trunk"], sort="number"):
    print(did.number, did.did_group.area_name, did.voice_in_trunk.name if did.voice_in_trunk else "-")
