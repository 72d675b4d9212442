"""Lines to paste into a shell: of Unix, or of Windows (PowerShell and cmd)."""

from __future__ import annotations

import os
import re
import sys
from typing import Final

__all__ = ["command_line", "on_windows", "set_variable"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_+=:./\\-]+")
"""What PowerShell and cmd take as it is."""


def on_windows() -> bool:
    """Return whether the shell is one of Windows: not if it is Git Bash, for example."""
    return sys.platform == "win32" and not ("MSYSTEM" in os.environ or "SHELL" in os.environ)


def set_variable(name: str, value: str) -> str:
    """Return the line that sets an environment variable, for PowerShell on Windows.

    Args:
        name: Name of the variable.
        value: Its value, which needs no quotes in a shell of Unix.
    """
    return f'$env:{name} = "{value}"' if on_windows() else f"export {name}={value}"


def command_line(*words: str) -> str:
    """Return a command as it is typed.

    On Windows, PowerShell and cmd both take it, unless a word has a character that only one of them can quote: then it
    is for PowerShell.
    """
    if not on_windows():
        import shlex

        return shlex.join(words)
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    if any(each in word for each in '"$`') or word.endswith("\\"):
        return "'{}'".format(word.replace("'", "''"))
    return f'"{word}"'
