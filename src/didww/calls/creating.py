"""Creating a record once, or saying what is known.

A POST that may have been carried out is never sent again: nobody can tell how long a service takes that has stopped
answering. The record is looked up, by a field that the declaration names (`lookup`) or the account's own identifier,
filled in with a marker if the caller left it out.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from didww.calls import request as requests
from didww.calls.answer import ApiResponse, api_response
from didww.calls.effects import Call, Now, Request, Sleep
from didww.calls.exchange import exchange
from didww.calls.retries import pause
from didww.exceptions import ConnectionFailed, DeadlineExceeded, DidwwError, ServerError, UnexpectedResponse
from didww.jsonapi.encode import Veiled, resource_document
from didww.query_params import QueryParams
from didww.resources.base import Resource

if TYPE_CHECKING:
    from didww.configuration import Configuration
    from didww.jsonapi.document import Data

__all__ = ["create_once"]

R = TypeVar("R", bound=Resource)

LOOKS: Final = 4
"""How often a record is looked for, within 7.5 seconds: the service may still be at it."""
CLOCK_SLACK: Final = 5.0
"""Seconds by which a record may seem older than the request that made it."""


def create_once(
    configuration: Configuration,
    cls: type[R],
    attributes: dict[str, Any],
    linkage: dict[str, Data],
    query: QueryParams,
) -> Call[tuple[Request, ApiResponse[Any]]]:
    """Create a record of `cls`; if the answer is lost, find out whether it was made."""
    field = _lookup(cls)
    if field is not None and not attributes.get(field):
        attributes = Veiled(attributes, **{field: f"didww-{uuid.uuid4().hex}"})
    document = resource_document(cls.type_, None, attributes, linkage)
    request = requests.build(configuration, "POST", cls.path, query=query, document=document)
    start = cast("float", (yield Now()))
    try:
        done = yield from exchange(configuration, request, creating=not cls.repeatable)
        return request, api_response(request, done.response, query.fieldsets, done.attempts)
    except ConnectionFailed as error:
        if not error.request_sent:
            raise
        failure: DidwwError = error
    except (ServerError, UnexpectedResponse) as error:
        failure = error
    if cls.repeatable:
        raise failure
    if field is None or isinstance(failure, DeadlineExceeded):
        raise _unknown(cls, failure, None if field is None else {field: attributes[field]})
    filters = {field: attributes[field]}
    return request, (yield from _look(configuration, cls, filters, query, start, failure))


def _lookup(cls: type[Resource]) -> str | None:
    """The field by which a record that was just created is found; None if there is none."""
    own = cls._fields.get("external_reference_id")
    return own.name if own is not None and own.create else cls.lookup


def _look(
    configuration: Configuration,
    cls: type[R],
    filters: dict[str, str],
    query: QueryParams,
    start: float,
    failure: DidwwError,
) -> Call[ApiResponse[Any]]:
    """The record that a lost answer was about.

    Raises:
        DidwwError: `failure`, as it was not found, or cannot be told.
    """
    end = start + configuration.timeout
    wanted = QueryParams().sort("-created_at").page(1, 10)
    wanted.filters.update(filters)
    wanted.include(*query.includes)
    wanted.fieldsets.update(query.fieldsets)
    request = requests.build(configuration, "GET", cls.path, query=wanted)
    for look in range(1, LOOKS + 1):
        wait = pause(look, None, lambda: 1.0)
        now = cast("float", (yield Now()))
        if now + wait >= end:
            raise _unknown(cls, failure, filters)
        yield Sleep(wait)
        left = end - cast("float", (yield Now()))
        if left <= 0:
            raise _unknown(cls, failure, filters)
        try:
            done = yield from exchange(configuration.replaced(timeout=left), request, creating=False)
            answer = api_response(request, done.response, query.fieldsets, done.attempts)
        except DidwwError:
            raise _unknown(cls, failure, filters) from None
        elapsed = cast("float", (yield Now())) - start
        made = [one for one in answer.data or () if _is_new(one, answer, elapsed)]
        if len(made) > 1:
            raise _unknown(cls, failure, filters)
        if made:
            answer.data = made[0]
            return answer
    looked = sum(pause(look, None, lambda: 1.0) for look in range(1, LOOKS + 1))
    raise _unknown(cls, failure, filters, f" It was not found within {looked:g} s, and may still be made.")


def _is_new(record: Resource, answer: ApiResponse[Any], elapsed: float) -> bool:
    """Whether a record was made after the request went out, by the service's own clock."""
    from email.utils import parsedate_to_datetime

    created = getattr(record, "created_at", None)
    try:
        now = parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return True  # no clock to compare with: the field alone has to do
    return not hasattr(created, "timestamp") or (now - cast("Any", created)).total_seconds() <= elapsed + CLOCK_SLACK


def _unknown(cls: type[Resource], failure: DidwwError, filters: dict[str, str] | None, looked: str = "") -> DidwwError:
    """`failure`, which says in addition that it is not known whether the record was made, and how to find out."""
    how = (
        f"Look for it: {cls.path}().list(filter={filters!r})."
        if filters
        else f"Look at {cls.path}().list(sort='-created_at') before repeating it."
        if "list" in cls.operations
        else "Look at what it should have changed before repeating it."
    )
    failure.outcome_unknown, failure.lookup = True, filters
    failure.args = (f"{failure} It is not known whether the {cls.__name__} was made.{looked} {how}",)
    return failure
