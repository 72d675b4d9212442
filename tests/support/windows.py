"""`python -m support.windows ARGUMENTS`: the command `didww`, with what Windows lacks taken away.

The rest of Windows, such as its files and sockets, cannot be had on another system.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import signal
import sys
import types
from typing import Any, cast

MODULES = ("fcntl", "grp", "posix_ipc", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
"""Modules that Python does not have on Windows."""
FUNCTIONS = (
    "fchmod", "fchown", "fork", "forkpty", "getpgid", "getuid", "geteuid", "getgid", "getloadavg", "killpg", "mkfifo",
    "openpty", "pread", "pwrite", "register_at_fork", "sched_getaffinity", "sched_yield", "setsid", "statvfs", "uname",
)  # fmt: skip
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")

LIBRARIES = (
    "ctypes", "multiprocessing", "selectors", "shutil", "sqlite3", "subprocess", "tempfile", "uuid",
    "click._termui_impl", "click.shell_completion", "cryptography.hazmat.primitives.ciphers", "httpcore2", "httpx2",
    "platformdirs",
    "rich.console", "rich.progress", "uvicorn.loops.asyncio", "uvicorn.protocols.http.h11_impl",
)  # fmt: skip
"""Libraries that work in another way on Windows."""


def block_modules() -> None:
    """Let imports of modules that Windows lacks fail."""
    for name in MODULES:
        cast("dict[str, object]", sys.modules)[name] = None


def become_windows() -> None:
    """Take away what Windows lacks, after the libraries that this package uses have been imported as they are here."""
    for name in LIBRARIES:
        importlib.import_module(name)
    import fcntl

    def locking(descriptor: int, mode: int, size: int) -> None:
        fcntl.lockf(descriptor, mode, size, 0, os.SEEK_CUR)

    msvcrt: Any = types.ModuleType("msvcrt")
    msvcrt.locking, msvcrt.LK_NBLCK, msvcrt.LK_UNLCK = locking, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN
    sys.modules["msvcrt"] = msvcrt
    platform.uname()
    asyncio_: Any = asyncio
    asyncio_.ProactorEventLoop = asyncio.SelectorEventLoop
    for name in FUNCTIONS:
        vars(os).pop(name, None)
    for name in SIGNALS:
        vars(signal).pop(name, None)
    cast("Any", signal).SIGBREAK = signal.SIGTERM
    block_modules()
    sys.platform = "win32"


if __name__ == "__main__":
    become_windows()
    from didww.cli import main

    main()
