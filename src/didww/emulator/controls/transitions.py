"""Transitions of orders, exports and verifications: automatic rules and manual decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from didww._util.suggest import did_you_mean
from didww.emulator.controls.durations import Duration, parse_duration
from didww.emulator.engine.session import AccountSession, TransitionRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.session import Runtime
    from didww.emulator.engine.store import Record

__all__ = ["Decision", "PendingRecord", "Transitions"]


_MAX_READS = 1_000_000
_WAITING = (
    "SELECT owner, type, record, max(at), max(reads) FROM events"
    " WHERE record IS NOT NULL AND type IN (SELECT value FROM json_each(?))"
    " GROUP BY owner, type, record ORDER BY min(id) LIMIT 500"
)


class PendingRecord(msgspec.Struct, frozen=True):
    """A pending record.

    Attributes:
        type: Type of the record.
        id: Id of the record.
        status: Current status.
        at: Time of its automatic transition by the emulator's clock, or None.
        reads: Remaining reads until its transition, or None.
        outcomes: Possible outcomes: approve, reject, complete, cancel.
    """

    type: str
    id: str
    status: str
    at: str | None
    reads: int | None
    outcomes: list[str]


class Decision(msgspec.Struct, frozen=True):
    """A decided record and its new status."""

    type: str
    id: str
    status: str


class Transitions:
    """Transitions of pending records: `emulator.transitions`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def show(self) -> dict[str, TransitionRule]:
        """Return the transition rules, by type."""
        with self._engine.locked() as runtime:
            return dict(runtime.transition_rules)

    def set(
        self,
        type: str,
        *,
        after: Duration | None = None,
        reads: int | None = None,
        by_hand: bool = False,
        outcome: str | None = None,
        reasons: Sequence[str] = (),
        comment: str | None = None,
    ) -> TransitionRule:
        """Set when and how new records of a type leave their pending status.

        Args:
            type: orders, exports, address_verifications or emergency_verifications.
            after: Delay by the emulator's clock; 0 applies within the request.
            reads: Number of reads by id before the transition.
            by_hand: Whether only a manual decision ends the pending status.
            outcome: "approve" or "reject", "complete" or "cancel".
            reasons: Rejection reasons.
            comment: Rejection comment.

        Raises:
            ValueError: Unknown type or outcome, or more than one of after, reads and by_hand.
        """
        if (after is not None) + (reads is not None) + by_hand > 1:
            raise ValueError("Pass only one of after=, reads= and by_hand=.")
        if reads is not None and not 0 <= reads <= _MAX_READS:
            raise ValueError(f"reads must be from 0 to {_MAX_READS}, got {reads}.")
        if isinstance(reasons, str):
            raise ValueError(f"reasons must be a list of strings, such as [{reasons!r}].")  # noqa: TRY004 as for all of these
        with self._engine.locked() as runtime:
            behavior = runtime.behavior(_check_type(runtime, type))
            if outcome is not None and outcome not in behavior.outcomes:
                raise ValueError(f"outcome of {type} must be one of {', '.join(behavior.outcomes)}, got {outcome!r}.")
            rule = TransitionRule(
                None if after is None else parse_duration(after), reads, by_hand, outcome, list(reasons), comment
            )
            runtime.transition_rules[type] = rule
            _save(runtime)
            return rule

    def reset(self, type: str | None = None) -> None:
        """Restore the default transitions of a type, or of all types."""
        with self._engine.locked() as runtime:
            if type is None:
                runtime.transition_rules.clear()
            else:
                runtime.transition_rules.pop(_check_type(runtime, type), None)
            _save(runtime)

    def waiting(self) -> list[PendingRecord]:
        """Return the pending records of all accounts, oldest first, up to 500."""
        with self._engine.locked() as runtime:
            kinds = msgspec.json.encode(_decidable(runtime)).decode()
            rows = runtime.store.connection.execute(_WAITING, (kinds,)).fetchall()
            pending: list[PendingRecord] = []
            for owner, type, record, at, reads in rows:
                there = _session(runtime, owner).get(type, record)
                behavior = runtime.behavior(type)
                if there is not None and there["status"] in behavior.undecided:
                    pending.append(PendingRecord(type, record, there["status"], at, reads, list(behavior.outcomes)))
            return pending

    def approve(self, id: str) -> Decision:
        """Approve a pending verification.

        Raises:
            LookupError: There is no such record.
            ValueError: The record is not pending.
        """
        return self._decide(id, "approve")

    def reject(self, id: str, reasons: Sequence[str] = ("Rejected",), comment: str | None = None) -> Decision:
        """Reject a pending verification.

        Args:
            id: Id of the verification.
            reasons: Rejection reasons.
            comment: Rejection comment.

        Raises:
            LookupError: There is no such record.
            ValueError: The record is not pending.
        """
        if isinstance(reasons, str):
            raise ValueError(f"reasons must be a list of strings, such as [{reasons!r}].")  # noqa: TRY004 as for all of these
        return self._decide(id, "reject", reasons=list(reasons), comment=comment)

    def complete(self, id: str) -> Decision:
        """Complete a pending order or export; an order stays pending while its numbers are out of stock.

        Raises:
            LookupError: There is no such record.
            ValueError: The record is not pending.
        """
        return self._decide(id, "complete")

    def cancel(self, id: str) -> Decision:
        """Cancel a pending order and refund it.

        Raises:
            LookupError: There is no such record.
            ValueError: The record is not pending.
        """
        return self._decide(id, "cancel")

    def _decide(self, id: str, outcome: str, **values: Any) -> Decision:
        with self._engine.locked() as runtime:
            type, owner = _find_owner(runtime, id, outcome)
            session = _session(runtime, owner)
            decided = runtime.run_in_transaction(lambda: _apply_decision(session, type, id, outcome, values))
        self._engine.wake()
        return decided


