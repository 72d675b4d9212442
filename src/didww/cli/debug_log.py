"""`--debug`: the log of the client, on standard error."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from didww._util.masking import mask_url
from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["log_requests"]

_FORMAT: Final = "%(asctime)s %(levelname)-5s %(message)s"
_TIME: Final = "%H:%M:%S"


class _Lines(logging.Handler):
    """Prints each record as a line of printable characters, without the secrets of URLs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record; if nobody reads it any more, go on."""
        try:
            text = printable(mask_url(self.format(record)))
        except Exception:  # noqa: BLE001 a record that cannot be formatted must not end the command
            self.handleError(record)
            return
        with suppress(OSError, ValueError):
            click.echo(text, err=True)


def log_requests() -> Callable[[], None]:
    """Print what the client logs: requests, responses and retries. Call the result to end it."""
    log = logging.getLogger("didww")
    handler, level = _Lines(), log.level
    handler.setFormatter(logging.Formatter(_FORMAT, _TIME))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)

    def end() -> None:
        log.removeHandler(handler)
        log.setLevel(level)

    return end
