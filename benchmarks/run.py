"""Measure the package side by side with references in one run; print a table and write benchmarks/results.json.

What is compared is measured alternately (one round of each, then the next round), so that a change of the machine's
load affects both sides; a ratio is the median of the rounds' ratios. Results are kept until the clock has stopped, and
decoding starts with the garbage collected, so neither side pays for freeing its results. Servers run in processes of
their own. The package `didww` on PyPI is a black box in an environment of its own (`.venv-vendor`, made when missing).
"""

from __future__ import annotations

import gc
import gzip
import importlib.util
import itertools
import json
import os
import platform
import shutil
import socket
import socketserver
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import calls
import payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results.json"
VENDOR = "didww==3.2.0"
VENDOR_HOME = Path(os.environ.get("VENDOR_VENV", ROOT / ".venv-vendor"))
KEY = "benchmark"
INCLUDE: tuple[Literal["order"], Literal["did_group"]] = ("order", "did_group")
JSON_API = "application/vnd.api+json"
MANY = 20_000
LISTS = 5
OWNED = 100_000
DECODINGS = 40


@dataclass
class Row:
    """One line of the table.

    `budget` bounds `value`: at most so much, or at least so much if `least`; None if the row is there to compare.
    """

    group: str
    what: str
    ours: str
    against: str
    value: float | None = None
    unit: str = "x"
    budget: float | None = None
    least: bool = False

    @property
    def holds(self) -> bool | None:
        if self.value is None or self.budget is None:
            return None
        return self.value >= self.budget if self.least else self.value <= self.budget


# Clocks


def timed(function: Callable[[], Any]) -> float:
    """Seconds that `function` takes; taking its result down is not counted."""
    started = time.perf_counter()
    kept = function()
    taken = time.perf_counter() - started
    del kept
    return taken


def alternately(
    rounds: int, *functions: Callable[[], Any], before: Callable[[], Any] | None = None
) -> list[list[float]]:
    """The seconds of each function in every round, after a round that does not count.

    `before` is called ahead of each, off the clock.
    """
    times: list[list[float]] = [[] for _ in functions]
    for round_ in range(rounds + 1):
        # Another one goes first in every round: who comes after whom matters.
        for turn in range(len(functions)):
            which = (round_ + turn) % len(functions)
            if before is not None:
                before()
            seconds = timed(functions[which])
            if round_:
                times[which].append(seconds)
    return times


def compared(ones: list[float], others: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.{2 if seconds < 0.1 else 0}f} ms"


def middle(times: list[float]) -> str:
    return ms(statistics.median(times))


# Processes


