"""The asynchronous client under trio: the same calls, with pages fetched one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

from didww import AsyncDidwwClient, DidOrderItem, Order
from didww.emulator.http.server import running
from didww.exceptions import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path


def test_all_features_work_under_trio(tmp_path: Path) -> None:
    """These are iteration, bulk writes, waits, uploads, downloads and cancellation, over sockets."""
    told: list[int] = []

    async def main(base_url: str) -> None:
        async with AsyncDidwwClient("key-under-trio", base_url=base_url) as client:
            cities = [city.name async for city in client.cities().iterate(page_size=10, limit=35)]
            assert len(set(cities)) == 35
            async with client.cities().iterate(page_size=10) as walk:
                async for city in walk:
                    assert city.name == cities[0]
                    break
            group = await client.did_groups().first(filter={"area_name": "London"}, include="stock_keeping_units")
            assert group is not None
            items = [DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)]
            report = await client.orders().create_many([Order(items=items) for _ in range(6)], concurrency=3)
            report.raise_for_failures()
            order = report.data[0]
            assert order is not None
            done = (await client.orders().wait(order, on_update=lambda one: told.append(len(one.items)))).data
            assert done.status == "completed"
            file = await client.upload_file(b"%PDF" * 50_000, progress=lambda one: told.append(one.done))
            assert (await client.encrypted_files().find(file.id)).data == file
            with trio.move_on_after(0.0001) as scope:
                await client.countries().list()
            assert scope.cancelled_caught
            assert await client.orders().count() == 6
            with pytest.raises(NotFoundError):
                await client.download_export(f"{base_url}/exports/none.csv.gz", tmp_path / "none")

    with running() as base_url:
        trio.run(main, base_url)
    assert told
