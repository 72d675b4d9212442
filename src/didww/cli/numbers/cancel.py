"""`didww numbers cancel` and `restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli import bulk, lookups, parameters
from didww.cli.framework import Command
from didww.cli.numbers.routes import Route, count

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
    from didww.resources.did import Did

    dids = _dids(session, number_texts)
    for did in dids:
        if did.terminated and not now:
            session.say(f"{did.number} is canceled already, {_until(did)}.")
    waiting = [did for did in dids if now or not did.terminated]
    if now:
        gone = [bulk.Change(did.number, did, {_name(did): (_loss(session, did), "released")}) for did in waiting]
        question = f"Release {count(waiting)} now, for good?"
        bulk.run(session, gone, question=question, what="number", operation="delete_many")
        return
    changes = [
        bulk.Change(did.number, Did.build(did.id, terminated=True), {_name(did): ("renewed", _until(did))})
        for did in waiting
    ]
    if changes:
        bulk.run(session, changes, question=f"Cancel {count(waiting)}?", what="number")


@click.command(cls=Command, changes=True, examples=("didww numbers restore +442079460001",))
@parameters.numbers_argument
@click.pass_obj
def restore(session: Session, number_texts: tuple[str, ...]) -> None:
    """Keep numbers that were canceled and whose paid period has not ended. They are renewed again."""
    from didww.resources.did import Did

    dids = _dids(session, number_texts)
    for did in dids:
        if not did.terminated:
            session.say(f"{did.number} is not canceled.")
    canceled = [did for did in dids if did.terminated]
    changes = [
        bulk.Change(did.number, Did.build(did.id, terminated=False), {_name(did): (_until(did), "renewed")})
        for did in canceled
    ]
    if changes:
        bulk.run(session, changes, question=f"Restore {count(canceled)}?", what="number")


def _dids(session: Session, texts: Sequence[str]) -> list[Did]:
    if not texts:
        raise click.UsageError("Pass at least one number.")
    return lookups.dids(session.client, texts, include=_INCLUDE)


def _name(did: Did) -> str:
    """Return what a number leads to, for the plan."""
    route = Route.current(did)
    return "not routed" if route.target is None else f"routed to {route}"


def _until(did: Did) -> str:
    return "ends with its period" if did.expires_at is None else f"ends on {did.expires_at:%Y-%m-%d}"


def _loss(session: Session, did: Did) -> str:
    if did.expires_at is None:
        return "kept"
    days = max(0, (did.expires_at - session.now()).days)
    return f"{days} paid day{'' if days == 1 else 's'} left, which are lost"
