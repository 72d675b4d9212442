"""Ask for a missing option in a terminal; without one, say which option to pass."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, TypeVar

import click

from didww.cli.regulation import people, uploads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from didww.cli.session import Session

__all__ = ["MAX_CHOICES", "choose", "file", "is_possible", "text"]

MAX_CHOICES: Final = 30

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
    for number, each in enumerate(records, 1):
        session.say(f"{number:>3}  {label(each)}")
    number = click.prompt(question, type=click.IntRange(1, len(records)), err=True)
    return records[number - 1]


def text(question: str) -> str:
    """Ask for a text."""
    return str(click.prompt(question, err=True))


def file(question: str) -> Path:
    """Ask for the path of a file."""
    path: Path = click.prompt(f"{question}, file", type=uploads.FILE, err=True)
    return path
