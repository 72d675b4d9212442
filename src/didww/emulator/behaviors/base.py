"""The hooks of a resource type beyond its declaration; all have defaults.

A behavior is stateless: all state is in the `AccountSession` passed to it. It rejects a request by raising
`HttpError`, which rolls back the changes of the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from didww._core.effects import Request, Response
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Behavior"]


class Behavior:
    """The behavior of one resource type."""

    defaults: ClassVar[Mapping[str, Any]] = {}
    """Server-side defaults of attributes on create."""
    stored: ClassVar[bool] = True
    """Whether created records are stored; if not, `before_create` sets the `id` of the response."""

    steps: ClassVar[tuple[tuple[float, str], ...]] = ()
    """The automatic steps of a record: seconds after `AccountSession.start_transitions`, and the name passed to
    `due`. The last step is the outcome; `Emulator.transitions` can override when it happens and which one it is."""
    outcomes: ClassVar[tuple[str, ...]] = ()
    """The outcomes: names passed to `due` that end the pending status."""
    undecided: ClassVar[frozenset[str]] = frozenset()
    """The pending statuses."""

    def overrides(self, name: str) -> bool:
        """Return whether the resource type replaces the method `name` of this class."""
        return getattr(type(self), name) is not getattr(Behavior, name)

    # Initial records

    def rows(self, session: AccountSession) -> Iterable[Record] | None:  # noqa: ARG002
        """Return the initial records shared by all accounts; None for those of the catalog."""
        return None

    def account_rows(self, session: AccountSession) -> Iterable[Record]:  # noqa: ARG002
        """Return the initial records of an account; missing ids are set."""
        return ()

    def before_seed(self, session: AccountSession, record: Record) -> None:
        """Complete a seeded record that no request could create."""

    def after_seed(self, session: AccountSession, record: Record) -> None:
        """Run after a record was seeded."""

    # Writing

    def create(self, session: AccountSession, content_type: str, body: bytes) -> Record | None:  # noqa: ARG002
        """Return a record for an upload; None for JSON:API requests.

        It is then created like any other record, including `before_create` and `after_create`.
        """
        return None

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Validate and complete a new record; it has all declared members, with to-many as lists of ids."""

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Run after a record was created."""

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Validate and complete `changes`; `record` is the old state."""

    def after_update(self, session: AccountSession, before: Record, changes: Record) -> None:
        """Run after a record was updated; `before` is the old state."""

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Validate or prepare a deletion."""

    def delete(self, session: AccountSession, record: Record) -> bool:  # noqa: ARG002
        """Replace a deletion, such as by canceling the record; return False for a normal deletion."""
        return False

    def after_delete(self, session: AccountSession, record: Record) -> None:
        """Run after a record was deleted."""

    # Reading

    def attributes(self, session: AccountSession, record: Record) -> None:
        """Adjust the attributes of a record for the response."""

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the `meta` object of a record."""
        return None

    def document_meta(self, session: AccountSession, operation: str) -> dict[str, Any]:  # noqa: ARG002
        """Return members of the document's `meta`; `operation` is list, find, create or update."""
        return {}

    def resolve(self, session: AccountSession, id: str) -> bool:  # noqa: ARG002
        """Ensure that a record with this id is stored; return False if it is not available."""
        return True

    def listed(self, session: AccountSession, filters: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]] | None:  # noqa: ARG002
        """Return the ids of a computed list, and its document meta; None for a list from the store.

        `filters` are validated filters by name.
        """
        return None

    # Other

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Run an event of `AccountSession.schedule`; `session.now()` is its scheduled time."""

    def serve(self, session: AccountSession, request: Request, rest: str) -> Response | Callable[[], Response] | None:  # noqa: ARG002
        """Return the response to a path below the type's path, such as `/exports/<file>.csv.gz`; None if unknown."""
        return None
