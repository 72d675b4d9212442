"""The control API: the controls of an emulator over HTTP, below `/_emulator/`.

`emulator.clock.advance("30 days")` in Python is `POST /_emulator/clock/advance` with `{"by": "30 days"}`. Parameters,
validation and the OpenAPI document are derived from the signatures of the methods.
"""

from __future__ import annotations

import inspect
import re
import sqlite3
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from didww._core.effects import Response
from didww._util.suggest import did_you_mean
from didww.emulator.engine.errors import HttpError
from didww.emulator.engine.store import is_disk_full
from didww.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from didww._core.effects import Request
    from didww.emulator.emulator import Emulator

__all__ = ["OPERATIONS", "PREFIX", "call", "error_message", "handle", "openapi", "parse_parameters"]

PREFIX: Final = "/_emulator/"

# Operations by group; read-only ones use GET, the others POST.
_READ_ONLY: Final = frozenset(
    {
        "state",
        "show",
        "waiting",
        "rules",
        "entries",
        "deliveries",
        "request",
        "snapshots",
        "id_of",
        "failing",
        "charges",
        "report",
        "reports",
        "registrations",
    }
)
OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "clock": ("state", "advance", "freeze", "run"),
    "transitions": ("show", "set", "reset", "waiting", "approve", "reject", "complete", "cancel"),
    "faults": ("rules", "add", "preset", "remove", "clear"),
    "journal": ("entries", "clear", "assert_called", "assert_not_called"),
    "callbacks": ("deliveries", "request", "replay", "sign", "allow", "settle"),
    "state": ("reset", "snapshot", "restore", "snapshots", "seed", "id_of"),
    "balance": ("show", "put", "terms"),
    "features": ("show", "put"),
    "versions": ("show", "set"),
    "stock": ("show", "put"),
    "prices": ("show", "assign", "unassign"),
    "calls": ("rate", "inbound", "outbound", "fail", "failing", "charges", "ring", "report", "reports", "hang_up"),
    "call_events": ("set", "show", "deliveries", "settle"),
    "messages": ("rate", "inbound", "outbound"),
    "sender_ids": ("add", "set_status"),
    "sip": ("show", "registrations", "listen", "allow", "limit", "challenge", "forget"),
}

_NAMES: Final = {
    "Mapping": Mapping,
    "Sequence": Sequence,
    "Decimal": Decimal,
    "timedelta": timedelta,
    "datetime": datetime,
}
_TEXT_TYPES: Final = (timedelta, datetime, Decimal)


class _Operation(NamedTuple):
    method: str
    path: str
    call: Callable[..., Any]
    parameters: type[msgspec.Struct]
    repeated: str | None
    """The `*args` parameter of the method, if any."""


def handle(emulator: Emulator, request: Request) -> Response:
    """Return the response to a request below `/_emulator/`."""
    split = urlsplit(request.url)
    place = split.path.removeprefix(PREFIX).strip("/")
    if place == "openapi.json":
        return _json(200, openapi())
    table = _operations()
    operation = table.get(place)
    if operation is None:
        return _json(404, {"error": f"There is no {split.path}.{did_you_mean(place, table)} See {PREFIX}openapi.json."})
    if request.method.replace("HEAD", "GET") != operation.method:
        return _json(405, {"error": f"Use {operation.method} for {split.path}."}, {"allow": operation.method})
    try:
        if operation.method == "GET":
            parameters = parse_parameters(place, parse_qsl(split.query))
        else:
            body = request.body if isinstance(request.body, bytes) else b""
            parameters = msgspec.json.decode(body or b"{}", type=operation.parameters)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return _json(422, {"error": error_message(error) + _accepted(str(error), operation.parameters)})
    try:
        result = call(emulator, place, parameters)
    except AssertionError as error:
        return _json(409, {"error": str(error)})
    except (LookupError, ValueError, ArithmeticError, TimeoutError) as error:
        status = 404 if isinstance(error, LookupError) else 504 if isinstance(error, TimeoutError) else 422
        return _json(status, {"error": error_message(error)})
    except sqlite3.OperationalError as error:
        if not is_disk_full(error):
            raise
        return _json(507, {"error": f"Cannot write the state file ({error}). Free disk space and retry."})
    if result is None:
        return Response(204, {}, b"")
    return _json(200, result)


