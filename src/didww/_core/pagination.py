"""Iterate over the pages of a list in order, with prefetching, deduplication and resumable cursors.

Pages are requested by number as long as the `next` links of the service agree, otherwise link by link. A page can be
shorter than requested, because each account has its own maximum page size. Records can move between pages during the
iteration; duplicates are skipped.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from msgspec import Struct

from didww._core import request as requests
from didww._core.effects import Join, Start
from didww._core.operations import list_, resolved, send
from didww._core.response import expect
from didww._schema.resource import Resource
from didww._util.coerce import whole_number
from didww._util.text import shown
from didww._util.urls import joined, origin_of
from didww.exceptions import InvalidValueError, NotExactlyOneError, UnexpectedResponseError
from didww.query_params import MAX_RECORDS, QueryParams

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww._core.effects import Call, Effect, Request, Started
    from didww._core.response import ApiResponse
    from didww.configuration import Configuration

__all__ = ["PREFETCH", "Cursor", "Page", "count", "first", "iterate", "one"]

PREFETCH: Final = 4
"""Pages to prefetch by default: enough for 20 requests per second at 200 ms each."""
_HINTS: Final = {
    "limit": "Omit it for all records.",
    "prefetch": "0 requests each page when it is reached.",
    "page_size": "Omit it for the service's default; iterate() requests all pages anyway.",
}
MAX_EMPTY: Final = 3
"""Consecutive empty pages after which the iteration ends, even if there is a `next` link."""
MAX_STALE: Final = 20
"""Consecutive pages of duplicates after which the iteration ends, unless the total says that more pages follow."""

R = TypeVar("R", bound=Resource)


class Page(Struct, frozen=True):
    """The new records of one page, each with its offset in the page."""

    number: int
    records: list[tuple[int, Any]]


class Cursor:
    """The position of an iteration: the page and the last record returned. Its text resumes the iteration later.

    Attributes:
        query: Digest of the query.
        number: Page number, from 1.
        size: Page size, or None for the service's default.
        offset: Number of records returned from the page.
        id: Id of the last record returned.
    """

    __slots__ = ("id", "number", "offset", "query", "size")

    def __init__(self, query: str, number: int, size: int | None) -> None:
        self.query = query
        self.number = number
        self.size = size
        self.offset = 0
        self.id = ""

    def advance(self, number: int, offset: int, record: Resource) -> None:
        """Move past `record`, which is at `offset` on page `number`."""
        self.number, self.offset, self.id = number, offset + 1, record.id or ""

    def __str__(self) -> str:
        import base64
        import json

        fields = [self.query, self.number, self.size, self.offset, self.id]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")

    def remaining(self, records: list[R]) -> list[tuple[int, R]]:
        """Return the records of the page after the cursor, with their offsets."""
        following = next((offset for offset, record in enumerate(records, 1) if record.id == self.id), None)
        start = following if following is not None else min(self.offset, len(records))
        return list(enumerate(records))[start:]


def _decode_cursor(text: object, query: str) -> Cursor:
    """Return the cursor encoded in `text`.

    Raises:
        InvalidValueError: `text` is not a cursor, or belongs to another query.
    """
    import base64
    import json

    cursor: Cursor | None = None
    try:
        padded = cast("str", text) + "=" * (-len(cast("str", text)) % 4)
        fields: Any = json.loads(base64.urlsafe_b64decode(padded))
        digest, number, size, offset, id = fields
        numbers = (number, offset) if size is None else (number, offset, size)
        if all(type(value) is int and 0 <= value < 1 << 53 for value in numbers) and isinstance(id, str) and number:
            cursor = Cursor(digest, number, size)
            cursor.offset, cursor.id = offset, id
    except (TypeError, ValueError, RecursionError):
        pass
    if cursor is None:
        raise InvalidValueError("resume must be the `cursor` of an earlier iterator, unchanged.", field="resume")
    if cursor.query != query:
        raise InvalidValueError(
            "resume must belong to the same query, got a cursor of another resource, filter, order or include.",
            field="resume",
        )
    return cursor


def iterate(
    configuration: Configuration,
    cls: type[R],
    query: QueryParams,
    *,
    limit: int | None = None,
    page_size: int | None = None,
    prefetch: int = PREFETCH,
    resume: str | None = None,
) -> tuple[Generator[Effect | Page, Any, None], Cursor]:
    """Return a generator of all pages of matching records, and its cursor. Checks the arguments immediately."""
    import hashlib

    remaining = float("inf") if limit is None else _whole("limit", limit, 0)
    prefetch = _whole("prefetch", prefetch, 0, 100)
    if page_size is not None:
        _whole("page_size", page_size, 1, MAX_RECORDS)
        if query.page_size not in (None, page_size):
            raise InvalidValueError(
                f"page_size must equal the size in page, {query.page_size}, got {page_size}. Pass only one of them.",
                field="page_size",
            )
        query.page(query.page_number or 1, page_size)
    plain = query.copy()
    plain.page_number = plain.page_size = None
    digest = hashlib.sha256(f"{cls._type_name}?{plain.encode()}".encode()).hexdigest()[:16]
    cursor = Cursor(digest, query.page_number or 1, query.page_size)
    if resume is not None:
        cursor = _decode_cursor(resume, digest)
        if query.page_size not in (None, cursor.size) or query.page_number not in (None, 1, cursor.number):
            raise InvalidValueError(
                "resume must be used without page and page_size, which the cursor contains. Omit both.", field="resume"
            )
        if cursor.size is not None or cursor.number > 1:
            query.page(cursor.number, cursor.size)
    return _iterate_pages(configuration, cls, query, cursor, remaining, prefetch), cursor


def _iterate_pages(
    configuration: Configuration,
    cls: type[R],
    query: QueryParams,
    cursor: Cursor,
    remaining: float,
    prefetch: int,
) -> Generator[Effect | Page, Any, None]:
    if not remaining:
        return
    _, query = yield from resolved(configuration, cls, query)
    request = requests.build(configuration, "GET", cls._path, query=query)
    start = number = cursor.number
    empty, stale, window = 0, 0, min(prefetch, 1)
    seen: set[str | None] = set()
    followed = {request.url}
    pending: deque[Started] = deque()
    response = yield from _fetch_page(configuration, cls, request, query)
    records = cursor.remaining(response.data) if cursor.id or cursor.offset else list(enumerate(response.data))
    while remaining:
        new = [(offset, record) for offset, record in records if not record.id or record.id not in seen]
        new = new[: _index(remaining)]
        seen.update(record.id for _, record in new)
        remaining -= len(new)
        empty, stale = 0 if response.data else empty + 1, 0 if new else stale + 1
        length = len(response.data)  # the actual page size, except on the last page
        last = max(number + 1, -(-(response.total_records or 0) // length)) if length else number + 1
        exhausted = empty > MAX_EMPTY or (stale > MAX_STALE and last == number + 1)
        link = None if exhausted else _next_link(configuration, cls, response, request, followed)
        numbered = link is not None and _number_in(link, "page[number]") == number + 1
        if remaining < float("inf") and length:
            last = min(last, max(number + 1, number - (-int(remaining) // length)))
        link_size = _number_in(link, "page[size]") if link is not None else None
        size = link_size if link_size and link_size <= MAX_RECORDS else query.page_size or length
        if numbered and remaining and number > start:  # prefetch from the second page on
            yield from _prefetch(configuration, cls, query, size, number, min(window, last - number), pending)
        yield Page(number, new)
        if link is None or not remaining:
            return
        followed.add(link)
        number += 1
        if numbered and prefetch:
            yield from _prefetch(configuration, cls, query, size, number - 1, min(window, last - number + 1), pending)
            response = yield Join(pending.popleft())
            window = min(prefetch, window * 2)
        else:
            pending.clear()
            request = requests.follow(configuration, "GET", link)
            response = yield from _fetch_page(configuration, cls, request, query)
        records = list(enumerate(response.data))


def _prefetch(
    configuration: Configuration,
    cls: type[R],
    query: QueryParams,
    size: int,
    number: int,
    pages: int,
    pending: deque[Started],
) -> Call[None]:
    """Start requests until `pages` pages after page `number` are pending."""
    while len(pending) < pages:
        page_query = query.copy().page(number + 1 + len(pending), size)
        request = requests.build(configuration, "GET", cls._path, query=page_query)
        pending.append((yield Start(_fetch_page(configuration, cls, request, query))))


def _fetch_page(
    configuration: Configuration, cls: type[R], request: Request, query: QueryParams
) -> Call[ApiResponse[list[R]]]:
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, many=True)


def _next_link(
    configuration: Configuration, cls: type[R], response: ApiResponse[Any], request: Request, followed: set[str]
) -> str | None:
    """Return the URL of the response's `next` link; None if there is none, or it was already followed.

    Raises:
        UnexpectedResponseError: The link leads to another host.
    """
    link = response.links.get("next")
    if not isinstance(link, str):
        return None
    link = joined(request.url, link)
    if link in followed:  # the links form a loop
        return None
    if origin_of(link) != configuration.origin:
        raise UnexpectedResponseError(
            f"The next link of {cls._type_name} leads to another host than {configuration.base_url}. "
            "It was not followed."
        )
    return link


def _number_in(link: str, name: str) -> int | None:
    """Return the number in a query parameter of `link`, or None if there is none."""
    from urllib.parse import parse_qsl, urlsplit

    text = dict(parse_qsl(urlsplit(link).query)).get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def first(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[R | None]:
    """Return the first matching record, or None."""
    response = yield from list_(configuration, cls, _short(cls, query, 1))
    return response.data[0] if response.data else None


def one(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[R]:
    """Return the only matching record."""
    response = yield from list_(configuration, cls, _short(cls, query, 2))
    if len(response.data) == 1:
        return response.data[0]
    total = max(response.total_records or 0, len(response.data))
    hint = "Loosen the filter." if not response.data else "Narrow the filter, or use first() or iterate()."
    filters = f"filter={dict(query.filters)!r}" if query.filters else "no filter"
    raise NotExactlyOneError(
        f"{cls._path}().one with {filters} must match exactly one {cls.__name__}, got {total or 'none'}. {hint}",
        found=total,
    )


def count(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[int]:
    """Return the number of matching records."""
    response = yield from list_(configuration, cls, _short(cls, query, 1))
    return response.total_records if response.total_records is not None else len(response.data)


def _short(cls: type[Resource], query: QueryParams, size: int) -> QueryParams:
    """Return `query` limited to `size` records if the resource is paginated."""
    return query.copy().page(1, size) if cls._paginated else query


def _whole(name: str, value: int, minimum: int, maximum: int | None = None) -> int:
    whole = whole_number(value)
    if whole is None or whole < minimum or (maximum is not None and whole > maximum):
        bounds = f"{minimum}{f' to {maximum}' if maximum is not None else ''}"
        raise InvalidValueError(
            f"{name} must be a whole number from {bounds}, got {shown(value)}. {_HINTS[name]}", field=name
        )
    return whole


def _index(remaining: float) -> int | None:
    return None if remaining == float("inf") else int(remaining)
