"""Confirm a plan, and check that what it was made of is still the same after the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from didww.cli.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.cli.session import Session

__all__ = ["confirm_plan"]


def confirm_plan(
    session: Session, *plan: str, question: str, seen: Mapping[str, Any], read: Callable[[], Mapping[str, Any]]
) -> None:
    """Show what will happen and ask; then read the account again.

    Args:
        session: The run.
        plan: Lines that say what will happen.
        question: The question.
        seen: The values that the plan was made of, by name.
        read: Returns these values as they are now.

    Raises:
        RefusedError: They have changed meanwhile.
    """
    session.confirm(*plan, question=question)
    if session.settings.dry_run:
        return
    now = read()
    changed = [
        f"{name}: {_text(seen.get(name))} -> {_text(now.get(name))}"
        for name in dict.fromkeys([*seen, *now])
        if seen.get(name) != now.get(name)
    ]
    if changed:
        raise RefusedError(f"Nothing was changed. This changed meanwhile: {'; '.join(changed)}. Run the command again.")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[Any]", value))) or "none"
    return "none" if value is None else str(value)
