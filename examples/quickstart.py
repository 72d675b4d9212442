"""Find a number in London, buy it, route it to a SIP server, and export its calls.

Run: python quickstart.py [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL. `didww emulator` prints two of them.
Cost: setup and the first month of one number. It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import csv
import gzip
import sys
from datetime import UTC, datetime, timedelta

from didww import (
    Codec,
    DidOrderItem,
    DidwwClient,
    Export,
    ExportType,
    Order,
    SipConfiguration,
    TransportProtocol,
    VoiceInTrunk,
)

with DidwwClient() as client:
    # Search for London numbers that need no registration, and get their prices.
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().first(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    if group is None:
        raise SystemExit("No such numbers are in stock. Search for another area.")
    sku = min(group.stock_keeping_units, key=lambda sku: sku.setup_price + sku.monthly_price)
    prices = f"{sku.setup_price} USD setup, {sku.monthly_price} USD a month"
    print(f"{group.area_name}: {group.meta.total_count} in stock, {prices}")
    if "--yes" not in sys.argv and input("Buy one? [y/N] ").lower() != "y":
        raise SystemExit("Nothing was bought.")

    # Buy one, and wait until the order completes.
    order = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=1)])).data
    print(f"Order {order.reference} is placed.")
    order = client.orders().wait(order).data
    did = client.dids().one(filter={"order.id": order.id})
    print(f"Order {order.reference}: {order.amount} USD, number {did.number}")

    # Route it to a SIP server.
    sip = SipConfiguration(host="sip.example.com", port=5060, codec_ids=[Codec.PCMU, Codec.PCMA])
    sip.transport_protocol_id = TransportProtocol.UDP
    name = f"Quickstart {datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    trunk = client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=sip)).data
    did.voice_in_trunk = trunk
    client.dids().update(did)
    print(f"Calls to {did.number} go to {trunk.name}")

    # Export the calls of the last 24 hours, and print the first three.
    now = datetime.now(UTC)
    export = Export(
        export_type=ExportType.CDR_IN,
        filters={"from": now - timedelta(days=1), "to": now, "did_number": did.number},
    )
    export = client.exports().wait(client.exports().create(export).data).data
    path = client.download_export(export, "calls.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for call in list(csv.DictReader(file))[:3]:  # in API version 2026-11-19, "Source" is "Source Number"
            print(call["Date/Time Start (UTC)"], call["Source"], call["Status"], call["Duration (sec)"], "s")
