"""CallSink: what is acknowledged is on disk, and in the dataset once."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from didww import CallbackReceiver, CallbackVerifier, DidwwClientError, InboundCdr, InvalidValueError
from didww.callback.call_events import call_event_of
from didww.cdr import CallDataset, CallSink
from didww.cdr.spool import Spool
from support.streamed import deliver, inbound, outbound, receiver, request


def rows(folder: Path) -> list[dict[str, Any]]:
    """The rows of the dataset, in order of time."""
    names = "account, direction, month, call_id, attempt, time_start, cost, extra"
    return (
        CallDataset(folder).sql(f"SELECT {names} FROM calls ORDER BY time_start, attempt").to_arrow_table().to_pylist()
    )


def ids(folder: Path) -> list[tuple[str, int | None]]:
    """Call ID and attempt of all rows, in order."""
    return sorted((row["call_id"], row["attempt"] or 0) for row in rows(folder))


def spooled(folder: Path) -> int:
    """Number of lines in the spool."""
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.jsonl") if "rejected" not in path.name)


def events(*records: dict[str, Any]) -> list[Any]:
    return [call_event_of(record) for record in records]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "calls"


def test_streamed_records_are_in_the_dataset(folder: Path) -> None:
    """Records of both directions and of two months are in their partitions, with typed values."""
    with CallSink(folder, account="main") as sink:
        app = receiver()
        sink.attach(app)
        assert deliver(app, inbound(1), inbound(1, attempt=2), outbound(12)).status == 200
    found = rows(folder)
    assert [(row["account"], row["direction"], row["month"]) for row in found] == [
        ("main", "inbound", "2026-10"),
        ("main", "inbound", "2026-10"),
        ("main", "outbound", "2026-11"),
    ]
    assert [(row["call_id"], row["attempt"]) for row in found] == [("in-1", 1), ("in-1", 2), ("out-12", None)]
    assert [row["cost"] for row in found] == [Decimal("0.003"), Decimal("0.003"), Decimal("0.012")]
    assert found[0]["time_start"] == datetime(2026, 10, 31, 23, 51, 0, 250000, UTC)
    assert json.loads(found[0]["extra"]) == {"id": "id-1-1"}
    assert spooled(folder.parent) == 0


def test_acknowledged_records_survive_the_process(folder: Path) -> None:
    """The response is 200 once the records are in the spool; if the process ends then, the next sink adds them."""
    sink = CallSink(folder)
    app = receiver()
    sink.attach(app)
    assert deliver(app, inbound(1), outbound(2)).status == 200
    assert spooled(folder.parent) == 2
    assert rows(folder) == []
    sink._let_go()  # as the system does with the locks of a killed process
    CallSink(folder).close()
    assert ids(folder) == [("in-1", 1), ("out-2", 0)]
    assert spooled(folder.parent) == 0


def test_repeated_records_are_added_once(folder: Path) -> None:
    """A record that is sent again, to the same sink or another one, is in the dataset once."""
    for _ in range(2):
        with CallSink(folder) as sink:
            app = receiver()
            sink.attach(app)
            deliver(app, inbound(1), outbound(2))
            sink.flush()
            other = receiver()
            sink.attach(other)  # of another process, or after its store forgot
            assert deliver(other, outbound(2), inbound(3), inbound(1)).status == 200
    assert ids(folder) == [("in-1", 1), ("in-3", 1), ("out-2", 0)]


def test_records_without_any_id_are_added_once(folder: Path) -> None:
    """Without call ID and ID, equal records are the same record."""
    record = outbound(1, call_id=None)
    del record["id"]
    for _ in range(2):
        with CallSink(folder) as sink:
            sink.write(events(record, record))
            sink.flush()
            sink.write(events(record))
    assert [row["call_id"] for row in rows(folder)] == [None]


def test_records_are_added_when_they_are_many(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With `max_rows` records in the spool, they are added in the background."""
    added = threading.Event()
    dataset = Watched(folder, added.set)
    with CallSink(dataset, spool=folder.parent / "spool", max_rows=3) as sink:
        sink.write(events(inbound(1), inbound(2)))
        assert not added.is_set()
        sink.write(events(inbound(3), inbound(4)))
        assert added.wait(60)
        sink.write(events(inbound(5)))
    assert len(ids(folder)) == 5
    assert not caplog.records


