"""Fixtures for the tests of the documentation."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def programs_do_not_wait(no_rate_limit: None) -> None:
    """Programs of this process wait for no permit; the tests of the limiter are in tests/core."""
