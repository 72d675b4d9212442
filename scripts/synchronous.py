"""Convert asynchronous source code to synchronous source code.

Removes lines that end in `# async` and uncomments lines that start with `# sync: `.
"""

from __future__ import annotations

import re

__all__ = ["synchronous"]

_WORDS = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\basync_client\(\)", "client()"),
    (r"\bdidww\._drivers\.asynchronous\b", "didww._drivers.sync"),
    (r"\bdidww\._endpoints\.async_(\w+)", r"didww._endpoints.\1"),
    (r"\bdidww\.transport\.httpx_async\b", "didww.transport.httpx_sync"),
)


_TEXTS = {
    "async_client.py": (
        ("The asynchronous client", "The synchronous client"),
        ("didww._endpoints.async_accessors`", "didww._endpoints.accessors`"),
        (
            """
    Works with asyncio and trio. The tasks of one event loop can share it. Connections are pooled: use the client in an
    `async with` block, or close it.
""",
            """
    Threads can share it. Connections are pooled: use the client in a `with` block, or close it.
""",
        ),
        (
            """
        transport: A custom transport""",
            """
        session: A `requests.Session` to use unchanged, with its proxies and certificates. It is not closed.
        transport: A custom transport""",
        ),
        (
            """
        >>> import asyncio
        >>> async def main():
        ...     async with Emulator().async_client() as client:
        ...         return (await client.balance().find()).data.total_balance
        >>> asyncio.run(main())
""",
            """
        >>> client = Emulator().client()
        >>> client.balance().find().data.total_balance
""",
        ),
    ),
    "_drivers/async_loop.py": (),
    "_endpoints/async_accessors.py": (),
    "_endpoints/async_base.py": (),
    "_endpoints/async_prices.py": (),
}
"""Replacements in the documentation, by module."""


def synchronous(text: str, module: str = "") -> str:
    """Return `text` as synchronous source. The docstring of a complete `module` becomes a note on its source.

    Raises:
        ValueError: A text to replace is missing.
    """
    for old, new in _TEXTS.get(module, ()):
        if old not in text:
            raise ValueError(f"{module} has no {old!r}")
        text = text.replace(old, new)
    lines: list[str] = []
    for line in text.split("\n"):
        if line.endswith("# async"):
            continue
        lines.append(re.sub(r"^(\s*)# sync: ?", r"\1", line))
    result = "\n".join(lines)
    for pattern, replacement in _WORDS:
        result = re.sub(pattern, replacement, result)
    if module:
        summary = result.split("\n", 1)[0].removesuffix('"""')
        rest = result.split('"""', 2)[2]
        result = f'{summary}\n\nGenerated from didww/{module} by scripts/generate.py; do not edit.\n"""{rest}'
    return result
