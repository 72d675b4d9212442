"""Create a record without creating duplicates.

A POST that the server may have processed is never retried. Instead, the record is looked up by the caller's own
identifier, by a name that must be unique, or, for orders and other paid resources, by a marker that the client stores
in the record before sending it. After an error, even an interruption, the caller has the value to look it up by.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from didww._core import request as requests
from didww._core.attempts import exchange, mark_unknown, within
from didww._core.effects import Call, Sleep, clock
from didww._core.response import ApiResponse, api_response, expect
from didww._core.retry import pause
from didww._core.trace import CallTrace
from didww._core.version_check import check_version
from didww._jsonapi.encode import resource_document
from didww._schema.filter_rules import filter_rules
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
"""Number of lookups after a lost response, spread over 7.5 seconds, as the service may still be processing it."""
CLOCK_SLACK: Final = 5.0
"""Seconds by which `created_at` may precede the request that created the record."""
_RESERVED: Final = 0.05
"""Seconds between checks whether another call with the same identifier has finished."""
_NEWEST: Final = 10
"""Number of newest records to search for one that was just created."""
_PAGE: Final = 100
"""Page size when searching all records."""


class _Key(NamedTuple):
    """The lookup key of a record: an attribute and its value, or a to-one relationship and the related record's id."""

    field: str
    value: str
    related: bool = False

    def value_in(self, record: Resource) -> object:
        """Return the value of the key's field in `record`, or None if it is empty or not loaded."""
        if not self.related:
            return record._attributes.get(self.field)
        linkage = record._object.relationships.get(self.field)
        return getattr(linkage.data, "id", None) if linkage is not None else None

    def lookup(self, cls: type[Resource]) -> dict[str, str] | None:
        """Return the `list` filter that finds the record, or None if there is none."""
        rule = None if self.related else filter_rules(cls).get(self.field)
        # Commas separate values, and cannot be escaped.
        return None if rule is None or (rule.multiple and "," in self.value) else {self.field: self.value}