def environment() -> dict[str, str]:
    """The variables for processes whose start is measured: the bytecode is kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, env=environment())


@contextmanager
def server(kind: str = "serve") -> Iterator[str]:
    """The address of a loopback server in a process of its own; see `serve`, `serve_emulator` and `serve_bare`."""
    process = subprocess.Popen([sys.executable, __file__, kind], stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


def serve() -> None:
    """Answers GETs by path: /many/... the large payload, /one/... one DID, anything else the payload."""
    one = json.dumps({"data": json.loads(payload.body(1))["data"][0]}).encode()
    responses = {"one": http_response(one), "": http_response(payload.body())}

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            while line := self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                kind = line.split(b"/")[1].decode()
                if kind == "many" and kind not in responses:
                    responses[kind] = http_response(payload.body(MANY))
                self.connection.sendall(responses.get(kind, responses[""]))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as listening:
        print(listening.server_address[1], flush=True)
        listening.serve_forever()


def serve_emulator() -> None:
    """Serves an emulator as `didww emulator` does."""
    from didww.emulator import Emulator
    from didww.emulator.http.server import Server

    with Emulator(rate_limit=None) as emulator:
        listening = Server(emulator)
        print(listening.address.rpartition(":")[2], flush=True)
        listening.run()


def serve_bare() -> None:
    """Answers every request over uvicorn with the bytes of the response to `country_path`, and does nothing else."""
    import uvicorn

    from didww._core.effects import Request
    from didww.emulator import Engine

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    config = uvicorn.Config(
        app, log_config=None, log_level="error", access_log=False, lifespan="off", http="h11", server_header=False
    )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        response = Engine().handle(Request("GET", f"http://127.0.0.1:{port}{country_path()}", {"Api-Key": KEY}))
        headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        headers.append((b"content-length", str(len(response.body)).encode()))
        print(port, flush=True)
        uvicorn.Server(config).run(sockets=[listening])


def country_path() -> str:
    """The path of one country of every emulator."""
    from didww.emulator import Engine

    return f"/v3/countries/{Engine().session(KEY).find('countries')[0]['id']}"


def http_response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {JSON_API}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


# The other package


class NotMeasuredError(Exception):
    """Why the other package could not be measured."""


def vendor(*arguments: str) -> list[str]:
    """The command that runs vendor.py with these arguments.

    Raises:
        NotMeasuredError: There is no environment for it and none could be made.
    """
    interpreter = VENDOR_HOME / "bin" / "python"
    if not (VENDOR_HOME / ".installed").exists() and "VENDOR_VENV" not in os.environ:
        output_of([sys.executable, "-m", "venv", str(VENDOR_HOME)])
        output_of([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", VENDOR])
        (VENDOR_HOME / ".installed").touch()
    # Isolated (-I): no PYTHONPATH, or it would import this project's package in place of the other one.
    return [str(interpreter), "-I", str(HERE / "vendor.py"), *arguments]


class Vendor:
    """Start a process that reads the payload with the other package on request."""

    def __init__(self, base: str) -> None:
        command = vendor(base)
        output_of([*command[:-2], "-c", "import didww.client"])
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def read(self) -> float:
        """Seconds of one reading, the bare request beside it taken off."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise NotMeasuredError("its process ended")
        times = json.loads(line)
        return float(times["read"] - times["bare"])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def output_of(command: list[str], seconds: float = 120) -> str:
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMeasuredError(str(error)) from None
    if done.returncode:
        raise NotMeasuredError((done.stderr.strip() or f"exit {done.returncode}").splitlines()[-1])
    return done.stdout


# The rows


def decoding(base: str) -> Iterator[Row]:
    """1,000 DIDs with their orders and groups, four fields of each read."""
    import orjson

    from didww import DidwwClient
    from didww._core.effects import Request, Response
    from didww._jsonapi.document import decode
    from didww._jsonapi.graph import Graph
    from didww._schema.resource import load
    from didww.transport.inprocess import InProcessTransport

    body = payload.body()

    def handle(request: Request) -> Response:  # noqa: ARG001
        return Response(200, {"content-type": JSON_API}, body)

    client = DidwwClient(KEY, rate_limit=None, transport=InProcessTransport(handle))

    def core() -> Any:
        return touched(Graph(decode(body), load).nodes)

    def whole() -> Any:
        return touched(client.dids().list(include=INCLUDE).data)

    functions = (core, whole, lambda: orjson.loads(body), lambda: json.loads(body))
    times: list[list[float]] = [[] for _ in functions]
    net: list[float] = []
    missing = ""
    other = None
    try:
        other = Vendor(f"{base}/v3")
        other.read()
    except NotMeasuredError as error:
        missing = str(error)
    for round_ in range(DECODINGS):
        for turn in range(len(functions)):
            which = (round_ + turn) % len(functions)
            gc.collect()
            times[which].append(timed(functions[which]))
        if other is not None and not missing:
            try:
                net.append(other.read())
            except NotMeasuredError as error:
                missing = str(error)
    if other is not None:
        other.close()
    core_time, client_time, orjson_time, json_time = times
    group = f"decode 1,000 DIDs, orders and groups included, {len(body) // 1024} KiB (median of {DECODINGS})"
    for name, ours in (("core", core_time), ("client, in process", client_time)):
        shown = middle(ours)
        yield Row(
            group, f"{name} : orjson.loads alone", shown, middle(orjson_time), compared(ours, orjson_time), budget=0.8
        )
        yield Row(group, f"{name} : json.loads alone", shown, middle(json_time), compared(ours, json_time))
        what = f"{VENDOR} : {name}"
        if missing:
            yield Row(group, what, shown, f"not measured: {missing}", budget=30, least=True)
        else:
            yield Row(group, what, shown, f"{middle(net)} net", compared(net, ours), budget=30, least=True)


