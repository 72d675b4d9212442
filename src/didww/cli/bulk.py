"""Change many records: plan, question, requests within the rate, and a file of results to go on from.

Each result is appended to the file as soon as it is known. When the command is repeated, the file and the service tell
what is done, so an interrupted run goes on, and nothing is done twice.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import Counter
from contextlib import contextmanager, nullcontext
from io import StringIO
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import click

from didww.cli import exit_codes
from didww.cli.output import csv_cell, print_rows
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import TextIO

    from didww._core.bulk import Item, Report
    from didww._schema.resource import Resource
    from didww.cli.session import Session
    from didww.exceptions import DidwwError

__all__ = ["Change", "plan_lines", "run"]

COLUMNS: Final = ("key", "status", "change", "error", "check")
DONE: Final = "done"
UNCHANGED: Final = "unchanged"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"

_MAX_LINES: Final = 20
"""Lines of a plan, and of errors."""


class Change(NamedTuple):
    """A record to change.

    Attributes:
        key: What identifies it for a person, such as a number; different for each record.
        record: The record with its new values assigned. It was loaded in this run, so that `differences` compares with
            the service.
        differences: Current and new value of each field, for a person, with secrets masked. Equal values: nothing is
            sent for this field.
        wanted: All that was requested, such as the cells of a row. Defaults to the new values. Only a digest is kept.
        secret: Whether it sets a secret. Then no digest is kept, and only the service tells whether it is done.
    """

    key: str
    record: Resource
    differences: Mapping[str, tuple[str, str]]
    wanted: str = ""
    secret: bool = False

    @property
    def needed(self) -> bool:
        """Whether the service has other values."""
        return any(before != after for before, after in self.differences.values())

    @property
    def text(self) -> str:
        """The change from what to what."""
        parts = (
            f"{name}: {before or 'none'} -> {after or 'none'}"
            for name, (before, after) in self.differences.items()
            if before != after
        )
        return ", ".join(parts)

    @property
    def check(self) -> str:
        """A digest of what was requested: a result counts only for the same change. Empty for a secret."""
        if self.secret:
            return ""
        wanted = self.wanted or repr({name: after for name, (_, after) in self.differences.items()})
        return hashlib.sha256(f"{self.record.id} {wanted}".encode()).hexdigest()[:16]


def run(
    session: Session,
    changes: Sequence[Change],
    *,
    result_file: str | None = None,
    question: str = "Make these changes?",
    what: str = "record",
    operation: str = "update_many",
) -> None:
    """Make changes, after showing them and asking.

    Args:
        session: The run of the command.
        changes: The changes, of records of one type.
        result_file: Path of the file with the results. If it exists and is not complete, the run that wrote it goes on.
            Defaults to no file; then the results are printed.
        question: The question.
        what: What a record is called, such as `number`.
        operation: The bulk operation of the client.

    Raises:
        Exit: Some changes failed, or their outcome is unknown.
        InvalidValueError: The result file cannot be used.
    """
    before = {} if result_file is None else _results(result_file)
    finished = bool(before) and all(before.get(change.check) in (DONE, UNCHANGED) for change in changes)
    if finished:
        before = {}  # this is another run, with a new file
    done = [change for change in changes if before.get(change.check) == DONE]
    others = [change for change in changes if before.get(change.check) != DONE]
    todo = [change for change in others if change.needed]
    equal = [change for change in others if not change.needed]
    if done:
        session.say(f"{_count(len(done), what)} done before, according to {result_file}.")
    if changed := [change.key for change in done if change.needed]:
        session.say(
            f"{_count(len(changed), what)} of these have changed since: {_some(changed)}. They are left alone; to "
            f"change them again, remove {result_file}."
        )
    if not todo:
        if equal and not session.settings.dry_run:
            with _open(result_file, new=finished) as results:
                results.write_equal(equal, before)
        if equal:
            session.say(f"Nothing to change: {_count(len(equal), what)} already as requested.")
        if result_file is None:
            rows = [{what: change.key, "status": UNCHANGED} for change in equal]
            print_rows(session.settings, rows, (what, "status"), more=("change", "error"))
        return
    already = f", {len(equal)} already as requested" if equal else ""
    plan = [f"{_count(len(todo), what)} to change{already}:", *plan_lines(todo)]
    session.confirm(*plan, question=question)
    if session.settings.dry_run:
        _call(session, operation, todo, lambda _: None, concurrency=1)
        return
    with _open(result_file, new=finished) as results:
        results.write_equal(equal, before)
        _send(session, operation, todo, results, what)
    _finish(session, todo, results, what)


def _send(session: Session, operation: str, todo: Sequence[Change], results: _Results, what: str) -> None:
    """Send the changes and write each result."""
    from didww._core.bulk import Report

    report = Report[Any]()
    with _progress(len(todo), what) as tell:

        def progress(report: Report[Any]) -> None:
            results.take(report.items, todo)
            tell(len(results.written))

        try:
            _call(session, operation, todo, progress, report=report)
        except BaseException as error:
            results.take(report.items, todo, ended=True)
            _remember(session, results, len(todo), what)
            if isinstance(error, KeyboardInterrupt):
                # Without the note for programmers that the client adds.
                raise KeyboardInterrupt from None
            raise


def _call(
    session: Session,
    operation: str,
    todo: Sequence[Change],
    progress: Callable[[Report[Any]], object],
    **options: Any,
) -> None:
    endpoint = getattr(session.client, type(todo[0].record)._path)()
    getattr(endpoint, operation)([change.record for change in todo], progress=progress, **options)


def _remember(session: Session, results: _Results, total: int, what: str) -> None:
    counts = results.counts
    session.known.append(f"{counts[DONE]} of {_count(total, what)} changed.{results.place}")
    if unknown := counts[UNKNOWN]:
        session.known.append(f"The outcome of {unknown} is unknown; they are checked when you go on.")
    session.advice.append("To go on, run the same command again: what is done is not sent again.")


def _finish(session: Session, todo: Sequence[Change], results: _Results, what: str) -> None:
    """Print the results and, if some are missing, leave with the exit code for it."""
    counts = results.counts
    order = {change.key: index for index, change in enumerate(todo)}  # responses arrive in another order
    written = sorted(results.written, key=lambda row: order.get(row["key"], 0))
    bad = [row for row in written if row["status"] != DONE]
    plain_table = session.settings.output == "table" and session.settings.query is None
    if not plain_table or results.path is None:
        rows = [{what: row["key"], **{name: row[name] or None for name in COLUMNS[1:-1]}} for row in written]
        names = (what, *(name for name in COLUMNS[1:-1] if name != "error" or bad or not plain_table))
        print_rows(session.settings, rows, names)
    elif bad:
        for row in bad[:_MAX_LINES]:
            session.say(f"  {row['key']} {row['status']}: {row['error']}")
        if len(bad) > _MAX_LINES:
            session.say(f"  ... and {len(bad) - _MAX_LINES} more.")
    if results.path is not None or bad:
        session.say(f"{counts[DONE]} of {_count(len(todo), what)} changed.{results.place}")
    if bad:
        session.say(
            f"{counts[FAILED]} failed, {counts[UNKNOWN]} with unknown outcome. To try them again, run the same command "
            "again: what is done is not sent again."
        )
        raise click.exceptions.Exit(results.code())


# The plan


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
    return f"{', '.join(keys[:3])}{more}"


def plan_lines(todo: Sequence[Change]) -> list[str]:
    """Return a line for each change; for many, a line for each kind of change."""
    if len(todo) <= _MAX_LINES:
        width = max(len(change.key) for change in todo)
        return [f"  {change.key:<{width}}  {change.text}" for change in todo]
    kinds = Counter(change.text for change in todo)
    keys: dict[str, list[str]] = {}
    for change in todo:
        keys.setdefault(change.text, []).append(change.key)
    width = len(str(len(todo)))
    lines = [f"  {number:>{width}}  {text} ({_some(keys[text])})" for text, number in kinds.most_common(_MAX_LINES)]
    rest = sum(number for _, number in kinds.most_common()[_MAX_LINES:])
    return [*lines, *([f"  ... and {rest} more."] if rest else [])]


@contextmanager
def _progress(total: int, what: str) -> Generator[Callable[[int], None]]:
    """Show on a terminal how many records have a result."""
    import sys

    from didww.cli.terminal import waiting

    with waiting(f"Changing {_count(total, what)}") if sys.stderr.isatty() else nullcontext() as tell:
        yield lambda number: tell(f"{number} of {total}") if tell is not None else None


# The result file


class _Results:
    """The result file, open for appending.

    Attributes:
        path: Its path; None for no file.
        written: The rows written by this run.
    """

    def __init__(self, path: str | None, file: TextIO) -> None:
        self.path = path
        self.written: list[dict[str, str]] = []
        self.errors: list[DidwwError] = []
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._taken: set[int] = set()
        self._first = 0
        self._ended = False
        self._lock = Lock()
        if path is None or file.tell() == 0:
            self._writer.writerow(COLUMNS)
            file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()

    def _write(self, change: Change, status: str, text: str, error: str = "") -> dict[str, str]:
        row = {"key": change.key, "status": status, "change": text, "error": error, "check": change.check}
        self._writer.writerow([csv_cell(row[name]) for name in COLUMNS])
        self._file.flush()
        return row

    def write_equal(self, changes: Sequence[Change], before: Mapping[str, str]) -> None:
        """Write that records are as requested: done, if the outcome was unknown."""
        for change in changes:
            earlier = before.get(change.check)
            if earlier != UNCHANGED:
                self._write(change, DONE if earlier == UNKNOWN else UNCHANGED, "")

    def take(self, items: Sequence[Item[Any]], changes: Sequence[Change], *, ended: bool = False) -> None:
        """Write the results that are not written yet.

        Args:
            items: The items of the report.
            changes: The change of each item.
            ended: Whether no more results arrive: a request without one has an unknown outcome.
        """
        with self._lock:
            if self._ended:  # a request that was in flight at the second Ctrl-C
                return
            self._ended = ended
            for item in items[self._first :]:
                state = UNKNOWN if item.state == "sending" and ended else item.state
                if item.index not in self._taken and state in (DONE, FAILED, UNKNOWN):
                    self._taken.add(item.index)
                    self._take(item, changes[item.index], state)
            while self._first in self._taken:
                self._taken.remove(self._first)
                self._first += 1

    def _take(self, item: Item[Any], change: Change, state: str) -> None:
        error = "" if item.error is None else " ".join(str(item.error).split())
        if item.error is not None:
            self.errors.append(item.error)
        elif state == UNKNOWN:
            error = "Interrupted before the response arrived."
        self.written.append(self._write(change, state, change.text, error))

    @property
    def place(self) -> str:
        """Where the results are, as a sentence."""
        return "" if self.path is None else f" Results: {self.path}"

    @property
    def counts(self) -> Counter[str]:
        """Number of results of this run by status."""
        return Counter(row["status"] for row in self.written)

    def code(self) -> int:
        """Return the exit code for results of which some are not done."""
        if self.counts[UNKNOWN]:
            return exit_codes.OUTCOME_UNKNOWN
        codes = {exit_codes.code_for(error, "PATCH") for error in self.errors}
        return codes.pop() if len(codes) == 1 and not self.counts[DONE] else exit_codes.PARTLY_DONE


def _open(path: str | None, *, new: bool) -> _Results:
    """Open a result file for appending, behind the last complete line: a run may have been killed while it wrote."""
    if path is None:
        return _Results(None, StringIO(newline=""))
    try:
        with open(path, "wb+" if new else "ab+") as content:  # noqa: PTH123
            if content.tell():
                content.seek(-1, os.SEEK_END)
                if content.read(1) != b"\n":
                    content.write(b"\n")
        file = open(path, "a", encoding="utf-8", newline="")  # noqa: PTH123, SIM115 closed by `_Results`
    except OSError as error:
        raise InvalidValueError(f"{path} cannot be written: {error.strerror}.", field="results") from None
    return _Results(path, file)


def _results(path: str) -> dict[str, str]:
    """Return the last status of each change of an earlier run, by its check."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123
            rows = csv.reader(file)
            if tuple(next(rows, COLUMNS)) == COLUMNS:
                return {row[-1]: row[1] for row in rows if len(row) == len(COLUMNS) and row[-1]}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidValueError(f"{path} cannot be read: {error}.", field="results") from None
    raise InvalidValueError(
        f"{path} is no result file of this command. Pass another file with --results.", field="results"
    )