def test_records_are_added_when_they_are_old(folder: Path) -> None:
    """`max_age` after the first record, they are added in the background."""
    added = threading.Event()
    dataset = Watched(folder, added.set)
    with CallSink(dataset, spool=folder.parent / "spool", max_age=timedelta(milliseconds=20)) as sink:
        sink.write(events(inbound(1)))
        assert added.wait(60)
        added.clear()
        sink.write(events(inbound(2)))
        assert added.wait(60)


class Watched(CallDataset):
    """A dataset that tells when records were added, and can fail."""

    def __init__(self, path: Any, told: Any, failures: Iterator[Exception] | None = None) -> None:
        super().__init__(path)
        self.told = told
        self.failures = failures or iter(())

    def append(self, source: Any, **options: Any) -> Any:
        for error in self.failures if source else ():
            raise error
        appended = super().append(source, **options)
        if source:
            self.told()
        return appended


def test_failure_of_the_dataset_is_tried_again(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """If the dataset cannot be written, the error is logged, records are still accepted, and nothing is lost."""
    logged = threading.Event()
    handler = logging.Handler()
    handler.emit = lambda record: logged.set()  # type: ignore[method-assign]
    logging.getLogger("didww.cdr").addHandler(handler)
    failures = iter([DidwwClientError("The disk is full.")])
    dataset = Watched(folder, lambda: None, failures)
    try:
        with CallSink(dataset, spool=folder.parent / "spool", max_rows=1) as sink:
            sink.write(events(inbound(1)))
            assert logged.wait(60)
            sink.write(events(inbound(2)))
    finally:
        logging.getLogger("didww.cdr").removeHandler(handler)
    assert "stay in the spool" in caplog.text
    assert ids(folder) == [("in-1", 1), ("in-2", 1)]


def test_failure_at_the_end_is_raised_and_nothing_is_lost(folder: Path) -> None:
    """`close` raises what keeps records from the dataset; the next sink adds them."""
    dataset = Watched(folder, lambda: None, iter([DidwwClientError("The disk is full.")]))
    sink = CallSink(dataset, spool=folder.parent / "spool")
    sink.write(events(inbound(1)))
    with pytest.raises(DidwwClientError, match="The disk is full"):
        sink.close()
    added = threading.Event()
    with CallSink(Watched(folder, added.set), spool=folder.parent / "spool"):
        assert added.wait(60)  # without any new record
    assert ids(folder) == [("in-1", 1)]


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_first_and_last_times(folder: Path, start: str) -> None:
    """A start at the end of all times is a record like others."""
    with CallSink(folder) as sink:
        sink.write(events(outbound(1), outbound(2, time_start=start)))
        assert sink.flush() == 2
        assert sink.rejected == ()


class Refusing(CallDataset):
    """Refuses one record."""

    def append(self, source: Any, **options: Any) -> Any:
        if any(record.call_id == "in-2" for record in source):
            raise InvalidValueError("A value does not fit its column: too large", field="source")
        return super().append(source, **options)


def test_refused_record_is_set_aside(folder: Path) -> None:
    """A record that the dataset refuses is set aside, and those with it are added."""
    with CallSink(Refusing(folder), spool=folder.parent / "spool") as sink:
        sink.write(events(*map(inbound, range(1, 6))))
        assert sink.flush() == 4
        (path,) = sink.rejected
    (line,) = path.read_text("utf-8").splitlines()
    assert json.loads(line)["record"]["local_tag"] == "in-2"
    assert "too large" in json.loads(line)["error"]


class Failing(Refusing):
    """Fails with one record."""

    def append(self, source: Any, **options: Any) -> Any:
        try:
            return super().append(source, **options)
        except InvalidValueError:
            raise DidwwClientError("A bug.") from None


def test_file_that_fails_does_not_stop_others(folder: Path) -> None:
    """The files behind it are added, of this process and of one that ended; it stays in the spool."""
    spool = folder.parent / "spool"
    left = CallSink(Failing(folder), spool=spool)
    left.write(events(inbound(2)))
    with pytest.raises(DidwwClientError, match="A bug"):
        left.close()
    sink = CallSink(Failing(folder), spool=spool)
    for number in (2, 3):
        sink.write(events(inbound(number)))
        sink._seal()
    with pytest.raises(DidwwClientError, match="A bug"):
        sink.close()
    assert ids(folder) == [("in-3", 1)]
    assert spooled(spool) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_forked_process_keeps_no_spool_file(tmp_path: Path) -> None:
    """A file that was open when a process was forked can be taken over when its writer lets it go."""
    spool = Spool(tmp_path)
    file = spool.create()
    shared = os.dup(file._descriptor)  # as a forked process has it
    file.let_go()
    (taken,) = spool.abandoned()
    taken.let_go()
    os.close(shared)


def test_full_disk_is_not_acknowledged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the spool cannot be written, the response is 500, and DIDWW sends the records again."""
    with CallSink(folder) as sink:
        app = receiver()
        sink.attach(app)
        assert deliver(app, inbound(1)).status == 200

        def full(*_: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            assert deliver(app, inbound(2)).status == 500
        assert deliver(app, inbound(2), inbound(3)).status == 200
    assert ids(folder) == [("in-1", 1), ("in-2", 1), ("in-3", 1)]


def test_what_is_no_call_record_is_set_aside(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A record without a start is acknowledged, as it would block the others, and kept with the reason."""
    with CallSink(folder) as sink:
        app = receiver()
        sink.attach(app)
        assert deliver(app, inbound(1), inbound(2, time_start=None), outbound(3, price="free")).status == 200
        sink.flush()
        (path,) = sink.rejected
        kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [line["error"] for line in kept] == [
            "time_start is missing: a call record must have a start.",
            "price must be a number, got 'free'.",
        ]
        assert f"2 streamed records are not call records. See {path}." in caplog.text
        corrected = kept[0]["record"]
        corrected["time_start"] = "2026-10-31 23:59:00"
        sink.write([corrected])
    assert ids(folder) == [("in-1", 1), ("in-2", 1)]


def test_damaged_lines_are_set_aside(folder: Path) -> None:
    """Lines that a broken disk left are kept as they are; the others are added."""
    sink = CallSink(folder)
    sink.write(events(inbound(1)))
    (path,) = (folder.parent / "calls.spool").rglob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'\0\0\0\n{"type": "inbound-cdr", \xff}\n[1]\n')
    sink.close()
    assert ids(folder) == [("in-1", 1)]
    (rejected,) = sink.rejected
    assert [json.loads(line)["record"] for line in rejected.read_text("utf-8").splitlines()] == [
        "\0\0\0",
        '{"type": "inbound-cdr", \\xff}',
        [1],
    ]