def touched(dids: Any) -> Any:
    """The DIDs, after four fields of each were read."""
    for did in dids:
        _ = did.number, did.description, did.order.reference, did.did_group.prefix
    return dids


def memory(base: str) -> Iterator[Row]:
    """What a list of many DIDs keeps, by tracemalloc; each side in a process of its own, over the same server."""
    group = f"memory of {MANY * LISTS:,} DIDs in a list, four fields read (tracemalloc, once)"
    ours = json.loads(output_of([sys.executable, __file__, "held", f"{base}/many/v3"], 600))["bytes"]
    shown = f"{ours / 2**20:.1f} MiB"
    what = f"client : {VENDOR}"
    try:
        theirs = json.loads(output_of(vendor(f"{base}/many/v3", "held", str(LISTS)), 600))["bytes"]
    except NotMeasuredError as error:
        yield Row(group, what, shown, f"not measured: {error}", budget=0.25)
        return
    yield Row(group, what, shown, f"{theirs / 2**20:.1f} MiB", ours / theirs, budget=0.25)


def held(base: str) -> None:
    """Print the bytes that a list of DIDs occupies, as vendor.py does for the other package."""
    from didww import DidwwClient

    with DidwwClient(KEY, base_url=base, rate_limit=None) as client:

        def read() -> Any:
            return touched(client.dids().list(include=INCLUDE).data)

        read()
        gc.collect()
        tracemalloc.start()
        kept = [read() for _ in range(LISTS)]
        gc.collect()
        print(json.dumps({"bytes": tracemalloc.get_traced_memory()[0], "dids": sum(map(len, kept))}))


def starting() -> Iterator[Row]:
    """Processes from start to end, with their bytecode cached."""
    program = "from didww.emulator import Emulator; c = Emulator().client(); c.balance().find()"
    programs = ("pass", "import didww", program)
    bare, imported, ready = (
        statistics.median(taken) for taken in alternately(15, *(partial(python, "-c", program) for program in programs))
    )
    group = "start of a process, beyond a bare interpreter (median of 15)"
    for what, seconds, budget in (("import didww", imported, 25), ("first response, in process", ready, 150)):
        yield Row(group, what, ms(seconds), ms(bare), (seconds - bare) * 1000, "ms", budget)


def commanding() -> Iterator[Row]:
    """The command, as whole processes, against a served emulator."""
    with server("emulator") as base:
        os.environ |= {"DIDWW_BASE_URL": f"{base}/v3", "DIDWW_API_KEY": KEY}
        lines = (("--help",), ("numbers", "list"))
        series = alternately(
            15, partial(python, "-c", "pass"), *(partial(quiet, "-m", "didww", *line) for line in lines)
        )
    bare, *taken = (statistics.median(times) for times in series)
    group = "the command, whole process (median of 15)"
    for line, seconds, budget in zip(lines, taken, (120, 300), strict=True):
        yield Row(group, f"didww {' '.join(line)}", ms(seconds), ms(bare), seconds * 1000, "ms", budget)


def quiet(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, env=environment(), stdout=subprocess.DEVNULL)


