"""Requests of the journal as programs to copy: curl, and Python with this SDK.

A write becomes the call that would send it, built from its body and the declarations. What the declarations cannot
express, such as an unknown member, is sent with `client.request`.
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from didww._schema.columns import check_path
from didww._schema.filter_rules import filter_rules, sort_keys
from didww._schema.registry import all_classes
from didww.emulator.console.formatting import pretty
from didww.emulator.console.masking import mask, mask_parameter
from didww.emulator.console.source import Call, Chain, Code, Dict, InexpressibleError, List, Value, record_code, write
from didww.exceptions import DidwwError
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from didww._schema.resource import Resource
    from didww.emulator.controls.journal import Entry

__all__ = ["to_curl", "to_python"]

# Headers to omit when a request is repeated.
_OF_THE_CLIENT: Final = frozenset(
    {"host", "user-agent", "content-length", "accept-encoding", "connection", "transfer-encoding", "traceparent"}
)
_READS: Final = {"GET": "find", "DELETE": "delete"}
_WRITES: Final = {"POST": "create", "PATCH": "update"}
_RAW_METHODS: Final = frozenset({"GET", "POST", "PATCH", "DELETE"})
_MARKER: Final = "didww-"
"""Beginning of the references that the SDK generates; repeated, one would mean the same order."""


def to_curl(entry: Entry, base: str) -> str:
    """Return a request as a curl command; the key is a shell variable."""
    lines = [
        f"curl -X {shlex.quote(entry.method)} {shlex.quote(_address(entry, base))}",
        '-H "Api-Key: $DIDWW_API_KEY"',
    ]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(entry).items()]
    if entry.body:
        lines.append(f"--data-binary {shlex.quote(_compact(entry.body))}")
    return " \\\n  ".join(lines)


def to_python(entry: Entry, base: str) -> str:
    """Return a request as a Python program; the key comes from the environment."""
    body = _json(entry.body)
    if entry.method not in _RAW_METHODS or not entry.path.startswith("/v3/") or (entry.body and body is None):
        return _over_http(entry, base)
    try:
        call = _library_call(entry, body)
    except (InexpressibleError, DidwwError, AttributeError, LookupError, TypeError, ValueError):
        call = _raw_call(entry, body)
    names = {"DidwwClient", *call.imports()}
    timed = "datetime" in names
    imports = sorted(names - {"datetime"})
    client = f'DidwwClient(os.environ["DIDWW_API_KEY"], base_url={Value(f"{base}/v3").line()})'
    return "\n".join(
        [
            "import os",
            *(["from datetime import datetime"] if timed else []),
            "",
            f"from didww import {', '.join(imports)}",
            "",
            f"with {client} as client:",
            f"    response = {write(call, indent=4)}",
            "    print(response.raw)",
        ]
    )


def _library_call(entry: Entry, body: Any) -> Code:
    """Return the call of this library that sends the request.

    Raises:
        InexpressibleError: There is none.
    """
    place, *rest = entry.path.removeprefix("/v3").strip("/").split("/")
    cls = next((cls for cls in all_classes() if cls._path == place), None)
    if cls is None or len(rest) > 1 or (cls._singleton and rest):
        raise InexpressibleError
    name = _WRITES.get(entry.method) if body is not None else _READS.get(entry.method)
    if name == "find" and not rest and not cls._singleton:
        name = "list"
    if name is None or name not in cls._operations | cls._extra_operations or (name == "delete" and not rest):
        raise InexpressibleError
    endpoint = f"client.{place}().{name}"
    if name in ("create", "update"):
        if bool(rest) != (name == "update"):
            raise InexpressibleError
        record = record_code(cls, _without_marker(mask(body)), rest[0] if rest else None)
        return Call(endpoint, [record], _query(cls, name, entry.query))
    arguments: list[Code] = [Value(item) for item in rest]
    return Call(endpoint, arguments, {} if name == "delete" else _query(cls, name, entry.query))


def _query(cls: type[Resource], operation: str, pairs: list[tuple[str, str]]) -> dict[str, Code]:
    """Return the query as keyword arguments, or as raw parameters where the library would not send it like that."""
    try:
        return _keywords(cls, operation, pairs)
    except (InexpressibleError, DidwwError):
        raw = [(name, mask_parameter(value, name)) for name, value in pairs]
        return {"params": Chain("QueryParams()", [("param", [Value(name), Value(value)], {}) for name, value in raw])}


def _keywords(cls: type[Resource], operation: str, pairs: list[tuple[str, str]]) -> dict[str, Code]:
    params = QueryParams()
    filters: dict[str, Code] = {}
    page: dict[str, int] = {}
    keywords: dict[str, Code] = {}
    for name, value in pairs:
        family, _, key = name.removesuffix("]").partition("[")
        parts = value.split(",")
        if mask_parameter(value, name) != value:
            raise InexpressibleError
        if name == "include" and value:
            for path in parts:
                if len(check_path(cls, path)) != path.count(".") + 1:
                    raise InexpressibleError
            params.include(*parts)
            keywords["include"] = _one_or_list(parts)
        elif family == "filter" and key in filter_rules(cls) and operation == "list":
            rule = filter_rules(cls)[key]
            several = rule.multiple and len(parts) > 1
            if rule.detour is not None or not value:
                raise InexpressibleError
            params.filter(key, parts if several else value)
            filters[key] = List([Value(part) for part in parts]) if several else Value(value)
        elif name == "sort" and operation == "list" and set(parts) <= set(sort_keys(cls)):
            params.sort(*parts)
            keywords["sort"] = _one_or_list(parts)
        elif family == "page" and key in ("number", "size") and value.isdecimal():
            page[key] = int(value)
        else:
            raise InexpressibleError
    if filters:
        keywords["filter"] = Dict(filters)
    if page:
        # `page` of a call has a number; a size alone is sent by `QueryParams`.
        params.page(page.get("number"), page.get("size"))
        if "number" in page:
            keywords["page"] = Value((page["number"], page["size"]) if "size" in page else page["number"])
        else:
            keywords["params"] = Chain("QueryParams()", [("page", [], {"size": Value(page["size"])})])
    if sorted(params.pairs()) != sorted(pairs):
        raise InexpressibleError
    return keywords


def _one_or_list(parts: list[str]) -> Code:
    return Value(parts[0]) if len(parts) == 1 else List([Value(part) for part in parts])


def _raw_call(entry: Entry, body: Any) -> Code:
    """Return the call of `client.request` that sends the request as it is."""
    path = quote(entry.path.removeprefix("/v3"), safe="/")
    keywords: dict[str, Code] = {}
    if entry.query:
        keywords["params"] = Value({name: mask_parameter(value, name) for name, value in entry.query})
    if body is not None:
        keywords["json"] = Value(mask(body))
    return Call("client.request", [Value(entry.method), Value(path)], keywords)


def _without_marker(body: Any) -> Any:
    try:
        attributes = body["data"]["attributes"]
        marked = str(attributes.get("external_reference_id") or "").startswith(_MARKER)
    except (AttributeError, KeyError, TypeError):
        return body
    if not marked:
        return body
    kept = {name: value for name, value in attributes.items() if name != "external_reference_id"}
    return {**body, "data": {**body["data"], "attributes": kept}}


def _over_http(entry: Entry, base: str) -> str:
    """Return a request that the client cannot send as a program without it."""
    headers = [("Api-Key", 'os.environ["DIDWW_API_KEY"]')]
    headers += [(name, repr(value)) for name, value in _headers(entry).items()]
    lines = ["import os", "", "import httpx2", "", "response = httpx2.request("]
    lines += [f"    {entry.method!r},", f"    {_address(entry, base)!r},", "    headers={"]
    lines += [f"        {name!r}: {value}," for name, value in headers]
    lines.append("    },")
    if entry.body:
        lines.append(f"    content={_compact(entry.body)!r}.encode(),")
    lines += [")", "print(response.status_code, response.text)"]
    return "\n".join(lines)


def _json(body: str) -> Any:
    """Return the JSON in a body; None if it is something else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _address(entry: Entry, base: str) -> str:
    pairs = [(name, mask_parameter(value, name)) for name, value in entry.query]
    query = f"?{urlencode(pairs, quote_via=quote, safe=',*')}" if pairs else ""
    return f"{base}{quote(entry.path, safe='/')}{query}"


def _headers(entry: Entry) -> dict[str, str]:
    return {name: value for name, value in entry.headers.items() if name not in _OF_THE_CLIENT}


def _compact(body: str) -> str:
    text = pretty(body)
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return text
