"""The operations shared by all endpoints.

`scripts/generate.py` generates the endpoint classes, such as `didww._endpoints.dids`, from the resource declarations.
They expose the operations of their resource with specific signatures and documentation. The script also generates the
synchronous `didww._endpoints.base` from this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from didww._core import bulk, operations, pagination, polling
from didww._core.operations import OPERATIONS
from didww._core.query import assemble
from didww._core.request import check_writable
from didww._endpoints.iterators import AsyncRecordIterator
from didww._schema.registry import class_of
from didww._schema.resource import Resource
from didww._schema.versions import unsupported
from didww.configuration import not_copied
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Never, TypeAlias
    from uuid import UUID

    from didww._core.bulk import Report
    from didww._core.response import ApiResponse
    from didww._drivers.asynchronous import AsyncDriver
    from didww.configuration import Configuration
    from didww.version import ApiVersion

    Names: TypeAlias = str | Sequence[str] | None
    Filter: TypeAlias = Mapping[str, object] | None
    Page: TypeAlias = int | tuple[int, int] | None
    Fields: TypeAlias = Mapping[str, Sequence[str]] | None

__all__ = ["AsyncClient", "AsyncEndpoint"]

R = TypeVar("R", bound=Resource)


class AsyncClient(Protocol):
    """The parts of a client that an endpoint uses."""

    _driver: AsyncDriver
    _configuration: Configuration


class AsyncEndpoint(Generic[R]):
    """The operations of one resource type, bound to a client."""

    _type: str

    def __init__(self, client: AsyncClient) -> None:
        self._resource = cast("type[R]", class_of(self._type))
        self._driver = client._driver
        self._configuration = client._configuration
        self._version: ApiVersion = client._configuration.api_version
        if not self._resource._versions.includes(self._version):
            raise unsupported(
                f"{self._resource._path}() does not exist",
                self._resource._versions,
                self._version,
                self._resource._path,
            )

    def __reduce__(self) -> Never:
        raise not_copied(f"{self._resource._path}() of a client cannot be pickled or deep-copied")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self._offered())}>"

    def _offered(self) -> list[str]:
        return [operation for operation in OPERATIONS if hasattr(type(self), operation)]

    if not TYPE_CHECKING:  # a type checker must report an operation that is not offered

        def __getattr__(self, name: str) -> Any:
            message = f"{self._resource._path}() has no {name!r}. Available: {', '.join(self._offered())}."
            raise AttributeError(message, name=name, obj=self)

    async def _list(
        self, params: QueryParams | None, include: Names, filter: Filter, sort: Names, page: Page, fields: Fields
    ) -> ApiResponse[list[R]]:
        query = assemble(
            self._resource, self._version, params, include=include, filter=filter, sort=sort, page=page, fields=fields
        )
        return await self._driver.run(operations.list_(self._configuration, self._resource, query))

    def _iterate(
        self,
        params: QueryParams | None,
        include: Names,
        filter: Filter,
        sort: Names,
        page: Page,
        fields: Fields,
        page_size: int | None,
        limit: int | None,
        prefetch: int,
        resume: str | None,
    ) -> AsyncRecordIterator[R]:
        query = assemble(
            self._resource, self._version, params, include=include, filter=filter, sort=sort, page=page, fields=fields
        )
        call, cursor = pagination.iterate(
            self._configuration,
            self._resource,
            query,
            limit=limit,
            page_size=page_size,
            prefetch=prefetch,
            resume=resume,
        )
        return AsyncRecordIterator(self._driver.iterate(call, cursor), cursor)

    async def _first(
        self, params: QueryParams | None, include: Names, filter: Filter, sort: Names, fields: Fields
    ) -> R | None:
        query = assemble(
            self._resource, self._version, params, include=include, filter=filter, sort=sort, fields=fields
        )
        return await self._driver.run(pagination.first(self._configuration, self._resource, query))

    async def _one(self, params: QueryParams | None, include: Names, filter: Filter, fields: Fields) -> R:
        query = assemble(self._resource, self._version, params, include=include, filter=filter, fields=fields)
        return await self._driver.run(pagination.one(self._configuration, self._resource, query))

    async def _count(self, params: QueryParams | None, filter: Filter) -> int:
        query = assemble(self._resource, self._version, params, filter=filter)
        return await self._driver.run(pagination.count(self._configuration, self._resource, query))

    async def _find(
        self, resource_id: str | UUID | R | None, params: QueryParams | None, include: Names, fields: Fields
    ) -> ApiResponse[R]:
        query = assemble(self._resource, self._version, params, include=include, fields=fields)
        return await self._driver.run(operations.find(self._configuration, self._resource, resource_id, query))

    async def _create(self, resource: R, params: QueryParams | None, include: Names, *, once: bool) -> ApiResponse[R]:
        query = assemble(self._resource, self._version, params, include=include)
        return await self._driver.run(
            operations.create(self._configuration, self._resource, resource, query, once=once)
        )

    async def _update(self, resource: R, params: QueryParams | None, include: Names) -> ApiResponse[R]:
        query = assemble(self._resource, self._version, params, include=include)
        return await self._driver.run(operations.update(self._configuration, self._resource, resource, query))

    async def _delete(self, resource_id: str | UUID | R) -> ApiResponse[None]:
        return await self._driver.run(operations.delete(self._configuration, self._resource, resource_id))

    async def _create_many(
        self,
        records: Iterable[R],
        concurrency: int,
        report: Report[R] | None,
        progress: Callable[[Report[R]], object] | None,
        *,
        stop_on_error: bool,
        once: bool,
    ) -> Report[R]:
        check_writable(self._configuration)
        return await self._driver.run(
            bulk.work_through(
                records,
                lambda record: operations.create(self._configuration, self._resource, record, QueryParams(), once=once),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=False,
            )
        )

    async def _update_many(
        self,
        records: Iterable[R],
        concurrency: int,
        report: Report[R] | None,
        progress: Callable[[Report[R]], object] | None,
        *,
        stop_on_error: bool,
    ) -> Report[R]:
        check_writable(self._configuration)
        return await self._driver.run(
            bulk.work_through(
                records,
                lambda record: operations.update(self._configuration, self._resource, record, QueryParams()),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=True,
            )
        )

    async def _delete_many(
        self,
        records: Iterable[str | R],
        concurrency: int,
        report: Report[str | R] | None,
        progress: Callable[[Report[str | R]], object] | None,
        *,
        stop_on_error: bool,
    ) -> Report[str | R]:
        check_writable(self._configuration)
        return await self._driver.run(
            bulk.work_through(
                records,
                lambda record: operations.delete(self._configuration, self._resource, record),
                concurrency=concurrency,
                stop_on_error=stop_on_error,
                report=report,
                progress=progress,
                distinct=True,
            )
        )

    async def _wait(
        self,
        resource_id: str | UUID | R,
        until: str | Callable[[R], bool] | None,
        timeout: float,
        on_update: Callable[[R], object] | None,
    ) -> ApiResponse[R]:
        return await self._driver.run(
            polling.wait(self._configuration, self._resource, resource_id, until, timeout, on_update)
        )
