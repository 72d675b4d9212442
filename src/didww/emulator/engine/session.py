"""The session as one account sees it: its records, the shared ones, the time, its money.

Behaviors act through it. Everything done in one request is one transaction; a refusal undoes it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from didww.emulator.behaviors.base import Behavior
from didww.emulator.controls.callbacks import report
from didww.emulator.controls.clock import stamp
from didww.emulator.data.export_file import ExportCache
from didww.emulator.engine import overrides
from didww.emulator.engine.accounts import NOBODY, get_features
from didww.emulator.engine.errors import HttpError
from didww.emulator.engine.query import Filter
from didww.emulator.engine.schema import referrers
from didww.emulator.engine.sql import Conditions
from didww.emulator.engine.store import is_disk_full

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from didww._schema.filters import FilterRule
    from didww.emulator.controls.clock import Clock
    from didww.emulator.data.catalog import Catalog
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.store import Record, Row, Store

__all__ = ["AccountSession", "Runtime", "TransitionRule", "new_id", "run_due"]

log = logging.getLogger("didww.emulator")
PLAIN = Behavior()
T = TypeVar("T")


class TransitionRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """When and how records of one type that wait are decided; see `Transitions.set`."""

    after: float | None = None
    reads: int | None = None
    by_hand: bool = False
    outcome: str | None = None
    reasons: list[str] = []
    comment: str | None = None


class Runtime:
    """What all accounts share: store, clock, catalog, random generator, behaviors."""

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
        """Types whose first rows are known to be there, by owner."""
        self.next_due = ""
        """When the next event falls due, as text; empty if nothing is scheduled."""
        self.transition_rules: dict[str, TransitionRule] = {}
        """When and how what waits is decided, by type; what is not in it goes by its behavior's steps."""
        self.hold = False
        """Whether what begins in the request at hand is to wait for somebody's decision."""
        self.read_counted: set[str] = set()
        """Records that go on when they were read often enough."""
        self.callbacks_queued = False
        """Whether callbacks were queued that nobody was told about yet."""
        self.export_cache = ExportCache()
        """Files of exports that were asked for."""
        self.load()

    def load(self) -> None:
        """Take from the store what is remembered here; to be called when all of it was replaced."""
        execute = self.store.connection.execute
        self.filled.clear()
        self.next_due = execute("SELECT min(at) FROM events").fetchone()[0] or ""
        self.read_counted = {row[0] for row in execute("SELECT DISTINCT record FROM events WHERE reads IS NOT NULL")}
        self.transition_rules = msgspec.json.decode(
            self.store.get_meta("transition_rules") or "{}", type=dict[str, TransitionRule]
        )
        waiting = execute("SELECT 1 FROM deliveries WHERE next_at IS NOT NULL LIMIT 1").fetchone()
        self.callbacks_queued = waiting is not None

    def behavior(self, type: str) -> Behavior:
        """The behavior of a type; one that does nothing if it has none."""
        return self.behaviors.get(type, PLAIN)

    def run_in_transaction(self, work: Callable[[], T]) -> T:
        """Do `work` as one transaction; if it is refused, nothing of it was done."""
        try:
            with self.store.transaction():
                return work()
        except BaseException:
            self.filled.clear()
            raise

    def new_id(self) -> str:
        """An id such as the service makes: a random UUID, from the seed."""
        return new_id(self.rng)