def create_once(
    configuration: Configuration, cls: type[R], record: R, query: QueryParams, *, once: bool = False
) -> Call[ApiResponse[R]]:
    """Create `record`; if the response is lost, look up whether it was created.

    Args:
        configuration: The client's settings.
        cls: The class of the record.
        record: The record to create. A marker is set on it if it has no other lookup key.
        query: The includes and sparse fieldsets of the response.
        once: Whether to return an existing record with the same identifier instead of creating another.

    Raises:
        InvalidValueError: `once` is set, and the record has no identifier.
        NotExactlyOneError: Several existing records have that identifier.
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
    """Wait until no other call of this client is creating the same record; return the reservation to release."""
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
        attributes[_REFERENCE] = key.value  # another thread may have set its own marker
    document = resource_document(cls._type_name, None, cls._to_members(attributes), record._pending_relationships())
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
        exchanged = yield from exchange(configuration, request, creating=True, trace=trace)
        created = _created(cls, request, exchanged, query, key)
    except (ApiConnectionError, ServerError, UnexpectedResponseError) as error:
        failure = error
    else:
        if not configuration.version_check.done:
            yield from check_version(configuration, created.meta)
        return created
    if key is None or not trace.in_doubt or isinstance(failure, ApiTimeoutError):
        raise failure
    return (yield from _look(configuration, cls, key, query, start, failure))


def _created(
    cls: type[R], request: Request, exchanged: Exchanged, query: QueryParams, key: _Key | None
) -> ApiResponse[R]:
    """Return the created record, after checking that the response is not one to another request."""
    response = expect(cls, api_response(request, exchanged.response, query.fieldsets, exchanged.attempts), request)
    mismatch = ""
    if not response.data.id:
        mismatch = "has no id"
    # The service may normalize a name, but stores an external reference unchanged.
    elif key is not None and key.field == _REFERENCE and key.field in query.fieldsets.get(cls._type_name, (key.field,)):
        mismatch = "" if key.value_in(response.data) == key.value else f"has a different {key.field}"
    if mismatch:
        raise UnexpectedResponseError(
            f"{request.method} {cls._path} returned a different {cls.__name__} than the one sent: it {mismatch}.",
            status_code=response.status_code,
            request_id=response.request_id,
        )
    return response


# Lookup keys


def _key(cls: type[Resource], record: Resource) -> _Key | None:
    """Return the lookup key of `record`, or None if it has no identifier or only a used marker."""
    attributes, linkage = record._pending(), record._pending_relationships()
    for name in _identifying(cls):
        related = getattr(linkage.get(name), "id", None)
        value = attributes.get(name) if related is None else related
        if isinstance(value, str) and value.strip():
            state = record._own()
            return None if value == state.marker != state.unresolved else _Key(name, value, related is not None)
    return None


def _identifying(cls: type[Resource]) -> list[str]:
    """Return the fields that identify a record of the class, best first."""
    reference = cls._field_map.get(_REFERENCE)
    return [name for name in (_REFERENCE if reference is not None and reference.create else None, cls._lookup) if name]


def _marked(record: Resource) -> _Key:
    """Set a new marker on `record` and return it as a key."""
    marker = f"didww-{uuid.uuid4().hex}"
    setattr(record, _REFERENCE, marker)
    record._own().marker = marker
    return _Key(_REFERENCE, marker)


def _no_key(cls: type[Resource]) -> str:
    fields = _identifying(cls)
    if not fields:
        return f"once must not be set for {cls._path}: they have no field to look up an existing record by."
    return (
        f"once must be used with a record of {cls._path} that has {' or '.join(fields)}, to look up an existing one. "
        "Set it first."
    )


# Lookups


def _existing(
    configuration: Configuration, cls: type[R], key: _Key, query: QueryParams, end: float
) -> Call[ApiResponse[R] | None]:
    """Return the existing record with the identifier, or None."""
    records: list[Any] = []
    page = 0
    while True:
        page += 1
        response = yield from _list((yield from _until(configuration, cls, end)), cls, key, query, page, _PAGE)
        records += response.data
        # A filter puts all matches on the first page; without one, all pages have to be searched.
        if len(records) > 1 or key.lookup(cls) is not None or "next" not in response.links:
            break
    if len(records) > 1:
        raise NotExactlyOneError(
            f"{len(records)} records of {cls._path} already have {key.field} {key.value!r}; nothing was sent. "
            f"See {cls._path}().list(filter={key.lookup(cls)!r}).",
            found=len(records),
        )
    if not records:
        return None
    response.data = records[0]
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
    """Look up the record whose response was lost.

    Raises:
        DidwwError: `failure`, if the record was not found or is ambiguous.
    """
    end = start + configuration.timeout
    for attempt in range(1, LOOKS + 1):
        wait = pause(attempt, None, lambda: 1.0)
        now = yield from clock()
        if now + wait >= end:
            raise failure
        yield Sleep(wait)
        remaining = end - (yield from clock())
        if remaining <= 0:
            raise failure
        try:
            response = yield from _list(configuration.replaced(timeout=remaining), cls, key, query)
        except DidwwError:
            raise failure from None
        elapsed = (yield from clock()) - start
        created = [record for record in response.data if _is_new(record, response, elapsed)]
        if len(created) > 1:
            raise failure
        if created:
            response.data = created[0]
            return response
    seconds = sum(pause(attempt, None, lambda: 1.0) for attempt in range(1, LOOKS + 1))
    failure.args = (f"{failure} The {cls.__name__} was not found within {seconds:g} s and may still be created.",)
    raise failure


def _list(
    configuration: Configuration, cls: type[R], key: _Key, query: QueryParams, page: int = 1, size: int = _NEWEST
) -> Call[ApiResponse[Any]]:
    """Return the records on one page, newest first, that have the identifier."""
    lookup = QueryParams().sort("-created_at").page(page, size)
    lookup.filters.update(key.lookup(cls) or {})
    lookup.include(*query.includes, *([key.field] if key.related else []))
    lookup.fieldsets.update(query.fieldsets)
    request = requests.build(configuration, "GET", cls._path, query=lookup)
    exchanged = yield from exchange(configuration, request, creating=False)
    response = expect(
        cls, api_response(request, exchanged.response, query.fieldsets, exchanged.attempts), request, many=True
    )
    response.data = [record for record in response.data if isinstance(record, cls) and _has(record, key, query)]
    return response


def _has(record: Resource, key: _Key, query: QueryParams) -> bool:
    """Return whether a listed record has the identifier. Trusts the filter if the field is not in the fieldset."""
    if key.field not in query.fieldsets.get(record.type, (key.field,)):
        return key.lookup(type(record)) is not None
    return key.value_in(record) == key.value


def _is_new(record: Resource, response: ApiResponse[Any], elapsed: float) -> bool:
    """Return whether a record was created after the request was sent, by the server's clock."""
    created, now = getattr(record, "created_at", None), http_date(response.headers.get("date", ""))
    if now is None or not isinstance(created, datetime):
        return True  # without a timestamp, the identifier decides
    return (now - created).total_seconds() <= elapsed + CLOCK_SLACK


# Unknown outcomes


def _mark_unknown(cls: type[Resource], error: BaseException, key: _Key | None) -> None:
    """Add to `error` that the record may have been created, and how to check."""
    lookup = key.lookup(cls) if key is not None else None
    if lookup is not None:
        advice = f"Look it up: {cls._path}().list(filter={lookup!r})."
    elif "list" in cls._operations:
        advice = f"Check {cls._path}().list(sort='-created_at') before you retry."
    else:
        advice = "Check the records that it changes before you retry."
    mark_unknown(error, f"It is unknown whether the {cls.__name__} was created. {advice}", lookup)
