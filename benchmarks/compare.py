"""Compare this SDK with the PyPI package `didww` and with httpx and JSON:API by hand; print a Markdown table.

The table is that of docs/comparison.md. What is timed is measured alternately, in processes of their own, over the same
loopback server; see run.py. The other two live in environments of their own (`.venv-vendor`, `.venv-http`, made when
missing; VENDOR_VENV and HTTP_VENV name others). The sizes are those of new installations, without bytecode.
"""

from __future__ import annotations

import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import run

HERE = Path(__file__).resolve().parent
HTTP = "httpx>=0.28"
HTTP_HOME = Path(os.environ.get("HTTP_VENV", run.ROOT / ".venv-http"))
ROUNDS = 15
READINGS = 10
LISTS = 20

TOUCH = "for did in dids: did.number, did.description, did.order.reference, did.did_group.prefix"
MEASURE = f"""
import gc, json, statistics, sys, time, tracemalloc
gc.collect(); read(); times = []
for _ in range({READINGS}):
    gc.collect(); started = time.perf_counter(); kept = read(); times.append(time.perf_counter() - started); del kept
gc.collect(); tracemalloc.start(); kept = [read() for _ in range({LISTS})]; gc.collect()
print(json.dumps([statistics.median(times), tracemalloc.get_traced_memory()[0]]))
"""


@dataclass
class Way:
    """One way to call the API: an interpreter, what pip installs, and programs; each gets the base URL as argument."""

    name: str
    interpreter: str
    requirement: str
    program: str
    imports: str
    connect: str
    first: str
    read: str
    found: dict[str, float] = field(default_factory=dict)

    def run(self, *code: str, base: str = "") -> str:
        environment = run.environment()
        if self.interpreter != sys.executable:
            environment.pop("PYTHONPATH", None)  # or it would import this project's package
        command = [self.interpreter, "-c", "\n".join(code), base]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=600, env=environment)
        return done.stdout


def ways() -> list[Way]:
    run.vendor()  # makes the environment
    if not HTTP_HOME.exists():
        run.output_of([sys.executable, "-m", "venv", str(HTTP_HOME)])
        run.output_of([str(HTTP_HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", HTTP])
    return [
        Way(
            "this SDK",
            sys.executable,
            str(run.ROOT),
            "sdk.py",
            "from didww import DidwwClient",
            "import sys; client = DidwwClient('benchmark', base_url=sys.argv[1], rate_limit=None)",
            "client.balance().find().data.total_balance; client.close()",
            f"def read():\n dids = client.dids().list(include=('order', 'did_group')).data\n {TOUCH}\n return dids",
        ),
        Way(
            "`didww` 3.2.0",
            str(run.VENDOR_HOME / "bin" / "python"),
            run.VENDOR,
            "vendor.py",
            "from didww.client import DidwwClient\nfrom didww.query_params import QueryParams",
            "import sys; client = DidwwClient(api_key='benchmark', base_url=sys.argv[1])",
            "client.balance().find().data.total_balance",
            "def read():\n dids = client.dids().list(QueryParams().include('order', 'did_group')).data\n"
            f" {TOUCH}\n return dids",
        ),
        Way(
            "httpx",
            str(HTTP_HOME / "bin" / "python"),
            HTTP,
            "raw_http.py",
            "import httpx",
            "import sys; http = httpx.Client(headers={'Api-Key': 'benchmark'}); base = sys.argv[1]",
            "http.get(base + '/balance').json()['data']['attributes']['total_balance']",
            "def read():\n"
            " document = http.get(base + '/dids', params={'include': 'order,did_group'}).json()\n"
            " index = {(one['type'], one['id']): one for one in document['included']}\n"
            " for did in document['data']:\n"
            "  did['attributes']['number'], did['attributes']['description']\n"
            "  order, group = (did['relationships'][name]['data'] for name in ('order', 'did_group'))\n"
            "  index[order['type'], order['id']]['attributes']['reference']\n"
            "  index[group['type'], group['id']]['attributes']['prefix']\n"
            " return document, index",
        ),
    ]


def start(members: list[Way]) -> None:
    """Measure the milliseconds that a process needs beyond its bare interpreter."""
    taken: dict[tuple[str, str], list[float]] = {}
    with run.server("emulator") as base:
        for round_ in range(ROUNDS + 1):
            for way in members:
                for what, code in (
                    ("bare", ["pass"]),
                    ("import", [way.imports]),
                    ("first", [way.imports, way.connect, way.first]),
                ):
                    started = time.perf_counter()
                    way.run(*code, base=f"{base}/v3")
                    if round_:  # the first writes the bytecode
                        taken.setdefault((way.name, what), []).append(time.perf_counter() - started)
    for way in members:
        bare = statistics.median(taken[way.name, "bare"])
        for what in ("import", "first"):
            way.found[what] = (statistics.median(taken[way.name, what]) - bare) * 1000


def read(members: list[Way]) -> None:
    """Measure the milliseconds and the MiB of lists of 1,000 DIDs with two relationships, over loopback."""
    results: dict[str, list[list[float]]] = {}
    with run.server() as base:
        for _ in range(3):
            for way in members:
                output = way.run(way.imports, way.connect, way.read, MEASURE, base=f"{base}/v3")
                results.setdefault(way.name, []).append(json.loads(output))
    for way in members:
        way.found["read"] = statistics.median(seconds for seconds, _ in results[way.name]) * 1000
        way.found["memory"] = statistics.median(held for _, held in results[way.name]) / 2**20


def install(way: Way) -> None:
    """Measure the MB and the number of packages of a new installation."""
    with tempfile.TemporaryDirectory() as folder:
        command = [way.interpreter, "-m", "pip", "install", "--quiet", "--no-compile", "--target", folder]
        run.output_of([*command, way.requirement], 600)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        way.found["size"] = sum(path.stat().st_size for path in files) / 1e6
        way.found["packages"] = len(list(Path(folder).glob("*.dist-info")))


def lines(way: Way) -> None:
    """Count the lines of the program that buys, routes and lists, without docstring and empty lines; and check it."""
    path = HERE / "programs" / way.program
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text), clean=False)
    assert docstring is not None
    way.found["lines"] = len([line for line in text.splitlines() if line.strip()]) - docstring.count("\n") - 1
    with run.server("emulator") as base:
        environment = run.environment()
        if way.interpreter != sys.executable:
            environment.pop("PYTHONPATH", None)
        command = [way.interpreter, str(path), f"{base}/v3", "benchmark"]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=120, env=environment)
    assert done.stdout == "442079460000 London Front desk\n", done.stdout


ROWS = (
    ("read 1,000 numbers with order and DID group", "read", "{:.0f} ms"),
    (f"memory of {LISTS} such lists", "memory", "{:.0f} MiB"),
    ("import", "import", "{:.0f} ms"),
    ("start, import and first response", "first", "{:.0f} ms"),
    ("lines of the program", "lines", "{:.0f}"),
    ("packages installed", "packages", "{:.0f}"),
    ("size of the installation", "size", "{:.1f} MB"),
)


def main() -> None:
    members = ways()
    for way in members:
        lines(way)
        install(way)
    read(members)
    start(members)
    print("| | " + " | ".join(way.name for way in members) + " |")
    print("| --- |" + " --- |" * len(members))
    ours = members[0].found
    for label, key, form in ROWS:
        cells = [f"{form.format(way.found[key])} ({way.found[key] / ours[key]:.2f} x)" for way in members]
        print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
