"""The page about warehouses: its blocks run in order, where dlt is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import didww
from didww import DidOrderItem, Order
from didww.emulator.http.server import running

pytest.importorskip("dlt", reason="needs dlt: pip install --group engines")
pytest.importorskip("duckdb")
pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "load-into-a-warehouse.md"


def test_page_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its programs load the calls of an account with a number into DuckDB."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DLT_DATA_DIR": str(tmp_path / "dlt"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DIDWW_API_KEY": "local-key",
    }.items():
        monkeypatch.setenv(name, value)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with running() as address:
        monkeypatch.setenv("DIDWW_BASE_URL", address)
        with didww.DidwwClient() as client:
            group = client.did_groups().first(
                filter={"area_name": "London", "needs_registration": False, "is_available": True},
                include="stock_keeping_units",
            )
            assert group is not None
            item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=3)
            client.orders().wait(client.orders().create(Order(items=[item])).data)
        try:
            for block in blocks:
                exec(block, namespace)
            with namespace["pipeline"].sql_client() as sql:
                ((loaded,),) = sql.execute_sql("select count(*) from inbound_calls")
            with namespace["files"].sql_client() as sql:
                ((read,),) = sql.execute_sql("select count(*) from inbound_calls")
        finally:
            namespace["client"].close()
    assert loaded > 0
    assert read >= loaded
