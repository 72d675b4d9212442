"""The operations of a resource, each as a call: list, find, create, update, delete. Walks and waits are beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from didww._core import request as requests
from didww._core.attempts import exchange, within
from didww._core.create import create_once
from didww._core.effects import clock
from didww._core.in_doubt import mark_unknown
from didww._core.response import ApiResponse, api_response, expect
from didww._jsonapi.encode import resource_document
from didww._schema.filters import filter_rules
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

__all__ = ["OPERATIONS", "create", "delete", "find", "id_of", "list_", "send", "update"]

OPERATIONS: Final = (
    *("list", "iterate", "first", "one", "count", "find"),
    *("create", "create_many", "update", "update_many", "delete", "delete_many", "wait"),
)
"""What an accessor may offer, by the names of its methods."""

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
    """Send `request` and judge the response, within the configured time.

    Args:
        configuration: The client's settings.
        request: What to send.
        fieldsets: The fields that were asked for, by type.
        creating: Whether sending it twice would do it twice.
        stores: Whether a POST makes something, which the response must show.
        trace: Kept up to date, for a caller who wants to know how far the call came whatever ends it.
    """
    done = yield from exchange(configuration, request, creating=creating, trace=trace)
    if done.uncertain and request.method == "DELETE" and done.response.status == 404:
        # The first attempt did it, and its response was lost.
        return ApiResponse(None, meta={}, links={}, response=done.response, attempts=done.attempts)
    try:
        return api_response(request, done.response, fieldsets, done.attempts, stores=stores)
    except RateLimitError as error:
        if done.uncertain and request.method in ("PATCH", "DELETE"):
            mark_unknown(error, "An earlier attempt of this call may have been carried out.")
        raise


def list_(configuration: Configuration, cls: type[R], query: QueryParams) -> Call[ApiResponse[list[R]]]:
    """One page of records, or all of them where the service does not page."""
    configuration, query = yield from resolved(configuration, cls, query)
    request = requests.build(configuration, "GET", cls._path, query=query)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, many=True)


def resolved(
    configuration: Configuration, cls: type[Resource], query: QueryParams
) -> Call[tuple[Configuration, QueryParams]]:
    """Replace filters that the service does not have by those that they stand for, and count the time that it takes.

    The value is a field of a record, which is requested first unless the caller gave the record with that field.
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
    """One record, by its id or anew."""
    id = None if cls._singleton else id_of(cls, id, "find")
    request = requests.build(configuration, "GET", cls._path, id=id, query=query)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    return expect(cls, response, request, id=id)


def create(
    configuration: Configuration, cls: type[R], record: R, query: QueryParams, *, once: bool = False
) -> Call[ApiResponse[R]]:
    """Create `record`; the response holds it as the service made it."""
    _checked(cls, record, "create")
    if record._exists():
        raise InvalidValueError(
            f"{cls._path}().create takes {cls.__name__} that is new; this one has the id {record.id}. Use update.",
            field="id",
        )
    record._to_send()  # raises if something was changed that cannot be sent
    _whole(cls, record, creating=True)
    if not cls._repeatable:
        return (yield from create_once(configuration, cls, record, query, once=once))
    # Nothing is stored: it can be sent twice, there is nothing to look up, and nothing that a response must show.
    document = resource_document(cls._type_name, None, record._to_send(), record._pending_relationships())
    request = requests.build(configuration, "POST", cls._path, query=query, document=document)
    response = yield from send(configuration, request, query.fieldsets, creating=False, stores=False)
    if response.data is None:
        response.data = record
    return expect(cls, response, request)


def update(configuration: Configuration, cls: type[R], record: R, query: QueryParams) -> Call[ApiResponse[R]]:
    """Send what was changed of `record`; afterwards it counts as unchanged."""
    _checked(cls, record, "update")
    if not record._object.id:
        raise InvalidValueError(
            f"{cls._path}().update takes {cls.__name__} that exists; this one has no id. Use create, or "
            f"{cls.__name__}.build(id).",
            field="id",
        )
    attributes, linkage = record._to_send(), record._pending_relationships()
    _whole(cls, record, creating=False)
    document = resource_document(cls._type_name, record.id, attributes, linkage)
    request = requests.build(configuration, "PATCH", cls._path, id=record.id, query=query, document=document)
    response = yield from send(configuration, request, query.fieldsets, creating=False)
    if response.data is None:  # carried out, with a response without a body
        response.data = record
    expect(cls, response, request, id=record.id)
    record._settle(attributes, linkage)
    return response


def delete(configuration: Configuration, cls: type[R], id: str | UUID | R) -> Call[ApiResponse[None]]:
    """Delete a record by its id, or itself."""
    request = requests.build(configuration, "DELETE", cls._path, id=id_of(cls, id, "delete"))
    response = yield from send(configuration, request, creating=False)
    response.data = None
    return response


def _checked(cls: type[Resource], record: object, operation: str) -> None:
    if not isinstance(record, cls):
        raise InvalidValueError(
            f"{cls._path}().{operation} takes {cls.__name__}, not {type(record).__name__}.{data_hint(record)}",
            field="resource",
        )


def _whole(cls: type[Resource], record: Resource, *, creating: bool) -> None:
    """Check that nothing is missing, and that the fields go together.

    Raises:
        InvalidValueError: Something is missing, or is set that must not be.
    """
    missing = list(record._missing(creating=creating))
    if missing:
        operation = "create" if creating else "update"
        raise InvalidValueError(
            f"{cls._path}().{operation} needs {' and '.join(missing)}; set it first.", field=missing[0].split(" or ")[0]
        )
    record._check_rules(creating=creating)


def id_of(cls: type[R], id: str | UUID | R | None, operation: str) -> str:
    """The id that is meant by an id, or by a record.

    Raises:
        InvalidValueError: It is no usable id, or a record of another class.
    """
    if isinstance(id, Resource):
        _checked(cls, id, operation)
        id = cast("str", id.id)
    return checked_id(id, f"{cls._path}().{operation}", cls)
