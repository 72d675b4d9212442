"""What the command says about an error, and its exit code."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

import click

from didww._util.shells import command_line
from didww.cli import exit_codes
from didww.cli.dry_run import DryRunError
from didww.cli.messages import for_shell, say, say_error
from didww.exceptions import DidwwError, InvalidValueError, RateLimitError, ReadOnlyClientError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["RefusedError", "StillPendingError", "finish", "read_only", "report"]


class RefusedError(click.ClickException):
    """The service would refuse the request, so it was not sent."""

    exit_code = exit_codes.REFUSED


class StillPendingError(click.ClickException):
    """A wait ended before the service was done."""

    exit_code = exit_codes.STILL_PENDING


def report(error: BaseException, session: Session) -> int:
    """Print an error to standard error and return the exit code."""
    if isinstance(error, DryRunError):
        return 0
    if session.settings.debug and not isinstance(error, click.ClickException):
        traceback.print_exception(error)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        say("Interrupted.")
        cause = error.__context__ if isinstance(error, click.Abort) else error
        for note in getattr(cause, "__notes__", ()):
            if advice := for_shell(note).strip():
                say(advice)
        return finish(exit_codes.INTERRUPTED, session)
    return finish(_print(error, session), session)


def finish(code: int, session: Session) -> int:
    """Print what has been done before a failure and how to go on; return the exit code."""
    if code == 0:
        return code
    for sentence in (*session.known, *session.advice):
        say(sentence)
    return exit_codes.PARTLY_DONE if session.known and code not in _KEPT else code


_KEPT = (exit_codes.INTERRUPTED, exit_codes.OUTCOME_UNKNOWN, exit_codes.STILL_PENDING)


def _print(error: BaseException, session: Session) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":  # of click 8.2 and newer
        click.echo(str(error), err=True)
        return exit_codes.USAGE
    if isinstance(error, click.UsageError):
        where = f" See: {error.ctx.command_path} --help" if error.ctx is not None else ""
        text = " ".join(error.format_message().split())
        say_error(f"{text}{'' if text.endswith(('.', '?', '!')) else '.'}{where}")
        return exit_codes.USAGE
    if isinstance(error, click.ClickException):
        say_error(error.format_message())
        return error.exit_code
    if isinstance(error, ReadOnlyClientError):
        say_error(read_only(session))
        return exit_codes.REFUSED
    if isinstance(error, DidwwError):
        wait = (
            f" Try again in {error.retry_after:g} s." if isinstance(error, RateLimitError) and error.retry_after else ""
        )
        say_error(f"{_option(error)}{for_shell(str(error))}{wait}")
        code = exit_codes.code_for(error, session.last_method)
        if code == exit_codes.OUTCOME_UNKNOWN and not error.outcome_unknown:
            say("It is unknown whether this was done. Check before you repeat it.")
        return code
    if isinstance(error, OSError) and error.strerror and not session.settings.debug:
        say_error(f"{error.strerror}{f': {error.filename}' if error.filename else ''}.")
        return exit_codes.FAILED
    if isinstance(error, ModuleNotFoundError) and not (error.name or "didww").startswith("didww"):
        say_error(f'This needs {error.name}. Install it with: pip install "didww-sdk[cli,emulator]"')
    elif not session.settings.debug:
        say_error(f"{type(error).__name__}: {error} This is a fault of the command; --debug prints where it happened.")
    return exit_codes.FAILED


def read_only(session: Session) -> str:
    """Return what to do about a change that a profile does not allow."""
    name = session.settings.profile
    if name is None:
        return "Not sent: the client can only read."
    return (
        f"Not sent: the profile {name!r} can only read. --dry-run shows what would be sent. Use another one with "
        f"--profile, or log in to it again without --read-only: {command_line('didww', 'login', '--profile', name)}"
    )


def _option(error: DidwwError) -> str:
    """Return the option that an invalid value was given with, if there is one."""
    name = (error.field or "").rpartition(".")[2] if isinstance(error, InvalidValueError) else ""
    option = f"--{name.replace('_', '-')}"
    given = any(argument.partition("=")[0] == option for argument in sys.argv[1:])
    return f"{option}: " if name and given else ""
