"""Lock that keeps a fork from happening during SQLite calls."""

from __future__ import annotations

import os
import threading

__all__ = ["in_sqlite"]

in_sqlite = threading.RLock()
"""Held during SQLite calls: a child forked in the middle of one could never use SQLite."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=in_sqlite.acquire, after_in_parent=in_sqlite.release, after_in_child=in_sqlite.release)