def test_accounts_share_a_dataset(folder: Path) -> None:
    """Records that a killed process left keep their account, even if a sink of another account is next."""
    first = CallSink(folder, account="a.b")
    first.write(events(inbound(1)))
    first._let_go()
    with CallSink(folder, account="c") as second:
        second.write(events(inbound(1)))
    CallSink(folder, account="a.b").close()
    assert sorted(row["account"] for row in rows(folder)) == ["a.b", "c"]


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_share_a_sink_and_sinks_share_a_spool(folder: Path, workers: int) -> None:
    """Several threads with two sinks deliver overlapping batches: every record is there once."""
    sinks = [CallSink(folder, max_rows=7), CallSink(folder, max_rows=5)]
    start = threading.Barrier(workers)
    failures: list[Exception] = []

    def work(worker: int) -> None:
        try:
            start.wait()
            for batch in range(6):
                first = 3 * (batch + worker)
                sinks[worker % 2].write(events(*(inbound(number) for number in range(first, first + 6))))
        except Exception as error:  # noqa: BLE001 shown by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sink in sinks:
        sink.close()
    assert not failures
    assert ids(folder) == sorted((f"in-{number}", 1) for number in range(3 * (workers + 4) + 6))
    assert spooled(folder.parent) == 0


def test_asyncio_receiver(folder: Path) -> None:
    """Concurrent requests of an asynchronous server are written in threads; closing does not block the loop."""

    async def main() -> list[int]:
        async with CallSink(folder, max_rows=10) as sink:
            app = receiver()
            sink.attach(app)
            responses = await asyncio.gather(
                *(app.handle_async(**request([inbound(number), outbound(number)])) for number in range(20))
            )
        return [response.status for response in responses]

    assert asyncio.run(main()) == [200] * 20
    assert len(ids(folder)) == 40


