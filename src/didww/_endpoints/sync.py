"""The operations of a resource, one small mixin each; what an accessor such as `client.dids()` answers.

Arguments are brought together and handed to a call of `didww._core`; nothing is decided here. The twin of this module
is `didww._endpoints.asynchronous`; a test compares them member by member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from didww._core import bulk, operations, pagination, polling
from didww._core.operations import OPERATIONS
from didww._core.query import assemble
from didww._endpoints.iterators import RecordIterator
from didww._schema.registry import class_of
from didww._schema.resource import Resource
from didww._util.tracebacks import short_tracebacks
from didww.configuration import not_copied
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from builtins import list as List  # noqa: N812 `list` is a method here
    from builtins import type as type_
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Never
    from uuid import UUID

    from didww._core.bulk import Report
    from didww._core.response import ApiResponse
    from didww._drivers.sync import Driver
    from didww.configuration import Configuration

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
    "Services",
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

    def __reduce__(self) -> Never:
        raise not_copied(f"{self._resource.path}() of a client cannot be pickled or deep-copied")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._resource.type_}>"

    if not TYPE_CHECKING:  # a checker must see an operation that is not offered as an error

        def __getattr__(self, name: str) -> Any:
            offered = [one for one in OPERATIONS if hasattr(type(self), one)]
            message = f"{self._resource.path}() has no {name!r}. The API offers: {', '.join(offered)}."
            raise AttributeError(message, name=name, obj=self)


@short_tracebacks
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
            page: Number of the page, from 1, or `(number, size)`. Most lists have 50 records in a page and take 100 at
                most, unless the service allows the account more (docs/pages.md).
            fields: Names of the fields to have, by resource type; all if left out.

        Raises:
            InvalidValueError: A name that the resource does not have, or a value that cannot be sent; nothing was sent.
            DidwwApiError: The service said no.
            ApiConnectionError: No answer came.
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
        page_size: int | None = None,
        limit: int | None = None,
        prefetch: int = pagination.PREFETCH,
        resume: str | None = None,
    ) -> RecordIterator[R]:
        """All records that match, page after page, asked for as they are taken.

        Each record comes once, even if it moves to another page in the meantime; one that moves to a page that was
        read already is missed, as the service promises no more.

        Args:
            params: As in `list`, and so the keywords.
            include: As in `list`.
            filter: As in `list`.
            sort: As in `list`.
            page: The page to start at; `(number, size)` sets the size of all pages too.
            fields: As in `list`.
            page_size: Records on a page, as with `page`; a page with fewer records does not end the iteration.
            limit: Most records to hand out; all if left out.
            prefetch: Most pages that are asked for ahead, once the first one was read; 0 for none.
            resume: The `token` of an earlier walk with the same query, to go on behind its last record.

        Raises:
            As `list`, at once for a wrong argument, and while iterating. `timeout` bounds each page by itself.
        """
        query = assemble(
            self._resource, params, include=include, filter=_mapping(filter), sort=sort, page=page, fields=fields
        )
        call, bookmark = pagination.walk(
            self._configuration,
            self._resource,
            query,
            limit=limit,
            page_size=page_size,
            prefetch=prefetch,
            resume=resume,
        )
        return RecordIterator(self._driver.walk(call, bookmark), bookmark)

    def first(
        self,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        filter: F | None = None,
        sort: S | Sequence[S] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> R | None:
        """The first record that matches, or None.

        Args:
            params: As in `list`, and so the keywords.
            include: As in `list`.
            filter: As in `list`.
            sort: As in `list`.
            fields: As in `list`.

        Raises:
            As `list`.
        """
        query = assemble(self._resource, params, include=include, filter=_mapping(filter), sort=sort, fields=fields)
        return self._driver.run(pagination.first(self._configuration, self._resource, query))

    def one(
        self,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        filter: F | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> R:
        """The only record that matches.

        Args:
            params: As in `list`, and so the keywords.
            include: As in `list`.
            filter: As in `list`.
            fields: As in `list`.

        Raises:
            NotExactlyOneError: None matches, or several do; `found` says how many.
            As `list`.
        """
        query = assemble(self._resource, params, include=include, filter=_mapping(filter), fields=fields)
        return self._driver.run(pagination.one(self._configuration, self._resource, query))

    def count(self, params: QueryParams | None = None, *, filter: F | None = None) -> int:
        """How many records match.

        Args:
            params: As in `list`.
            filter: As in `list`.

        Raises:
            As `list`.
        """
        query = assemble(self._resource, params, filter=_mapping(filter))
        return self._driver.run(pagination.count(self._configuration, self._resource, query))


@short_tracebacks
class Finds(Endpoint[R], Generic[R, I]):
    """Finding one by its id."""

    def find(
        self,
        resource_id: str | UUID | R,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> ApiResponse[R]:
        """The record with this id.

        Args:
            resource_id: The record's id, or the record, to have it anew.
            params: The query in its fluent form; the keywords are added to it.
            include: Related resources to have in the answer; nested with dots.
            fields: Names of the fields to have, by resource type; all if left out.

        Raises:
            NotFoundError: The account has no such record.
            InvalidValueError: A name that the resource does not have; nothing was sent.
        """
        query = assemble(self._resource, params, include=include, fields=fields)
        return self._driver.run(operations.find(self._configuration, self._resource, resource_id, query))


@short_tracebacks
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


@short_tracebacks
class Creates(Endpoint[R], Generic[R, I]):
    """Creating."""

    def create(
        self,
        resource: R,
        params: QueryParams | None = None,
        *,
        include: I | Sequence[I] | None = None,
        once: bool = False,
    ) -> ApiResponse[R]:
        """Create a record and return it as the service has it.

        An order without an `external_reference_id` of the caller's own is given one, so that it can be found if the
        response is lost. `resource` holds it before anything is sent.

        Args:
            resource: The new record.
            params: The query in its fluent form; the keywords are added to it.
            include: Related resources to have in the response.
            once: Whether to look first for a record with the same `external_reference_id` (or unique name), and to
                return that one instead of creating another. For programs that may be started again (docs/retries.md).

        Raises:
            InvalidValueError: Something required is missing, or `resource` exists already; nothing was sent.
            NotExactlyOneError: With `once`, several records have that identifier already; nothing was created.
            ValidationError: The service refused values; `fields` names them.
            InsufficientBalanceError: The money does not cover it; nothing was bought.
        """
        query = assemble(self._resource, params, include=include)
        call = operations.create(self._configuration, self._resource, resource, query, once=once)
        return self._driver.run(call)

    def create_many(
        self,
        records: Iterable[R],
        *,
        concurrency: int = bulk.CONCURRENCY,
        stop_on_error: bool = False,
        once: bool = False,
        report: Report[R] | None = None,
        progress: Callable[[Report[R]], object] | None = None,
    ) -> Report[R]:
        """A report of the records that were created, in the order given.

        Each is a request of its own; several go at once, within the rate limit. Each gets the client's `timeout`. What
        became of each stands in the report, whatever happens. If the call is interrupted, what was begun is brought to
        its end first.

        Args:
            records: New records; a list, or anything that yields them.
            concurrency: How many to work on at once, 1 to 100.
            stop_on_error: Whether to begin nothing new after the first that was not done.
            once: As in `create`: looks for each first, which takes a request more.
            report: A new `Report()` of the caller's own, to look at meanwhile, and after an interruption.
            progress: Called with the report after each; an asynchronous client takes coroutine functions, too.

        Raises:
            InvalidValueError: An argument cannot be used; nothing was sent. All other errors are in the report.
        """
        return self._driver.run(
            bulk.work_through(
                records,
                lambda one: operations.create(self._configuration, self._resource, one, QueryParams(), once=once),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=False,
            )
        )


@short_tracebacks
class Updates(Endpoint[R], Generic[R, I]):
    """Updating."""

    def update(
        self, resource: R, params: QueryParams | None = None, *, include: I | Sequence[I] | None = None
    ) -> ApiResponse[R]:
        """The record as it is now; only what was changed of `resource` is sent.

        Afterwards `resource` counts as unchanged.

        Raises:
            InvalidValueError: `resource` has no id; nothing was sent.
            ValidationError: The service refused values; `fields` names them.
        """
        query = assemble(self._resource, params, include=include)
        return self._driver.run(operations.update(self._configuration, self._resource, resource, query))

    def update_many(
        self,
        records: Iterable[R],
        *,
        concurrency: int = bulk.CONCURRENCY,
        stop_on_error: bool = False,
        report: Report[R] | None = None,
        progress: Callable[[Report[R]], object] | None = None,
    ) -> Report[R]:
        """A report of the records that were updated, in the order given.

        Each is a request of its own; several go at once, within the rate limit. Each gets the client's `timeout`. What
        became of each stands in the report, whatever happens. If the call is interrupted, what was begun is brought to
        its end first.

        Args:
            records: Changed records, each once.
            concurrency: How many to work on at once, 1 to 100.
            stop_on_error: Whether to begin nothing new after the first that was not done.
            report: A new `Report()` of the caller's own, to look at meanwhile, and after an interruption.
            progress: Called with the report after each; an asynchronous client takes coroutine functions, too.

        Raises:
            InvalidValueError: An argument cannot be used; nothing was sent. All other errors are in the report.
        """
        return self._driver.run(
            bulk.work_through(
                records,
                lambda one: operations.update(self._configuration, self._resource, one, QueryParams()),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=True,
            )
        )


@short_tracebacks
class Deletes(Endpoint[R]):
    """Deleting."""

    def delete(self, resource_id: str | UUID | R) -> ApiResponse[None]:
        """Nothing in `data`: the record, given by its id or itself, is gone.

        Raises:
            NotFoundError: The account has no such record (any more).
            ValidationError: The record's state does not allow it.
        """
        return self._driver.run(operations.delete(self._configuration, self._resource, resource_id))

    def delete_many(
        self,
        records: Iterable[str | R],
        *,
        concurrency: int = bulk.CONCURRENCY,
        stop_on_error: bool = False,
        report: Report[str | R] | None = None,
        progress: Callable[[Report[str | R]], object] | None = None,
    ) -> Report[str | R]:
        """A report of the records that were deleted, in the order given.

        Each is a request of its own; several go at once, within the rate limit. Each gets the client's `timeout`. What
        became of each stands in the report, whatever happens. If the call is interrupted, what was begun is brought to
        its end first.

        Args:
            records: Records, or their ids, each once.
            concurrency: How many to work on at once, 1 to 100.
            stop_on_error: Whether to begin nothing new after the first that was not done.
            report: A new `Report()` of the caller's own, to look at meanwhile, and after an interruption.
            progress: Called with the report after each; an asynchronous client takes coroutine functions, too.

        Raises:
            InvalidValueError: An argument cannot be used; nothing was sent. All other errors are in the report.
        """
        return self._driver.run(
            bulk.work_through(
                records,
                lambda one: operations.delete(self._configuration, self._resource, one),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=True,
            )
        )


@short_tracebacks
class Waits(Endpoint[R]):
    """Waiting for what the service does in the background."""

    def wait(
        self,
        resource_id: str | UUID | R,
        *,
        until: str | Callable[[R], bool] | None = None,
        timeout: float = 300.0,
        on_update: Callable[[R], object] | None = None,
    ) -> ApiResponse[R]:
        """The record as soon as it is done; asked for at intervals that grow from 0.5 to 5 seconds.

        Once it was found, single failures of the service and the network do not end the wait. It leaves nothing behind:
        after an interruption, in this process or another, wait again with the same id.

        Args:
            resource_id: The record, or its id.
            until: The status to wait for, or a callable of the record. Defaults to success.
            timeout: Seconds to wait at most; the last look may take one more.
            on_update: Called with the record when it is first found, and each time that it has changed; an asynchronous
                client takes coroutine functions, too.

        Raises:
            WaitError: It came to another end, e.g. the order was canceled; `resource` is its last state, `reasons` says
                why.
            ApiTimeoutError: It took longer; it goes on at the service, so wait again with the same id.
        """
        return self._driver.run(
            polling.wait(self._configuration, self._resource, resource_id, until, timeout, on_update)
        )


# What an accessor answers: the operations that its resource has.


class Catalogue(Lists[R, F, I, S], Finds[R, I], Generic[R, F, I, S]):
    """List and find."""


class Owned(Catalogue[R, F, I, S], Updates[R, I], Generic[R, F, I, S]):
    """List, find, update."""


class Cancellable(Owned[R, F, I, S], Deletes[R], Generic[R, F, I, S]):
    """List, find, update, delete."""


class Kept(Catalogue[R, F, I, S], Deletes[R], Generic[R, F, I, S]):
    """List, find, delete."""


class Services(Kept[R, F, I, S], Waits[R], Generic[R, F, I, S]):
    """List, find, delete, and wait for the outcome."""


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
