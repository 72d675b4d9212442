"""Create a record once, or say what is known about it.

A POST that may have been carried out is never sent again: a service that stopped responding may still carry it out.
The record is looked up instead: by the caller's own identifier, by a name that the service keeps unique, or, where
money or stock is at stake, by a marker that the client puts into the caller's record before anything is sent. So
whatever ends the call, an interruption too, the caller holds the record or what finds it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from didww._core import request as requests
from didww._core.attempts import exchange, within
from didww._core.effects import Call, Sleep, clock
from didww._core.in_doubt import mark_unknown
from didww._core.response import ApiResponse, api_response, expect
from didww._core.retry import pause
from didww._core.trace import CallTrace
from didww._jsonapi.encode import resource_document
from didww._schema.filters import filter_rules
from didww._schema.resource import Resource
from didww._util.datetimes import http_date
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    DidwwError,
    InvalidValueError,
    NotExactlyOneError,
    ServerError,
    UnexpectedResponseError,
)
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from didww._core.attempts import Exchanged
    from didww._core.effects import Request
    from didww.configuration import Configuration

__all__ = ["create_once"]

R = TypeVar("R", bound=Resource)

_REFERENCE: Final = "external_reference_id"
LOOKS: Final = 4
"""How often a record is looked for, within 7.5 seconds: the service may still be at it."""
CLOCK_SLACK: Final = 5.0
"""Seconds by which a record may seem older than the request that made it."""
_RESERVED: Final = 0.05
"""Seconds between two looks at whether another call has done with the same identifier."""
_NEWEST: Final = 10
"""How many of the newest records are searched for one that was just created."""
_PAGE: Final = 100
"""Records in a page when all of them are searched."""


class _Key(NamedTuple):
    """What a record is found by: an attribute or a to-one relationship, and its value or the id of the other record."""

    field: str
    value: str
    related: bool = False

    def value_in(self, record: Resource) -> object:
        """Return the value that `record` has there; None if it has none, or does not show it."""
        if not self.related:
            return record._attributes.get(self.field)
        linkage = record._object.relationships.get(self.field)
        return getattr(linkage.data, "id", None) if linkage is not None else None

    def lookup(self, cls: type[Resource]) -> dict[str, str] | None:
        """The filter of `list` that finds it; None if there is none."""
        rule = None if self.related else filter_rules(cls).get(self.field)
        # A list of values is written with commas, and nothing tells a comma of the value's own apart.
        return None if rule is None or (rule.multiple and "," in self.value) else {self.field: self.value}


def create_once(
    configuration: Configuration, cls: type[R], record: R, query: QueryParams, *, once: bool = False
) -> Call[ApiResponse[R]]:
    """Create `record`; if the response is lost, find out whether it was created.

    Args:
        configuration: The client's settings.
        cls: The class of the record.
        record: What to create. It is given a marker, if it needs one to be found by.
        query: What the response is to include.
        once: Whether to look first for a record with the same identifier, and to return that one.

    Raises:
        InvalidValueError: `once` is asked for, and the record has no identifier.
        NotExactlyOneError: Several records have that identifier already.
    """
    key = _key(cls, record)
    if once and key is None:
        raise InvalidValueError(_no_key(cls), field="once")
    if key is None or not (once or key.value == record._own().unresolved):
        return (yield from _create_now(configuration, cls, record, query, key))
    end = (yield from clock()) + configuration.timeout
    token = yield from _reserve(configuration, cls, key)
    try:
        existing = yield from _existing(configuration, cls, key, query, end)
        if existing is not None:
            record._own().unresolved = None
            return existing
        return (yield from _create_now((yield from _until(configuration, cls, end)), cls, record, query, key))
    finally:
        configuration.in_progress.pop(token, None)


def _reserve(configuration: Configuration, cls: type[R], key: _Key) -> Call[tuple[str, str, str]]:
    """Wait until no other call of this client creates a record with the same identifier; return what to release."""
    mine, token = object(), (cls._type_name, key.field, key.value)
    start = yield from clock()
    while configuration.in_progress.setdefault(token, mine) is not mine:
        if (yield from clock()) - start >= configuration.timeout:
            raise ApiTimeoutError(
                f"{cls._path}().create was not begun before its timeout ran out: another call of this client is "
                f"creating the {cls.__name__} with {key.field} {key.value!r}. Raise `timeout=`.",
                request_sent=False,
                phase="waiting for another call",
            )
        yield Sleep(_RESERVED)
    return token


def _create_now(
    configuration: Configuration, cls: type[R], record: R, query: QueryParams, key: _Key | None
) -> Call[ApiResponse[R]]:
    state = record._own()
    if key is None and cls._marked:
        key = _marked(record)
    attributes = record._to_send()
    if key is not None and key.field == _REFERENCE:
        attributes[_REFERENCE] = key.value  # another thread may have given the record its own marker meanwhile
    document = resource_document(cls._type_name, None, attributes, record._pending_relationships())
    trace = CallTrace(requests.build(configuration, "POST", cls._path, query=query, document=document))
    try:
        created = yield from _create(configuration, cls, trace, query, key)
    except BaseException as error:
        if trace.in_doubt:
            state.unresolved = None if key is None else key.value
            _mark_unknown(cls, error, key)
        raise
    if key is not None and key.value == state.unresolved:
        state.unresolved = None
    return created


def _create(
    configuration: Configuration, cls: type[R], trace: CallTrace, query: QueryParams, key: _Key | None
) -> Call[ApiResponse[R]]:
    start = yield from clock()
    request = trace.request
    try:
        done = yield from exchange(configuration, request, creating=True, trace=trace)
        return _created(cls, request, done, query, key)
    except (ApiConnectionError, ServerError, UnexpectedResponseError) as error:
        failure = error
    if key is None or not trace.in_doubt or isinstance(failure, ApiTimeoutError):
        raise failure
    return (yield from _look(configuration, cls, key, query, start, failure))


def _created(cls: type[R], request: Request, done: Exchanged, query: QueryParams, key: _Key | None) -> ApiResponse[R]:
    """The record that was created, and no other: a response to another request may have taken its place."""
    response = expect(cls, api_response(request, done.response, query.fieldsets, done.attempts), request)
    wrong = ""
    if not response.data.id:
        wrong = "has no id"
    # The service may store a name in another form; an identifier is kept as it is.
    elif key is not None and key.field == _REFERENCE and key.field in query.fieldsets.get(cls._type_name, (key.field,)):
        wrong = "" if key.value_in(response.data) == key.value else f"has another {key.field}"
    if wrong:
        raise UnexpectedResponseError(
            f"{request.method} {cls._path} returned another {cls.__name__} than was sent: it {wrong}.",
            status_code=response.status_code,
            request_id=response.request_id,
        )
    return response


# What a record is found by


def _key(cls: type[Resource], record: Resource) -> _Key | None:
    """What a record like `record` is found by; None if it has nothing of the kind, or only a marker that is used up."""
    attributes, linkage = record._pending(), record._pending_relationships()
    for name in _identifying(cls):
        related = getattr(linkage.get(name), "id", None)
        value = attributes.get(name) if related is None else related
        if isinstance(value, str) and value.strip():
            state = record._own()
            return None if value == state.marker != state.unresolved else _Key(name, value, related is not None)
    return None


def _identifying(cls: type[Resource]) -> list[str]:
    """The fields that tell records of a class apart, the best first."""
    reference = cls._field_map.get(_REFERENCE)
    return [name for name in (_REFERENCE if reference is not None and reference.create else None, cls._lookup) if name]


def _marked(record: Resource) -> _Key:
    """Give `record` a new marker."""
    marker = f"didww-{uuid.uuid4().hex}"
    setattr(record, _REFERENCE, marker)
    record._own().marker = marker
    return _Key(_REFERENCE, marker)


def _no_key(cls: type[Resource]) -> str:
    fields = _identifying(cls)
    if not fields:
        return f"once must be left out for {cls._path}: they have no field by which an earlier one could be found."
    return (
        f"once needs {' or '.join(fields)} of the caller's own in the {cls.__name__}, by which an earlier one is "
        "found; set it first."
    )


# Looking for it


def _existing(
    configuration: Configuration, cls: type[R], key: _Key, query: QueryParams, end: float
) -> Call[ApiResponse[R] | None]:
    """The record that has the identifier already; None if there is none."""
    found: list[Any] = []
    page = 0
    while True:
        page += 1
        response = yield from _list((yield from _until(configuration, cls, end)), cls, key, query, page, _PAGE)
        found += response.data
        # With a filter all of them are on the first page; without one they may be anywhere.
        if len(found) > 1 or key.lookup(cls) is not None or "next" not in response.links:
            break
    if len(found) > 1:
        raise NotExactlyOneError(
            f"{len(found)} records of {cls._path} have {key.field} {key.value!r} already; nothing was sent. "
            f"Look at {cls._path}().list(filter={key.lookup(cls)!r}).",
            found=len(found),
        )
    if not found:
        return None
    response.data = found[0]
    return response


def _until(configuration: Configuration, cls: type[Resource], end: float) -> Call[Configuration]:
    return within(configuration, end, f"The {cls.__name__}", "looking for an earlier record")


def _look(
    configuration: Configuration,
    cls: type[R],
    key: _Key,
    query: QueryParams,
    start: float,
    failure: DidwwError,
) -> Call[ApiResponse[R]]:
    """The record that a lost response was about.

    Raises:
        DidwwError: `failure`, as it was not found, or cannot be told.
    """
    end = start + configuration.timeout
    for look in range(1, LOOKS + 1):
        wait = pause(look, None, lambda: 1.0)
        now = yield from clock()
        if now + wait >= end:
            raise failure
        yield Sleep(wait)
        left = end - (yield from clock())
        if left <= 0:
            raise failure
        try:
            response = yield from _list(configuration.replaced(timeout=left), cls, key, query)
        except DidwwError:
            raise failure from None
        elapsed = (yield from clock()) - start
        created = [record for record in response.data if _is_new(record, response, elapsed)]
        if len(created) > 1:
            raise failure
        if created:
            response.data = created[0]
            return response
    looked = sum(pause(look, None, lambda: 1.0) for look in range(1, LOOKS + 1))
    failure.args = (f"{failure} The {cls.__name__} was not found within {looked:g} s, and may still be created.",)
    raise failure


def _list(
    configuration: Configuration, cls: type[R], key: _Key, query: QueryParams, page: int = 1, size: int = _NEWEST
) -> Call[ApiResponse[Any]]:
    """The newest records that have the identifier, of those on one page."""
    wanted = QueryParams().sort("-created_at").page(page, size)
    wanted.filters.update(key.lookup(cls) or {})
    wanted.include(*query.includes, *([key.field] if key.related else []))
    wanted.fieldsets.update(query.fieldsets)
    request = requests.build(configuration, "GET", cls._path, query=wanted)
    done = yield from exchange(configuration, request, creating=False)
    response = expect(cls, api_response(request, done.response, query.fieldsets, done.attempts), request, many=True)
    response.data = [record for record in response.data if isinstance(record, cls) and _has(record, key, query)]
    return response


def _has(record: Resource, key: _Key, query: QueryParams) -> bool:
    """Whether a record of a list has the identifier; the filter has to do if its field was not asked for."""
    if key.field not in query.fieldsets.get(record.type, (key.field,)):
        return key.lookup(type(record)) is not None
    return key.value_in(record) == key.value


def _is_new(record: Resource, response: ApiResponse[Any], elapsed: float) -> bool:
    """Whether a record was made after the request went out, by the service's own clock."""
    created, now = getattr(record, "created_at", None), http_date(response.headers.get("date", ""))
    if now is None or not isinstance(created, datetime):
        return True  # no clock to compare with: the field alone has to do
    return (now - created).total_seconds() <= elapsed + CLOCK_SLACK


# Saying that it is not known


def _mark_unknown(cls: type[Resource], error: BaseException, key: _Key | None) -> None:
    """Have `error`, whoever raised it, say that it is not known whether the record was created, and how to find out."""
    lookup = key.lookup(cls) if key is not None else None
    if lookup is not None:
        how = f"Look for it: {cls._path}().list(filter={lookup!r})."
    elif "list" in cls._operations:
        how = f"Look at {cls._path}().list(sort='-created_at') before you repeat it."
    else:
        how = "Look at what it should have changed before you repeat it."
    mark_unknown(error, f"It is not known whether the {cls.__name__} was created. {how}", lookup)
