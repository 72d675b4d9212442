"""Limiters shared between processes, with real processes and a real Redis, and their errors."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from didww import AsyncDidwwClient, DidwwClient
from didww.emulator import Emulator
from didww.exceptions import ApiTimeoutError, DidwwClientError, InvalidValueError
from didww.rate_limit import shared
from didww.rate_limit.local import Permit
from didww.rate_limit.shared import RedisLimiter, SqliteLimiter
from support.real_time import patient, seconds
from support.scripted_transport import AsyncScripted, Scripted, json_response
from support.servers import dead_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "redis-p4ssword"
BALANCE = {"data": {"type": "balances", "id": "1", "attributes": {}}}

PROGRAM = """
import json, os, sys, threading, time
from didww.rate_limit.shared import RedisLimiter, SqliteLimiter

kind, where, rate, what, seconds, folder = sys.argv[1:]
limiter = {"sqlite": SqliteLimiter, "redis": RedisLimiter}[kind](where, float(rate))
seconds = float(seconds)

def hammer(got):
    while time.monotonic() < end:
        before = time.monotonic()
        turn = limiter.acquire(60)
        if turn.granted:
            got.append((before, time.monotonic()))
        else:
            time.sleep(turn.wait)

def threads():
    got = [], []
    made = [threading.Thread(target=hammer, args=(one,)) for one in got]
    for thread in made:
        thread.start()
    return got, made

def finish(got, made):
    for thread in made:
        thread.join()
    with open(os.path.join(folder, f"{os.getpid()}.json"), "w") as file:
        json.dump(got, file)

print("ready", flush=True)
sys.stdin.readline()
if what == "slow_down":
    limiter.slow_down(seconds)
    sys.exit()
end = time.monotonic() + seconds
mine = threads()
child = os.fork() if hasattr(os, "fork") else None
if child == 0:
    finish(*threads())
    os._exit(0)
finish(*mine)
if child:
    os.waitpid(child, 0)
