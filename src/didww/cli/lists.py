"""The options of lists, and how a list is requested."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from didww.cli import parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from didww._schema.resource import Resource
    from didww.cli.session import Session

__all__ = ["Listing", "list_options"]


class Listing(NamedTuple):
    """The values of `--filter`, `--sort` and `--limit`."""

    filters: tuple[tuple[str, str], ...]
    sort: str | None
    limit: int | None

    def records(
        self,
        session: Session,
        cls: type[Resource],
        query: Mapping[str, Any],
        *,
        sort: str | None = None,
        include: Iterable[str] = (),
    ) -> Iterator[Any]:
        """Return the records of a list.

        Args:
            session: The run.
            cls: The resource.
            query: Filters of other options; they win over `--filter`.
            sort: Sort key if `--sort` is not given.
            include: Related records.
        """
        endpoint = getattr(session.client, cls._path)()
        found: Iterator[Any] = endpoint.iterate(
            filter={**parameters.query_of(cls, self.filters), **query} or None,
            include=list(dict.fromkeys(include)) or None,
            sort=self.sort or sort,
            limit=self.limit,
        )
        return found

    def print(
        self, session: Session, cls: type[Resource], query: Mapping[str, Any], *, sort: str | None = None
    ) -> None:
        """Print a list with the columns of the resource."""
        from didww.cli.output import RecordTable

        table = RecordTable(session.settings, cls)
        table.print(self.records(session, cls, query, sort=sort, include=table.includes))


def list_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--filter`, `--sort` and `--limit`; the command gets them as `listing`."""

    @functools.wraps(function)
    def run(
        *arguments: Any, filters: tuple[tuple[str, str], ...], sort: str | None, limit: int | None, **options: Any
    ) -> Any:
        return function(*arguments, listing=Listing(filters, sort, limit), **options)

    for option in (parameters.limit_option, parameters.sort_option, parameters.filter_option):
        run = option(run)
    return run
