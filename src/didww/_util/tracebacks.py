"""Shorten the tracebacks of failed calls so that they end at the public method.

The message of a `DidwwError` says what is wrong; the internal frames of endpoints, drivers and generators only add
noise. Other errors, including bugs in this package, keep their full traceback.
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
    """Shorten the traceback of any `DidwwError` raised by a public method of `cls`."""
    for name, member in list(vars(cls).items()):
        if inspect.isfunction(member) and (not name.startswith("_") or name in _ITERATION):
            setattr(cls, name, _shorten(member))
    return cls


def _shorten(method: Callable[..., Any]) -> Callable[..., Any]:
    def rename_method(error: TypeError, args: tuple[Any, ...]) -> None:
        """Replace the method name in Python's own error about wrong arguments with the name that the caller used."""
        trace = error.__traceback__
        if trace is None or trace.tb_next is not None or not args or not error.args:
            return
        resource = getattr(args[0], "_resource", None)
        public_name = f"{resource._path}().{method.__name__}" if resource is not None else method.__qualname__
        known = [name for name in inspect.signature(method).parameters if name != "self"]
        text = str(error.args[0]).replace(method.__qualname__, public_name).rstrip(".")
        error.args = (f"{text}. Its arguments: {', '.join(known) or 'none'}.",)

    # Raised outside of the `except` block, so that the error does not get itself as its context.
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def call_async(*args: Any, **options: Any) -> Any:
            try:
                return await method(*args, **options)
            except TypeError as error:
                rename_method(error, args)
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
            rename_method(error, args)
            raise
        except DidwwError as error:
            failure = error.with_traceback(None)
        raise failure

    return call
