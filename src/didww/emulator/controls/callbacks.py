"""Callbacks: the queue of deliveries and their attempts.

Callbacks are sent as the service does: GET with the fields in the query, POST with a form, a JSON array for outbound
trunks; signed; retried nine times at growing intervals of the emulator's clock. Only accounts with an enabled callback
secret receive them. Undelivered events of outbound trunks are collected into one request.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from didww._schema.registry import class_of
from didww.callback.callback_request import CallbackRequest, sign_callback
from didww.callback.request_validator import RequestValidator
from didww.emulator.controls.clock import stamp
from didww.emulator.controls.sending import Attempt, host_of, is_allowed, send_request
from didww.emulator.engine.accounts import get_features
from didww.emulator.engine.store import DISK_FULL_RETRY_DELAY, is_disk_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record, Store

__all__ = ["PAUSES", "Attempt", "Callbacks", "Delivery", "report"]

PAUSES: Final = (60, 600, 1800, 3600, 10800, 21600, 43200, 86400, 172800)
"""Seconds between attempts."""
MAX_SHOWN = 500
_MAX_WAIT: Final = 600.0
DEFAULT_SECRET: Final = "emulator-callback-secret"  # noqa: S105 documented, not secret

_COLLECTED: Final = "voice_out_trunks"
"""The type whose undelivered events are collected into one array."""

Signing = Literal["right", "wrong", "none"]


class Delivery(msgspec.Struct, frozen=True):
    """A callback and its attempts.

    Attributes:
        id: Sequential number.
        type: Type of the record.
        record: Id of the record.
        method: GET or POST.
        url: Callback URL of the record.
        fields: Payload: an object, or a list of objects for outbound trunks.
        state: waiting, delivered, failed (ten attempts), refused (not a loopback address), dropped (by a fault),
            unsent (the account had no enabled callback secret), collected (sent in the array of another one).
        next_at: Time of the next attempt, or None.
        attempts: Attempts so far.
    """

    id: int
    type: str
    record: str
    method: str
    url: str
    fields: dict[str, Any] | list[dict[str, Any]]
    state: str
    next_at: str | None
    attempts: list[Attempt]


# Payloads


def _decision_fields(record: Record, *names: str) -> dict[str, Any]:
    return {name: record[name] or "" for name in ("id", "status", *names)}


def _review_fields(record: Record, reasons: str, between: str) -> dict[str, Any]:
    """Return the review fields, which are always present and may be empty."""
    return _decision_fields(record, "reject_comment") | {reasons: between.join(record["reject_reasons"] or ())}


# By type: the members of the payload besides the type.
_MEMBERS: Final[dict[str, Callable[[Record], dict[str, Any]]]] = {
    "orders": _decision_fields,
    "exports": lambda record: _decision_fields(record, "url"),
    "address_verifications": lambda record: _review_fields(record, "reject_reason", ", "),
    "emergency_verifications": lambda record: (
        _review_fields(record, "reject_reasons", "; ")
        | {"emergency_calling_service_id": record["emergency_calling_service"] or ""}
    ),
    "voice_out_trunks": lambda record: (
        _decision_fields(record) | {"threshold_reached": bool(record["threshold_reached"])}
    ),
}


@cache
def _statuses(type: str) -> frozenset[str]:
    """Return the statuses that a callback reports: the final ones, or all of a type that has no final ones."""
    cls = class_of(type)
    if cls is None or type not in _MEMBERS:
        return frozenset()
    outcome = cls._outcome
    return frozenset(outcome.terminal if outcome is not None else map(str, cls._field_map["status"].kind.detail))


def report(session: AccountSession, type: str, before: str | None, record: Record) -> None:
    """Queue a callback for a record if its status changed to one that is reported."""
    status = record["status"]
    if status == before or status not in _statuses(type) or not record["callback_url"]:
        return
    payload: Any = {"type": type, **_MEMBERS[type](record)}
    if type == _COLLECTED:
        payload = [{**payload, "created_at": session.stamp()}]
    # Emergency orders and seeded records may have no method.
    method = "POST" if type == _COLLECTED else str(record.get("callback_method") or "post").upper()
    enabled = session.enabled("callback_secret")
    session.runtime.store.connection.execute(
        "INSERT INTO deliveries (owner, type, record, method, url, fields, state, next_at, attempts)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, '[]')",
        (
            session.owner,
            type,
            record["id"],
            method,
            record["callback_url"],
            msgspec.json.encode(payload).decode(),
            "waiting" if enabled else "unsent",
            session.stamp() if enabled else None,
        ),
    )
    session.runtime.callbacks_queued = True


# Delivery


class Callbacks:
    """Callback deliveries: `emulator.callbacks`.

    Args:
        engine: The engine.
        secret: Signing secret.
        get_fault: Returns for a type whether a fault drops or duplicates the callback.
        hosts: Initially allowed hosts besides loopback addresses; `"*"` allows any.

    Attributes:
        on_attempt: Called after each attempt with the delivery, its new state and the attempt, if it is set.
    """

    def __init__(
        self,
        engine: Engine,
        secret: str = DEFAULT_SECRET,
        get_fault: Callable[[str], Literal["drop", "duplicate"] | None] = lambda _: None,
        hosts: Iterable[str] = (),
    ) -> None:
        if not secret:
            raise ValueError("callback_secret must not be empty: it signs callbacks.")
        self._engine = engine
        self._secret = secret
        self._disturb = get_fault
        self._signing: Signing = "right"
        self._first_hosts = self._hosts = frozenset(host.lower() for host in hosts)
        self._carrying = threading.Lock()
        self._closed = False
        self.on_attempt: Callable[[Delivery, str, Attempt], object] | None = None

    def deliveries(self, *, record: str | None = None, state: str | None = None) -> list[Delivery]:
        """Return the last 500 callbacks, newest first.

        Args:
            record: Only callbacks of this record.
            state: Only callbacks in this state.
        """
        terms = {"record": record, "state": state}
        conditions = {name: value for name, value in terms.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in conditions) or "1"
        with self._engine.locked() as runtime:
            rows = runtime.store.connection.execute(
                f"SELECT {_COLUMNS} FROM deliveries WHERE {where} ORDER BY id DESC LIMIT {MAX_SHOWN}",  # noqa: S608
                list(conditions.values()),
            )
            return [_delivery(row) for row in rows]

    def replay(self, id: int) -> Delivery:
        """Send a callback again, in any state; after ten failed attempts, only once.

        Raises:
            LookupError: There is no delivery with this id.
        """
        self._get(id)
        with self._engine.locked() as runtime:
            runtime.store.connection.execute(
                "UPDATE deliveries SET state = 'waiting', next_at = ? WHERE id = ?", (stamp(runtime.clock.now()), id)
            )
            runtime.callbacks_queued = True
        self._engine.wake()
        return self._get(id)

    def request(self, id: int) -> CallbackRequest:
        """Return the signed request of a callback, to pass to a receiver without a socket.

        Raises:
            LookupError: There is no delivery with this id.
        """
        return self._build_request(self._get(id))

    def sign(self, how: Signing) -> None:
        """Sign callbacks correctly ("right", the default), incorrectly ("wrong"), or not at all ("none")."""
        if how not in ("right", "wrong", "none"):
            raise ValueError(f"how must be 'right', 'wrong' or 'none', got {how!r}.")
        self._signing = how

    def allow(self, *hosts: str) -> None:
        """Set the allowed hosts besides loopback addresses; `"*"` allows any. Without hosts, only loopback."""
        self._hosts = frozenset(host.lower() for host in hosts)

    def settle(self, timeout: float = 60.0) -> list[Delivery]:
        """Wait until no callback is due; return the last 500, newest first.

        Args:
            timeout: Real seconds to wait, up to 600.

        Raises:
            TimeoutError: Callbacks are still due, or the emulator was closed.
        """
        end = time.monotonic() + min(timeout, _MAX_WAIT)
        while not self._closed:
            try:
                with self._engine.locked() as runtime:
                    due = self._next(runtime.store.connection.execute, stamp(runtime.clock.now())) is not None
            except sqlite3.ProgrammingError:  # closed meanwhile
                break
            if not due and not self._carrying.locked():
                return self.deliveries()
            if time.monotonic() > end:
                raise TimeoutError(f"Callbacks are still pending after {timeout:g} s.")
            if not self.deliver_due():
                time.sleep(0.01)
        raise TimeoutError("The emulator was closed.")

    @property
    def hosts(self) -> frozenset[str]:
        """The allowed hosts besides loopback addresses."""
        return self._hosts

    # For the engine

    def reset(self) -> None:
        """Restore the initial settings."""
        self._signing, self._hosts = "right", self._first_hosts

    def close(self) -> None:
        """Stop sending callbacks."""
        self._closed = True

    def deliver_due(self) -> bool:
        """Attempt all due deliveries; return False if another thread is doing so."""
        if not self._carrying.acquire(blocking=False):
            return False
        try:
            while not self._closed:
                with self._engine.locked() as runtime:
                    now = stamp(runtime.clock.now())
                    execute = runtime.store.connection.execute
                    row = self._next(execute, now)
                    runtime.callbacks_queued = False
                    if row is not None:  # do not send what could not be recorded: it would be sent again and again
                        execute("UPDATE deliveries SET state = state WHERE id = ?", row[:1])
                        row = runtime.run_in_transaction(partial(_next_sendable, runtime.store, row, now))
                        if row is None:
                            continue
                if row is None:
                    return True
                self._attempt(_delivery(row))
            return True
        finally:
            self._carrying.release()

    def work(self) -> float:
        """Attempt due deliveries; return the clock seconds until the next, infinity if there is none."""
        try:
            self.deliver_due()
        except sqlite3.OperationalError as error:
            if not is_disk_full(error):
                raise
            return DISK_FULL_RETRY_DELAY
        with self._engine.locked() as runtime:
            row = runtime.store.connection.execute("SELECT min(next_at) FROM deliveries").fetchone()
            if row[0] is None:
                return math.inf
            return max(0.0, (datetime.fromisoformat(row[0]) - runtime.clock.now()).total_seconds())

    @staticmethod
    def _next(execute: Callable[..., Any], now: str) -> Any:
        return execute(
            f"SELECT {_COLUMNS} FROM deliveries WHERE next_at <= ? ORDER BY next_at, id LIMIT 1",  # noqa: S608
            (now,),
        ).fetchone()

    def _get(self, id: int) -> Delivery:
        with self._engine.locked() as runtime:
            row = runtime.store.connection.execute(
                f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?",  # noqa: S608
                (str(id),),  # as text, so that any integer is accepted
            ).fetchone()
        if row is None:
            raise LookupError(f"There is no delivery {id}.")
        return _delivery(row)

    def _build_request(self, delivery: Delivery) -> CallbackRequest:
        method: Any = delivery.method
        secret = "not the secret" if self._signing == "wrong" else self._secret
        signed = sign_callback(delivery.url, delivery.fields, secret=secret, method=method)
        headers = {"User-Agent": "DIDWW emulator", **signed.headers}
        if self._signing == "none":
            del headers[RequestValidator.HEADER]
        return msgspec.structs.replace(signed, headers=headers)

    def _attempt(self, delivery: Delivery) -> None:
        now = delivery.next_at or ""
        disturbance = self._disturb(delivery.type)
        if disturbance == "drop":
            self._record_attempt(delivery, "dropped", None, Attempt(now, None, "dropped by a fault", 0.0))
            return
        host = host_of(delivery.url)
        if not is_allowed(host, self._hosts):
            error = (
                f"{host} is not a loopback address; allow it with --callback-host or emulator.callbacks.allow({host!r})"
            )
            self._record_attempt(delivery, "refused", None, Attempt(now, None, error, 0.0))
            return
        attempt = self._send(delivery, now)
        if disturbance == "duplicate":
            self._send(delivery, now)
        if attempt.error is None:
            self._record_attempt(delivery, "delivered", None, attempt)
            return
        tried = len(delivery.attempts)
        # A replay after ten failures is a single attempt.
        if tried >= len(PAUSES):
            self._record_attempt(delivery, "failed", None, attempt)
            return
        later = datetime.fromisoformat(now) + timedelta(seconds=PAUSES[tried])
        self._record_attempt(delivery, "waiting", stamp(later), attempt)

    def _record_attempt(self, delivery: Delivery, state: str, next_at: str | None, attempt: Attempt) -> None:
        attempts = msgspec.json.encode([*delivery.attempts, attempt]).decode()
        with self._engine.locked() as runtime:
            execute = runtime.store.connection.execute
            execute("UPDATE deliveries SET attempts = ? WHERE id = ?", (attempts, delivery.id))
            # The time differs if it was replayed meanwhile; then it is due again.
            execute(
                "UPDATE deliveries SET state = ?, next_at = ? WHERE id = ? AND next_at = ?",
                (state, next_at, delivery.id, delivery.next_at),
            )
        if self.on_attempt is not None:
            self.on_attempt(delivery, state, attempt)

    def _send(self, delivery: Delivery, now: str) -> Attempt:
        try:
            made = self._build_request(delivery)
        except (ValueError, TypeError) as failure:
            return Attempt(now, None, f"cannot be called: {failure}", 0.0)
        return send_request(made.method, made.url, made.headers, made.body.encode(), at=now)


def _next_sendable(store: Store, row: tuple[Any, ...], now: str) -> tuple[Any, ...] | None:
    """Return the delivery to attempt for a due one; None if there is nothing to send now.

    Without an enabled callback secret nothing is sent or retried. Events of outbound trunks for one URL are collected:
    new events join the next attempt of a failing delivery.
    """
    execute = store.connection.execute
    owner = execute("SELECT owner FROM deliveries WHERE id = ?", row[:1]).fetchone()[0]
    if not get_features(store, owner)["callback_secret"]:
        execute("UPDATE deliveries SET state = 'unsent', next_at = NULL WHERE id = ?", row[:1])
        return None
    if row[1] != _COLLECTED:
        return row
    several = execute(
        f"SELECT {_COLUMNS} FROM deliveries WHERE owner = ? AND type = ? AND url = ? AND state = 'waiting'"  # noqa: S608
        " ORDER BY attempts = '[]', id",  # the failing one first
        (owner, _COLLECTED, row[4]),
    ).fetchall()
    first, *others = several
    if others:
        events = [event for row in sorted(several) for event in msgspec.json.decode(row[5])]
        execute("UPDATE deliveries SET fields = ? WHERE id = ?", (msgspec.json.encode(events).decode(), first[0]))
        execute(
            "UPDATE deliveries SET state = 'collected', next_at = NULL WHERE id IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode([other[0] for other in others]).decode(),),
        )
    if first[7] > now:
        return None
    delivery: tuple[Any, ...] = execute(f"SELECT {_COLUMNS} FROM deliveries WHERE id = ?", first[:1]).fetchone()  # noqa: S608
    return delivery


_COLUMNS = "id, type, record, method, url, fields, state, next_at, attempts"


def _delivery(row: tuple[Any, ...]) -> Delivery:
    id, type, record, method, url, fields, state, next_at, attempts = row
    return Delivery(
        id,
        type,
        record,
        method,
        url,
        msgspec.json.decode(fields),
        state,
        next_at,
        msgspec.json.decode(attempts, type=list[Attempt]),
    )
