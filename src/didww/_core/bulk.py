"""Writing many records: several at a time within the rate limit, each by itself, with a report that is always there.

A call works through the items with a few workers that go on beside each other. What becomes of each item stands in the
report from the moment that it happens; so whatever ends the call, it says what was done, what not, and what is open.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar, cast

from didww._core.effects import Join, Start, callback
from didww._schema.resource import Resource
from didww._util.coerce import Slotted, is_uuid, whole_number
from didww._util.text import shown
from didww.exceptions import (
    ApiConnectionError,
    BulkError,
    DidwwError,
    InvalidValueError,
    ServerError,
    UnexpectedResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww._core.effects import Call, Started
    from didww._core.response import ApiResponse

__all__ = ["CONCURRENCY", "Item", "Report", "State", "work_through"]

CONCURRENCY: Final = 4
"""Items processed at once by default."""

R = TypeVar("R")
State: TypeAlias = Literal["waiting", "sending", "done", "failed", "unknown"]


class Item(Slotted, Generic[R]):
    """One of the things to do, and what became of it.

    Attributes:
        index: Its position among the items, from 0.
        input: The record to write; for deletions, the record or its id.
        state: `waiting`; `sending`: a request of it was begun, and has no outcome (yet); `done`; `failed`: certainly
            not done; `unknown`: the response was lost, and it may have been done.
        data: The record as the service has it; None after a deletion, and while it is not done.
        error: Why it is not done.
    """

    __slots__ = ("data", "error", "index", "input", "state")

    def __init__(self, index: int, input: R) -> None:
        self.index = index
        self.input = input
        self.state: State = "waiting"
        self.data: R | None = None
        self.error: DidwwError | None = None

    def __repr__(self) -> str:
        error = f", error={self.error!r}" if self.error is not None else ""
        return f"Item({self.index}, {self.state}{error})"


class Report(Generic[R]):
    """What became of many items, in the order in which they were given; true at every moment, from any thread.

    Make one and pass it as `report=` to have it when the call is interrupted, too.

    Attributes:
        items: The items that were taken from the iterable so far.
        total: How many there will be; None if that is not known before the end.

    Example:
        >>> from didww import Report
        >>> from didww.emulator import Emulator
        >>> client = Emulator().client()
        >>> report = Report()
        >>> client.dids().update_many([], report=report) is report
        True
        >>> report
        Report(done=0)
    """

    def __init__(self) -> None:
        self.items: list[Item[R]] = []
        self.total: int | None = None

    def having(self, *states: State) -> list[Item[R]]:
        """The items in one of these states."""
        return [item for item in self.items if item.state in states]

    @property
    def data(self) -> list[R | None]:
        """The records as the service has them now, one for each item; None where there is none."""
        return [item.data for item in self.items]

    @property
    def done(self) -> list[Item[R]]:
        """The items that were done."""
        return self.having("done")

    @property
    def failed(self) -> list[Item[R]]:
        """The items that were certainly not done; `error` says why."""
        return self.having("failed")

    @property
    def unknown(self) -> list[Item[R]]:
        """The items that may have been done: their response was lost, or the call was interrupted meanwhile."""
        return self.having("unknown", "sending")

    @property
    def remaining(self) -> list[R]:
        """What was given and certainly not done, to be given to another call."""
        return [item.input for item in self.having("waiting", "failed")]

    @property
    def complete(self) -> bool:
        """Whether everything was done."""
        return all(item.state == "done" for item in self.items)

    def raise_for_failures(self) -> None:
        """Nothing, if everything was done.

        Raises:
            BulkError: Something was not; its `report` is this one, its cause the first error.
        """
        if self.complete:
            return
        error = next((item.error for item in self.items if item.error is not None), None)
        first = f" First error: {error}" if error is not None else ""
        failure = BulkError(f"Not everything was done: {self._counts()}.{first}", report=self)
        raise failure from error

    def _counts(self) -> str:
        states: tuple[State, ...] = ("done", "failed", "unknown", "sending", "waiting")
        counts = {state: len(self.having(state)) for state in states}
        return ", ".join(f"{state}={number}" for state, number in counts.items() if number or state == "done")

    def __repr__(self) -> str:
        return f"Report({self._counts()})"


class _Work(Generic[R]):
    """What the workers of one call share."""

    def __init__(self, given: Iterable[R], report: Report[R], *, distinct: bool) -> None:
        self.report = report
        self.stopped = False
        self._given: Iterator[R] = iter(given)
        self._lock = threading.RLock()
        self._distinct = distinct
        self._seen: set[str] = set()

    def notify(self, progress: Callable[[Report[Any]], object], report: Report[Any]) -> object:
        """Call `progress`, one worker after the other."""
        with self._lock:
            return progress(report)

    def next(self) -> Item[R] | None:
        """The next item; None if there is none, or no more are wanted."""
        with self._lock:
            while not self.stopped:
                try:
                    given = next(self._given)
                except StopIteration:
                    break
                except BaseException:
                    self.stopped = True
                    raise
                item = Item[R](len(self.report.items), given)
                self.report.items.append(item)
                id = given.id if isinstance(given, Resource) else str(given) if is_uuid(given) else given
                if self._distinct and isinstance(id, str):
                    if id in self._seen:
                        item.state = "failed"
                        item.error = InvalidValueError(f"{id} is given twice; it is written once.", field="records")
                        continue
                    self._seen.add(id)
                return item
        return None


def work_through(
    given: Iterable[Any],
    one: Callable[[Any], Call[ApiResponse[Any]]],
    *,
    concurrency: int,
    stop_on_error: bool,
    report: Report[Any] | None,
    progress: Callable[[Report[Any]], object] | None,
    distinct: bool,
) -> Call[Report[Any]]:
    """Run `one` for each of `given` and return the report.

    Args:
        given: Records, or ids.
        one: Makes the call for one of them.
        concurrency: How many to do at once.
        stop_on_error: Whether to begin nothing new after the first that was not done.
        report: The report to fill. Defaults to a new one.
        progress: Called with the report after each.
        distinct: Whether each record may be there once only.
    """
    _check(given, concurrency, report, progress)
    report = Report() if report is None else report
    report.total = len(cast("Any", given)) if hasattr(given, "__len__") else None
    return _work_through(_Work(given, report, distinct=distinct), one, concurrency, stop_on_error, progress)


def _work_through(
    work: _Work[Any],
    one: Callable[[Any], Call[ApiResponse[Any]]],
    concurrency: int,
    stop_on_error: bool,  # noqa: FBT001 handed through
    progress: Callable[[Report[Any]], object] | None,
) -> Call[Report[Any]]:
    workers: list[Started] = []
    most = concurrency if work.report.total is None else min(concurrency, work.report.total)
    try:
        for _ in range(most):
            workers.append((yield Start(_worker(work, one, stop_on_error, progress))))  # noqa: PERF401 each is an effect
        for worker in workers:
            yield Join(worker)
    except BaseException as error:
        # What was begun is brought to its end, so that the report tells what became of it; then the error goes on.
        work.stopped = True
        with contextlib.suppress(AttributeError):  # an exception of another library may have slots
            cast("Any", error).report = work.report
            error.add_note("What was done, and what may have been, is in the `report` of this error.")
        for worker in workers:
            try:
                yield Join(worker)
            except Exception:  # noqa: BLE001, S112 the first one counts
                continue
        raise
    work.report.total = len(work.report.items)
    return work.report


def _worker(
    work: _Work[Any],
    one: Callable[[Any], Call[ApiResponse[Any]]],
    stop_on_error: bool,  # noqa: FBT001 handed through
    progress: Callable[[Report[Any]], object] | None,
) -> Call[None]:
    while (item := work.next()) is not None:
        item.state = "sending"
        try:
            response = yield from one(item.input)
            item.data, item.state = response.data, "done"
        except DidwwError as error:
            item.error, item.state = error, "failed" if _certain(error) else "unknown"
            work.stopped = work.stopped or stop_on_error
        if progress is not None:
            yield callback(partial(work.notify, progress), work.report)


def _certain(error: DidwwError) -> bool:
    """Whether nothing was done, certainly."""
    if error.outcome_unknown or isinstance(error, (ServerError, UnexpectedResponseError)):
        return False
    return not (isinstance(error, ApiConnectionError) and error.request_sent)


def _check(given: object, concurrency: object, report: object, progress: object) -> None:
    if isinstance(given, (str, bytes, Mapping, Resource)) or not isinstance(given, Iterable):
        kind = type(cast("object", given)).__name__
        raise InvalidValueError(f"records is a list or another iterable, not {kind}.", field="records")
    if not 1 <= (whole_number(concurrency) or 0) <= 100:
        raise InvalidValueError(
            f"concurrency must be a whole number from 1 to 100, got {shown(concurrency)}. 1 sends one at a time.",
            field="concurrency",
        )
    if report is not None and (not isinstance(report, Report) or cast("Report[Any]", report).items):
        raise InvalidValueError("report is a new Report(); make one for each call.", field="report")
    if progress is not None and not callable(progress):
        raise InvalidValueError("progress is a function of the report.", field="progress")