def finding(base: str) -> Iterator[Row]:
    """One DID over a kept connection."""
    import httpx2
    import orjson

    from didww import DidwwClient

    rounds = 1500
    id_ = json.loads(payload.body(1))["data"][0]["id"]
    with DidwwClient(KEY, base_url=f"{base}/one/v3", rate_limit=None) as client, httpx2.Client() as http:
        ours, bare = alternately(
            rounds,
            lambda: client.dids().find(id_).data.number,
            lambda: orjson.loads(http.get(f"{base}/one/v3/dids/{id_}").content)["data"]["attributes"]["number"],
        )
    group = f"find over loopback (median of {rounds})"
    yield Row(group, "client : httpx2 and orjson alone", middle(ours), middle(bare), compared(ours, bare), budget=1.25)
    path, headers = country_path(), {"Api-Key": KEY}
    with server("emulator") as emulatored, server("bare") as alone, httpx2.Client(headers=headers) as http:
        found = [http.get(address + path).text.replace(address, "") for address in (emulatored, alone)]
        assert json.loads(found[0])["data"]
        assert found[0] == found[1]
        ours, bare = alternately(rounds, *(partial(http.get, address + path) for address in (emulatored, alone)))
    taken = statistics.median(ours)
    yield Row(group, "served emulator", ms(taken), "", taken * 1000, "ms", 1)
    yield Row(group, "served emulator : bare ASGI on uvicorn", ms(taken), middle(bare), compared(ours, bare))


def versions() -> Iterator[Row]:
    """The same calls with both API versions, against the served emulator: a token costs little, and the key nothing."""
    from didww import DidwwClient
    from didww.version import API_VERSIONS

    rounds = 1000
    group = f"API version {API_VERSIONS[1]} : {API_VERSIONS[0]} (median of {rounds})"
    with server("emulator") as address:
        clients = [
            DidwwClient(KEY, base_url=f"{address}/v3", rate_limit=None, api_version=version) for version in API_VERSIONS
        ]
        id_ = clients[0].countries().list().data[0].id
        for what, call in (
            ("find", lambda client: client.countries().find(id_)),
            ("list of 50 DID groups", lambda client: client.did_groups().list(include="country")),
        ):
            old, new = alternately(rounds, *(partial(call, client) for client in clients))
            yield Row(group, what, middle(new), middle(old), compared(new, old), budget=1.1)
        for client in clients:
            client.close()


def calling(base: str) -> Iterator[Row]:
    """CPU time of calls, with and without what makes them end well."""
    body = payload.body(1)
    id_ = json.loads(body)["data"][0]["id"]
    times = calls.cpu_of_finds(base, id_)
    group = "CPU of a find over loopback (median of 12 rounds of 400)"
    for what, ours, bare in (
        ("client : httpx2 and orjson alone", "ours", "bare"),
        (f"the same, asynchronous, {calls.TASKS} tasks", "ours in tasks", "bare in tasks"),
    ):
        ratio = calls.median_ratio(times[ours], times[bare])
        shown = [f"{statistics.median(times[name]):.0f} us" for name in (ours, bare)]
        yield Row(group, what, *shown, ratio)
    times = calls.cpu_in_process(json.dumps({"data": json.loads(body)["data"][0]}).encode(), id_)
    group = "CPU of a find without a socket (median of 12 rounds of 2,000)"
    plain = times["max_retries=0"]
    for what, one in times.items():
        shown = [f"{statistics.median(series):.1f} us" for series in (one, plain)]
        yield Row(group, f"{what} : max_retries=0", *shown, calls.median_ratio(one, plain))


def iterating() -> Iterator[Row]:
    """An iteration over many pages, against what the rate limit allows."""
    found = calls.iterate()
    bound = found["requests"] / calls.RATE
    group = f"iteration over {calls.RECORDS:,} DIDs, {calls.PAGE} a page, {calls.LATENCY * 1000:.0f} ms each (once)"
    shown = (f"{found['seconds']:.1f} s", f"{bound:.1f} s")
    yield Row(group, f"iterate : {calls.RATE} requests/s", *shown, found["seconds"] / bound, budget=1.05)
    yield Row(group, "429 responses", f"{found['refused']:.0f}", "", found["refused"], "", 0)


