"""The operations of a resource, one small mixin each; what an accessor such as `client.dids()` answers.

Arguments are brought together and handed to a call of `didww.calls`; nothing is decided here. The twin of this module
is `didww.async_endpoints`; a test compares them member by member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from didww.calls import operations, waiting
from didww.calls.operations import OPERATIONS
from didww.calls.query import assemble
from didww.resources.base import Resource
from didww.resources.registry import class_of

if TYPE_CHECKING:
    from builtins import list as List  # noqa: N812 `list` is a method here
    from builtins import type as type_
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from didww.calls.answer import ApiResponse
    from didww.configuration import Configuration
    from didww.query_params import QueryParams
    from didww.transport.driver import Driver

__all__ = [
    "Cancellable",
    "CancellableJobs",
    "Catalogue",
    "Creates",
    "Deletes",
    "Endpoint",
    "Finds",
    "FindsOne",
    "Held",
    "Jobs",
    "Kept",
    "Lists",
    "Managed",
    "Owned",
    "Updates",
    "Waits",
]

R = TypeVar("R", bound=Resource)
F = TypeVar("F")
I = TypeVar("I", bound=str)  # noqa: E741 include
S = TypeVar("S", bound=str)


class Client(Protocol):
    """What an endpoint needs of a client."""

    _driver: Driver
    _configuration: Configuration


class Endpoint(Generic[R]):
    """The operations of one resource type, bound to a client."""

    def __init__(self, client: Client, type: str) -> None:
        self._resource = cast("type_[R]", class_of(type))
        self._driver = client._driver
        self._configuration = client._configuration

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._resource.type_}>"

    if not TYPE_CHECKING:  # a checker must see an operation that is not offered as an error

        def __getattr__(self, name: str) -> Any:
            offered = [one for one in OPERATIONS if hasattr(type(self), one)]
            hint = f" The API offers: {', '.join(offered)}." if name in OPERATIONS else ""
            raise AttributeError(f"{self._resource.path}() has no {name!r}.{hint}", name=name, obj=self)


class Lists(Endpoint[R], Generic[R, F, I, S]):
    """Listing."""

    def list(
        self,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        filter: F | None = None,
        sort: S | Sequence[S] | None = None,
        page: int | tuple[int, int] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> ApiResponse[List[R]]:
        """One page of the records that match.

        Args:
            params: The query in its fluent form; the keywords are added to it.
            include: Related resources to have in the answer; nested with dots.
            filter: What must match, by filter name.
            sort: Order, the first key first; a minus in front means descending.
            page: Number of the page, from 1, or `(number, size)`; the size is 50 unless said, at most 1000.
            fields: Names of the fields to have, by resource type; all if left out.

        Raises:
            InvalidValue: A name that the resource does not have, or a value that cannot be sent; nothing was sent.
            DidwwApiError: The service said no.
            ConnectionFailed: No answer came.
        """
        query = assemble(
            self._resource, params, include=include, filter=_mapping(filter), sort=sort, page=page, fields=fields
        )
        return self._driver.run(operations.list_(self._configuration, self._resource, query))

    def iterate(
        self,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        filter: F | None = None,
        sort: S | Sequence[S] | None = None,
        page: int | tuple[int, int] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """All records that match, page after page, asked for as they are taken.

        Args:
            params: As in `list`, and so the keywords.
            include: As in `list`.
            filter: As in `list`.
            sort: As in `list`.
            page: The page to start at; `(number, size)` sets the size of all pages too.
            fields: As in `list`.
            limit: Most records to hand out; all if left out.

        Raises:
            As `list`, at once for a wrong argument, and while iterating.
        """
        query = assemble(
            self._resource, params, include=include, filter=_mapping(filter), sort=sort, page=page, fields=fields
        )
        return self._driver.walk(operations.iterate(self._configuration, self._resource, query, limit))


class Finds(Endpoint[R], Generic[R, I]):
    """Finding one by its id."""

    def find(
        self,
        id: str | R,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> ApiResponse[R]:
        """The record with this id.

        Args:
            id: The record's id, or the record, to have it anew.
            params: The query in its fluent form; the keywords are added to it.
            include: Related resources to have in the answer; nested with dots.
            fields: Names of the fields to have, by resource type; all if left out.

        Raises:
            NotFoundError: The account has no such record.
            InvalidValue: A name that the resource does not have; nothing was sent.
        """
        query = assemble(self._resource, params, include=include, fields=fields)
        return self._driver.run(operations.find(self._configuration, self._resource, id, query))


class FindsOne(Endpoint[R]):
    """Finding the only one."""

    def find(
        self, params: QueryParams | None = None, *, fields: Mapping[str, Sequence[str]] | None = None
    ) -> ApiResponse[R]:
        """The account's only record of this type.

        Args:
            params: The query in its fluent form; the keywords are added to it.
            fields: Names of the fields to have, by resource type; all if left out.
        """
        query = assemble(self._resource, params, fields=fields)
        return self._driver.run(operations.find(self._configuration, self._resource, None, query))


class Creates(Endpoint[R], Generic[R, I]):
    """Creating."""

    def create(
        self, record: R, params: QueryParams | None = None, *, include: I | Sequence[I] | None = None
    ) -> ApiResponse[R]:
        """The record as the service made it; `record` itself stays as it is.

        Raises:
            InvalidValue: Something required is missing, or `record` exists already; nothing was sent.
            ValidationError: The service refused values; `fields` names them.
            InsufficientBalanceError: The money does not cover it; nothing was bought.
        """
        query = assemble(self._resource, params, include=include)
        return self._driver.run(operations.create(self._configuration, self._resource, record, query))


class Updates(Endpoint[R], Generic[R, I]):
    """Updating."""

    def update(
        self, record: R, params: QueryParams | None = None, *, include: I | Sequence[I] | None = None
    ) -> ApiResponse[R]:
        """The record as it is now; only what was changed of `record` is sent.

        Afterwards `record` counts as unchanged.

        Raises:
            InvalidValue: `record` has no id; nothing was sent.
            ValidationError: The service refused values; `fields` names them.
        """
        query = assemble(self._resource, params, include=include)
        return self._driver.run(operations.update(self._configuration, self._resource, record, query))


class Deletes(Endpoint[R]):
    """Deleting."""

    def delete(self, id: str | R) -> ApiResponse[None]:
        """Nothing in `data`: the record, given by its id or itself, is gone.

        Raises:
            NotFoundError: The account has no such record (any more).
            ValidationError: The record's state does not allow it.
        """
        return self._driver.run(operations.delete(self._configuration, self._resource, id))


class Waits(Endpoint[R]):
    """Waiting for what the service does in the background."""

    def wait(
        self, id: str | R, *, until: str | Callable[[R], bool] | None = None, timeout: float = 300.0
    ) -> ApiResponse[R]:
        """The record as soon as it is done; asked for at intervals of 0.5 to 5 seconds.

        Args:
            id: The record, or its id.
            until: The status to wait for, or a function of the record; `completed` (or `approved`) unless said.
            timeout: Seconds to wait at most; the last look may take one more.

        Raises:
            WaitEnded: It came to another end, e.g. the order was canceled.
            DeadlineExceeded: It took longer; it goes on at the service, so wait again with the same id.
        """
        return self._driver.run(waiting.wait(self._configuration, self._resource, id, until, timeout))


# What an accessor answers: the operations that its resource has.


class Catalogue(Lists[R, F, I, S], Finds[R, I], Generic[R, F, I, S]):
    """List and find."""


class Owned(Catalogue[R, F, I, S], Updates[R, I], Generic[R, F, I, S]):
    """List, find, update."""


class Cancellable(Owned[R, F, I, S], Deletes[R], Generic[R, F, I, S]):
    """List, find, update, delete."""


class Kept(Catalogue[R, F, I, S], Deletes[R], Generic[R, F, I, S]):
    """List, find, delete."""


class Managed(Cancellable[R, F, I, S], Creates[R, I], Generic[R, F, I, S]):
    """List, find, create, update, delete."""


class Held(Catalogue[R, F, I, S], Creates[R, I], Deletes[R], Generic[R, F, I, S]):
    """List, find, create, delete."""


class Jobs(Owned[R, F, I, S], Creates[R, I], Waits[R], Generic[R, F, I, S]):
    """List, find, create, update, and wait for the outcome."""


class CancellableJobs(Jobs[R, F, I, S], Deletes[R], Generic[R, F, I, S]):
    """List, find, create, update, delete, and wait for the outcome."""


def _mapping(filter: Any) -> Mapping[str, Any] | None:
    """A typed filter dictionary as a plain mapping: it is one at run time."""
    return cast("Mapping[str, Any] | None", filter)
