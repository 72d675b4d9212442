"""When and how what waits is decided: orders, exports, verifications; and deciding it by hand."""

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
    """A record that waits to be decided.

    Attributes:
        type: Its type.
        id: Its id.
        status: Its status.
        at: When it is decided, by the emulator's clock; None if a reading or somebody decides it.
        reads: After how many readings it is decided; None if the clock or somebody decides it.
        outcomes: What can be said of it: approve, reject, complete, cancel.
    """

    type: str
    id: str
    status: str
    at: str | None
    reads: int | None
    outcomes: list[str]


class Decision(msgspec.Struct, frozen=True):
    """A record that was decided, and its status now."""

    type: str
    id: str
    status: str


class Transitions:
    """When pending records are decided, and how: `emulator.transitions`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def show(self) -> dict[str, TransitionRule]:
        """What was set, by type."""
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
        """Say when records of a type are decided, and which way; it holds for those created from now on.

        Args:
            type: orders, exports, address_verifications or emergency_verifications.
            after: After so much time of the emulator's clock; 0 decides with the request itself.
            reads: After the record was read so often by its id.
            by_hand: Never by itself.
            outcome: What is decided: "approve" or "reject", "complete" or "cancel".
            reasons: Why, if it rejects.
            comment: What the reviewer says, if it rejects.

        Raises:
            ValueError: There is no such type or outcome, or more than one of after, reads and by_hand is given.
        """
        if (after is not None) + (reads is not None) + by_hand > 1:
            raise ValueError("Give one of after=, reads= and by_hand=.")
        if reads is not None and not 0 <= reads <= _MAX_READS:
            raise ValueError(f"reads is {reads}; it goes from 0 to {_MAX_READS}.")
        if isinstance(reasons, str):
            raise ValueError(f"reasons is a list of texts, as in [{reasons!r}].")  # noqa: TRY004 as for all of these
        with self._engine.locked() as runtime:
            behavior = runtime.behavior(_check_type(runtime, type))
            if outcome is not None and outcome not in behavior.outcomes:
                raise ValueError(f"{type} take the outcomes {', '.join(behavior.outcomes)}, not {outcome!r}.")
            rule = TransitionRule(
                None if after is None else parse_duration(after), reads, by_hand, outcome, list(reasons), comment
            )
            runtime.transition_rules[type] = rule
            _save(runtime)
            return rule

    def reset(self, type: str | None = None) -> None:
        """Decide as from the start: all types, or one."""
        with self._engine.locked() as runtime:
            if type is None:
                runtime.transition_rules.clear()
            else:
                runtime.transition_rules.pop(_check_type(runtime, type), None)
            _save(runtime)

    def waiting(self) -> list[PendingRecord]:
        """The records of all accounts that wait to be decided, the oldest first; at most 500."""
        with self._engine.locked() as runtime:
            kinds = msgspec.json.encode(_decidable(runtime)).decode()
            rows = runtime.store.connection.execute(_WAITING, (kinds,)).fetchall()
            found: list[PendingRecord] = []
            for owner, type, record, at, reads in rows:
                there = _session(runtime, owner).get(type, record)
                behavior = runtime.behavior(type)
                if there is not None and there["status"] in behavior.undecided:
                    found.append(PendingRecord(type, record, there["status"], at, reads, list(behavior.outcomes)))
            return found

    def approve(self, id: str) -> Decision:
        """Approve a verification that waits.

        Raises:
            LookupError: There is none of this id.
            ValueError: It is decided already.
        """
        return self._decide(id, "approve")

    def reject(self, id: str, reasons: Sequence[str] = ("Rejected",), comment: str | None = None) -> Decision:
        """Reject a verification that waits.

        Args:
            id: The verification.
            reasons: Why.
            comment: What the reviewer says.

        Raises:
            LookupError: There is none of this id.
            ValueError: It is decided already.
        """
        if isinstance(reasons, str):
            raise ValueError(f"reasons is a list of texts, as in [{reasons!r}].")  # noqa: TRY004 as for all of these
        return self._decide(id, "reject", reasons=list(reasons), comment=comment)

    def complete(self, id: str) -> Decision:
        """Complete an order or an export that waits; an order stays pending while its numbers are not in stock.

        Raises:
            LookupError: There is none of this id.
            ValueError: It is decided already.
        """
        return self._decide(id, "complete")

    def cancel(self, id: str) -> Decision:
        """Cancel a pending order, as DIDWW may do: its money comes back.

        Raises:
            LookupError: There is none of this id.
            ValueError: It is decided already.
        """
        return self._decide(id, "cancel")

    def _decide(self, id: str, outcome: str, **said: Any) -> Decision:
        with self._engine.locked() as runtime:
            type, owner = _find_owner(runtime, id, outcome)
            session = _session(runtime, owner)
            decided = runtime.run_in_transaction(lambda: _apply_decision(session, type, id, outcome, said))
        self._engine.wake()
        return decided


def _apply_decision(session: AccountSession, type: str, id: str, outcome: str, said: Mapping[str, Any]) -> Decision:
    behavior = session.runtime.behavior(type)
    record: Record = session.get(type, id) or {}
    if record["status"] not in behavior.undecided:
        raise ValueError(f"{id} of {type} is {record['status']} already.")
    execute = session.runtime.store.connection.execute
    payloads = execute("DELETE FROM events WHERE record = ? RETURNING payload", (id,)).fetchall()
    session.runtime.read_counted.discard(id)
    known: dict[str, Any] = msgspec.json.decode(payloads[-1][0]) if payloads else {"id": id}
    behavior.due(session, outcome, {**known, **said})
    return Decision(type, id, (session.get(type, id) or record)["status"])


def _find_owner(runtime: Runtime, id: str, outcome: str) -> tuple[str, int]:
    able = [type for type in _decidable(runtime) if outcome in runtime.behavior(type).outcomes]
    for type in able:
        table = runtime.store.table(type)
        row = runtime.store.connection.execute(f'SELECT owner FROM "{table.type}" WHERE id = ?', (id,)).fetchone()  # noqa: S608
        if row is not None:
            return type, row[0]
    raise LookupError(f"There is nothing of id {id!r} among {', '.join(able)} to {outcome}.")


def _session(runtime: Runtime, owner: int) -> AccountSession:
    return AccountSession(runtime, owner, "http://127.0.0.1/v3")


def _decidable(runtime: Runtime) -> list[str]:
    return [type for type, behavior in runtime.behaviors.items() if behavior.outcomes]


def _check_type(runtime: Runtime, type: str) -> str:
    known = _decidable(runtime)
    if type not in known:
        raise ValueError(f"{type!r} are not decided; there are {', '.join(known)}.{did_you_mean(type, known)}")
    return type


def _save(runtime: Runtime) -> None:
    runtime.store.set_meta("transition_rules", msgspec.json.encode(runtime.transition_rules).decode())