def test_server_shuts_down(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An ASGI server tells the receiver, and the sink adds what it has; an error does not keep the server from ending."""
    sent: list[str] = []

    async def shut_down(app: CallbackReceiver) -> None:
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(messages)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app.asgi()({"type": "lifespan"}, receive, send)

    dataset = Watched(folder, lambda: None, iter([DidwwClientError("The disk is full.")]))
    sink = CallSink(dataset, spool=folder.parent / "spool")
    app = receiver()
    sink.attach(app)
    deliver(app, inbound(1))
    for expected in (0, 1):
        asyncio.run(shut_down(app))
        assert len(ids(folder)) == expected
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"] * 2
    assert "The disk is full" in caplog.text
    sink.close()


def test_over_http(folder: Path) -> None:
    """A batch sent to a server, as DIDWW sends it, is in the dataset."""
    with CallSink(folder) as sink:
        app = receiver()
        sink.attach(app)
        with app.served() as address:
            sent = request([inbound(number) for number in range(1000)])
            headers = {**sent["headers"], "Content-Type": "text/plain", "User-Agent": "CDR-streamer"}
            response = requests.post(f"{address}/calls", data=sent["body"], headers=headers, timeout=60)
            assert (response.status_code, response.text) == (200, "ok")
    assert len(ids(folder)) == 1000


def test_closed_sink_refuses_records(folder: Path) -> None:
    """After `close`, records are refused, so that DIDWW sends them again; closing again does nothing."""
    sink = CallSink(folder)
    app = receiver()
    sink.attach(app)
    sink.close()
    sink.close()
    assert deliver(app, inbound(1)).status == 500
    with pytest.raises(DidwwClientError, match="closed"):
        sink.write(events(inbound(1)))
    assert rows(folder) == []


@pytest.mark.parametrize(
    ("options", "field"),
    [({"max_rows": 0}, "max_rows"), ({"max_age": timedelta(0)}, "max_age"), ({"account": ""}, "account")],
)
def test_wrong_arguments(folder: Path, options: Any, field: str) -> None:
    """Limits must be positive."""
    with pytest.raises(InvalidValueError) as caught:
        CallSink(folder, **options)
    assert caught.value.field == field


def test_spool_is_required_without_a_local_path(folder: Path) -> None:
    """A dataset in an object store has no folder beside it."""
    from pyarrow import fs

    store = fs._MockFileSystem()
    dataset = CallDataset("bucket/calls", filesystem=store)
    with pytest.raises(InvalidValueError, match="spool"):
        CallSink(dataset)
    with CallSink(dataset, spool=folder) as sink:
        sink.write(events(inbound(1)))
    assert len(dataset.sql("SELECT * FROM calls").fetchall()) == 1


def test_only_records_can_be_written(folder: Path) -> None:
    """Anything else is refused, and nothing of that call is written."""
    with CallSink(folder) as sink:
        with pytest.raises(InvalidValueError, match="records must be InboundCdr or OutboundCdr, got str"):
            sink.write([*events(inbound(1)), "in-2"])  # type: ignore[list-item]
        for value in (10**5000, "\ud800", object()):
            with pytest.raises(InvalidValueError, match="values of JSON") as caught:
                sink.write([*events(inbound(1)), outbound(1) | {"price": value}])
            assert caught.value.field == "records"
        sink.write([])
    assert rows(folder) == []
    with pytest.raises(InvalidValueError, match="never arrives here"):
        sink.attach(CallbackReceiver(CallbackVerifier(secrets=["test-callback-secret"])))
    taken = receiver()
    taken.on(InboundCdr)(print)
    with pytest.raises(InvalidValueError, match="already has a handler"):
        sink.attach(taken)