"""


class Store(NamedTuple):
    """Where limiters meet: a file, or an address."""

    kind: str
    where: str

    def limiter(self, rate: float = 20) -> SqliteLimiter | RedisLimiter:
        return SqliteLimiter(self.where, rate) if self.kind == "sqlite" else RedisLimiter(self.where, rate)

    def run(self, programs: int, rate: float, what: str, seconds: float, folder: Path) -> None:
        """Run so many programs, which begin at the same time."""
        command = [sys.executable, "-c", PROGRAM, self.kind, self.where, str(rate), what, str(seconds), str(folder)]
        with contextlib.ExitStack() as stack:
            started = [
                stack.enter_context(
                    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
                )
                for _ in range(programs)
            ]
            stack.callback(lambda: [one.kill() for one in started])
            for one in started:
                assert one.stdout is not None
                assert one.stdout.readline() == "ready\n"
            for one in started:
                assert one.stdin is not None
                one.stdin.write("go\n")
                one.stdin.close()
            assert [one.wait(120) for one in started] == [0] * programs


class Watched:
    """Keeps for each turn of a limiter when it was asked for, and when it was told."""

    blocking = True

    def __init__(self, limiter: SqliteLimiter | RedisLimiter) -> None:
        self._limiter = limiter
        self.moments: list[tuple[float, float]] = []
        self.slow_down = limiter.slow_down

    def acquire(self, timeout: float) -> Permit:
        before = time.monotonic()
        turn = self._limiter.acquire(timeout)
        if turn.granted:
            self.moments.append((before, time.monotonic()))
        return turn


class RedisServer:
    """A redis-server on a free port of the loopback interface, with a password, that keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        self._command = [program, "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--save", "", "--dir", str(folder)]
        self.port = dead_port()
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        import redis

        self._process = subprocess.Popen([*self._command, "--port", str(self.port)], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    assert time.monotonic() < end
                    time.sleep(0.02)
                else:
                    return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here")
    server = RedisServer(program, tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return Store("sqlite", str(tmp_path / "turns.sqlite"))
    server: RedisServer = request.getfixturevalue("redis_server")
    redis_of(server.url).flushall()
    return Store("redis", server.url)


def redis_of(url: str) -> Any:
    import redis

    return redis.Redis.from_url(url)


def most_in_a_second(moments: list[tuple[float, float]]) -> int:
    """How many turns were certainly handed out within less than a second: each was between asking and being told."""
    return max(sum(1 for before, after in moments if before >= start and after < start + 1.0) for start, _ in moments)


def closest(moments: list[tuple[float, float]]) -> float:
    """The most seconds that can have been between the two turns that were closest."""
    pairs = itertools.pairwise(sorted(moments))
    return min(max(one[1] - other[0], other[1] - one[0]) for one, other in pairs)


@pytest.mark.slow
def test_all_processes_share_one_rate(store: Store, tmp_path: Path) -> None:
    """With four processes of two threads, the rate holds, everyone gets a share, and the store does not grow."""
    rate, seconds = 100, 1.6
    store.run(2, rate, "hammer", seconds, tmp_path)
    processes = [json.loads(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.json")]
    assert len(processes) == (4 if hasattr(os, "fork") else 2)
    moments = [(moment[0], moment[1]) for process in processes for thread in process for moment in thread]
    assert most_in_a_second(moments) <= rate
    assert closest(moments) >= 1 / rate - 0.001  # of a clock that counts milliseconds
    assert all(thread for process in processes for thread in process)
    shares = [sum(map(len, process)) for process in processes]
    assert min(shares) >= len(moments) / len(shares) / 4
    if store.kind == "sqlite":
        assert Path(store.where).stat().st_size <= 8192
    else:
        client = redis_of(store.where)
        assert [(client.hlen(key), client.pttl(key) <= 70_000) for key in client.scan_iter()] == [(1, True)]


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_clients_sharing_a_store_share_one_rate(store: Store, kind: str) -> None:
    """Two clients, threads or tasks have their own limiters over the same store."""
    with Emulator() as emulator:
        limiters = [Watched(store.limiter(40)) for _ in range(2)]
        if kind == "sync":
            clients = [emulator.client(rate_limit=one) for one in limiters]
            threads = [threading.Thread(target=lambda one=one: one.balance().find()) for one in clients * 6]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:

            async def main() -> None:
                clients = [emulator.async_client(rate_limit=one) for one in limiters]
                await asyncio.gather(*(one.balance().find() for one in clients * 6))

            asyncio.run(main())
    moments = [moment for one in limiters for moment in one.moments]
    assert len(moments) == 12
    assert max(after for _, after in moments) - min(before for before, _ in moments) >= 11 / 40


def test_acquire_grants_a_permit_or_a_retry_time(store: Store) -> None:
    """The time is not before the next permit, not long after it, and not the same for everyone."""
    limiter = store.limiter(0.2)
    assert limiter.acquire(60) == Permit(0.0, granted=True)
    turns = [limiter.acquire(60) for _ in range(10)]
    assert not any(turn.granted for turn in turns)
    assert all(2 < turn.wait < 5.2 + 1.1 * place for place, turn in enumerate(turns, 1))
    assert len({turn.wait for turn in turns}) == 10
    assert limiter.acquire(0.1).wait > 0.1
    assert limiter.acquire(-0.001) == Permit(0.0, granted=False)


@patient
def test_slowdown_applies_to_all_processes(store: Store, tmp_path: Path) -> None:
    """Nobody gets a permit during the pause, and a shorter pause does not end a longer one."""
    limiter = store.limiter()
    while not limiter.acquire(60).granted:  # of another attempt
        time.sleep(0.01)
    begun = time.monotonic()
    store.run(1, 20, "slow_down", seconds(0.5), tmp_path)
    limiter.slow_down(0.01)
    limiter.slow_down(0)
    told = limiter.acquire(60)
    assert not told.granted
    assert told.wait <= seconds(0.6)
    while not (turn := limiter.acquire(60)).granted:
        time.sleep(turn.wait)
    assert time.monotonic() - begun >= seconds(0.5)
    limiter.slow_down(1e9)
    assert 59 < limiter.acquire(600).wait < 61


def test_clock_changes_do_not_block_for_long(store: Store) -> None:
    """A restart or a clock that is set back blocks nobody for longer than a minute."""
    limiter = store.limiter(0.5)
    limiter._take(86400.0, 5)
    assert limiter.acquire(5) == Permit(0.0, granted=True)
    assert not limiter.acquire(5).granted


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_limiter_slows_down_after_429(kind: str) -> None:
    """The event loop of an asynchronous client is not blocked by it, nor by waiting for permits."""
    called = []

    class Slow:
        blocking = True

        def acquire(self, timeout: float) -> Permit:
            called.append(("turn", threading.current_thread() is threading.main_thread()))
            return Permit(0.0, granted=True)

        def slow_down(self, seconds: float) -> None:
            called.append((seconds, threading.current_thread() is threading.main_thread()))

    script = (json_response(429, retry_after="0"), json_response(document=BALANCE))
    options: Any = {"base_url": "https://api.example.com/v3", "rate_limit": Slow()}
    if kind == "sync":
        DidwwClient("key", transport=Scripted(*script), **options).balance().find()
    else:

        async def main() -> None:
            await AsyncDidwwClient("key", transport=AsyncScripted(*script), **options).balance().find()

        asyncio.run(main())
    assert called == [("turn", kind == "sync"), (0.0, kind == "sync"), ("turn", kind == "sync")]


# Unusable stores


def no_folder(path: Path) -> None:
    path.parent.rmdir()


def other_file(path: Path) -> None:
    path.write_text("no database" * 1000, encoding="utf-8")


@pytest.mark.parametrize("spoil", [no_folder, other_file])
def test_unusable_file_is_named_in_the_error(tmp_path: Path, spoil: Any) -> None:
    """The error has the file, the reason and what to do; nothing is deleted."""
    path = tmp_path / "folder" / "turns.sqlite"
    path.parent.mkdir()
    spoil(path)
    limiter = SqliteLimiter(path)
    for use in (limiter.acquire, limiter.slow_down):
        with pytest.raises(DidwwClientError, match=rf"{path} cannot be used \(.*\).* folder.* delete it"):
            use(1)
    assert path.exists() == (spoil is other_file)


@pytest.mark.parametrize("kind", ["sync", "async"])
@patient
def test_permanently_locked_file_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """If the timeout comes first, that is the error; otherwise the error says how long it was locked and what to do."""
    limiter = SqliteLimiter(tmp_path / "turns.sqlite")
    holder = sqlite3.connect(limiter.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with Emulator() as emulator:

        def find() -> None:
            if kind == "sync":
                emulator.client(rate_limit=limiter, timeout=seconds(0.3)).balance().find()
            else:
                asyncio.run(found())

        async def found() -> None:
            await emulator.async_client(rate_limit=limiter, timeout=seconds(0.3)).balance().find()

        begun = time.monotonic()
        with pytest.raises(ApiTimeoutError, match="timed out waiting for the rate limiter"):
            find()
        assert time.monotonic() - begun < 30
        monkeypatch.setattr(shared, "PATIENCE", 0.1)
        with pytest.raises(
            DidwwClientError, match=rf"{limiter.path} has been locked for 0\.1 seconds\. Stop"
        ) as caught:
            find()
        assert not isinstance(caught.value, ApiTimeoutError)
        holder.execute("ROLLBACK")
        holder.close()
        find()


def told(error: pytest.ExceptionInfo[BaseException]) -> str:
    return "".join(traceback.format_exception(error.value)) + repr(error.value)


def test_unreachable_redis_is_named_without_its_password(redis_server: RedisServer) -> None:
    """The error has the URL, the reason and what to do; everything works again once Redis is back."""
    redis_of(redis_server.url).flushdb()
    limiter = RedisLimiter(redis_server.url, 1000)
    assert limiter.acquire(60).granted
    redis_of(redis_server.url).client_kill_filter(_type="normal", skipme=True)
    limiter.slow_down(0.001)  # as if nothing had happened
    assert repr(limiter) == f"RedisLimiter('127.0.0.1:{redis_server.port}', 1000, 'didww:limiter')"
    redis_server.stop()
    try:
        for use in (limiter.acquire, limiter.slow_down):
            with pytest.raises(
                DidwwClientError,
                match=rf"Redis at 127\.0\.0\.1:{redis_server.port} cannot be used \(ConnectionError: .*\)\. Check",
            ) as caught:
                use(1)
            assert PASSWORD not in told(caught)
    finally:
        redis_server.start()
    while not limiter.acquire(60).granted:
        time.sleep(0.001)
    wrong = RedisLimiter(redis_server.url.replace(PASSWORD, "wr0ng"))
    with pytest.raises(DidwwClientError, match=r"Authentication.*password") as caught:
        wrong.acquire(1)
    assert "wr0ng" not in told(caught)


def test_unresponsive_redis_does_not_block_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server accepts connections and stays silent."""
    from support.servers import Server, silent

    monkeypatch.setattr(shared, "REDIS_PATIENCE", 0.1)
    with Server(silent) as server:
        limiter = RedisLimiter(f"redis://127.0.0.1:{server.port}")
        begun = time.monotonic()
        with pytest.raises(DidwwClientError, match="TimeoutError"):
            limiter.acquire(60)
        assert time.monotonic() - begun < 30


def test_custom_redis_client_is_used(redis_server: RedisServer) -> None:
    """A `redis.Redis` is used unchanged; limiters with different names are independent."""
    client = redis_of(redis_server.url)
    client.flushall()
    first, again, other = (RedisLimiter(client, 0.1, name=name) for name in ("a", "a", "b"))
    assert [one.acquire(60).granted for one in (first, again, other)] == [True, False, True]
    assert PASSWORD not in repr(first)
    assert sorted(client.scan_iter()) == [b"a", b"b"]


def test_reason_with_a_password_is_omitted() -> None:
    """A custom client may put anything into its errors."""
    from redis.exceptions import ResponseError

    class Talkative:
        class connection_pool:  # noqa: N801 as redis calls it
            connection_kwargs = {"host": "192.0.2.1", "password": PASSWORD}  # noqa: RUF012

        def execute_command(self, *args: Any) -> Any:
            raise ResponseError(f"not this time: AUTH {PASSWORD}")

        def register_script(self, script: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(DidwwClientError, match=r"192\.0\.2\.1:6379 .*\(ResponseError\)") as caught:
        RedisLimiter(Talkative()).acquire(60)
    assert PASSWORD not in told(caught)


def asynchronous_redis() -> Any:
    from redis.asyncio import Redis

    return Redis()


@pytest.mark.parametrize(
    "make",
    [
        lambda: RedisLimiter("http://:p4ss@192.0.2.1"),
        lambda: RedisLimiter("redis://:p4ss/word@192.0.2.1:6379"),
        lambda: RedisLimiter(asynchronous_redis()),
        lambda: RedisLimiter(7),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        lambda: RedisLimiter("redis://192.0.2.1", 0),
        lambda: SqliteLimiter("turns.sqlite", -1),
    ],
)
def test_invalid_arguments_are_rejected(make: Any) -> None:
    """The error is raised immediately and shows no password."""
    with pytest.raises(InvalidValueError, match=r"redis\.Redis|above 0") as caught:
        make()
    assert "p4ss" not in told(caught).replace('"redis://:p4ss', "").replace('"http://:p4ss', "")


def test_missing_redis_package_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the command to run."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(DidwwClientError, match=r'pip install "didww-sdk\[redis\]"'):
        RedisLimiter("redis://192.0.2.1")


def test_shared_limits_are_imported_only_when_used() -> None:
    """Package and client load no limiter library, and the file limiter does not load redis."""
    code = "from didww import DidwwClient; import sys; DidwwClient('key'); print(*sys.modules)"
    code += "; import didww.rate_limit.shared; didww.rate_limit.shared.SqliteLimiter('x'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    client, limiter = (set(line.split()) for line in done.stdout.splitlines())
    assert not client & {"pyrate_limiter", "redis", "sqlite3"}
    assert "redis" not in limiter


def test_pickled_file_limiter_keeps_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of the working directory does not change the file."""
    monkeypatch.chdir(tmp_path)
    limiter = SqliteLimiter("turns.sqlite", 5)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    copy = pickle.loads(pickle.dumps(limiter))
    assert limiter.acquire(60).granted
    assert not copy.acquire(60).granted
    assert repr(copy) == repr(limiter) == f"SqliteLimiter({str(tmp_path / 'turns.sqlite')!r}, 5)"