def emulator() -> Iterator[Row]:
    """The engine, without a socket."""
    from didww._core.effects import Request
    from didww.emulator import Engine

    def get(engine: Engine, path: str) -> bytes:
        response = engine.handle(Request("GET", f"http://127.0.0.1/v3/{path}", {"Api-Key": KEY}))
        assert response.status == 200, (path, response.status, response.body)
        return response.body

    def fresh(path: str) -> bytes:
        return get(Engine(), path)

    group = "emulator engine, in process (medians)"
    for path in ("balance", "countries"):
        taken = statistics.median(alternately(9, partial(fresh, path))[0])
        yield Row(group, f"start and first GET /v3/{path}", ms(taken), "", taken * 1000, "ms", 150)

    engine = Engine()
    session = engine.session(KEY)
    groups = session.find("did_groups")
    trunks = [session.insert("voice_in_trunks", {"name": f"Trunk {index}"})["id"] for index in range(100)]
    now = session.stamp()
    settings = {
        "description": "Front desk",
        "blocked": False,
        "awaiting_registration": False,
        "terminated": False,
        "emergency_enabled": False,
        "capacity_limit": 10,
        "channels_included_count": 2,
        "dedicated_channels_count": 0,
        "created_at": now,
        "expires_at": now,
    }
    dids = [
        settings
        | {
            "id": session.new_id(),
            "number": f"{4420790000000 + number}",
            "did_group": groups[number % len(groups)]["id"],
            "voice_in_trunk": trunks[number % len(trunks)],
        }
        for number in range(OWNED)
    ]
    session.insert_many("dids", dids)

    def following(paths: Iterator[str]) -> bytes:
        return get(engine, next(paths))

    country = groups[0]["country"]
    for what, paths in (
        ("GET /v3/dids/<id>", [f"dids/{one['id']}" for one in dids[::37]]),
        ("GET /v3/countries/<id>", [f"countries/{one['id']}" for one in session.find("countries")]),
    ):
        turn = itertools.cycle(paths)
        taken = statistics.median(alternately(3000, partial(following, turn))[0])
        yield Row(group, what, f"{taken * 1e6:.0f} us", "", 1 / taken, "/s", 3000, least=True)

    # A write ahead of each page, or the engine would remember how many there are.
    ids = itertools.cycle(str(one["id"]) for one in dids)

    def write() -> None:
        session.update("dids", next(ids), {"description": "Front desk"})

    for what, value in (
        ("number", dids[OWNED // 2]["number"]),
        ("voice_in_trunk.id", trunks[0]),
        ("country.id", country),
        ("", ""),
    ):
        query = "page[size]=50" + (f"&filter[{what}]={value}" if what else "")
        found = json.loads(get(engine, f"dids?{query}"))["meta"]["total_records"]
        ask = partial(get, engine, f"dids?{query}")
        first = statistics.median(alternately(15, ask, before=write)[0])
        again = middle(alternately(15, ask)[0])
        label = f"page of 50 after a write: {what or 'no filter'}"
        yield Row(group, label, ms(first), f"{found:,} of {OWNED:,}; again {again}", first * 1000, "ms", 20)
    engine.close()


# The table


def rows() -> Iterator[Row]:
    with server() as base:
        yield from decoding(base)  # in a process as new as the other side's
        yield from finding(base)
        yield from calling(base)
        yield from memory(base)
    yield from versions()
    yield from starting()
    yield from commanding()
    yield from iterating()
    yield from emulator()
    yield from exporting()
    yield from reading()
    yield from datasets()
    yield from reporting()
    yield from asking()
    yield from receiving()
    yield from ringing()


def receiving() -> Iterator[Row]:
    """Callbacks as raw requests, each a new one; and a batch of call records."""
    from didww import (
        CallbackReceiver,
        CallbackVerifier,
        CallEventVerifier,
        InboundCdr,
        MemoryStore,
        OrderCallback,
        SqliteStore,
        sign_callback,
    )

    group, url = "callbacks received (medians)", "https://hooks.example.com/didww"
    verifier = CallbackVerifier(secrets=[KEY], public_url=url)
    requests = itertools.cycle(
        [
            {"method": one.method, "url": "/didww", "headers": one.headers, "body": one.body.encode()}
            for one in (
                sign_callback(url, {"id": str(n), "type": "orders", "status": "completed"}, secret=KEY)
                for n in range(6000)
            )
        ]
    )

    def verify() -> None:
        verifier.verify(**next(requests))

    taken = statistics.median(alternately(3000, verify)[0])
    yield Row(group, "verified and typed", f"{taken * 1e6:.0f} us", "", 1 / taken, "/s")
    with tempfile.TemporaryDirectory() as folder, SqliteStore(Path(folder) / "seen") as file:
        for what, store in (("in memory", MemoryStore()), ("in SQLite", file)):
            receiver = CallbackReceiver(verifier, store=store)
            receiver.on(OrderCallback)(lambda callback: callback.id)

            def handle(receiver: CallbackReceiver = receiver) -> None:
                assert receiver.handle(**next(requests)).status == 200

            taken = statistics.median(alternately(3000, handle)[0])
            yield Row(group, f"handled, remembered {what}", f"{taken * 1e6:.0f} us", "", 1 / taken, "/s")
    record = {"type": "inbound-cdr", "attributes": dict.fromkeys(InboundCdr._field_map, "0.25")}
    batch = gzip.compress(b"\n".join(json.dumps({"id": str(n), **record}).encode() for n in range(1000)))
    stream, headers = CallEventVerifier(unprotected=True), {"Content-Encoding": "gzip"}

    def read() -> None:
        for one in stream.verify(method="POST", url="", headers=headers, body=batch):
            assert isinstance(one, InboundCdr)
            _ = one.time_start, one.duration, one.did_number, one.tf_amount

    taken = statistics.median(alternately(20, read)[0])
    yield Row(group, "a batch of 1,000 records, packed", ms(taken), "", 1000 / taken, "/s")


def ringing() -> Iterator[Row]:
    """SIP calls to SIPp, in a process of its own, if it is installed."""
    if shutil.which("sipp") is None:
        return
    command = [sys.executable, str(HERE / "sip_calls.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    for name, found in json.loads(done.stdout).items():
        group = f"{found['calls']:,} SIP calls, {found['most']} at once ({name.replace('_', ' ')}, once)"
        counted = min(found["reports"], found["records"], found["sipp"])
        yield Row(
            group, "in reports, call records and SIPp", f"{counted:,}", "", counted, "", found["calls"], least=True
        )
        per_call = found["cpu"] / found["calls"] * 1000
        yield Row(group, "CPU of a call", f"{per_call:.1f} ms", "", per_call, "ms", 20)
        yield Row(group, "peak of the process", f"{found['peak']:.0f} MiB", "", found["peak"], "MiB", 300)


def exporting() -> Iterator[Row]:
    """Call records by the million, made, packed, sent, received and written in one process."""
    command = [sys.executable, str(HERE / "exports.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    found = json.loads(done.stdout)
    group = f"export of {found['rows']:,} call records (once)"
    speed = found["rows"] / found["seconds"]
    yield Row(group, "made and downloaded", f"{found['seconds']:.1f} s", "", speed, "/s")
    yield Row(group, "peak of the process", f"{found['peak']:.0f} MiB", "", found["peak"], "MiB", 150)


def reading() -> Iterator[Row]:
    """Call records of an export, compressed, in a process of its own."""
    command = [sys.executable, str(HERE / "call_records.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    found = json.loads(done.stdout)
    ours, others = found["ours"], found["dictionaries"]
    group = f"{found['rows']:,} call records of a .csv.gz (median of {len(ours)})"
    speed = found["rows"] / statistics.median(ours)
    yield Row(group, "read_calls", middle(ours), "", speed, "/s")
    yield Row(group, "read_calls : csv.DictReader", middle(ours), middle(others), compared(ours, others), budget=1)
    yield Row(group, "peak of the process", f"{found['peak']:.0f} MiB", "", found["peak"], "MiB", 60)


def reporting() -> Iterator[Row]:
    """A report over millions of call records, in a process of its own."""
    command = [sys.executable, str(HERE / "call_report.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    found = json.loads(done.stdout)
    group = f"report over {found['rows']:,} call records (once)"
    yield Row(group, "page written", f"{found['seconds']:.1f} s", "", found["rows"] / found["seconds"], "/s")
    longest, seconds = max(found["questions"].items(), key=lambda item: item[1])
    yield Row(group, f"longest question: {longest}", f"{seconds:.1f} s", "")
    yield Row(group, "size of the page", f"{found['bytes']:,} bytes", "", found["bytes"] / 1e6, "MB", 1)
    yield Row(group, "peak of the process", f"{found['peak']:.0f} MiB", "", found["peak"], "MiB")


def datasets() -> Iterator[Row]:
    """Call records converted to a dataset, in a process of its own."""
    command = [sys.executable, str(HERE / "call_dataset.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    found = json.loads(done.stdout)
    (name, ours), *others = found["times"].items()
    group = f"{found['rows']:,} call records of a .csv.gz to Parquet (median of {len(ours)})"
    yield Row(group, name, middle(ours), "", found["rows"] / statistics.median(ours), "/s")
    for place, (other, seconds) in enumerate(others):
        ratio = compared(ours, seconds)
        yield Row(group, f"{name} : {other}", middle(ours), middle(seconds), ratio, budget=None if place else 1)
    yield Row(group, "then cost by trunk, in SQL", ms(found["answer"]), "", found["rows"] / found["answer"], "/s")
    group = f"{found['large']:,} call records to Parquet (once)"
    yield Row(group, name, f"{found['large_seconds']:.1f} s", "", found["large"] / found["large_seconds"], "/s")
    yield Row(group, "peak of the process", f"{found['peak']:.0f} MiB", "", found["peak"], "MiB", 1024)


def asking() -> Iterator[Row]:
    """The same questions about millions of call records on DuckDB and Spark, in a process of its own."""
    command = [sys.executable, str(HERE / "call_engines.py")]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", env=environment())
    found = json.loads(done.stdout)
    group = f"{found['rows']:,} call records, DuckDB : local Spark (once)"
    for question, seconds in found["seconds"].items():
        ours, spark = seconds["DuckDB"], seconds.get("Spark")
        ratio = None if spark is None else ours / spark
        against = "not installed" if spark is None else f"{spark:.1f} s"
        yield Row(group, question, f"{ours:.1f} s", against, ratio)


def figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if not unit:
        return f"{value:.0f}"
    if unit == "/s":
        return f"{value:,.0f} /s"
    return f"{value:.2f} x" if unit == "x" else f"{value:.1f} {unit}"


def show(found: list[Row]) -> None:
    lines = [("", "ours", "against", "result", "budget", "")]
    for row in found:
        budget = "" if row.budget is None else f"{'>=' if row.least else '<='} {row.budget:g} {row.unit}"
        verdict = {None: "", True: "holds", False: "MISSED"}[row.holds]
        lines.append((row.what, row.ours, row.against, figure(row.value, row.unit), budget, verdict))
    widths = [max(len(line[column]) for line in lines) for column in range(6)]

    def line(cells: tuple[str, ...]) -> str:
        texts = [
            f"{cells[0]:<{widths[0]}}",
            *(f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return f"  {'  '.join(texts)}".rstrip()

    print(line(lines[0]))
    for group, members in itertools.groupby(zip(found, lines[1:], strict=True), key=lambda pair: pair[0].group):
        print(f"\n{group}")
        for _, cells in members:
            print(line(cells))


def main() -> None:
    if importlib.util.find_spec("orjson") is None:
        python("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "orjson>=3.10")
        importlib.invalidate_caches()
    started = time.perf_counter()
    about = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    found = list(rows())
    seconds = time.perf_counter() - started
    print(f"{about}; all measured in one run, alternately; {seconds:.0f} s\n")
    results = [asdict(row) | {"holds": row.holds} for row in found]
    RESULTS.write_text(
        json.dumps({"about": about, "seconds": round(seconds, 1), "rows": results}, indent=2) + "\n", encoding="utf-8"
    )
    show(found)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["emulator"]:
            serve_emulator()
        case ["bare"]:
            serve_bare()
        case ["held", address]:
            held(address)
        case _:
            main()
