"""Write the records of CDR streaming to a dataset: durable before they are acknowledged, and each once."""

from __future__ import annotations

import logging
import os
import time
import weakref
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from threading import Condition, RLock, Thread
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from didww.callback.call_events import InboundCdr, OutboundCdr
from didww.cdr.dataset import CallDataset, checked_account
from didww.cdr.spool import Spool, SpoolFile
from didww.cdr.streamed import record_of
from didww.exceptions import DidwwClientError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from didww.callback.receiver import CallbackReceiver
    from didww.resources.call import CallRecord

__all__ = ["CallSink"]

log = logging.getLogger("didww.cdr")

_RETRY: Final = 60.0
"""Seconds until records that could not be added to the dataset are tried again."""


_OF_RECORDS: Final = ("source", "time_start", "time_connect", "time_end", "extra")
"""Fields of errors about the records themselves."""


class CallSink:
    """Writes records of CDR streaming to a dataset of call records, each once.

    Records are acknowledged when they are in a file on disk (the spool). In the background, they are added to the
    dataset when there are `max_rows` of them, when the first is `max_age` old, and when the sink is closed. A record
    that DIDWW sends again is not added again: records have the same key in the dataset, their call ID and attempt.

    If the process is killed, the next sink with the same spool adds what it left behind, in the background. Several
    threads, and several processes on one machine, can use one spool and one dataset.

    What is not a call record, such as one without a start, is set aside in files of the spool (`rejected`), and logged.

    Args:
        dataset: The dataset, or the path of its folder; created if missing.
        account: Name of the account, a partition of the dataset: letters, digits, `.`, `_` and `-`.
        spool: Local folder for acknowledged records; not on a network drive. Defaults to a folder beside the dataset,
            with `.spool` after its name. A spool belongs to one dataset.
        max_rows: Number of records after which they are added to the dataset, at least 1. Each addition writes a file
            for each month and direction.
        max_age: Age of the first record at which they are added to the dataset.

    Raises:
        InvalidValueError: An argument is not valid, or the dataset is not local and `spool` is missing.
        DidwwClientError: The spool cannot be written.

    Example:
        >>> import tempfile
        >>> from didww import CallbackReceiver, CallEventVerifier
        >>> from didww.cdr import CallSink
        >>> receiver = CallbackReceiver(CallEventVerifier(headers={"X-Auth-Token": "test-token"}))
        >>> body = b'{"type": "outbound-cdr", "id": "1", "attributes": {"time_start": "2026-11-19T08:30:00Z"}}'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with CallSink(f"{folder}/calls") as sink:
        ...         sink.attach(receiver)
        ...         receiver.handle(method="POST", url="/", headers={"X-Auth-Token": "test-token"}, body=body)
        ...     sink.dataset.sql("SELECT direction, call_id FROM calls").fetchall()
        CallbackResponse(status=200, body='ok')
        [('outbound', '1')]
    """

    def __init__(
        self,
        dataset: CallDataset | str | PathLike[str],
        *,
        account: str = "default",
        spool: str | PathLike[str] | None = None,
        max_rows: int = 20_000,
        max_age: timedelta = timedelta(minutes=10),
    ) -> None:
        if max_rows < 1:
            raise InvalidValueError(f"max_rows must be at least 1, got {max_rows}.", field="max_rows")
        if max_age <= timedelta(0):
            raise InvalidValueError(f"max_age must be positive, got {max_age}.", field="max_age")
        self.dataset = dataset if isinstance(dataset, CallDataset) else CallDataset(dataset)
        self.account = account
        self._max_rows = max_rows
        self._max_age = max_age.total_seconds()
        self._spool = Spool(_spool_folder(self.dataset, spool) / f"account={checked_account(account)}")
        self._clock = time.monotonic
        self._file: SpoolFile | None = None  # the one that is being written
        self._due = 0.0  # when its records are to be added
        self._full: list[SpoolFile] = []  # to be added to the dataset
        self._retry = 0.0  # when that is tried again after a failure
        self._closed = False
        self._changed = Condition(RLock())  # held while the state changes; notified after each change
        self._draining = RLock()  # held while records are added to the dataset
        self._thread: Thread | None = None
        self._left = self._spool.has_files()  # perhaps of processes that ended
        _sinks.add(self)
        if self._left:
            with self._changed:
                self._start()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dataset!r}, account={self.account!r})"

    @property
    def rejected(self) -> tuple[Path, ...]:
        """Files of what is not a call record: JSON lines, each an object with `error` and `record`.

        Delete a file once you have looked at it. `write` also takes records that you have corrected.
        """
        return self._spool.rejected()

    def attach(self, receiver: CallbackReceiver) -> None:
        """Register the sink as the handler of a receiver for `InboundCdr` and `OutboundCdr`.

        When a server of `receiver.asgi()` shuts down, the sink adds its records to the dataset.

        Raises:
            InvalidValueError: The receiver has a handler for one of them, or receives other callbacks.
        """
        receiver.on_batch(InboundCdr, OutboundCdr)(self.write)
        receiver._at_shutdown.append(self.flush)

    def write(self, records: Iterable[InboundCdr | OutboundCdr | Mapping[str, Any]]) -> None:
        """Write records to the spool, and return when they are on disk.

        It may be called from several threads. From a coroutine, call it in a thread.

        Args:
            records: Records of CDR streaming, or the results of their `to_dict()`.

        Raises:
            InvalidValueError: One is neither; nothing was written.
            DidwwClientError: The disk is full or not writable, or the sink is closed; nothing was written.
        """
        lines = [_line(record) for record in records]
        if not lines:
            return
        with self._changed:
            if self._closed:
                raise DidwwClientError("The sink is closed. Create another one to write more records.")
            if self._file is None:
                self._file = self._spool.create()
                self._due = self._clock() + self._max_age
            try:
                self._file.write(lines)
            except OSError as error:
                self._seal()  # what was acknowledged before stays in it
                raise DidwwClientError(
                    f"Cannot write to the spool {self._spool.folder}: {error.strerror or error}."
                ) from None
            if self._file.lines >= self._max_rows:
                self._seal()
            self._start()

    def flush(self) -> int:
        """Add all records of the spool to the dataset now; return the number of new ones.

        Raises:
            DidwwClientError: They cannot be added. They stay in the spool.
        """
        with self._changed:
            self._seal()
        return self._drain()

    def close(self) -> None:
        """Add all records of the spool to the dataset, and refuse more; a `with` block does so at its end.

        Raises:
            DidwwClientError: They cannot be added. They stay in the spool, for the next sink.
        """
        with self._changed:
            self._closed = True
            self._seal()
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()
        try:
            self._drain()
        finally:
            self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        import anyio
        import anyio.to_thread

        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.close)

    def _start(self) -> None:
        """Let the background thread look for work; start it if there is none."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name="didww-call-sink", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _seal(self) -> None:
        """End the current file."""
        with self._changed:
            if self._file is not None:
                self._full.append(self._file)
                self._file = None

    def _drain(self) -> int:
        """Add the files that ended, and those that other processes left behind, to the dataset."""
        rows = 0
        failure: Exception | None = None
        with self._draining:
            with self._changed:
                files = list(self._full)
            for file in files:
                try:
                    rows += self._add(file)
                except Exception as error:  # noqa: BLE001 raised below; the other files do not wait for this one
                    failure = failure or error
                    continue
                with self._changed:
                    self._full.remove(file)
            for file in self._spool.abandoned():
                try:
                    rows += self._add(file)
                except Exception as error:  # noqa: BLE001 the same
                    failure = failure or error
                finally:
                    file.let_go()
            if failure is not None:
                raise failure
            self._left = False
        return rows

    def _add(self, file: SpoolFile) -> int:
        """Add the records of a file to the dataset, and delete it. If it was interrupted, it can be repeated."""
        records: list[CallRecord] = []
        rejected: list[bytes] = []
        try:
            lines = file.read()
        except FileNotFoundError:
            log.exception("The spool file %s was deleted by another program. Its records are lost.", file.path)
            return 0
        kept: list[bytes] = []
        for line in lines:
            try:
                records.append(record_of(_fields_in(line)))
                kept.append(line)
            except InvalidValueError as error:
                rejected.append(_rejection(line, error))
        rows = self._append(records, kept, rejected)
        if rejected:
            path = file.set_aside(rejected)
            log.error("%d streamed records are not call records. See %s.", len(rejected), path)
        file.delete()
        return rows

    def _append(self, records: Sequence[CallRecord], lines: Sequence[bytes], rejected: list[bytes]) -> int:
        """Add records to the dataset; those that it refuses are rejected, and not all others with them."""
        try:
            return self.dataset.append(records, account=self.account).rows
        except InvalidValueError as error:
            if error.field not in _OF_RECORDS:
                raise
            if len(records) <= 1:
                rejected.extend(_rejection(line, error) for line in lines)
                return 0
        half = len(records) // 2
        parts = (slice(half), slice(half, None))
        return sum(self._append(records[part], lines[part], rejected) for part in parts)

    def _work(self) -> None:
        """Add records to the dataset when they are many or old enough, until none is waiting or the sink is closed."""
        while True:
            with self._changed:
                now = self._clock()
                if self._file is not None and now >= self._due:
                    self._seal()
                ready = self._left or bool(self._full)
                wake = self._retry if ready else self._due
                if self._closed or (self._file is None and not ready):
                    self._thread = None
                    return
                if wake > now:
                    self._changed.wait(wake - now)
                    continue
            try:
                self._drain()
            except Exception:
                log.exception("Cannot add call records to the dataset. They stay in the spool, and are tried again.")
                self._retry = self._clock() + _RETRY

    def _let_go(self) -> None:
        """Unlock all files; what they hold stays on disk."""
        for file in self._files():
            file.let_go()
        self._full, self._file = [], None

    def _files(self) -> list[SpoolFile]:
        return [*self._full, *filter(None, (self._file,))]

    def _after_fork(self) -> None:
        """Start anew in a child process: files, their locks and the thread belong to the parent."""
        self._changed, self._draining, self._thread = Condition(RLock()), RLock(), None
        for file in self._files():
            file.forget()
        self._full, self._file = [], None


_sinks: weakref.WeakSet[CallSink] = weakref.WeakSet()


def _after_fork() -> None:
    for sink in list(_sinks):
        sink._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _spool_folder(dataset: CallDataset, spool: str | PathLike[str] | None) -> Path:
    if spool is not None:
        return Path(spool)
    local = dataset._store.local
    if local is None:
        raise InvalidValueError(
            "spool is required, as the dataset is not in a folder of this machine: pass the path of a local folder.",
            field="spool",
        )
    return local.with_name(f"{local.name}.spool")


def _line(record: object) -> bytes:
    """Return the line of the spool for a record; equal records have equal lines."""
    if isinstance(record, (InboundCdr, OutboundCdr)):
        record = record.to_dict()
    if not isinstance(record, Mapping):
        raise InvalidValueError(
            f"records must be InboundCdr or OutboundCdr, got {type(record).__name__}.", field="records"
        )
    try:
        return msgspec.json.encode(record, order="deterministic")
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        reason = str(error)
    raise InvalidValueError(f"records must have values of JSON: {reason}", field="records")


def _fields_in(line: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.MsgspecError:  # a disk that lost what it had confirmed
        raise InvalidValueError("The line is not a JSON object.", field="type") from None


def _rejection(line: bytes, error: InvalidValueError) -> bytes:
    try:
        record: Any = msgspec.json.decode(line)
    except msgspec.MsgspecError:
        record = line.decode(errors="backslashreplace")
    return msgspec.json.encode({"error": str(error), "record": record})