# Shared with the console


def parse_parameters(place: str, pairs: Iterable[tuple[str, str]]) -> msgspec.Struct:
    """Parse the parameters of an operation from a query or a form; repeated fields become lists.

    Raises:
        msgspec.ValidationError: A parameter is invalid.
    """
    parameters = _operations()[place].parameters
    lists = {
        field.name
        for field in msgspec.structs.fields(parameters)
        if list in {typing.get_origin(kind) for kind in (field.type, *typing.get_args(field.type))}
    }
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return msgspec.convert(given, parameters, strict=False)


def call(emulator: Emulator, place: str, given: msgspec.Struct) -> Any:
    """Call an operation and return its result; raises what the Python method raises."""
    values = {name: value for name in given.__struct_fields__ if (value := getattr(given, name)) is not msgspec.UNSET}
    operation = _operations()[place]
    repeated = values.pop(operation.repeated, ()) if operation.repeated else ()
    group, _, name = place.partition("/")
    try:
        return getattr(getattr(emulator, group), name)(*repeated, **values)
    except HttpError as error:
        # The emulator does not accept the key.
        raise ValueError(f"api_key: {error}.") from None


def error_message(error: Exception) -> str:
    """Return the message of an error of an operation or of its parameters."""
    if isinstance(error, msgspec.DecodeError):
        return _describe_location(str(error))
    return str(error.args[0]) if error.args else str(error)


