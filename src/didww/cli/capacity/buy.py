"""`didww capacity buy` and `release`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli.capacity.pools import free, pool_argument, pool_named, price, prices
from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.output import RecordTable, print_row

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
@click.option(
    "--reference",
    metavar="TEXT",
    help="Your own identifier of the order. The same command with the same reference never orders twice.",
)
@click.option("--wait/--no-wait", default=True, help="Wait until the order is completed. Defaults to waiting.")
@click.pass_obj
def buy(session: Session, pool: str, channels: int, reference: str | None, wait: bool) -> None:
    """Buy channels for a pool: show what they cost, ask, order once, and wait.

    The pool serves the numbers of its countries: didww capacity show POOL. Channels are paid for monthly until you
    release them; the first time, only the days until the pool renews are charged.
    """
    from didww.resources.order import Order
    from didww.resources.order_item.capacity_order_item import CapacityOrderItem

    client = session.client
    record = pool_named(client, pool)
    earlier = None if reference is None else _earlier(client, reference, record, channels)
    if earlier is not None:
        session.say(f"Order {earlier.reference} has the reference {reference!r} already. Nothing was ordered.")
        _finish(session, earlier, record, wait=wait)
        return
    if channels < record.minimum_qty_per_order:
        raise click.UsageError(
            f"--channels must be at least {record.minimum_qty_per_order} for pool {record.name!r}, got {channels}."
        )
    session.confirm(*_plan(session, record, channels), question=f"Buy {channels} channels?")
    order = Order(items=[CapacityOrderItem(capacity_pool_id=record.id, qty=channels)])
    if reference is not None:
        order.external_reference_id = reference
    order = client.orders().create(order, once=reference is not None).data
    session.known.append(f"Order {order.reference} was placed; see: didww orders show {order.reference}")
    _finish(session, order, record, wait=wait)


def _earlier(client: Any, reference: str, pool: CapacityPool, channels: int) -> Order | None:
    """Return the order that has a reference already, or None.

    Raises:
        UsageError: It bought something else.
    """
    order: Order | None = client.orders().first(filter={"external_reference_id": reference})
    if order is None:
        return None
    items = [(getattr(item, "capacity_pool_id", None), getattr(item, "qty", None)) for item in order.items]
    if items != [(pool.id, channels)]:
        raise click.UsageError(
            f"--reference {reference!r} belongs to order {order.reference}, which bought something else. See: didww "
            f"orders show {order.reference}"
        )
    return order


def _finish(session: Session, order: Order, pool: CapacityPool, *, wait: bool) -> None:
    """Wait for an order and print it."""
    from didww.cli.terminal import waiting
    from didww.resources.order import Order as Class

    client = session.client
    if wait and order.is_pending:
        with waiting(f"Order {order.reference}") as tell:

            def progress(each: Order) -> None:
                tell(str(each.status))

            order = client.orders().wait(order, on_update=progress).data
    RecordTable(session.settings, Class).print_one(order)
    after = client.capacity_pools().find(pool.id).data
    session.say(f"Pool {after.name!r} has {after.total_channels_count} channels, {free(after)} of them free.")


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
    session.confirm(
        f"Pool {record.name!r}: channels {record.total_channels_count} -> {left}.",
        f"Monthly price at the lowest quantity: {record.monthly_price * channels} less. What is paid is not refunded "
        "by this command.",
        question="Release the channels?",
    )
    after = client.capacity_pools().update(CapacityPool.build(record.id, total_channels_count=left)).data
    print_row(session.settings, {"pool": after.name, "channels": after.total_channels_count, "free": free(after)})
