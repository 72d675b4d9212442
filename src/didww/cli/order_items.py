"""What the items of an order bought: names for people, and the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cli.number_types import in_version, name_of

if TYPE_CHECKING:
    from didww.resources.order import Order

__all__ = ["COLUMNS", "names", "rows", "summary"]

COLUMNS: Final = ("item", "quantity", "setup", "monthly", "paid from", "paid to")


def names(client: Any, order: Order) -> list[str]:
    """Return what each item bought, such as `GB London Local` for numbers."""
    from didww.resources.did_group import DidGroup

    include = in_version(client, DidGroup, ["country", "did_group_type"])
    groups = _found(client.did_groups(), order, "did_group_id", include)
    pools = _found(client.capacity_pools(), order, "capacity_pool_id", [])
    return [_name(item, groups, pools) for item in order.items]


def _found(endpoint: Any, order: Order, field: str, include: list[str]) -> dict[str, Any]:
    """Return the records that a field of the items refers to, by id."""
    ids = list(dict.fromkeys(id for item in order.items if (id := getattr(item, field, None)) is not None))
    return {record.id: record for record in endpoint.iterate(filter={"id": ids}, include=include)} if ids else {}


def _name(item: Any, groups: dict[str, Any], pools: dict[str, Any]) -> str:
    group = groups.get(getattr(item, "did_group_id", None) or "")
    if group is not None:
        country = group.country.iso if group.country is not None else ""
        kind = name_of(group)
        return "Numbers: " + ", ".join(part for part in (country, group.area_name, kind) if part)
    pool = pools.get(getattr(item, "capacity_pool_id", None) or "")
    return f"Channels: {pool.name}" if pool is not None else _KINDS.get(item.to_dict().get("type", ""), "Other charges")


_KINDS: Final = {
    "did_order_items": "Numbers",
    "capacity_order_items": "Channels",
    "emergency_order_items": "Emergency calling",
}


def rows(order: Order, names: list[str]) -> list[dict[str, Any]]:
    """Return the rows of a table; prices are those of one unit."""
    return [
        dict(zip(COLUMNS, (name, item.qty, item.nrc, item.mrc, item.billed_from, item.billed_to), strict=True))
        for name, item in zip(names, order.items, strict=True)
    ]


def summary(order: Order) -> str:
    """Return what an order bought, such as `DID x 3`."""
    return f"{order.description} x {sum(item.qty for item in order.items)}"
