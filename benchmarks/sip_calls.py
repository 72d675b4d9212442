"""SIP calls to SIPp on the loopback interface: many at once, and many a second.

A part of run.py: prints, for each of the two, the calls, the seconds, the CPU seconds of the emulator, its peak of
memory in MiB, and how many calls the reports, the call records and SIPp count as successful, as JSON. Needs SIPp
(Debian's package sip-tester).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exports import peak_memory

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from didww.emulator import Emulator
from support.sip_line import Line
from support.sip_programs import Sipp

if TYPE_CHECKING:
    from didww.emulator import RingReport

AT_ONCE = int(os.environ.get("BENCHMARK_CALLS_AT_ONCE", "200"))
RATE = int(os.environ.get("BENCHMARK_CALLS_A_SECOND", "50"))
SECONDS = int(os.environ.get("BENCHMARK_SECONDS", "60"))
FASTEST = 90  # calls a second while many are placed at once
LONGEST = 120.0  # seconds until a call that has not ended counts as lost


def place(line: Line, calls: int, rate: int, talk: float) -> tuple[list[RingReport], int]:
    """Place calls at a rate, and return the reports of those that ended, and the most that were talking at once."""
    waiting: list[str] = []
    ended: list[RingReport] = []
    most = 0
    started = time.perf_counter()

    def collect() -> None:
        for id in list(waiting):
            report = line.emulator.calls.report(id)
            if report.ended:
                waiting.remove(id)
                ended.append(report)

    for index in range(calls):
        while (early := started + index / rate - time.perf_counter()) > 0:
            time.sleep(min(early, 0.01))
        waiting.append(line.ring(duration=talk, wait=False).id)
        most = max(most, len(waiting))
        if index % rate == 0:
            collect()
    deadline = time.monotonic() + talk + LONGEST
    while waiting and time.monotonic() < deadline:
        collect()
        time.sleep(0.05)
    return ended, most


def measure(calls: int, rate: int, talk: float) -> dict[str, Any]:
    """Return how long calls at a rate took, and how they ended."""
    with tempfile.TemporaryDirectory() as name, Emulator() as emulator:
        line = Line(emulator, emulator.client(), Path(name))
        line.channels(calls)
        emulator.sip.limit(per_second=1000)  # calls that were late are placed at once
        with Sipp("answers", Path(name), calls=calls) as far_end:
            line.route(line.trunk("Main", far_end.port))
            busy, started = time.process_time(), time.perf_counter()
            reports, most = place(line, calls, rate, talk)
            seconds, busy = time.perf_counter() - started, time.process_time() - busy
            counters = far_end.check()
        records = line.records()
        return {
            "calls": calls,
            "most": most,
            "seconds": round(seconds, 2),
            "cpu": round(busy, 2),
            "peak": peak_memory(),
            "reports": sum(report.answered for report in reports),
            "records": sum(record.disconnect_code == "200" for record in records),
            "sipp": int(counters["SuccessfulCall(C)"]),
        }


def main() -> None:
    at_once = measure(AT_ONCE, FASTEST, 2 + AT_ONCE / FASTEST)
    print(json.dumps({"at_once": at_once, "steady": measure(RATE * SECONDS, RATE, 1)}))


if __name__ == "__main__":
    main()
