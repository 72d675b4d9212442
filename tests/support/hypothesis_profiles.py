"""Numbers of Hypothesis examples: set by the profile, in proportion for each property."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings

SLOW = 100
"""Examples of a law in the profile `slow`, hypothesis's own default."""

# A property may fail because of its assertion, never because of a slow machine.
PATIENT: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("slow", max_examples=SLOW, **PATIENT)
settings.register_profile("fast", max_examples=10, **PATIENT)


def law(examples: int, **options: Any) -> settings:
    """Return settings for `examples` examples in the profile `slow`, and proportionally fewer in others."""
    return settings(max_examples=max(5, examples * settings().max_examples // SLOW), **options)
