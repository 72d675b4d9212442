"""Run the steps of `quickstart.py` against the emulator, over HTTP, and print each step.

`make demo` runs this program. It connects to no other machine, and buys nothing.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

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
from didww.emulator import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.resources.export import CdrInFilters

steps = itertools.count(1)


def step(title: str, *results: str) -> None:
    """Print one step and its results."""
    print(f"\n{next(steps)}. {title}")
    for line in results:
        print(f"   {line}")


def main() -> None:
    """Search for numbers, buy two, route them, and export their calls."""
    started = time.monotonic()
    with running() as base_url, DidwwClient("demo-key", base_url=base_url) as client:
        print(f"The emulator is running at {base_url}")

        balance = client.balance().find().data
        step("Get the balance.  client.balance().find()", f"{balance.total_balance} USD")

        country = client.countries().one(filter={"iso": "GB"})
        group = client.did_groups().one(
            filter={
                "country.id": country.id,
                "area_name": "London",
                "needs_registration": False,
                "is_available": True,
            },
            include="stock_keeping_units",
        )
        step(
            "Search for numbers in London.  client.did_groups().one(filter=..., include=...)",
            f"prefix {group.prefix}, {group.meta.total_count} numbers in stock",
            f"features: {', '.join(group.features)}",
            *(
                f"{sku.setup_price} USD setup, {sku.monthly_price} USD a month, "
                f"{sku.channels_included_count} channels included"
                for sku in group.stock_keeping_units
            ),
        )

        sku = min(group.stock_keeping_units, key=lambda sku: sku.setup_price + sku.monthly_price)
        placed = client.orders().create(Order(items=[DidOrderItem(sku_id=sku.id, qty=2)])).data
        order = client.orders().wait(placed).data
        dids = client.dids().list(filter={"order.id": order.id}, include="did_group", sort="number").data
        step(
            "Buy two numbers at the lower price.  client.orders().create(...), client.orders().wait(...)",
            f"order {order.reference}: {placed.status}, then {order.status}; amount {order.amount} USD",
            f"new numbers: {', '.join(did.number for did in dids)}, paid until {dids[0].expires_at:%Y-%m-%d}",
            f"new balance: {client.balance().find().data.total_balance} USD",
        )

        sip = SipConfiguration(
            host="sip.example.com",
            port=5060,
            codec_ids=[Codec.PCMU, Codec.PCMA],
            transport_protocol_id=TransportProtocol.UDP,
        )
        trunk = client.voice_in_trunks().create(VoiceInTrunk(name="Front desk", configuration=sip)).data
        step(
            "Create a SIP trunk.  client.voice_in_trunks().create(...)",
            f"{trunk.name}: {sip.host}:{sip.port}, priority {trunk.priority}, weight {trunk.weight}",
        )

        for did in dids:
            did.voice_in_trunk = trunk
            client.dids().update(did)
        routed = client.dids().list(filter={"voice_in_trunk.id": trunk.id}).total_records
        step("Route both numbers to the trunk.  client.dids().update(did)", f"{routed} numbers ring at {trunk.name}")

        now = datetime.now(UTC)
        period: CdrInFilters = {"from": now - timedelta(days=2), "to": now}
        export = client.exports().create(Export(export_type=ExportType.CDR_IN, filters=period)).data
        export = client.exports().wait(export).data
        with tempfile.TemporaryDirectory() as folder:
            path = client.download_export(export, Path(folder) / "calls.csv.gz")
            size = path.stat().st_size
            rows = list(read(path))
        step(
            "Export the calls of the last two days.  client.exports().create(...), wait(...), download_export(...)",
            f"{len(rows)} calls in {size} bytes; the first five:",
            "",
            *table(rows[:5]),
        )
        print(f"\nDone in {time.monotonic() - started:.1f} s. To start your own program, see examples/quickstart.py")


def read(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a gzip-compressed CSV file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def table(rows: list[dict[str, str]]) -> Iterator[str]:
    """Yield some columns of the call records as the lines of a table."""
    columns = ["Date/Time Start (UTC)", "Source", "Destination DID", "Status", "Duration (sec)", "Response"]
    widths = [max(len(name), *(len(row[name]) for row in rows), 0) if rows else len(name) for name in columns]
    yield "  ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip()
    for row in rows:
        yield "  ".join(row[name].ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip()


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has stopped, e.g. head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
