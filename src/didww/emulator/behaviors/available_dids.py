"""Available DIDs and the stock of DID groups.

Available DIDs (millions) are stored only once requested: an id encodes the group and the position in it, scrambled,
with a checksum from the seed. Numbers that an account owns or has reserved are out of stock for that account only.
"""

from __future__ import annotations

from bisect import bisect_right
from hashlib import md5
from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine import queries
from didww.emulator.engine.query import Filter
from didww.emulator.engine.sql import Conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = [
    "MAX_LISTED",
    "AvailableDids",
    "DidGroups",
    "available_id",
    "count_in_stock",
    "count_unavailable",
    "hold_account",
    "pick_numbers",
]

MAX_LISTED = 100
"""Maximum number of available DIDs in a response; the service has an undocumented limit too."""
_SPACE = 1 << 48
_SCRAMBLE = 0x9E3779B97F4B | 1
_UNSCRAMBLE = pow(_SCRAMBLE, -1, _SPACE)
# The other filters of available_dids are filters of did_groups, some under another name.
_OWN = ("id", "number_contains")
_OF_GROUP = "did_group."


class DidGroups(Behavior):
    """DID groups, whose `meta` depends on the account."""

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        """Return the stock for the account, and the terms."""
        stock = count_in_stock(session, record)
        return {
            "available_dids_enabled": record["available_dids_enabled"],
            "needs_registration": record["needs_registration"],
            "is_available": stock > 0,
            "total_count": stock,
        }


class AvailableDids(Behavior):
    """Available DIDs, stored when they are listed or requested by id."""

    def rows(self, session: AccountSession) -> Iterable[Record] | None:  # noqa: ARG002
        """Return no initial records."""
        return ()

    def resolve(self, session: AccountSession, id: str) -> bool:
        """Return whether `id` is a number that the account can buy."""
        place = _decode_id(session, id)
        if place is None:
            return False
        group, k = place
        if not group["available_dids_enabled"] or k >= group["total_count"]:
            return False
        number = session.catalog.number(group, k)
        if number in _taken(session, [group["id"]]):
            return False
        _store(session, [(group, k)])
        return True

    def listed(self, session: AccountSession, filters: Mapping[str, Filter]) -> tuple[list[str], dict[str, Any]]:
        """Return a random sample of matching numbers, and their total."""
        part = filters.get("number_contains")
        needle = part.values[0] if part is not None else ""
        ids = filters.get("id")
        if ids is not None:
            kept = [
                found
                for id in ids.values
                if (found := _decode_id(session, id)) is not None and self.resolve(session, id)
            ]
        else:
            kept = None
        groups = _matching_groups(session, filters)
        by_id = {group["id"]: group for group in groups}
        taken = _taken(session, by_id)
        if kept is not None:
            chosen = [
                (by_id[group["id"]], k)
                for group, k in kept
                if group["id"] in by_id and needle in session.catalog.number(group, k)
            ]
            total = len(chosen)
        elif needle:
            matching = [(group, k) for group in groups for k in _matching_positions(group, needle)]
            matching = [place for place in matching if session.catalog.number(*place) not in taken]
            total = len(matching)
            chosen = session.rng.sample(matching, min(total, MAX_LISTED))
        else:
            total = sum(group["total_count"] for group in groups) - len(taken)
            chosen = _sample(session, groups, taken, min(total, MAX_LISTED))
        _store(session, chosen)
        return [available_id(session, group, k) for group, k in chosen], {"total_count": max(0, total)}


def count_in_stock(session: AccountSession, group: Record) -> int:
    """Return how many numbers of a group the account can buy: the initial stock minus its own."""
    stock: int = group["total_count"]
    return max(0, stock - count_unavailable(session, group))


def count_unavailable(session: AccountSession, group: Record) -> int:
    """Return how many numbers of a group the account owns, has reserved or has ordered."""
    return sum(one.count(type, did_group=group["id"]) for one, type in _holders(session) if one.has_any(type))


def hold_account(session: AccountSession) -> AccountSession:
    """Return the session of the hidden account whose reservations hold the numbers of pending orders."""
    return type(session)(session.runtime, -session.owner, session.base, version=session.version)


def _holders(session: AccountSession) -> tuple[tuple[AccountSession, str], ...]:
    return (session, "dids"), (session, "did_reservations"), (hold_account(session), "did_reservations")


def pick_numbers(session: AccountSession, group: Record, qty: int) -> list[str]:
    """Return up to `qty` available numbers of a group."""
    taken = _taken(session, [group["id"]])
    ids: list[str] = []
    for k in range(group["total_count"]):
        if len(ids) >= qty:
            break
        number = session.catalog.number(group, k)
        if number not in taken:
            ids.append(number)
    return ids


