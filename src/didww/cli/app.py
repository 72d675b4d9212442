"""The `didww` command: its groups, and what becomes of errors."""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, cast

import click

from didww.cli.framework import SINCE_TOKENS, LazyGroup, common_options
from didww.cli.session import Session
from didww.version import API_VERSIONS, __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["command", "run"]

# Section of the help, then each command: where it is and what it does.
SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "Numbers and routing": {
        "numbers": ("numbers:numbers", "Search, buy, route and cancel phone numbers."),
        "trunks": ("trunks:trunks", "Inbound trunks: where calls to your numbers go."),
        "groups": ("trunk_groups:groups", "Groups of inbound trunks, for failover."),
        "out-trunks": ("out_trunks:out_trunks", "Outbound trunks and their credentials."),
        "capacity": ("capacity:capacity", "Channels of your numbers."),
    },
    "Text messages": {
        "sms-trunks": ("sms_trunks:sms_trunks", "SMS trunks: where text messages go, and how they are sent."),
        "sms-groups": ("sms_groups:sms_groups", "Groups of SMS trunks, for failover."),
        "sender-ids": ("sender_ids:sender_ids", "Verified sender IDs of outbound messages."),
    },
    "Money and call records": {
        "balance": ("balance:balance", "Show the balance."),
        "orders": ("orders:orders", "List, show, await and cancel orders."),
        "exports": ("exports:exports", "Create and download records of calls and messages."),
        "cdr": ("cdr:cdr", "Call records as data: fetch, summary, report, SQL, Parquet."),
        "prices": ("prices:prices", "Prices of calls and messages, by number or as a file."),
    },
    "Registration": {
        "identities": ("regulation.identities:identities", "Persons and companies that numbers are registered to."),
        "addresses": ("regulation.addresses:addresses", "Their addresses."),
        "documents": ("regulation.documents:documents", "Proofs and other documents."),
        "verifications": ("regulation.verifications:verifications", "Address verifications of numbers."),
        "emergency": ("regulation.emergency:emergency", "Emergency calling."),
    },
    "Everything else of the API": {
        "resources": (
            "resource_commands:resources",
            "List the resource types; each is a command, e.g. `didww dids list`.",
        ),
        "api": ("api:api", "Send a request to any path of the API."),
    },
    "Setup and tools": {
        "login": ("login:login", "Store an API key in a profile."),
        "logout": ("login:logout", "Remove a profile and its API key."),
        "profiles": ("login:profiles", "List the profiles."),
        "doctor": ("doctor:doctor", "Check the setup and say what is wrong."),
        "completion": ("completion:completion", "Print the completion script of a shell."),
        "emulator": ("emulator:emulator", "Run the DIDWW emulator."),
        "listen": ("listen:listen", "Print callbacks as they arrive."),
        "callbacks": ("callbacks:callbacks", "Send test callbacks."),
    },
}


class _OutputClosedError(Exception):
    """Standard output is closed. For click, BrokenPipeError is a failure."""


class Root(LazyGroup):
    """The root group. Each resource type is a command too."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if _is_output_closed(error):
                raise _OutputClosedError from None
            raise

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        from didww.cli.resource_commands import group_for

        return group_for(cmd_name)


@click.group(
    cls=Root,
    sections=SECTIONS,
    limited=dict.fromkeys(("sms-trunks", "sms-groups", "sender-ids", "prices"), SINCE_TOKENS),
    params=common_options(output=True, changes=False),
    examples=("didww --emulator numbers search GB --city London", "didww numbers list --expiring 14d -o json"),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Without an account, add --emulator. Exit codes: 0 success, 1 failure, 2 usage, 3 refused, 4 not found, "
    "5 no response, 6 outcome unknown, 7 partly done, 8 still pending, 9 not answered, 130 interrupted.",
)
@click.version_option(__version__, "--version", message=f"didww %(version)s (API {', '.join(API_VERSIONS)})")
def command() -> None:
    """Manage phone numbers, trunks and orders at DIDWW."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    session = Session()
    _open_streams()
    try:
        result: Any = command.main(
            args=arguments,
            prog_name="didww",
            standalone_mode=False,
            windows_expand_args=False,  # it would replace a quoted `*` or `$` too
            obj=session,
        )
        sys.stdout.flush()
    except _OutputClosedError:
        return _silence()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 each error has a message and an exit code
        if _is_output_closed(error):
            return _silence()
        from didww.cli.errors import report

        return report(error, session)
    finally:
        session.close()
    if not isinstance(result, int) or result == 0:
        return 0
    from didww.cli.errors import finish

    return finish(result, session)  # of `click.exceptions.Exit`


def _is_output_closed(error: BaseException) -> bool:
    """Return whether the reader of the output has stopped. Windows has a general error for that."""
    if isinstance(error, OSError) and error.errno == errno.EINVAL and sys.platform == "win32":
        return error.filename is None and not sys.stdout.isatty()
    return isinstance(error, BrokenPipeError)


def _open_streams() -> None:
    """Make the streams usable: what nobody can read, or show, must not end a command midway.

    Some services close them. On Windows, the output to a file or pipe is UTF-8 with the line ends of Unix.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 open to the end
    streams: tuple[object, ...] = (sys.stdout, sys.stderr)
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            _make_portable(cast("TextIOWrapper", stream))


def _make_portable(stream: TextIOWrapper) -> None:
    if sys.platform == "win32" and not stream.isatty():
        # Without a choice of the user, Python 3.15 uses UTF-8, too.
        chosen = stream.encoding if "PYTHONIOENCODING" in os.environ else "utf-8"
        stream.reconfigure(encoding=chosen, newline="\n")
    if stream.errors == "strict" and not stream.encoding.lower().startswith("utf"):
        stream.reconfigure(errors="backslashreplace")


def _silence() -> int:
    """Drop what could not be printed: the reader has seen enough, as in `didww numbers list | head`."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    return 0
