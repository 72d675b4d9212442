"""Marks of tests that need what only Unix has."""

from __future__ import annotations

import sys

import pytest

unix_only = pytest.mark.skipif(
    sys.platform == "win32", reason="needs Unix: fork, its signals, its shell, pipes or devices"
)