def available_id(session: AccountSession, group: Record, k: int) -> str:
    """Return the id of number `k` of a group."""
    place = ((group.get("rowid") or queries.position_of_group(session, group["id"])) << 16) | k
    scrambled = f"{place * _SCRAMBLE % _SPACE:012x}"
    check = md5(f"{session.catalog.seed}/{scrambled}".encode(), usedforsecurity=False).hexdigest()
    return f"{check[:8]}-{check[8:12]}-4{check[12:15]}-a{check[15:18]}-{scrambled}"


def _decode_id(session: AccountSession, id: str) -> tuple[Record, int] | None:
    """Return the group and position that an id encodes; None if the id is invalid."""
    scrambled = id[-12:]
    if len(id) != 36 or any(character not in "0123456789abcdef" for character in scrambled):
        return None
    place = int(scrambled, 16) * _UNSCRAMBLE % _SPACE
    group = queries.group_at(session, place >> 16)
    if group is None:
        return None
    k = place & 0xFFFF
    return (group, k) if available_id(session, group, k) == id else None


def _store(session: AccountSession, chosen: Iterable[tuple[Record, int]]) -> None:
    """Store available DIDs, so that they can be read and linked like other records."""
    table = session.touch("available_dids")
    store = session.runtime.store
    new = {available_id(session, group, k): (group, k) for group, k in chosen}
    there = store.rows_by_id(table, new)
    prefixes = {
        record["did_group"]: record["id"]
        for record in session.find("nanpa_prefixes", did_group=[group["id"] for group, _ in new.values()])
    }
    with store.transaction():
        store.insert(
            table,
            None,
            [
                {
                    "id": id,
                    "number": session.catalog.number(group, k),
                    "did_group": group["id"],
                    "nanpa_prefix": prefixes.get(group["id"]),
                }
                for id, (group, k) in new.items()
                if id not in there
            ],
        )


def _taken(session: AccountSession, groups: Iterable[str]) -> frozenset[str]:
    """Return the numbers of these groups that the account owns, has reserved or has ordered."""
    wanted = list(groups)
    return frozenset[str]().union(
        *(queries.numbers_in_groups(keeper, type, wanted) for keeper, type in _holders(session))
    )


_BLOCK = ("rowid", "id", "total_count", "number_base", "number_from", "number_width")


def _matching_groups(session: AccountSession, filters: Mapping[str, Filter]) -> list[Record]:
    """Return the groups that match filters of available_dids, with the columns needed for their numbers."""
    table = session.touch("did_groups")
    conditions = Conditions(table, session.owner, session.touch)
    conditions.narrow(
        {name.removeprefix(_OF_GROUP): one for name, one in filters.items() if name not in ("did_group.id", *_OWN)}
    )
    conditions.narrow({"available_dids_enabled": Filter((True,))})
    if "did_group.id" in filters:
        conditions.narrow({"id": filters["did_group.id"]})
    return queries.groups_where(session, _BLOCK, conditions)


def _sample(
    session: AccountSession, groups: list[Record], taken: frozenset[str], count: int
) -> list[tuple[Record, int]]:
    """Return `count` numbers drawn uniformly from the groups."""
    stocked = [group for group in groups if group["total_count"]]
    total = sum(group["total_count"] for group in stocked)
    if total <= 4 * count + len(taken):
        every = [(group, k) for group in stocked for k in range(group["total_count"])]
        free = [place for place in every if session.catalog.number(*place) not in taken] if taken else every
        return session.rng.sample(free, min(count, len(free)))
    ends: list[int] = []
    at = 0
    for group in stocked:
        at += group["total_count"]
        ends.append(at)
    places: dict[tuple[str, int], tuple[Record, int]] = {}
    # Most draws are available; the limit is for accounts that own almost everything.
    for _ in range(20 * count):
        if len(places) >= count:
            break
        draw = session.rng.randrange(total)
        n = bisect_right(ends, draw)
        group, k = stocked[n], draw - (ends[n - 1] if n else 0)
        if session.catalog.number(group, k) not in taken:
            places[group["id"], k] = (group, k)
    return list(places.values())


def _matching_positions(group: Record, needle: str) -> Iterator[int]:
    """Yield the positions in the group's stock whose number contains `needle`, skipping impossible ones."""
    base, width, first = group["number_base"], group["number_width"], group["number_from"]
    last = first + group["total_count"]
    if needle in base:
        yield from range(group["total_count"])
        return
    if not needle.isascii() or not needle.isdigit():
        return
    numbers: set[int] = set()
    for start in range(max(0, len(base) - len(needle) + 1), len(base) + width - len(needle) + 1):
        inside = max(0, len(base) - start)  # digits of the needle within the base
        if needle[:inside] != base[start : start + inside]:
            continue
        rest = needle[inside:]
        before = max(0, start - len(base))  # free digits before it
        after = width - before - len(rest)
        for high in range(10**before):
            lowest = (high * 10 ** len(rest) + int(rest)) * 10**after
            numbers.update(range(max(first, lowest), min(last, lowest + 10**after)))
    for number in sorted(numbers):
        yield number - first
