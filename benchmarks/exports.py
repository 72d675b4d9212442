"""A million call records exported by the emulator and downloaded by the client, in one process of its own.

A part of run.py: prints the rows of the file, the seconds of the download, and the peak of the process in MiB as JSON.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "1_000_000"))
NUMBERS = 100
DAYS = 24


def peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    try:
        # `ru_maxrss` also contains the memory of the parent when it forked.
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    from didww import Export
    from didww.emulator import Clock, Emulator

    clock = Clock(datetime(2026, 3, 25, 12, tzinfo=UTC), running=False)
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(clock=clock) as emulator,
        emulator.client(timeout=600) as client,
    ):
        sip = {"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9]}}
        emulator.state.seed(
            {
                "voice_in_trunks": [{"id": "main", "name": "Main", "configuration": sip}],
                "dids": [{"number": f"121255501{n:02}", "voice_in_trunk": "main"} for n in range(NUMBERS)],
            }
        )
        # Weekends have a third of the calls, so a day has four fifths on average.
        emulator.calls.rate(RECORDS / NUMBERS / DAYS / 0.8 * 1.08)
        span = {"from": "2026-03-01 00:00:00", "to": f"2026-03-{DAYS + 1} 00:00:00"}
        export = client.exports().create(Export(export_type="cdr_in", filters=span)).data
        emulator.clock.advance(1)
        export = client.exports().find(export.id).data
        started = time.perf_counter()
        path = client.download_export(export, Path(folder) / "calls.csv.gz")
        seconds = time.perf_counter() - started
        peak = peak_memory()
        with gzip.open(path) as lines:
            rows = sum(1 for _ in lines) - 1
    json.dump({"rows": rows, "seconds": seconds, "peak": peak}, sys.stdout)


if __name__ == "__main__":
    main()
