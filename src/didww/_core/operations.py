"""List, find, create, update and delete records. See `pagination` for iterating and `polling` for waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from didww._core import request as requests
from didww._core.attempts import exchange, mark_unknown, within
from didww._core.create import create_once
from didww._core.effects import clock
from didww._core.response import ApiResponse, api_response, expect
from didww._core.version_check import check_version
from didww._jsonapi.encode import resource_document
from didww._schema.filter_rules import filter_rules
from didww._schema.registry import class_of
from didww._schema.resource import Resource, checked_id, data_hint
from didww.exceptions import InvalidValueError, RateLimitError
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from didww._core.effects import Call, Request
    from didww._core.trace import CallTrace
    from didww.configuration import Configuration

__all__ = ["OPERATIONS", "check_whole", "create", "delete", "find", "id_of", "list_", "send", "update"]

OPERATIONS: Final = (
    *("list", "iterate", "first", "one", "count", "find"),
    *("create", "create_many", "update", "update_many", "delete", "delete_many", "wait"),
    *("fetch", "fetch_new"),
)
"""The method names of all operations that an endpoint can offer."""

R = TypeVar("R", bound=Resource)


def send(
    configuration: Configuration,
    request: Request,
    fieldsets: Mapping[str, Sequence[str]] | None = None,
    *,
    creating: bool,
    stores: bool = True,
    trace: CallTrace | None = None,
) -> Call[ApiResponse[Any]]:
    """Send `request` within the configured timeout and return the parsed response, or raise its error.

    Args:
        configuration: The client's settings.
        request: The request to send.
        fieldsets: The sparse fieldsets of the request, by type.
        creating: Whether the request creates a record, so that a retry could create a duplicate.
        stores: Whether a POST stores a record, which the response must contain.
        trace: The trace to update. Defaults to a new one.
    """
    exchanged = yield from exchange(configuration, request, creating=creating, trace=trace)
    if exchanged.uncertain and request.method == "DELETE" and exchanged.response.status == 404:
        # An earlier attempt deleted it, and its response was lost.
        return ApiResponse(None, meta={}, links={}, response=exchanged.response, attempts=exchanged.attempts)
    try:
        response = api_response(request, exchanged.response, fieldsets, exchanged.attempts, stores=stores)
    except RateLimitError as error:
        if exchanged.uncertain and request.method in ("PATCH", "DELETE"):
            mark_unknown(error, "The server may have processed an earlier attempt of this call.")
        raise
    if not configuration.version_check.done:
        yield from check_version(configuration, response.meta)
    return response


def list_(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[ApiResponse[list[R]]]:
    """Return one page of records, or all records of a resource without pagination."""
    configuration, query = yield from resolved(configuration, cls, query)
    request = requests.build(configuration, "GET", cls._path, query=query)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, many=True)


def resolved(
    configuration: Configuration, cls: type[Resource], query: QueryParams
) -> Call[tuple[Configuration, QueryParams]]:
    """Replace filters that only the SDK has with filters of the API.

    The value comes from a field of the related record, which is fetched unless the caller passed a loaded one. Also
    return the configuration with the remaining timeout.
    """
    rules = filter_rules(cls) if query.filters else {}
    detours = {name: rule.detour for name in query.filters if (rule := rules.get(name)) and rule.detour}
    if not detours:
        return configuration, query
    query = query.copy()
    end = (yield from clock()) + configuration.timeout
    for name, detour in detours.items():
        record = query.filters.pop(name)
        value = record._attributes.get(detour.field) if isinstance(record, Resource) else None
        if value is None:
            target = cast("type[Resource]", class_of(detour.type))
            value = getattr((yield from find(configuration, target, record, QueryParams())).data, detour.field)
            what = f"The request for {cls._path}"
            configuration = yield from within(configuration, end, what, "looking up a filter")
        query.filters[detour.filter] = value
    return configuration, query


def find(
    configuration: Configuration, cls: type[R], id: str | UUID | R | None, query: QueryParams
) -> Call[ApiResponse[R]]:
    """Fetch one record by its id, or reload one."""
    id = None if cls._singleton else id_of(cls, id, "find")
    request = requests.build(configuration, "GET", cls._path, id=id, query=query)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, id=id)


def create(
    configuration: Configuration, cls: type[R], record: R, query: QueryParams, *, once: bool = False
) -> Call[ApiResponse[R]]:
    """Create `record` and return it as stored by the service."""
    requests.check_writable(configuration)
    _checked(cls, record, "create")
    if record._exists():
        raise InvalidValueError(
            f"resource must be a new {cls.__name__}, got one with the id {record.id}. "
            f"Use {cls._path}().update instead.",
            field="id",
        )
    sent = record._to_send()
    record._check_version(configuration.api_version, (*sent, *record._pending_relationships()))
    check_whole(cls, record, creating=True)
    if not cls._repeatable:
        return (yield from create_once(configuration, cls, record, query, once=once))
    # Nothing is stored: it is safe to retry, and the response need not contain a record.
    document = resource_document(cls._type_name, None, cls._to_members(sent), record._pending_relationships())
    request = requests.build(configuration, "POST", cls._path, query=query, document=document)
    response = yield from send(configuration, request, query.fieldsets, creating=False, stores=False)
    if response.data is None:
        response.data = record
    return expect(cls, response, request)


def update(configuration: Configuration, cls: type[R], record: R, query: QueryParams) -> Call[ApiResponse[R]]:
    """Send the changed fields of `record` and mark it as unchanged."""
    _checked(cls, record, "update")
    if not record._object.id:
        raise InvalidValueError(
            f"resource must be an existing {cls.__name__}, got one without an id. Use {cls._path}().create, or "
            f"{cls.__name__}.build(id).",
            field="id",
        )
    attributes, linkage = record._to_send(), record._pending_relationships()
    check_whole(cls, record, creating=False)
    record._check_version(configuration.api_version, (*attributes, *linkage))
    document = resource_document(cls._type_name, record.id, cls._to_members(attributes), linkage)
    request = requests.build(configuration, "PATCH", cls._path, id=record.id, query=query, document=document)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    if response.data is None:  # success without a response body
        response.data = record
    expect(cls, response, request, id=record.id)
    record._settle(attributes, linkage)
    return response


def delete(configuration: Configuration, cls: type[R], id: str | UUID | R) -> Call[ApiResponse[None]]:
    """Delete a record, passed as itself or by id."""
    request = requests.build(configuration, "DELETE", cls._path, id=id_of(cls, id, "delete"))
    response = yield from send(configuration, request, creating=False)
    response.data = None
    return response


def _checked(cls: type[Resource], record: object, operation: str) -> None:
    if not isinstance(record, cls):
        raise InvalidValueError(
            f"The record for {cls._path}().{operation} must be {cls.__name__}, got {type(record).__name__}."
            f"{data_hint(record)}",
            field="resource",
        )


def check_whole(cls: type[Resource], record: Resource, *, creating: bool) -> None:
    """Check that all required fields are set and that the fields are consistent.

    Raises:
        InvalidValueError: A required field is missing, or two fields conflict.
    """
    missing = list(record._missing(creating=creating))
    if missing:
        operation = "create" if creating else "update"
        *others, last = missing
        names, them = (f"{', '.join(others)} and {last}", "them") if others else (last, "it")
        raise InvalidValueError(
            f"{cls._path}().{operation} needs {names}; set {them} first.", field=missing[0].split(" or ")[0]
        )
    record._check_rules(creating=creating)


def id_of(cls: type[R], id: str | UUID | R | None, operation: str) -> str:
    """Return the id of a record that is passed as itself or by id.

    Raises:
        InvalidValueError: `id` is not valid, or is a record of another class.
    """
    if isinstance(id, Resource):
        _checked(cls, id, operation)
        id = cast("str", id.id)
    return checked_id(id, f"{cls._path}().{operation}", cls)
