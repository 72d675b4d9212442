"""One account's view of the emulator: its records, the shared ones, the time, its balance.

Behaviors act through it. Each request is one transaction; an error rolls it back.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from didww.emulator.behaviors.base import Behavior
from didww.emulator.controls.callbacks import report
from didww.emulator.controls.clock import stamp
from didww.emulator.data.export_file import ExportCache
from didww.emulator.engine import overrides, prepared
from didww.emulator.engine.accounts import NOBODY, get_features
from didww.emulator.engine.errors import HttpError
from didww.emulator.engine.query import Filter
from didww.emulator.engine.schema import referrers
from didww.emulator.engine.sql import Conditions
from didww.emulator.engine.store import is_disk_full
from didww.version import API_VERSION

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from didww._schema.filter_rules import FilterRule
    from didww.emulator.controls.clock import Clock
    from didww.emulator.data.catalog import Catalog
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.store import Record, Row, Store

__all__ = ["AccountSession", "Runtime", "TransitionRule", "new_id", "run_due"]

log = logging.getLogger("didww.emulator")
PLAIN = Behavior()
T = TypeVar("T")


class TransitionRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and how pending records of a type change; see `Transitions.set`."""

    after: float | None = None
    reads: int | None = None
    by_hand: bool = False
    outcome: str | None = None
    reasons: list[str] = []
    comment: str | None = None


class Runtime:
    """State shared by all accounts: store, clock, catalog, random generator, behaviors."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        catalog: Catalog,
        rng: random.Random,
        behaviors: Mapping[str, Behavior],
    ) -> None:
        self.store = store
        self.clock = clock
        self.catalog = catalog
        self.rng = rng
        self.behaviors = behaviors
        self.filled: set[tuple[str, int]] = set()
        """Types and owners whose initial rows exist."""
        self.next_due = ""
        """Time of the next event, as text; empty if nothing is scheduled."""
        self.transition_rules: dict[str, TransitionRule] = {}
        """Transition rules by type; other types follow the steps of their behavior."""
        self.hold = False
        """Whether records created by the current request stay pending until decided manually."""
        self.read_counted: set[str] = set()
        """Records that change after a number of reads."""
        self.callbacks_queued = False
        """Whether callbacks are queued that the worker does not know of yet."""
        self.export_cache = ExportCache()
        """Recently downloaded export files."""
        self.load()

    def load(self) -> None:
        """Reload cached values; call it after the store was replaced."""
        execute = self.store.connection.execute
        self.filled.clear()
        self.next_due = execute("SELECT min(at) FROM events").fetchone()[0] or ""
        self.read_counted = {row[0] for row in execute("SELECT DISTINCT record FROM events WHERE reads IS NOT NULL")}
        self.transition_rules = msgspec.json.decode(
            self.store.get_meta("transition_rules") or "{}", type=dict[str, TransitionRule]
        )
        waiting = execute(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM deliveries WHERE next_at IS NOT NULL)"
            " OR EXISTS (SELECT 1 FROM streamed)"
        ).fetchone()
        self.callbacks_queued = waiting is not None

    def behavior(self, type: str) -> Behavior:
        """Return the behavior of a type, or a default without effects."""
        return self.behaviors.get(type, PLAIN)

    def run_in_transaction(self, work: Callable[[], T]) -> T:
        """Run `work` in a transaction, rolled back if it raises."""
        try:
            with self.store.transaction():
                return work()
        except BaseException:
            self.filled.clear()
            raise

    def new_id(self) -> str:
        """Return a random UUID from the seeded generator."""
        return new_id(self.rng)


def new_id(rng: random.Random) -> str:
    """Return a random UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"


