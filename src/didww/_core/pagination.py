"""Walking over the pages of a list: in order, several asked for ahead, no record twice, and to be gone on with later.

Pages are asked for by their numbers as far as the service's own links agree; where they do not, the links are followed
one by one. A page can be shorter than asked for: each account has a largest size of its own, which is not known here.
Records may move between pages while a walk goes on; what was handed out already is not handed out again.
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
"""Pages requested ahead by default: enough for 20 requests a second at 200 ms each."""
_WAYS: Final = {
    "limit": "Leave it out for all records.",
    "prefetch": "0 requests each page when it is reached.",
    "page_size": "Leave it out for the service's own size; iterate() goes on to the next page by itself.",
}
MAX_EMPTY: Final = 3
"""Pages without a record, one after the other, that end a walk although a next one is named."""
MAX_STALE: Final = 20
"""Pages with records that were handed out already, likewise; more of them only as far as there are so many pages."""

R = TypeVar("R", bound=Resource)


class Page(Struct, frozen=True):
    """What a walk hands out between its effects: new records, each with its place in the page of this number."""

    number: int
    records: list[tuple[int, Any]]


class Cursor:
    """Where a walk is: after which record of which page. Its text can be kept, and a later walk begun there."""

    __slots__ = ("id", "number", "place", "query", "size")

    def __init__(self, query: str, number: int, size: int | None) -> None:
        self.query = query
        self.number = number
        self.size = size
        self.place = 0
        self.id = ""

    def advance(self, number: int, place: int, record: Resource) -> None:
        """`record` was handed out."""
        self.number, self.place, self.id = number, place + 1, record.id or ""

    def __str__(self) -> str:
        import base64
        import json

        fields = [self.query, self.number, self.size, self.place, self.id]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")

    def left(self, records: list[R]) -> list[tuple[int, R]]:
        """What of this page, with the places, comes after the cursor."""
        found = next((place for place, record in enumerate(records, 1) if record.id == self.id), None)
        start = found if found is not None else min(self.place, len(records))
        return list(enumerate(records))[start:]


def _opened(text: object, query: str) -> Cursor:
    """The cursor that `text` stands for.

    Raises:
        InvalidValueError: It is none, or belongs to another query.
    """
    import base64
    import json

    mark: Cursor | None = None
    try:
        padded = cast("str", text) + "=" * (-len(cast("str", text)) % 4)
        fields: Any = json.loads(base64.urlsafe_b64decode(padded))
        of, number, size, place, id = fields
        numbers = (number, place) if size is None else (number, place, size)
        if all(type(one) is int and 0 <= one < 1 << 53 for one in numbers) and isinstance(id, str) and number:
            mark = Cursor(of, number, size)
            mark.place, mark.id = place, id
    except (TypeError, ValueError, RecursionError):
        pass
    if mark is None:
        raise InvalidValueError("resume must be the `cursor` of an earlier iterator, unchanged.", field="resume")
    if mark.query != query:
        raise InvalidValueError(
            "resume must belong to the same query, got a cursor of another resource, filter, order or include.",
            field="resume",
        )
    return mark


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
    """All records that match, page by page, and the cursor that goes along. A wrong argument is refused at once."""
    import hashlib

    left = float("inf") if limit is None else _whole("limit", limit, 0)
    ahead = _whole("prefetch", prefetch, 0, 100)
    if page_size is not None:
        _whole("page_size", page_size, 1, MAX_RECORDS)
        if query.page_size not in (None, page_size):
            raise InvalidValueError(
                f"page_size must be the size that page names, {query.page_size}, got {page_size}. Pass one of the two.",
                field="page_size",
            )
        query.page(query.page_number or 1, page_size)
    plain = query.copy()
    plain.page_number = plain.page_size = None
    digest = hashlib.sha256(f"{cls._type_name}?{plain.encode()}".encode()).hexdigest()[:16]
    mark = Cursor(digest, query.page_number or 1, query.page_size)
    if resume is not None:
        mark = _opened(resume, digest)
        if query.page_size not in (None, mark.size) or query.page_number not in (None, 1, mark.number):
            raise InvalidValueError("resume knows the page and its size; leave page and page_size out.", field="resume")
        if mark.size is not None or mark.number > 1:
            query.page(mark.number, mark.size)
    return _walk(configuration, cls, query, mark, left, ahead), mark


def _walk(
    configuration: Configuration,
    cls: type[R],
    query: QueryParams,
    mark: Cursor,
    left: float,
    prefetch: int,
) -> Generator[Effect | Page, Any, None]:
    if not left:
        return
    _, query = yield from resolved(configuration, cls, query)
    request = requests.build(configuration, "GET", cls._path, query=query)
    start = number = mark.number
    empty, stale, window = 0, 0, min(prefetch, 1)
    handed_out: set[str | None] = set()
    followed = {request.url}
    coming: deque[Started] = deque()
    response = yield from _one_page(configuration, cls, request, query)
    begin = mark.left(response.data) if mark.id or mark.place else list(enumerate(response.data))
    while left:
        new = [(place, one) for place, one in begin if not one.id or one.id not in handed_out][: _index(left)]
        handed_out.update(one.id for _, one in new)
        left -= len(new)
        empty, stale = 0 if response.data else empty + 1, 0 if new else stale + 1
        held = len(response.data)  # of a page that is not the last one, its size, whatever was asked for
        last = max(number + 1, -(-(response.total_records or 0) // held)) if held else number + 1
        over = empty > MAX_EMPTY or (stale > MAX_STALE and last == number + 1)
        link = None if over else _next_link(configuration, cls, response, request, followed)
        numbered = link is not None and _number_in(link, "page[number]") == number + 1
        if left < float("inf") and held:
            last = min(last, max(number + 1, number - (-int(left) // held)))
        told = _number_in(link, "page[size]") if link is not None else None
        size = told if told and told <= MAX_RECORDS else query.page_size or held
        if numbered and left and number > start:  # whoever comes to a second page is likely to want a third
            yield from _ask_ahead(configuration, cls, query, size, number, min(window, last - number), coming)
        yield Page(number, new)
        if link is None or not left:
            return
        followed.add(link)
        number += 1
        if numbered and prefetch:
            yield from _ask_ahead(configuration, cls, query, size, number - 1, min(window, last - number + 1), coming)
            response = yield Join(coming.popleft())
            window = min(prefetch, window * 2)
        else:
            coming.clear()
            request = requests.follow(configuration, "GET", link)
            response = yield from _one_page(configuration, cls, request, query)
        begin = list(enumerate(response.data))


def _ask_ahead(
    configuration: Configuration,
    cls: type[R],
    query: QueryParams,
    size: int,
    number: int,
    pages: int,
    coming: deque[Started],
) -> Call[None]:
    """Have `pages` pages after this one on their way."""
    while len(coming) < pages:
        asked = query.copy().page(number + 1 + len(coming), size)
        request = requests.build(configuration, "GET", cls._path, query=asked)
        coming.append((yield Start(_one_page(configuration, cls, request, query))))


def _one_page(
    configuration: Configuration, cls: type[R], request: Request, query: QueryParams
) -> Call[ApiResponse[list[R]]]:
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, many=True)


def _next_link(
    configuration: Configuration, cls: type[R], response: ApiResponse[Any], request: Request, followed: set[str]
) -> str | None:
    """The address of the next page as the response has it; None if there is none, or it was followed already.

    Raises:
        UnexpectedResponseError: It leads to another host.
    """
    link = response.links.get("next")
    if not isinstance(link, str):
        return None
    link = joined(request.url, link)
    if link in followed:  # it goes in a circle
        return None
    if origin_of(link) != configuration.origin:
        raise UnexpectedResponseError(
            f"The link to the next page of {cls._type_name} leads away from {configuration.base_url}; not followed."
        )
    return link


def _number_in(link: str, name: str) -> int | None:
    """The number that a link has for a parameter; None if it does not say."""
    from urllib.parse import parse_qsl, urlsplit

    text = dict(parse_qsl(urlsplit(link).query)).get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def first(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[R | None]:
    """The first record that matches, or None."""
    response = yield from list_(configuration, cls, _short(cls, query, 1))
    return response.data[0] if response.data else None


def one(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[R]:
    """The only record that matches."""
    response = yield from list_(configuration, cls, _short(cls, query, 2))
    if len(response.data) == 1:
        return response.data[0]
    total = max(response.total_records or 0, len(response.data))
    hint = "Loosen the filter." if not response.data else "Narrow the filter, or use first() or iterate()."
    asked = f"filter={dict(query.filters)!r}" if query.filters else "no filter"
    raise NotExactlyOneError(
        f"{cls._path}().one with {asked} found {total or 'none'} where exactly one {cls.__name__} was expected. {hint}",
        found=total,
    )


def count(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[int]:
    """How many records match."""
    response = yield from list_(configuration, cls, _short(cls, query, 1))
    return response.total_records if response.total_records is not None else len(response.data)


def _short(cls: type[Resource], query: QueryParams, size: int) -> QueryParams:
    """`query` for no more records than needed, where the service has pages."""
    return query.copy().page(1, size) if cls._paginated else query


def _whole(name: str, value: int, least: int, most: int | None = None) -> int:
    whole = whole_number(value)
    if whole is None or whole < least or (most is not None and whole > most):
        bounds = f"{least}{f' to {most}' if most is not None else ''}"
        raise InvalidValueError(
            f"{name} must be a whole number from {bounds}, got {shown(value)}. {_WAYS[name]}", field=name
        )
    return whole


def _index(left: float) -> int | None:
    return None if left == float("inf") else int(left)
