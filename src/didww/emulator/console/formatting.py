"""How the console writes things: JSON with masked secrets, a request as curl and as Python."""

from __future__ import annotations

import json
import pprint
import re
import shlex
import textwrap
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from didww._schema.registry import all_classes

if TYPE_CHECKING:
    from didww.emulator.controls.journal import Entry

__all__ = [
    "MASK",
    "format_json",
    "format_time",
    "highlight",
    "mask",
    "mask_parameter",
    "mask_text",
    "pretty",
    "quote_segment",
    "to_curl",
    "to_python",
]

MASK: Final = "********"
_SECRET: Final = re.compile(r"password|secret|token", re.IGNORECASE)
# In invalid or truncated JSON: a member with a secret name, up to the end of its value or of the text.
_MEMBER: Final = re.compile(
    r'("[^"]*(?:password|secret|token)[^"]*"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\Z|\\\Z)|(?!null\b)[^\s,}\]"]+)',
    re.IGNORECASE,
)
_SECRET_PARAMETER: Final = re.compile(r"key|token|secret|password|signature", re.IGNORECASE)
# In a URL: query parameters with a secret name (as in the log of the command).
_PARAMETER: Final = re.compile(rf"([?&][^=&#\s]*(?:{_SECRET_PARAMETER.pattern})[^=&#\s]*=)[^&#\s\"]*", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*)'
)
# Headers to omit when a request is repeated.
_OF_THE_CLIENT: Final = frozenset(
    {"host", "user-agent", "content-length", "accept-encoding", "connection", "transfer-encoding", "traceparent"}
)


def mask(value: Any) -> Any:
    """Return plain JSON values with all secrets masked."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {name: MASK if one is not None and _SECRET.search(name) else mask(one) for name, one in members.items()}
    if isinstance(value, list):
        return [mask(item) for item in cast("list[Any]", value)]
    return mask_text(value) if isinstance(value, str) else value


def mask_text(text: str) -> str:
    """Return text with the secrets in its URLs masked."""
    return _PARAMETER.sub(rf"\1{MASK}", text)


def mask_parameter(value: str, name: str) -> str:
    """Return the value of a parameter, masked if its name is a secret's."""
    return MASK if _SECRET_PARAMETER.search(name) else mask_text(value)


def pretty(body: str) -> str:
    """Return a body for display: JSON indented, other text unchanged, secrets masked."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return mask_text(_MEMBER.sub(rf'\1"{MASK}"', body))
    return format_json(mask(read))


def highlight(text: str) -> Markup:
    """Return JSON with syntax highlighting, as safe HTML."""
    parts: list[Markup] = []
    end = 0
    for match in _TOKEN.finditer(text):
        parts += [
            escape(text[end : match.start()]),
            Markup('<span class="{}">{}</span>').format(match.lastgroup, match[0]),
        ]
        end = match.end()
    return Markup().join([*parts, escape(text[end:])])


def format_json(value: Any) -> str:
    """Return plain JSON values as indented text."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def quote_segment(text: str) -> str:
    """Return text as a path segment."""
    return quote(text, safe="")


def format_time(text: str | None) -> str:
    """Return a time for display."""
    return "" if text is None else text.replace("T", " ").removesuffix("Z")[:19]


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
    """Return a request as a Python program; the key comes from the environment.

    Requests without a body use this library; others send the recorded body over HTTP.
    """
    called = None if entry.body else _library_call(entry)
    if called is not None:
        names = "DidwwClient, QueryParams" if "QueryParams" in called else "DidwwClient"
        client = f'DidwwClient(os.environ["DIDWW_API_KEY"], base_url={f"{base}/v3"!r})'
        return (
            f"import os\n\nfrom didww import {names}\n\n"
            f"with {client} as client:\n    response = client.{called}\n    print(response.raw)"
        )
    headers = [("Api-Key", 'os.environ["DIDWW_API_KEY"]')]
    headers += [(name, repr(value)) for name, value in _headers(entry).items()]
    lines = ["import os", "", "import httpx2", "", "response = httpx2.request("]
    lines += [f"    {entry.method!r},", f"    {_address(entry, base)!r},", "    headers={"]
    lines += [f"        {name!r}: {value}," for name, value in headers]
    lines.append("    },")
    if entry.body:
        lines.append(_python_body(entry.body))
    lines += [")", "print(response.status_code, response.text)"]
    return "\n".join(lines)


def _library_call(entry: Entry) -> str | None:
    """Return the call of this library that sends the request, or None."""
    place, *rest = entry.path.removeprefix("/v3").strip("/").split("/")
    cls = next((cls for cls in all_classes() if cls._path == place), None)
    if cls is None or len(rest) > 1 or not entry.path.startswith("/v3/"):
        return None
    name = {"GET": "find" if rest or cls._singleton else "list", "DELETE": "delete" if rest else ""}.get(entry.method)
    if not name or name not in cls._operations | cls._extra_operations or (cls._singleton and rest):
        return None
    arguments = [repr(item) for item in rest]
    if entry.query and name != "delete":
        params = "".join(f".param({name!r}, {mask_parameter(value, name)!r})" for name, value in entry.query)
        arguments.append(f"QueryParams(){params}")
    return f"{place}().{name}({', '.join(arguments)})"


def _python_body(body: str) -> str:
    text = pretty(body)
    try:
        written = pprint.pformat(json.loads(text), width=88, sort_dicts=False)
    except ValueError:
        return f"    content={text!r}.encode(),"
    return f"    json={textwrap.indent(written, '    ').strip()},"


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
