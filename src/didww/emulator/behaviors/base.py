"""What a behavior module may say of a resource type beyond its declaration; every method has a plain default.

A behavior is stateless: all it knows is in the `AccountSession` that it is handed. It refuses by raising `HttpError`;
what it stored in the same request is then undone.
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
    """Attributes that the server sets when a request that creates leaves them out."""
    stored: ClassVar[bool] = True
    """False if what is created is answered but not kept; `before_create` then gives it its `id`."""

    steps: ClassVar[tuple[tuple[float, str], ...]] = ()
    """The automatic steps of a record: seconds after `AccountSession.start_transitions`, and the name passed to
    `due`. The last step is the outcome; `Emulator.transitions` can override when it happens and which one it is."""
    outcomes: ClassVar[tuple[str, ...]] = ()
    """The names for `due` that decide a record that waits."""
    undecided: ClassVar[frozenset[str]] = frozenset()
    """The statuses of a record that waits for an outcome."""

    # First rows

    def rows(self, session: AccountSession) -> Iterable[Record] | None:  # noqa: ARG002
        """The records that are there for all accounts, at the first touch of the type; None for the catalog's."""
        return None

    def account_rows(self, session: AccountSession) -> Iterable[Record]:  # noqa: ARG002
        """The records that an account has from the beginning; an id is given to those without."""
        return ()

    def before_seed(self, session: AccountSession, record: Record) -> None:
        """Complete a record that is put in from outside and that no request could create."""

    def after_seed(self, session: AccountSession, record: Record) -> None:
        """Act once it is there."""

    # Writing

    def create(self, session: AccountSession, content_type: str, body: bytes) -> Record | None:  # noqa: ARG002
        """A record from a request that is no JSON:API document (an upload); None for those that are.

        It is stored and answered like any other, `before_create` and `after_create` included.
        """
        return None

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Validate and complete a record before it is stored: everything declared is in it, to-many as lists of ids."""

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Act once it is stored."""

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Validate and complete what is to change; `record` is as it was."""

    def after_update(self, session: AccountSession, before: Record, changes: Record) -> None:
        """Act once it is changed; `before` is the record as it was."""

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse a deletion, or make ready for it."""

    def delete(self, session: AccountSession, record: Record) -> bool:  # noqa: ARG002
        """Carry a deletion out in another way, e.g. mark the record as canceled; False to have it removed."""
        return False

    def after_delete(self, session: AccountSession, record: Record) -> None:
        """Act once it is deleted."""

    # Reading

    def attributes(self, session: AccountSession, record: Record) -> None:
        """Change the attributes of a record as they are shown."""

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002
        """The record's `meta` object."""
        return None

    def document_meta(self, session: AccountSession, operation: str) -> dict[str, Any]:  # noqa: ARG002
        """More members for the document's `meta`; operation: list, find, create or update."""
        return {}

    def resolve(self, session: AccountSession, id: str) -> bool:  # noqa: ARG002
        """See that a record is in the store if there is one of this id; False if it cannot be had."""
        return True

    def listed(self, session: AccountSession, filters: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]] | None:  # noqa: ARG002
        """The ids of a list that no query of the store can tell, and its document meta; None for the usual way.

        Filters: name to the checked value, as `AccountSession.search` takes them.
        """
        return None

    # Other

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Do what was scheduled by `AccountSession.schedule`; `session.now()` is the time it was scheduled for."""

    def serve(self, session: AccountSession, request: Request, rest: str) -> Response | Callable[[], Response] | None:  # noqa: ARG002
        """Answer a path below the type's own, e.g. `<file>.csv.gz` of `/exports/`; None if it is not this one."""
        return None
