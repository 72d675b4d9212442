"""What the tests of the `didww` command need in an account: numbers in London and their routes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from didww.resources.did import Did
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from support.command import Command

__all__ = ["buy_numbers", "examples_of", "meanwhile", "route", "run_example", "writes"]


def buy_numbers(didww: Command, count: int = 3) -> list[str]:
    """Buy numbers in London, which need no registration."""
    client = didww.client
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().one(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=count)
    client.orders().wait(client.orders().create(Order(items=[item])).data)
    return [did.number for did in client.dids().iterate(sort="number")]


def route(didww: Command, number: str, *, trunk: str | None = None, group: str | None = None) -> None:
    """Route a number to a trunk or a group."""
    client = didww.client
    change = Did.build(client.dids().one(filter={"number": number}).id)
    if trunk is not None:
        change.voice_in_trunk = client.voice_in_trunks().one(filter={"name": trunk})
    else:
        change.voice_in_trunk_group = next(
            each for each in client.voice_in_trunk_groups().iterate() if each.name == group
        )
    client.dids().update(change)


def writes(didww: Command) -> list[str]:
    """Return method and path of the requests that changed something, in order."""
    entries = didww.emulator.journal.entries(limit=1000)
    changed = [entry for entry in entries if entry.method not in ("GET", "HEAD")]
    return [f"{entry.method} {entry.path.partition('/v3')[2] or entry.path}" for entry in reversed(changed)]


def examples_of(group: Any) -> dict[str, tuple[Any, Sequence[str]]]:
    """Return each command of a group with its examples."""
    import click

    ctx = click.Context(group)
    commands = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    return {name: (command, command.examples) for name, command in commands.items()}


def run_example(didww: Command, command: Any, example: str, change: Callable[[str], str] = str) -> None:
    """Run an example, with `--yes` if the command changes something."""
    program, *arguments = shlex.split(change(example))
    assert program == "didww"
    result = didww(shlex.join(arguments), *(["--yes"] if command.changes else []))
    assert result.code == 0, (example, result)


def meanwhile(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let something change while a question of the command is on the screen, which is answered with yes."""
    from didww.cli.session import Session

    confirm = Session.confirm

    def answer(session: Session, *plan: str, question: str) -> None:
        monkeypatch.setattr(Session, "confirm", confirm)
        change()
        confirm(session, *plan, question=question)

    monkeypatch.setattr(Session, "confirm", answer)
