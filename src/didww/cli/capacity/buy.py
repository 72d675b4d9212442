"""`didww capacity buy` and `release`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli import parameters
from didww.cli.capacity.pools import free, pool_argument, pool_named, pool_state, price, prices
from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.locks import reference_lock
from didww.cli.orders_placed import another_purchase, complete_order, find_order, place_order
from didww.cli.output import RecordTable, print_row
from didww.cli.plans import confirm_plan

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.capacity_pool import CapacityPool
    from didww.resources.order import Order

__all__ = ["buy", "release"]


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww capacity buy Europe --channels 10",
        "didww capacity buy Europe --channels 10 --reference PO-17 --yes",
    ),
)
@pool_argument
@click.option("--channels", type=click.IntRange(1, 10_000), required=True, metavar="N", help="Number of channels.")
@parameters.reference_option
@parameters.no_wait_option
@parameters.wait_option("5m")
@click.pass_obj
def buy(session: Session, pool: str, channels: int, reference: str | None, no_wait: bool, wait_limit: float) -> None:
    """Buy channels for a pool: show what they cost, ask, order once, and wait.

    The pool serves the numbers of its countries: didww capacity show POOL. Channels are paid for monthly until you
    release them; the first time, only the days until the pool renews are charged.
    """
    from didww.resources.order import Order
    from didww.resources.order_item.capacity_order_item import CapacityOrderItem

    client = session.client
    record = pool_named(client, pool)
    with reference_lock(session, reference):
        order = _earlier(session, reference, record, channels)
        if order is not None:
            session.say(f"Order {order.reference} has the reference {reference!r} already. Nothing was ordered.")
        else:
            least = record.minimum_qty_per_order
            if channels < least:
                raise click.UsageError(f"--channels must be at least {least} for pool {record.name!r}, got {channels}.")
            request = Order(items=[CapacityOrderItem(capacity_pool_id=record.id, qty=channels)])
            if reference is not None:
                request.external_reference_id = reference
            plan = _plan(session, record, channels)
            order = place_order(session, request, plan, question=f"Buy {channels} channels?")
    own = order.external_reference_id
    words = ("capacity", "buy", record.name, "--channels", str(channels), "--reference", own) if own else ()
    again = words or ("orders", "wait", order.reference)
    completed = complete_order(session, order, no_wait=no_wait, limit=wait_limit, again=again)
    if completed is None:
        return
    RecordTable(session.settings, Order).print_one(completed)
    after = client.capacity_pools().find(record.id).data
    session.say(f"Pool {after.name!r} has {after.total_channels_count} channels, {free(after)} of them free.")


def _earlier(session: Session, reference: str | None, pool: CapacityPool, channels: int) -> Order | None:
    """Return the order that has a reference already, or None.

    Raises:
        RefusedError: It bought something else.
    """
    order = find_order(session.client, reference)
    if order is None:
        return None
    items = [(getattr(item, "capacity_pool_id", None), getattr(item, "qty", None)) for item in order.items]
    if items != [(pool.id, channels)]:
        raise another_purchase(session, str(reference), order)
    return order


def _plan(session: Session, pool: CapacityPool, channels: int) -> list[str]:
    """Return what the channels cost, now and monthly, and what is left."""
    step = price(pool, channels)
    monthly, setup = step.monthly * channels, step.setup * channels
    steps = prices(pool)
    table = [
        f"  from {each.quantity}: {each.monthly} monthly, {each.setup} setup{' <- this' if each == step else ''}"
        for each in steps
    ]
    total = session.client.balance().find().data.total_balance
    lines = [
        f"Pool {pool.name!r} has {pool.total_channels_count} channels, {free(pool)} of them free.",
        "Prices for each channel, in US dollars:",
        *table,
        f"{channels} channels: {monthly} monthly, from {pool.renew_date} on.",
        f"Now: at most {monthly + setup} ({setup} setup, and the days until {pool.renew_date}), plus VAT.",
        f"Balance: {total}; left: at least {total - monthly - setup} before VAT.",
    ]
    if monthly + setup > total:
        lines.append("Warning: the balance may not cover it; then the order is refused.")
    return lines


@click.command(cls=Command, changes=True, examples=("didww capacity release Europe --channels 2",))
@pool_argument
@click.option("--channels", type=click.IntRange(1), required=True, metavar="N", help="Number of channels to give up.")
@click.pass_obj
def release(session: Session, pool: str, channels: int) -> None:
    """Give channels of a pool back, which no number and no shared group uses."""
    from didww.resources.capacity_pool import CapacityPool

    client = session.client
    record = pool_named(client, pool)
    left = record.total_channels_count - channels
    floor = max(record.assigned_channels_count, record.minimum_limit)
    if left < floor:
        raise RefusedError(
            f"Pool {record.name!r} has {record.total_channels_count} channels and must keep {floor}: "
            f"{record.assigned_channels_count} are assigned, and the minimum is {record.minimum_limit}."
        )
    confirm_plan(
        session,
        f"Pool {record.name!r}: channels {record.total_channels_count} -> {left}.",
        f"Monthly price at the lowest quantity: {record.monthly_price * channels} less. What is paid is not refunded "
        "by this command.",
        question="Release the channels?",
        seen=pool_state(record),
        read=lambda: pool_state(pool_named(client, record.id)),
    )
    after = client.capacity_pools().update(CapacityPool.build(record.id, total_channels_count=left)).data
    print_row(session.settings, {"pool": after.name, "channels": after.total_channels_count, "free": free(after)})