def _apply_decision(session: AccountSession, type: str, id: str, outcome: str, values: Mapping[str, Any]) -> Decision:
    behavior = session.runtime.behavior(type)
    record: Record = session.get(type, id) or {}
    if record["status"] not in behavior.undecided:
        raise ValueError(f"{id} of {type} is {record['status']} already.")
    execute = session.runtime.store.connection.execute
    payloads = execute("DELETE FROM events WHERE record = ? RETURNING payload", (id,)).fetchall()
    session.runtime.read_counted.discard(id)
    known: dict[str, Any] = msgspec.json.decode(payloads[-1][0]) if payloads else {"id": id}
    behavior.due(session, outcome, {**known, **values})
    return Decision(type, id, (session.get(type, id) or record)["status"])


def _find_owner(runtime: Runtime, id: str, outcome: str) -> tuple[str, int]:
    able = [type for type in _decidable(runtime) if outcome in runtime.behavior(type).outcomes]
    for type in able:
        table = runtime.store.table(type)
        row = runtime.store.connection.execute(f'SELECT owner FROM "{table.type}" WHERE id = ?', (id,)).fetchone()  # noqa: S608
        if row is not None:
            return type, row[0]
    raise LookupError(f"No record with id {id!r} to {outcome} among {', '.join(able)}.")


def _session(runtime: Runtime, owner: int) -> AccountSession:
    return AccountSession(runtime, owner, "http://127.0.0.1/v3")


def _decidable(runtime: Runtime) -> list[str]:
    return [type for type, behavior in runtime.behaviors.items() if behavior.outcomes]


def _check_type(runtime: Runtime, type: str) -> str:
    known = _decidable(runtime)
    if type not in known:
        raise ValueError(f"{type!r} has no transitions; valid types are {', '.join(known)}.{did_you_mean(type, known)}")
    return type


def _save(runtime: Runtime) -> None:
    runtime.store.set_meta("transition_rules", msgspec.json.encode(runtime.transition_rules).decode())