def new_id(rng: random.Random) -> str:
    """A random UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) % 4]}{text[17:20]}-{text[20:]}"


class AccountSession:
    """One account's view.

    Attributes:
        owner: The account's number.
        base: Address of the API in the request at hand, e.g. `http://127.0.0.1:8080/v3`, without a slash at the end.
    """

    def __init__(self, runtime: Runtime, owner: int, base: str, moment: datetime | None = None) -> None:
        self.runtime = runtime
        self.owner = owner
        self.base = base
        self._store = runtime.store
        self._moment = moment

    @property
    def catalog(self) -> Catalog:
        """The number catalog."""
        return self.runtime.catalog

    @property
    def rng(self) -> random.Random:
        """Random numbers from the seed."""
        return self.runtime.rng

    def new_id(self) -> str:
        """A new random id."""
        return self.runtime.new_id()

    def now(self) -> datetime:
        """The time; for something scheduled, the time it was scheduled for."""
        return self._moment or self.runtime.clock.now()

    def stamp(self, moment: datetime | None = None) -> str:
        """Return a time as attributes hold it. Defaults to now."""
        return stamp(moment or self.now())

    def enabled(self, feature: str) -> bool:
        """Whether the account has a feature of `accounts.FEATURES`."""
        return get_features(self._store, self.owner)[feature]

    # Tables and their first rows

    def touch(self, type: str) -> Table:
        """The table of a type with its first rows in it.

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
        # Marked first: what the first rows are made of may lead back here.
        self._store.mark_filled(table.type, owner)
        self.runtime.filled.add((table.type, owner))
        behavior = self.runtime.behavior(table.type)
        if table.shared:
            rows = behavior.rows(self)
            if rows is None and table.type in overrides.CATALOG:
                rows = self.catalog.rows(table.type)
            self._store.insert(table, None, rows or ())
        else:
            for row in behavior.account_rows(self):
                self.insert(table.type, row)

    # Reading

    def get(self, type: str, id: object) -> Record | None:
        """The record with this id, if there is one and the account sees it."""
        row = self.row(type, id)
        return None if row is None else self._store.table(type).record(row)

    def row(self, type: str, id: object) -> Row | None:
        """The same as a row of the store."""
        table = self.touch(type)
        if not isinstance(id, str):
            return None
        behavior = self.runtime.behaviors.get(type)
        if behavior is not None and not behavior.resolve(self, id):
            return None
        return self._store.row(table, self.owner, id)

    def find(self, type: str, /, *, order: str = "rowid", limit: int = -1, **equals: Any) -> list[Record]:
        """Records whose members equal these values (a list: any of them; None: null).

        Args:
            type: Their type.
            order: A column, with ` DESC` for descending. Defaults to the order of creation.
            limit: Most records.
            **equals: Attributes, to-one relationships (the id), hidden columns.
        """
        table = self.touch(type)
        return [table.record(row) for row in self._store.rows_where(table, self.owner, equals, order, limit)]

    def count(self, type: str, /, **equals: Any) -> int:
        """How many records `find` would find."""
        return self._store.count_where(self.touch(type), self.owner, equals)

    def search(self, type: str, filters: Mapping[str, Any]) -> list[Record]:
        """Records that match filters of the type's list, e.g. `{"did_group.features": ["emergency"]}`.

        A value is one value, a list of which any may match, or None for records that have none.
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
        """The ids that a to-many relationship leads to."""
        relation = self.touch(type).relations[name]
        other = self.touch(relation.targets[0])
        if relation.inverse is None:
            return [target for _, target in self._store.links(name, [id])]
        several = type if f"{relation.inverse}_type" in other.by_name else None
        return [row[0] for row in self._store.rows_linking(other, relation.inverse, [id], several)]

    # Writing

    def insert(self, type: str, record: Mapping[str, Any]) -> Record:
        """Add a record of the account: `id` and `created_at` are set if they are missing, the rest is null.

        To-many relationships are lists of ids.

        Raises:
            KeyError: The type has no such member.
        """
        table = self.touch(type)
        made = {"id": self.new_id(), **record}
        if "created_at" in table.by_name and made.get("created_at") is None:
            made["created_at"] = self.stamp()
        many = {name: made.pop(name) for name, one in table.relations.items() if one.many and name in made}
        for name in made:
            if name != "id" and name not in table.by_name:
                raise KeyError(f"{type} have no {name}")
        self._store.insert(table, None if table.shared else self.owner, [made])
        for name, ids in many.items():
            self._relate(table, made["id"], name, ids)
        row = self._store.row(table, self.owner, made["id"])
        assert row is not None  # noqa: S101 it was put there
        return table.record(row)

    def insert_many(self, type: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Add many records fast: each has its `id` and every attribute that shall not be null, and no to-many."""
        table = self.touch(type)
        with self._store.transaction():
            self._store.insert(table, None if table.shared else self.owner, records)

    def update(self, type: str, id: str, changes: Mapping[str, Any]) -> Record:
        """Set members of a record of the account; to-many relationships are replaced.

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
        assert row is not None  # noqa: S101 it was there
        record = table.record(row)
        if "status" in changes:
            report(self, type, before[table.place["status"]], record)
        return record

    def delete(self, type: str, id: str) -> None:
        """Remove a record of the account.

        What cannot be without it goes with it (an identity's addresses and documents), other links to it become null.
        """
        table = self.touch(type)
        if self._store.row(table, self.owner, id) is None:
            return
        for one in referrers(type):
            other = self._store.table(one.type)
            several = type if one.polymorphic else None
            for row in list(self._store.rows_linking(other, one.column, [id], several)):
                if one.nullable:
                    changes = {one.column: None, f"{one.column}_type": None} if several else {one.column: None}
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
        """Have the behavior of `type` called with `due(session, name, payload)`.

        Args:
            at: When, or in how many seconds.
            type: Whose behavior.
            name: What is to be done.
            payload: Plain JSON values that it needs.
            record: The record that it decides, if it decides one.
        """
        moment = at if isinstance(at, datetime) else self.now() + timedelta(seconds=at)
        self._insert_event(type, name, payload, record, at=stamp(moment))

    def schedule_once(self, at: datetime, type: str, name: str, key: str, payload: Any = None) -> None:
        """The same, unless something is scheduled under this key already."""
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
        """Let a record that was just created go its way: the steps of its behavior, at the rule that was set.

        Args:
            type: Its type.
            payload: What the steps need; `id` is the record's.
            at_once: Decide now, if no rule was set.
        """
        behavior = self.runtime.behavior(type)
        rule = self.runtime.transition_rules.get(type) or TransitionRule(after=0 if at_once else None)
        steps, whole = behavior.steps, behavior.steps[-1][0]
        for n, (seconds, name) in enumerate(steps, start=1):
            last = n == len(steps)
            said: Mapping[str, Any] = payload
            if last and rule.outcome is not None:
                name, said = rule.outcome, {**payload, "reasons": rule.reasons, "comment": rule.comment}  # noqa: PLW2901
            if last and (rule.by_hand or self.runtime.hold):
                self._insert_event(type, name, said, payload["id"])
            elif rule.reads is not None and rule.reads > 0:
                self._insert_event(type, name, said, payload["id"], reads=-(-rule.reads * n // len(steps)))
            elif rule.reads == 0 or rule.after == 0:
                behavior.due(self, name, said)
            else:
                part = seconds if rule.after is None else rule.after * seconds / whole
                self.schedule(part, type, name, said, payload["id"])

    def record_read(self, id: str) -> None:
        """A record was read: one time less until it goes on."""
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

    def gross(self, net: Decimal) -> Decimal:
        """A price with VAT, in whole cents; SKU prices and the like are without it."""
        percent = Decimal(self._store.get_meta("vat") or 0)
        return (net * (100 + percent) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def balance(self) -> Decimal:
        """What the account can spend: prepaid money and credit."""
        return Decimal(self.find("balances", limit=1)[0]["total_balance"])

    def charge(self, amount: Decimal, *, beyond: bool = False) -> None:
        """Take `amount` from the prepaid money; a negative amount is given back.

        Args:
            amount: US dollars.
            beyond: Whether the balance may go below zero by it.

        Raises:
            HttpError: It is more than can be spent (400, with both amounts).
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
    """Do what has fallen due, in the order of its time; what one event schedules may be due as well."""
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
        except Exception as error:  # a fault of one behavior must not stop the others, nor be tried for ever
            if is_disk_full(error):  # nothing of it was done, and it stays due
                raise
            log.exception("emulator: the event %s of %s failed", name, type)
            store.connection.execute("DELETE FROM events WHERE id = ?", (id,))
        row = store.connection.execute("SELECT min(at) FROM events").fetchone()
        runtime.next_due = row[0] or ""