def _json(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(status, {"content-type": "application/json", **(headers or {})}, msgspec.json.encode(content))


def _accepted(text: str, parameters: type[msgspec.Struct]) -> str:
    """Return what an operation takes, for the message of an error that lacks it."""
    _, _, place = text.partition(" - at `$.")
    if "unknown field" in text and not place:
        return f". It takes: {', '.join(parameters.__struct_fields__) or 'nothing'}."
    if text.startswith("Invalid enum value"):
        fields = {field.name: field.type for field in msgspec.structs.fields(parameters)}
        kind = fields.get(place.rstrip("`"))
        kinds = [one for one in (kind, *typing.get_args(kind)) if typing.get_origin(one) is typing.Literal]
        values = [str(value) for one in kinds for value in typing.get_args(one)]
        return f". It must be one of: {', '.join(values)}." if values else ""
    return ""


def _describe_location(text: str) -> str:
    return text.replace(" - at `$.", " (in `").replace("`$`", "the body") + (")" if " - at `$." in text else "")


@cache
def _operations() -> dict[str, _Operation]:
    from didww.emulator.controls.balance import Balance
    from didww.emulator.controls.call_events import CallEvents
    from didww.emulator.controls.callbacks import Callbacks
    from didww.emulator.controls.calls import Calls
    from didww.emulator.controls.clock import Clock
    from didww.emulator.controls.faults import Faults
    from didww.emulator.controls.journal import Journal
    from didww.emulator.controls.messages import Messages
    from didww.emulator.controls.prices import Prices
    from didww.emulator.controls.sender_ids import SenderIds
    from didww.emulator.controls.sip import Sip
    from didww.emulator.controls.state import State
    from didww.emulator.controls.stock import Stock
    from didww.emulator.controls.transitions import Transitions
    from didww.emulator.engine.accounts import Features, Versions

    classes = {
        "clock": Clock,
        "transitions": Transitions,
        "faults": Faults,
        "journal": Journal,
        "callbacks": Callbacks,
        "state": State,
        "balance": Balance,
        "features": Features,
        "versions": Versions,
        "stock": Stock,
        "prices": Prices,
        "calls": Calls,
        "call_events": CallEvents,
        "messages": Messages,
        "sender_ids": SenderIds,
        "sip": Sip,
    }
    operations: dict[str, _Operation] = {}
    for group, names in OPERATIONS.items():
        for name in names:
            call = getattr(classes[group], name)
            path = f"{group}/{name}"
            parameters, repeated = _parameters(path, call)
            operations[path] = _Operation("GET" if name in _READ_ONLY else "POST", path, call, parameters, repeated)
    return operations


def _signature(call: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a method with its annotations as types."""
    return inspect.signature(call, locals=_NAMES, eval_str=True)


def _parameters(path: str, call: Callable[..., Any]) -> tuple[type[msgspec.Struct], str | None]:
    """Return a struct of a method's parameters, and the name of its `*args` parameter."""
    fields: list[Any] = []
    repeated = None
    for name, one in list(_signature(call).parameters.items())[1:]:
        kind = _json_type(one.annotation)
        if one.kind is inspect.Parameter.VAR_POSITIONAL:
            repeated = name
            fields.append((name, list[kind], msgspec.field(default_factory=list)))  # type: ignore[valid-type]
        elif one.default is inspect.Parameter.empty:
            fields.append((name, kind))
        else:
            fields.append((name, kind | msgspec.UnsetType, msgspec.UNSET))
    title = "".join(word.title() for word in re.split("[/_]", path)) + "Input"
    return msgspec.defstruct(title, fields, kw_only=True, forbid_unknown_fields=True), repeated


def _json_type(kind: Any) -> Any:
    """Return the JSON type of a parameter; types that also accept text in Python become text."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        kinds = [_json_type(member) for member in typing.get_args(kind) if member not in _TEXT_TYPES]
        return typing.Union[tuple(kinds)]  # noqa: UP007 made from a list
    if origin is Sequence:
        return list[typing.get_args(kind)[0]]  # type: ignore[misc]
    if origin is Mapping:
        key, value = typing.get_args(kind)
        return dict[key, value]  # type: ignore[valid-type]
    return kind


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the control API."""
    operations = _operations()
    results = [_result(operation) for operation in operations.values()]
    parameters = [operation.parameters for operation in operations.values()]
    schemas, components = msgspec.json.schema_components(
        [*parameters, *results], ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, Any] = {}
    for n, one in enumerate(operations.values()):
        first, details = _split_docstring(one.call)
        shape: dict[str, Any] = {"operationId": one.path.replace("/", "_"), "summary": first, "description": details}
        members = components[one.parameters.__name__]
        if one.method == "GET":
            shape["parameters"] = [
                {"name": name, "in": "query", "required": name in members.get("required", []), "schema": schema}
                for name, schema in members["properties"].items()
            ]
        else:
            shape["requestBody"] = {
                "required": bool(members.get("required")),
                "content": {"application/json": {"schema": schemas[n]}},
            }
        result = schemas[len(parameters) + n]
        done = (
            {"204": {"description": "Done."}}
            if result == {"type": "null"}
            else {"200": {"description": first, "content": {"application/json": {"schema": result}}}}
        )
        wrong = {"422": "A parameter is invalid.", "404": "Not found."}
        if one.path.startswith("journal/assert"):
            wrong["409"] = "The assertion failed; the error lists similar requests."
        failed = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
        shape["responses"] = done | {status: {"description": text, **failed} for status, text in wrong.items()}
        paths[f"{PREFIX}{one.path}"] = {one.method.lower(): shape}
    components["Error"] = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control API of the didww emulator",
            "version": __version__,
            "description": "Time, outcomes, faults, journal, callbacks, state. The API is at /v3, tokens at /token.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _result(operation: _Operation) -> Any:
    kind = _signature(operation.call).return_annotation
    return str if kind is datetime else kind


def _split_docstring(call: Callable[..., Any]) -> tuple[str, str]:
    first, _, rest = (inspect.getdoc(call) or "").partition("\n")
    return first, rest.strip()
