"""How the console writes things: JSON with its secrets masked, a request as curl and as Python."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from didww.sandbox.journal import Entry

__all__ = ["MASK", "as_curl", "as_python", "coloured", "masked", "masked_pair", "masked_text", "moment", "pretty"]

MASK: Final = "********"
_SECRET: Final = re.compile(r"password|secret|token", re.IGNORECASE)
# In text that is no whole JSON: a member whose name says so, to the end of its value or of the text.
_MEMBER: Final = re.compile(
    r'("[^"]*(?:password|secret|token)[^"]*"\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\Z|\\\Z)|(?!null\b)[^\s,}\]"]+)',
    re.IGNORECASE,
)
# In an address: what the names in its query say (as in the log of the command).
_PARAMETER: Final = re.compile(r"([?&][^=&#\s]*(?:key|token|secret|password|signature)[^=&#\s]*=)[^&#\s\"]*", re.IGNORECASE)
_TOKEN: Final = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*)'
)
# What a program that repeats a request has no use for.
_OF_THE_CLIENT: Final = frozenset(
    {"host", "user-agent", "content-length", "accept-encoding", "connection", "transfer-encoding", "traceparent"}
)


def masked(value: Any) -> Any:
    """Plain JSON values with every secret in them masked."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            name: MASK if one is not None and _SECRET.search(name) else masked(one) for name, one in members.items()
        }
    if isinstance(value, list):
        return [masked(one) for one in cast("list[Any]", value)]
    return masked_text(value) if isinstance(value, str) else value


def masked_text(text: str) -> str:
    """Text with the secrets of addresses in it masked."""
    return _PARAMETER.sub(rf"\1{MASK}", text)


def masked_pair(name: str, value: str) -> str:
    """The value of a parameter, masked if its name says so."""
    return MASK if _SECRET.search(name) else masked_text(value)


def pretty(body: str) -> str:
    """A body to be read: JSON indented, anything else as it is; secrets masked."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return masked_text(_MEMBER.sub(rf'\1"{MASK}"', body))
    return json.dumps(masked(read), indent=2, ensure_ascii=False)


def coloured(text: str) -> Markup:
    """JSON with its names, texts and words told apart; safe to stand in a page."""
    parts: list[Markup] = []
    end = 0
    for found in _TOKEN.finditer(text):
        parts += [escape(text[end : found.start()]), Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0])]
        end = found.end()
    return Markup().join([*parts, escape(text[end:])])


def moment(text: str | None) -> str:
    """A time of the sandbox as people read it."""
    return "" if text is None else text.replace("T", " ").removesuffix("Z")[:19]


def as_curl(entry: Entry, base: str) -> str:
    """A request as a command; the key is a variable of the shell."""
    lines = [f"curl -X {shlex.quote(entry.method)} {shlex.quote(_address(entry, base))}", '-H "Api-Key: $DIDWW_API_KEY"']
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in _headers(entry).items()]
    if entry.body:
        lines.append(f"--data-binary {shlex.quote(_compact(entry.body))}")
    return " \\\n  ".join(lines)


def as_python(entry: Entry, base: str) -> str:
    """A request as a program; the key comes from the environment."""
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


def _address(entry: Entry, base: str) -> str:
    pairs = [(name, masked_pair(name, value)) for name, value in entry.query]
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
