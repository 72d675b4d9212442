"""How the console writes JSON and times."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup, escape

from didww.emulator.console.masking import mask, mask_members

__all__ = ["format_duration", "format_json", "format_time", "highlight", "pretty", "quote_segment"]

_TOKEN: Final = re.compile(
    r'(?P<name>"(?:[^"\\]|\\.)*"(?=\s*:))|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>\b(?:true|false|null)\b|-?\b\d[\d.eE+-]*)'
)


def pretty(body: str) -> str:
    """Return a body for display: JSON indented, other text unchanged, secrets masked."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return mask_members(body)
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


def format_duration(seconds: float) -> str:
    """Return a duration for display: its two largest units."""
    rest = round(abs(seconds))
    parts: list[str] = []
    for name, size in (("day", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {name}{'s' if name == 'day' and number != 1 else ''}")
    return " ".join(parts[:2]) or "0 s"
