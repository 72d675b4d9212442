"""Fetch call records from an emulator at a fixed time, and compare them with what the emulator generates."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from didww import (
    CredentialsAndIpAuthenticationMethod,
    DidOrderItem,
    OnCliMismatchAction,
    Order,
    PstnConfiguration,
    VoiceInTrunk,
    VoiceOutTrunk,
)
from didww.emulator import Emulator
from didww.emulator.behaviors.exports import get_lines, get_out_lines
from didww.emulator.data.cdr import cdr_in, cdr_out
from support.clients import Blocking

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


class Account:
    """An account of an emulator with two numbers in London that are forwarded, on 26 November 2026."""

    def __init__(self, seed: int = 1) -> None:
        self.emulator = Emulator(seed=seed)
        self.emulator.clock.freeze(NOW.isoformat())
        self.emulator.transitions.set("exports", after=0)
        self.emulator.transitions.set("orders", after=0)
        self.client = self.emulator.client()
        group = self.client.did_groups().first(
            filter={"area_name": "London", "needs_registration": False, "is_available": True},
            include="stock_keeping_units",
        )
        assert group is not None
        item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=2)
        self.client.orders().create(Order(items=[item]))
        trunk = VoiceInTrunk(name="Forwarding", configuration=PstnConfiguration(dst="442079460099"))
        trunk = self.client.voice_in_trunks().create(trunk).data
        dids = [*self.client.dids().iterate()]
        for did in dids:
            did.voice_in_trunk = trunk
            self.client.dids().update(did)
        self.numbers = [did.number for did in dids]

    def asynchronous(self, runner: asyncio.Runner) -> Any:
        """Return the asynchronous client, used as if it were the synchronous one."""
        return Blocking(self.emulator.async_client(), runner)

    def generated(
        self, kind: str, start: datetime, end: datetime, number: str | None = None, trunk: VoiceOutTrunk | None = None
    ) -> Counter[str]:
        """Return the lines of the generated calls of a period, with how often each occurs."""
        engine = self.emulator.engine
        with engine.locked():
            session = engine.session(self.emulator.key)
            if kind == "cdr_in":
                made = cdr_in([*get_lines(session, number)], start, end, engine.seed)
            else:
                chosen = {} if trunk is None else {"voice_out_trunk.id": trunk.id}
                made = cdr_out([*get_out_lines(session, chosen)], start, end, engine.seed)
            return Counter(line for _, text in made for line in text.splitlines())

    def trunk(self) -> VoiceOutTrunk:
        """Return a new outbound trunk."""
        method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.0/24"])
        new = VoiceOutTrunk(
            name="Office",
            on_cli_mismatch_action=OnCliMismatchAction.SEND_ORIGINAL_CLI,
            authentication_method=method,
        )
        return self.client.voice_out_trunks().create(new).data

    def posts(self) -> int:
        """Return how many exports were requested so far."""
        return sum(entry.method == "POST" and entry.path.endswith("/exports") for entry in self.entries())

    def downloads(self) -> int:
        """Return how many files were downloaded so far."""
        return sum(entry.path.endswith(".csv.gz") for entry in self.entries())

    def entries(self) -> list[Any]:
        """Return the requests so far."""
        return [*self.emulator.journal.entries()]


def lines_of(paths: Iterable[Path]) -> Counter[str]:
    """Return the lines of files without their headers, with how often each occurs."""
    return Counter(line for path in paths for line in gzip.decompress(path.read_bytes()).decode().splitlines()[1:])


def total(lines: Counter[str], column: int) -> Decimal:
    """Return the sum of a column of amounts."""
    rows = csv.reader(io.StringIO("\n".join(lines.elements())))
    return sum((Decimal(row[column]) for row in rows), Decimal(0))
