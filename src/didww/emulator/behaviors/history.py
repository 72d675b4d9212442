"""The history of DIDs, kept for 90 days.

Source: tests/contract/facts/did_history.yaml.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine import queries
from didww.emulator.engine.overrides import HISTORY_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["History", "record_event"]

_TYPE = "did_history"
_KEPT = timedelta(days=HISTORY_DAYS[_TYPE])


class History(Behavior):
    """History events."""

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the old and new value of a change."""
        return record["private"] or None

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Purge old events."""
        oldest = queries.purge_history(session, session.stamp(session.now() - _KEPT))
        if oldest is not None:
            _schedule_purge(session, datetime.fromisoformat(oldest))


def record_event(
    session: AccountSession,
    action: str,
    numbers: Iterable[str],
    *,
    method: str = "api3",
    change: tuple[Any, Any] | None = None,
) -> None:
    """Record an event of some numbers.

    Args:
        session: Session of the account.
        action: Action of the event.
        numbers: Numbers of the event.
        method: Origin: `api3` for a request, `system` for the clock.
        change: Old and new value.
    """
    private = {} if change is None else {"from": _text(change[0]), "to": _text(change[1])}
    session.insert_many(
        _TYPE,
        [
            {
                "id": session.new_id(),
                "did_number": number,
                "action": action,
                "method": method,
                "created_at": session.stamp(),
                "private": private,
            }
            for number in numbers
        ],
    )
    _schedule_purge(session, session.now())


def _schedule_purge(session: AccountSession, written: datetime) -> None:
    session.schedule_once(written + _KEPT, _TYPE, "forget", f"forget/{session.owner}")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
