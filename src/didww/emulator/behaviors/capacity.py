"""Channels: capacity pools, shared capacity groups, and dedicated channels of numbers.

Usage is recounted after each write. Pools and prices are the emulator's own. Sources:
`tests/contract/facts/capacity_pools.yaml` and `shared_capacity_groups.yaml`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.date_math import add_month
from didww.emulator.behaviors.naming import UniqueNames
from didww.emulator.behaviors.vat import add_vat
from didww.emulator.engine.errors import HttpError, attribute_error, relationship_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["CapacityPools", "SharedGroups", "channel_price", "check_channels", "get_price_tier", "recount"]

# Name, countries (empty for all), monthly price, price per minute.
_POOLS: Final = (
    ("Europe", "AT BE CH CZ DE DK ES FI FR GB IE IT NL NO PL PT SE", "5.00", "0.0100"),
    ("North America", "US CA", "4.00", "0.0080"),
    ("World", "", "12.00", "0.0250"),
)
_STEPS: Final = ((50, "0.90"), (200, "0.75"))


class CapacityPools(Behavior):
    """Capacity pools, empty until channels are bought."""

    def account_rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the initial pools of an account."""
        now = session.now()
        renewal = f"{add_month(now):%Y-%m-%d}"
        _renew_later(session, renewal)
        countries = session.find("countries")
        for name, isos, monthly, minute in _POOLS:
            steps = [
                session.insert(
                    "qty_based_pricings",
                    {"qty": qty, "setup_price": "0.00", "monthly_price": f"{Decimal(monthly) * Decimal(part):.2f}"},
                )["id"]
                for qty, part in _STEPS
            ]
            yield {
                "name": name,
                "renew_date": renewal,
                "total_channels_count": 0,
                "assigned_channels_count": 0,
                "minimum_limit": 0,
                "minimum_qty_per_order": 1,
                "setup_price": "0.00",
                "monthly_price": monthly,
                "metered_rate": minute,
                "countries": [country["id"] for country in countries if not isos or country["iso"] in isos.split()],
                "qty_based_pricings": steps,
                "private": {"day": now.day},
            }

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Renew the pools of a date and charge a month; if the balance is insufficient, unused channels are removed.

        The service's behavior is not documented; here channels in use stay, and the balance becomes negative.
        """
        for pool in session.find("capacity_pools", renew_date=payload):
            count, price = pool["total_channels_count"], channel_price(session, pool)
            if add_vat(session, price) * count > session.balance():
                count = pool["assigned_channels_count"]
            session.charge(add_vat(session, price) * count, beyond=True)
            until = f"{add_month(session.now(), pool['private'].get('day')):%Y-%m-%d}"
            session.update("capacity_pools", pool["id"], {"total_channels_count": count, "renew_date": until})
            _renew_later(session, until)

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:  # noqa: ARG002
        """Allow only the removal of unused channels."""
        count = changes.get("total_channels_count")
        if count is None or count == record["total_channels_count"]:
            return
        if count > record["total_channels_count"]:
            raise attribute_error("total_channels_count", f"should be at most {record['total_channels_count']}")
        least = max(record["assigned_channels_count"], record["minimum_limit"])
        if count < least:
            raise attribute_error("total_channels_count", f"should be at least {least}")


class SharedGroups(UniqueNames):
    """Shared capacity groups."""

    shared_by = ("shared_capacity_groups",)
    defaults: ClassVar[Mapping[str, Any]] = {"shared_channels_count": 0, "metered_channels_count": 0}

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check name, channels and numbers."""
        super().before_create(session, record)
        _check_group(session, record, 0)

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Recount the channels of the pool."""
        recount(session, record["capacity_pool"])

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check the changed members."""
        super().before_update(session, record, changes)
        same_pool = changes.get("capacity_pool", record["capacity_pool"]) == record["capacity_pool"]
        dids = changes.get("dids", session.related(self.shared_by[0], record["id"], "dids"))
        freed = record["shared_channels_count"] if same_pool else 0
        _check_group(session, {**record, **changes, "dids": dids}, freed)

    def after_update(self, session: AccountSession, before: Record, changes: Record) -> None:  # noqa: ARG002
        """Recount all pools; the group may have changed its pool."""
        if {"capacity_pool", "shared_channels_count"} & set(changes):
            for pool in session.find("capacity_pools"):
                recount(session, pool["id"])

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a group in use."""
        if session.related(self.shared_by[0], record["id"], "dids"):
            text = "The capacity group cannot be removed while active numbers are assigned to it"
            raise HttpError(422, text, text, "/data")

    def after_delete(self, session: AccountSession, record: Record) -> None:
        """Return its channels to the pool."""
        recount(session, record["capacity_pool"])


def channel_price(session: AccountSession, pool: Record, qty: int | None = None) -> Decimal:
    """Return the monthly price of a channel, by the highest quantity tier reached.

    Args:
        session: The account.
        pool: The pool.
        qty: Channels to buy. Defaults to all channels of the pool.
    """
    return Decimal(get_price_tier(session, pool, pool["total_channels_count"] if qty is None else qty)["monthly_price"])


def get_price_tier(session: AccountSession, pool: Record, qty: int) -> Record:
    """Return the price tier of `qty` channels of a pool, or the pool itself."""
    steps = session.find("qty_based_pricings", capacity_pool=pool["id"], order="qty")
    return next((step for step in reversed(steps) if step["qty"] <= qty), pool)


def recount(session: AccountSession, pool: str) -> None:
    """Recount the channels of a pool in use."""
    groups = session.find("shared_capacity_groups", capacity_pool=pool)
    used = sum(group["shared_channels_count"] or 0 for group in groups)
    used += sum(did["dedicated_channels_count"] or 0 for did in session.find("dids", capacity_pool=pool))
    session.update("capacity_pools", pool, {"assigned_channels_count": used})


def check_channels(session: AccountSession, did: Record, changes: Record) -> None:
    """Check the channels of a number.

    Raises:
        HttpError: The pool does not serve the country, or lacks free channels.
    """
    pool_id = changes.get("capacity_pool", did["capacity_pool"])
    group = session.get("shared_capacity_groups", changes.get("shared_capacity_group")) or {}
    pools: dict[str, str | None] = {
        "capacity_pool_id": changes.get("capacity_pool"),
        "shared_capacity_group_id": group.get("capacity_pool"),
    }
    for name, pool in pools.items():
        if pool and _country(session, did) not in session.related("capacity_pools", pool, "countries"):
            raise attribute_error(name, "is not allowed for DID country")
    wanted = changes.get("dedicated_channels_count", did["dedicated_channels_count"]) or 0
    if {"capacity_pool", "dedicated_channels_count"} & set(changes) and wanted:
        if pool_id is None:
            raise attribute_error("capacity_pool_id", "can't be blank")
        freed = did["dedicated_channels_count"] if pool_id == did["capacity_pool"] else 0
        if wanted > _free_channels(session, pool_id) + (freed or 0):
            raise attribute_error("dedicated_channels_count", "exceeds available channels count")


def _renew_later(session: AccountSession, date: str) -> None:
    """Schedule the renewal of the pools of this date."""
    at = datetime.fromisoformat(date).replace(tzinfo=UTC)
    session.schedule_once(at, "capacity_pools", "renew", f"renew/{session.owner}/pools/{date}", date)


def _free_channels(session: AccountSession, pool: str) -> int:
    record = session.get("capacity_pools", pool) or {}
    return int(record["total_channels_count"]) - int(record["assigned_channels_count"])


def _country(session: AccountSession, did: Record) -> str | None:
    return (session.get("did_groups", did["did_group"]) or {}).get("country")


def _check_group(session: AccountSession, group: Record, freed: int) -> None:
    pool = group["capacity_pool"]
    if (group["shared_channels_count"] or 0) < 0 or (group["metered_channels_count"] or 0) < 0:
        raise attribute_error("shared_channels_count", "must be greater than or equal to 0")
    if (group["shared_channels_count"] or 0) > _free_channels(session, pool) + freed:
        raise attribute_error("shared_channels_count", "exceeds available channels count")
    served = session.related("capacity_pools", pool, "countries")
    for index, did in enumerate(group["dids"]):
        if _country(session, session.get("dids", did) or {"did_group": None}) not in served:
            raise relationship_error(f"dids/{index}", "cannot be applied to shared capacity group")
