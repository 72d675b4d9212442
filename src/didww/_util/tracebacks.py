"""Tracebacks of failed calls that lead to the caller's line, not through the machinery.

The text of an error of this package says what is wrong. The frames of endpoints, drivers and generators below the
method that was called tell a caller nothing, and fill a screen. Other errors, a bug of ours among them, keep theirs.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from didww.exceptions import DidwwError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["short_tracebacks"]

T = TypeVar("T")
_ITERATION = ("__next__", "__anext__")


def short_tracebacks(cls: type[T]) -> type[T]:
    """Have errors of this package that leave a public method of `cls` start their traceback there."""
    for name, member in list(vars(cls).items()):
        if inspect.isfunction(member) and (not name.startswith("_") or name in _ITERATION):
            setattr(cls, name, _shortened(member))
    return cls


def _shortened(method: Callable[..., Any]) -> Callable[..., Any]:
    def named(error: TypeError, args: tuple[Any, ...]) -> None:
        """Have an error about the arguments, which Python raises before the first line, name what the caller wrote."""
        trace = error.__traceback__
        if trace is None or trace.tb_next is not None or not args or not error.args:
            return
        resource = getattr(args[0], "_resource", None)
        called = f"{resource._path}().{method.__name__}" if resource is not None else method.__qualname__
        known = [name for name in inspect.signature(method).parameters if name != "self"]
        text = str(error.args[0]).replace(method.__qualname__, called).rstrip(".")
        error.args = (f"{text}. Its arguments: {', '.join(known) or 'none'}.",)

    # The error is raised outside of the `except` block, which would add itself as its context.
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def call_async(*args: Any, **options: Any) -> Any:
            try:
                return await method(*args, **options)
            except TypeError as error:
                named(error, args)
                raise
            except DidwwError as error:
                failure = error.with_traceback(None)
            raise failure

        return call_async

    @functools.wraps(method)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return method(*args, **options)
        except TypeError as error:
            named(error, args)
            raise
        except DidwwError as error:
            failure = error.with_traceback(None)
        raise failure

    return call
