"""Copy the numbers and trunks of the account to an SQLite database, with the asynchronous client.

Run it again to update the copy. Numbers that left the account are removed from it.

Run: python sync_to_sqlite.py [inventory.sqlite]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It only reads.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from contextlib import closing

from didww import AsyncDidwwClient, Did, DidwwError

TABLES = """
CREATE TABLE IF NOT EXISTS trunks (id TEXT PRIMARY KEY, name TEXT, kind TEXT);
CREATE TABLE IF NOT EXISTS numbers (
    id TEXT PRIMARY KEY, number TEXT, country TEXT, area TEXT, route TEXT, expires_at TEXT, description TEXT
);
"""
Row = tuple[str | None, ...]


def row(did: Did) -> Row:
    """Return a number as a row."""
    route = did.voice_in_trunk or did.voice_in_trunk_group
    group = did.did_group
    country = group.country.iso if group and group.country else None
    expires_at = did.expires_at.isoformat() if did.expires_at else None
    area = group.area_name if group else None
    return (did.id, did.number, country, area, route.id if route else None, expires_at, did.description)


async def numbers(client: AsyncDidwwClient) -> list[Row]:
    """Return all numbers of the account as rows."""
    dids = client.dids().iterate(
        include=["did_group.country", "voice_in_trunk", "voice_in_trunk_group"], sort="created_at", page_size=100
    )
    return [row(did) async for did in dids]


async def trunks(client: AsyncDidwwClient) -> list[Row]:
    """Return all inbound trunks and trunk groups of the account as rows."""
    rows: list[Row] = [(one.id, one.name, "trunk") async for one in client.voice_in_trunks().iterate()]
    return rows + [(one.id, one.name, "group") async for one in client.voice_in_trunk_groups().iterate()]


async def main() -> None:
    parser = argparse.ArgumentParser(description="Copy the numbers and trunks of the account to an SQLite database.")
    parser.add_argument("database", nargs="?", default="inventory.sqlite", help="default: inventory.sqlite")
    args = parser.parse_args()

    async with AsyncDidwwClient() as client:  # both at the same time, within one rate limit
        number_rows, trunk_rows = await asyncio.gather(numbers(client), trunks(client))

    # All rows in one transaction: a reader sees the old copy or the new one.
    with closing(sqlite3.connect(args.database)) as database, database:
        database.executescript(TABLES)
        before = {id for (id,) in database.execute("SELECT id FROM numbers")}
        database.execute("DELETE FROM numbers")
        database.execute("DELETE FROM trunks")
        database.executemany("INSERT INTO numbers VALUES (?, ?, ?, ?, ?, ?, ?)", number_rows)
        database.executemany("INSERT INTO trunks VALUES (?, ?, ?)", trunk_rows)
    after = {one[0] for one in number_rows}
    print(f"{args.database}: {len(number_rows)} numbers, {len(trunk_rows)} trunks and groups")
    print(f"{len(after - before)} numbers are new, {len(before - after)} were removed.")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (DidwwError, sqlite3.Error) as error:
        raise SystemExit(str(error)) from None
