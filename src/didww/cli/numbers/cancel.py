"""`didww numbers cancel` and `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import exit_codes, lookups, parameters
from didww.cli.dry_run import DryRunError
from didww.cli.framework import Command
from didww.cli.numbers.routes import Route
from didww.cli.output import print_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["cancel", "restore"]

_INCLUDE = ("voice_in_trunk", "voice_in_trunk_group")


@click.command(
    cls=Command,
    changes=True,
    examples=("didww numbers cancel +442079460001", "didww numbers cancel +442079460001 --now"),
)
@parameters.numbers_argument
@click.option("--now", is_flag=True, help="Release the numbers at once. This cannot be undone.")
@click.pass_obj
def cancel(session: Session, number_texts: tuple[str, ...], now: bool) -> None:
    """Cancel numbers at the end of the period that is paid.

    Until then they work, and `didww numbers restore` keeps them. With --now they are released at once: calls to them
    fail, the rest of the period is lost, and others can buy them.
    """
    dids = _dids(session, number_texts)
    waiting = [did for did in dids if now or not did.terminated]
    for did in dids:
        if did not in waiting:
            session.say(f"{did.number} is canceled already, {_until(did)}.")
    if not waiting:
        return
    lines = [f"{did.number} ({Route.current(did)}) {_loss(session, did) if now else _until(did)}" for did in waiting]
    verb = "Release" if now else "Cancel"
    session.confirm(*lines, question=f"{verb} {_count(waiting)}{' now, for good' if now else ''}?")
    if now:
        report = session.client.dids().delete_many(waiting)
        _finish(session, report, waiting, "released")
    else:
        _terminate(session, waiting, terminated=True)


@click.command(cls=Command, changes=True, examples=("didww numbers restore +442079460001",))
@parameters.numbers_argument
@click.pass_obj
def restore(session: Session, number_texts: tuple[str, ...]) -> None:
    """Keep numbers that were canceled and whose paid period has not ended. They are renewed again."""
    dids = _dids(session, number_texts)
    canceled = [did for did in dids if did.terminated]
    for did in dids:
        if did not in canceled:
            session.say(f"{did.number} is not canceled.")
    if canceled:
        lines = [f"{did.number} will be renewed on {did.expires_at:%Y-%m-%d}" for did in canceled]
        session.confirm(*lines, question=f"Restore {_count(canceled)}?")
        _terminate(session, canceled, terminated=False)


def _dids(session: Session, texts: Sequence[str]) -> list[Did]:
    if not texts:
        raise click.UsageError("Pass at least one number.")
    return lookups.dids(session.client, texts, include=_INCLUDE)


def _count(dids: Sequence[Did]) -> str:
    return f"{len(dids)} number{'' if len(dids) == 1 else 's'}"


def _until(did: Did) -> str:
    return "ends with its period" if did.expires_at is None else f"ends on {did.expires_at:%Y-%m-%d}"


def _loss(session: Session, did: Did) -> str:
    if did.expires_at is None:
        return "is released at once"
    days = max(0, (did.expires_at - session.now()).days)
    return f"is released at once: {days} paid day{'' if days == 1 else 's'} lost"


def _terminate(session: Session, dids: Sequence[Did], *, terminated: bool) -> None:
    from didww.resources.did import Did

    report = session.client.dids().update_many([Did.build(did.id, terminated=terminated) for did in dids])
    _finish(session, report, dids, "canceled" if terminated else "restored")


def _finish(session: Session, report: Any, dids: Sequence[Did], done: str) -> None:
    """Print what became of each number.

    Raises:
        Exit: Some failed.
    """
    if any(isinstance(item.error, DryRunError) for item in report.items):
        return
    rows: list[dict[str, Any]] = [
        {
            "number": did.number,
            "result": done if item.state == "done" else item.state,
            "ends": did.expires_at if done != "released" else None,
            "error": str(item.error) if item.error is not None else None,
        }
        for did, item in zip(dids, report.items, strict=True)
    ]
    print_rows(session.settings, rows, ("number", "result", "ends", "error") if not report.complete else _DONE)
    if not report.complete:
        raise click.exceptions.Exit(exit_codes.OUTCOME_UNKNOWN if report.unknown else exit_codes.PARTLY_DONE)


_DONE = ("number", "result", "ends")
