"""What the command says about an error, and its exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import click

from didww._util.text import printable
from didww.cli import exit_codes
from didww.cli.dry_run import DryRunError
from didww.exceptions import DidwwError, InvalidValueError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["RefusedError", "report"]


class RefusedError(click.ClickException):
    """The command does not send what the service would refuse."""

    exit_code = exit_codes.REFUSED


def report(error: BaseException, session: Session) -> int:
    """Print an error to standard error and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, DryRunError):
        return 0
    if session.settings.debug and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        _say("Interrupted.")
        cause = error.__context__ if isinstance(error, click.Abort) else error
        for note in (*getattr(cause, "__notes__", ()), *session.known):
            _say(note)
        return exit_codes.INTERRUPTED
    code = _print(error, session)
    for sentence in session.known:
        _say(sentence)
    return code


def _print(error: BaseException, session: Session) -> int:
    if isinstance(error, click.UsageError):
        where = f" See: {error.ctx.command_path} --help" if error.ctx is not None else ""
        _error(f"{error.format_message()}{where}")
        return exit_codes.USAGE
    if isinstance(error, click.ClickException):
        _error(error.format_message())
        return error.exit_code
    if isinstance(error, DidwwError):
        _error(f"{_option(error)}{error}{_check(error)}")
        return exit_codes.code_for(error)
    if isinstance(error, ModuleNotFoundError) and not (error.name or "didww").startswith("didww"):
        _error(f'This needs {error.name}. Install it with: pip install "didww-sdk[cli,emulator]"')
    elif not session.settings.debug:
        _error(f"{type(error).__name__}: {error} This is a fault of the command; --debug prints where it happened.")
    return exit_codes.FAILED


def _option(error: DidwwError) -> str:
    """Return the option that an invalid value was given with, if there is one."""
    name = (error.field or "").rpartition(".")[2] if isinstance(error, InvalidValueError) else ""
    option = f"--{name.replace('_', '-')}"
    given = any(argument.partition("=")[0] == option for argument in sys.argv[1:])
    return f"{option}: " if name and given else ""


def _check(error: DidwwError) -> str:
    if not error.outcome_unknown or error.lookup is None:
        return ""
    return f" To find it: {', '.join(f'{name} = {value}' for name, value in error.lookup.items())}."


def _error(text: str) -> None:
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {printable(text)}", err=True, color=_colored())


def _say(text: str) -> None:
    click.echo(printable(text), err=True)


def _colored() -> bool:
    import os

    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
