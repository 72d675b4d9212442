"""Write many records with a few concurrent workers, one request per record, within the rate limit.

The report is updated after every request, so it is accurate even when the call is interrupted.
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
    """One item of a bulk operation and its outcome.

    Attributes:
        index: Position of the item in the input, starting at 0.
        input: The record to write; for deletions, the record or its id.
        state: `waiting`: not started; `sending`: a request was started and has no outcome yet; `done`; `failed`: not
            done; `unknown`: the response was lost, and the server may have processed the request.
        data: The record returned by the service; None after a deletion and until the item is done.
        error: The error of a failed item, or of one whose outcome is unknown.
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
    """The outcome of a bulk operation, item by item in input order. Always current and safe to read from any thread.

    Create one and pass it as `report=` to keep it when the call is interrupted.

    Attributes:
        items: The items taken from the iterable so far.
        total: Number of items; None until the end if the iterable has no length.

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
        """Return the items in any of these states."""
        return [item for item in self.items if item.state in states]

    @property
    def data(self) -> list[R | None]:
        """The records returned by the service, one for each item; None for items without one."""
        return [item.data for item in self.items]

    @property
    def done(self) -> list[Item[R]]:
        """The items that succeeded."""
        return self.having("done")

    @property
    def failed(self) -> list[Item[R]]:
        """The items that failed and changed nothing; see `error` of each."""
        return self.having("failed")

    @property
    def unknown(self) -> list[Item[R]]:
        """The items that may have been processed: the response was lost, or the call was interrupted."""
        return self.having("unknown", "sending")

    @property
    def remaining(self) -> list[R]:
        """The input of all items that were not started or failed. Pass it to another call to try again."""
        return [item.input for item in self.having("waiting", "failed")]

    @property
    def complete(self) -> bool:
        """Whether all items succeeded."""
        return all(item.state == "done" for item in self.items)

    def raise_for_failures(self) -> None:
        """Raise an error unless all items succeeded.

        Raises:
            BulkError: An item did not succeed. Its `report` is this report; its cause is the first error.
        """
        if self.complete:
            return
        error = next((item.error for item in self.items if item.error is not None), None)
        first = f" First error: {error}" if error is not None else ""
        failure = BulkError(f"Not all items succeeded: {self._counts()}.{first}", report=self)
        raise failure from error

    def _counts(self) -> str:
        states: tuple[State, ...] = ("done", "failed", "unknown", "sending", "waiting")
        counts = {state: len(self.having(state)) for state in states}
        return ", ".join(f"{state}={number}" for state, number in counts.items() if number or state == "done")

    def __repr__(self) -> str:
        return f"Report({self._counts()})"


class _Work(Generic[R]):
    """The state shared by the workers of one call."""

    def __init__(self, inputs: Iterable[R], report: Report[R], *, distinct: bool) -> None:
        self.report = report
        self.stopped = False
        self._inputs: Iterator[R] = iter(inputs)
        self._lock = threading.RLock()
        self._distinct = distinct
        self._seen: set[str] = set()

    def notify(self, progress: Callable[[Report[Any]], object], report: Report[Any]) -> object:
        """Call `progress`, for one worker at a time."""
        with self._lock:
            return progress(report)

    def next(self) -> Item[R] | None:
        """Return the next item, or None at the end or after a stop."""
        with self._lock:
            while not self.stopped:
                try:
                    input = next(self._inputs)
                except StopIteration:
                    break
                except BaseException:
                    self.stopped = True
                    raise
                item = Item[R](len(self.report.items), input)
                self.report.items.append(item)
                id = input.id if isinstance(input, Resource) else str(input) if is_uuid(input) else input
                if self._distinct and isinstance(id, str):
                    if id in self._seen:
                        item.state = "failed"
                        item.error = InvalidValueError(
                            f"records must be distinct, got {id} twice. It is written only once.", field="records"
                        )
                        continue
                    self._seen.add(id)
                return item
        return None


def work_through(
    inputs: Iterable[Any],
    perform: Callable[[Any], Call[ApiResponse[Any]]],
    *,
    concurrency: int,
    stop_on_error: bool,
    report: Report[Any] | None,
    progress: Callable[[Report[Any]], object] | None,
    distinct: bool,
) -> Call[Report[Any]]:
    """Run `perform` for each input and return the report.

    Args:
        inputs: Records or ids.
        perform: Makes the call for one input.
        concurrency: Number of requests in flight at once.
        stop_on_error: Whether to start no further items after the first error.
        report: The report to fill. Defaults to a new one.
        progress: Called with the report after each item.
        distinct: Whether a repeated record is an error.
    """
    _check(inputs, concurrency, report, progress)
    report = Report() if report is None else report
    report.total = len(cast("Any", inputs)) if hasattr(inputs, "__len__") else None
    return _work_through(_Work(inputs, report, distinct=distinct), perform, concurrency, stop_on_error, progress)


def _work_through(
    work: _Work[Any],
    perform: Callable[[Any], Call[ApiResponse[Any]]],
    concurrency: int,
    stop_on_error: bool,  # noqa: FBT001 passed through
    progress: Callable[[Report[Any]], object] | None,
) -> Call[Report[Any]]:
    workers: list[Started] = []
    count = concurrency if work.report.total is None else min(concurrency, work.report.total)
    try:
        for _ in range(count):
            workers.append((yield Start(_worker(work, perform, stop_on_error, progress))))  # noqa: PERF401 each is an effect
        for worker in workers:
            yield Join(worker)
    except BaseException as error:
        # Let the running requests finish, so that the report has their outcome, then re-raise.
        work.stopped = True
        with contextlib.suppress(AttributeError):  # an exception of another library may have slots
            cast("Any", error).report = work.report
            error.add_note("The `report` attribute of this error lists what was done and what may have been done.")
        for worker in workers:
            try:
                yield Join(worker)
            except Exception:  # noqa: BLE001, S112 only the first error is raised
                continue
        raise
    work.report.total = len(work.report.items)
    return work.report


def _worker(
    work: _Work[Any],
    perform: Callable[[Any], Call[ApiResponse[Any]]],
    stop_on_error: bool,  # noqa: FBT001 passed through
    progress: Callable[[Report[Any]], object] | None,
) -> Call[None]:
    while (item := work.next()) is not None:
        item.state = "sending"
        try:
            response = yield from perform(item.input)
            item.data, item.state = response.data, "done"
        except DidwwError as error:
            item.error, item.state = error, "failed" if _certain(error) else "unknown"
            work.stopped = work.stopped or stop_on_error
        if progress is not None:
            yield callback(partial(work.notify, progress), work.report)


def _certain(error: DidwwError) -> bool:
    """Return whether the error rules out that the request was processed."""
    if error.outcome_unknown:
        return False
    if error._unsent:
        return True
    if isinstance(error, (ServerError, UnexpectedResponseError)):
        return False
    return not (isinstance(error, ApiConnectionError) and error.request_sent)


def _check(inputs: object, concurrency: object, report: object, progress: object) -> None:
    if isinstance(inputs, (str, bytes, Mapping, Resource)) or not isinstance(inputs, Iterable):
        kind = type(cast("object", inputs)).__name__
        raise InvalidValueError(
            f"records must be a list or another iterable, got {kind}. Wrap a single record in a list.", field="records"
        )
    if not 1 <= (whole_number(concurrency) or 0) <= 100:
        raise InvalidValueError(
            f"concurrency must be a whole number from 1 to 100, got {shown(concurrency)}. 1 sends one at a time.",
            field="concurrency",
        )
    if report is not None and (not isinstance(report, Report) or cast("Report[Any]", report).items):
        raise InvalidValueError(
            f"report must be an empty Report, got {shown(cast('object', report))}. "
            "Create a new Report() for each call.",
            field="report",
        )
    if progress is not None and not callable(progress):
        raise InvalidValueError(
            f"progress must be a function that takes the report, got {type(progress).__name__}.", field="progress"
        )
