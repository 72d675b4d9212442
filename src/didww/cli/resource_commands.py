"""A group of commands for each resource type, made from its declaration, and `didww resources`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

__all__ = ["group_for"]


def group_for(name: str) -> click.Group | None:
    """Return the group of a resource type; None if there is no such type."""
    del name
    return None