class AccountSession:
    """One account's view of the emulator.

    Attributes:
        owner: The account's number.
        base: Base URL of the API in the current request, without a trailing slash: `http://127.0.0.1:8080/v3`.
        version: API version of the current request; None shows the members of all versions.
    """

    def __init__(
        self,
        runtime: Runtime,
        owner: int,
        base: str,
        moment: datetime | None = None,
        *,
        version: str | None = API_VERSION,
    ) -> None:
        self.runtime = runtime
        self.owner = owner
        self.base = base
        self.version = version
        self._store = runtime.store
        self._moment = moment

    @property
    def catalog(self) -> Catalog:
        """The number catalog."""
        return self.runtime.catalog

    @property
    def rng(self) -> random.Random:
        """The seeded random generator."""
        return self.runtime.rng

    def new_id(self) -> str:
        """Return a new random id."""
        return self.runtime.new_id()

    def now(self) -> datetime:
        """Return the current time; in an event, the time it was scheduled for."""
        return self._moment or self.runtime.clock.now()

    def stamp(self, moment: datetime | None = None) -> str:
        """Return a time in the format of attributes. Defaults to now."""
        return stamp(moment or self.now())

    def enabled(self, feature: str) -> bool:
        """Return whether the account has a feature of `accounts.FEATURES`."""
        return get_features(self._store, self.owner)[feature]

    # Tables and their initial rows

    def touch(self, type: str) -> Table:
        """Return the table of a type, with its initial rows inserted.

        Raises:
            KeyError: There is no such type.
        """
        table = self._store.table(type)
        owner = NOBODY if table.shared else self.owner
        if (type, owner) not in self.runtime.filled:
            if not self._store.filled(type, owner):
                self.runtime.run_in_transaction(partial(self._fill, table, owner))
            self.runtime.filled.add((type, owner))
        return table

    def _fill(self, table: Table, owner: int) -> None:
        # Mark it first: building the initial rows may call this again.
        self._store.mark_filled(table.type, owner)
        self.runtime.filled.add((table.type, owner))
        behavior = self.runtime.behavior(table.type)
        if table.shared:
            rows = behavior.rows(self)
            if rows is None and table.type in overrides.CATALOG:
                rows = self.catalog.rows(table.type)
                prepared.prepare(self.catalog.seed, table.type)
            self._store.insert(table, None, rows or ())
        else:
            for row in behavior.account_rows(self):
                self.insert(table.type, row)

    # Reading

    def get(self, type: str, id: object) -> Record | None:
        """Return the record with this id, or None if the account has no such record."""
        row = self.row(type, id)
        return None if row is None else self._store.table(type).record(row)

    def row(self, type: str, id: object) -> Row | None:
        """Return the row with this id, or None if the account has no such record."""
        table = self.touch(type)
        if not isinstance(id, str):
            return None
        behavior = self.runtime.behaviors.get(type)
        if behavior is not None and not behavior.resolve(self, id):
            return None
        return self._store.row(table, self.owner, id)

    def find(self, type: str, /, *, order: str = "rowid", limit: int = -1, **equals: Any) -> list[Record]:
        """Return records whose members equal these values (a list: any of them; None: null).

        Args:
            type: Type of the records.
            order: A column, with ` DESC` for descending. Defaults to the order of creation.
            limit: Maximum number of records; -1 for all.
            **equals: Attributes, to-one relationships (the id), hidden columns.
        """
        table = self.touch(type)
        return [table.record(row) for row in self._store.rows_where(table, self.owner, equals, order, limit)]

    def count(self, type: str, /, **equals: Any) -> int:
        """Return how many records `find` would return."""
        return self._store.count_where(self.touch(type), self.owner, equals)

    def has_any(self, type: str) -> bool:
        """Return whether the account has records of a type; remembered until the next write."""
        self.touch(type)
        return self._store.count(f'FROM "{type}" WHERE owner = :owner', {"owner": self.owner}) > 0

    def search(self, type: str, filters: Mapping[str, Any]) -> list[Record]:
        """Return records that match list filters, such as `{"did_group.features": ["emergency"]}`.

        A value is a single value, a list of alternatives, or None for records without a value.
        """
        table = self.touch(type)
        conditions = Conditions(table, self.owner, self.touch)
        conditions.narrow({name: _as_filter(table.filters[name], value) for name, value in filters.items()})
        rows = self._store.connection.execute(
            f'SELECT {table.selected} FROM "{type}" AS t0 WHERE {conditions.where} ORDER BY t0.rowid',  # noqa: S608
            conditions.values,
        )
        return [table.record(row) for row in rows]

    def related(self, type: str, id: str, name: str) -> list[str]:
        """Return the ids of a to-many relationship."""
        relation = self.touch(type).relations[name]
        other = self.touch(relation.targets[0])
        if relation.inverse is None:
            return [target for _, target in self._store.links(name, [id])]
        several = type if f"{relation.inverse}_type" in other.by_name else None
        return [row[0] for row in self._store.rows_linking(other, relation.inverse, [id], several)]

    # Writing

    def insert(self, type: str, record: Mapping[str, Any]) -> Record:
        """Insert a record of the account: missing `id` and `created_at` are set, the rest is null.

        To-many relationships are lists of ids.

        Raises:
            KeyError: The type has no such member.
        """
        table = self.touch(type)
        values = {"id": self.new_id(), **record}
        if "created_at" in table.by_name and values.get("created_at") is None:
            values["created_at"] = self.stamp()
        many = {name: values.pop(name) for name, one in table.relations.items() if one.many and name in values}
        for name in values:
            if name != "id" and name not in table.by_name:
                raise KeyError(f"{type} have no {name}")
        self._store.insert(table, None if table.shared else self.owner, [values])
        for name, ids in many.items():
            self._relate(table, values["id"], name, ids)
        row = self._store.row(table, self.owner, values["id"])
        assert row is not None  # noqa: S101 just inserted
        return table.record(row)

    def insert_many(self, type: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Insert many records fast; each needs its `id` and every non-null attribute, without to-many relationships."""
        table = self.touch(type)
        with self._store.transaction():
            self._store.insert(table, None if table.shared else self.owner, records)

    def update(self, type: str, id: str, changes: Mapping[str, Any]) -> Record:
        """Update members of a record of the account; to-many relationships are replaced.

        Raises:
            KeyError: There is no such record or member.
        """
        table = self.touch(type)
        plain: dict[str, Any] = {}
        before = self._store.row(table, self.owner, id)
        if before is None:
            raise KeyError(f"{type} {id}")
        for name, value in changes.items():
            relation = table.relations.get(name)
            if relation is not None and relation.many:
                self._relate(table, id, name, value)
            else:
                plain[name] = value
        self._store.update(table, id, plain)
        row = self._store.row(table, self.owner, id)
        assert row is not None  # noqa: S101 checked above
        record = table.record(row)
        if "status" in changes:
            report(self, type, before[table.place["status"]], record)
        return record

    def delete(self, type: str, id: str) -> None:
        """Delete a record of the account.

        Dependent records are deleted too (an identity's addresses and documents); other references become null.
        """
        table = self.touch(type)
        if self._store.row(table, self.owner, id) is None:
            return
        for referrer in referrers(type):
            other = self._store.table(referrer.type)
            several = type if referrer.polymorphic else None
            for row in list(self._store.rows_linking(other, referrer.column, [id], several)):
                if referrer.nullable:
                    changes = (
                        {referrer.column: None, f"{referrer.column}_type": None} if several else {referrer.column: None}
                    )
                    self._store.update(other, row[0], changes)
                else:
                    self.delete(other.type, row[0])
        self._store.delete(table, id)

    def _relate(self, table: Table, id: str, name: str, ids: Sequence[str]) -> None:
        relation = table.relations[name]
        other = self.touch(relation.targets[0])
        if relation.inverse is None:
            self._store.link(id, name, ids)
        else:
            several = table.type if f"{relation.inverse}_type" in other.by_name else None
            self._store.point(other, relation.inverse, id, several, ids)

    # Time and money

    def schedule(
        self, at: datetime | float, type: str, name: str, payload: Any = None, record: str | None = None
    ) -> None:
        """Schedule a call of `due(session, name, payload)` of the behavior of `type`.

        Args:
            at: Time, or seconds from now.
            type: Type of the behavior.
            name: Name of the event.
            payload: Plain JSON values for the event.
            record: Id of the record that it changes, if any.
        """
        moment = at if isinstance(at, datetime) else self.now() + timedelta(seconds=at)
        self._insert_event(type, name, payload, record, at=stamp(moment))

    def schedule_once(self, at: datetime, type: str, name: str, key: str, payload: Any = None) -> None:
        """Schedule an event, unless one with this key exists."""
        if self._store.connection.execute("SELECT 1 FROM events WHERE record = ?", (key,)).fetchone() is None:
            self.schedule(at, type, name, payload, key)

    def _insert_event(
        self, type: str, name: str, payload: Any, record: str | None, *, at: str | None = None, reads: int | None = None
    ) -> None:
        self._store.connection.execute(
            "INSERT INTO events (at, reads, owner, type, record, name, payload) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (at, reads, self.owner, type, record, name, msgspec.json.encode(payload).decode()),
        )
        if at is not None and (not self.runtime.next_due or at < self.runtime.next_due):
            self.runtime.next_due = at
        if reads is not None and record is not None:
            self.runtime.read_counted.add(record)

    def start_transitions(self, type: str, payload: Mapping[str, Any], *, at_once: bool = False) -> None:
        """Schedule the steps of a newly created record, as the transition rule of its type says.

        Args:
            type: Type of the record.
            payload: Values for the steps; `id` is the record's.
            at_once: Whether to run the last step now if no rule is set.
        """
        behavior = self.runtime.behavior(type)
        rule = self.runtime.transition_rules.get(type) or TransitionRule(after=0 if at_once else None)
        steps, whole = behavior.steps, behavior.steps[-1][0]
        for n, (seconds, name) in enumerate(steps, start=1):
            last = n == len(steps)
            values: Mapping[str, Any] = payload
            if last and rule.outcome is not None:
                name, values = rule.outcome, {**payload, "reasons": rule.reasons, "comment": rule.comment}  # noqa: PLW2901
            if last and (rule.by_hand or self.runtime.hold):
                self._insert_event(type, name, values, payload["id"])
            elif rule.reads is not None and rule.reads > 0:
                self._insert_event(type, name, values, payload["id"], reads=-(-rule.reads * n // len(steps)))
            elif rule.reads == 0 or rule.after == 0:
                behavior.due(self, name, values)
            else:
                part = seconds if rule.after is None else rule.after * seconds / whole
                self.schedule(part, type, name, values, payload["id"])

    def record_read(self, id: str) -> None:
        """Count a read of a record that changes after a number of reads."""
        if id not in self.runtime.read_counted:
            return
        execute = self._store.connection.execute
        execute("UPDATE events SET reads = reads - 1 WHERE record = ? AND reads IS NOT NULL", (id,))
        now = self.stamp()
        done = execute("UPDATE events SET reads = NULL, at = ? WHERE record = ? AND reads <= 0", (now, id)).rowcount
        if done and (not self.runtime.next_due or now < self.runtime.next_due):
            self.runtime.next_due = now
        if execute("SELECT 1 FROM events WHERE record = ? AND reads IS NOT NULL", (id,)).fetchone() is None:
            self.runtime.read_counted.discard(id)

    def balance(self) -> Decimal:
        """Return the total balance: prepaid and credit."""
        return Decimal(self.find("balances", limit=1)[0]["total_balance"])

    def charge(self, amount: Decimal, *, beyond: bool = False) -> None:
        """Deduct `amount` from the prepaid balance; a negative amount is refunded.

        Args:
            amount: US dollars.
            beyond: Whether the balance may become negative.

        Raises:
            HttpError: The balance is insufficient (400, with both amounts).
        """
        record = self.find("balances", limit=1)[0]
        available = Decimal(record["total_balance"])
        if amount > available and amount > 0 and not beyond:
            raise HttpError(
                400,
                "Insufficient balance",
                code="400",
                meta={"available_balance": str(available), "total_cost": str(amount)},
            )
        balance = Decimal(record["balance"]) - amount
        total = balance + Decimal(record["credit"])
        self.update("balances", record["id"], {"balance": f"{balance:.2f}", "total_balance": f"{total:.2f}"})


def _as_filter(match: FilterRule, value: Any) -> Filter:
    if isinstance(value, Filter):
        return value
    several = isinstance(value, (list, tuple, set, frozenset))
    return Filter.by(match, tuple(cast("Any", value)) if several else () if value is None else (value,))


def _run_event(store: Store, id: int, due: Callable[[], None]) -> None:
    store.connection.execute("DELETE FROM events WHERE id = ?", (id,))
    due()


def run_due(runtime: Runtime) -> None:
    """Run due events in order of time, including those scheduled meanwhile."""
    store = runtime.store
    while runtime.next_due and runtime.next_due <= stamp(runtime.clock.now()):
        found = store.connection.execute(
            "SELECT id, at, owner, type, name, payload FROM events WHERE at IS NOT NULL ORDER BY at, id LIMIT 1"
        ).fetchone()
        if found is None:
            runtime.next_due = ""
            return
        id, at, owner, type, name, payload = found
        if at > stamp(runtime.clock.now()):
            runtime.next_due = at
            return
        session = AccountSession(runtime, owner, "http://127.0.0.1/v3", datetime.fromisoformat(at).astimezone(UTC))
        due = partial(runtime.behavior(type).due, session, name, msgspec.json.decode(payload))
        try:
            runtime.run_in_transaction(partial(_run_event, store, id, due))
        except Exception as error:  # an error in one behavior must not stop the others, nor be retried forever
            if is_disk_full(error):  # it was rolled back and stays due
                raise
            log.exception("emulator: the event %s of %s failed", name, type)
            store.connection.execute("DELETE FROM events WHERE id = ?", (id,))
        row = store.connection.execute("SELECT min(at) FROM events").fetchone()
        runtime.next_due = row[0] or ""
