"""What a fork must not tear apart."""

from __future__ import annotations

import os
import threading

__all__ = ["in_sqlite"]

in_sqlite = threading.RLock()
"""Held while SQLite is at work: a child that was forked in the middle of that could never use SQLite."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=in_sqlite.acquire, after_in_parent=in_sqlite.release, after_in_child=in_sqlite.release)
