"""Ask for a missing option in a terminal; without one, say which option to pass."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from didww.cli.regulation import people, uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from didww.cli.session import Session

__all__ = ["choose", "file", "is_possible", "text"]

T = TypeVar("T")


def is_possible(session: Session) -> bool:
    """Return whether there is a terminal to ask at, and asking is wanted."""
    return sys.stdin.isatty() and not session.settings.yes


def choose(session: Session, option: str, question: str, records: Sequence[T], label: Callable[[T], str]) -> T:
    """Return the only record, or let the person choose one.

    Raises:
        UsageError: There is no terminal to ask at.
    """
    if len(records) == 1:
        return records[0]
    if not is_possible(session) or not records:
        raise click.UsageError(f"Pass {option}. There are: {people.candidates(records, label)}.")
    session.say(f"{question}:")
    for number, each in enumerate(records, 1):
        session.say(f"{number:>3}  {label(each)}")

    def chosen(text: Any) -> T:
        number = str(text).strip()
        if not number.isdecimal() or not 1 <= int(number) <= len(records):
            raise click.UsageError(f"Type a number from 1 to {len(records)}.")
        return records[int(number) - 1]

    record: T = click.prompt("Number", value_proc=chosen, err=True)
    return record


def text(question: str) -> str:
    """Ask for a text."""
    return str(click.prompt(question, err=True))


def file(question: str) -> Path:
    """Ask for the path of a file."""
    path: Path = click.prompt(f"{question}, file", type=uploads.FILE, err=True)
    return path
