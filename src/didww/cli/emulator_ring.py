"""`didww emulator ring`: call a number of an emulator over SIP, and print what its trunks did."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from didww.cli import exit_codes
from didww.cli.emulator_controls import RemoteControls, UnknownToEmulatorError, base_url
from didww.cli.framework import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.emulator.emulator import Emulator
    from didww.emulator.sip.report import RingReport

__all__ = ["ring"]

_POLL: Final = 0.2
_COLUMNS: Final = ("attempt", "trunk", "destination", "code", "reason", "ended by", "ringing", "talking", "why")


class _Caller(Protocol):
    """What places the calls."""

    def ring(self, arguments: dict[str, Any]) -> RingReport: ...

    def report(self, id: str) -> RingReport: ...

    def hang_up(self, id: str) -> None: ...


class _Remote:
    """The calls of a running emulator."""

    def __init__(self, controls: RemoteControls) -> None:
        self._controls = controls

    def ring(self, arguments: dict[str, Any]) -> RingReport:
        return _read(self._controls.post("calls/ring", **arguments))

    def report(self, id: str) -> RingReport:
        return _read(self._controls.get("calls/report", id=id))

    def hang_up(self, id: str) -> None:
        self._controls.post("calls/hang_up", id=id)


class _InFile:
    """The calls of the emulator in a file, in this process."""

    def __init__(self, emulator: Emulator) -> None:
        self._calls = emulator.calls

    def ring(self, arguments: dict[str, Any]) -> RingReport:
        try:
            return self._calls.ring(**arguments)
        except LookupError as error:
            raise UnknownToEmulatorError(str(error.args[0])) from None
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def report(self, id: str) -> RingReport:
        return self._calls.report(id)

    def hang_up(self, id: str) -> None:
        self._calls.hang_up(id)


def _read(content: Any) -> RingReport:
    import msgspec

    from didww.emulator.sip.report import RingReport

    try:
        return msgspec.convert(content, RingReport)
    except msgspec.ValidationError as error:
        raise click.ClickException(
            f"The emulator sent a report that this version of didww cannot read ({error}). Use one version for both."
        ) from None


@click.command(
    cls=Command,
    examples=(
        "didww emulator ring 442079460001",
        "didww emulator ring 442079460001 --caller 12025550123 --duration 10 --ladder",
        "didww emulator ring 442079460001 --instant --far-end Main=busy --far-end Backup=answers",
        "didww emulator ring 442079460001 --mermaid > call.mmd",
    ),
)
@click.argument("number")
@click.option("--caller", metavar="NUMBER", help="Number of the caller. Defaults to 12025550123.")
@click.option("--caller-name", metavar="NAME", help="Name of the caller.")
@click.option(
    "--duration", metavar="DURATION", help="Talk for so long, then hang up, e.g. 10 or 2min. Defaults to 5 s."
)
@click.option(
    "--give-up-after",
    metavar="DURATION",
    help="Hang up if it has rung for so long. Defaults to never: the trunks decide.",
)
@click.option("--diversion", metavar="NUMBER", help="Number that diverted the call.")
@click.option("--instant", is_flag=True, help="Do not send anything: simulate the trunks' far ends, without waiting.")
@click.option(
    "--far-end",
    "far_ends",
    multiple=True,
    metavar="TRUNK=WHAT",
    help="With --instant, what the far end of a trunk does: answers, busy, silent, rings, or a SIP code; * for all "
    "other trunks. Repeatable. Defaults to answers.",
)
@click.option("--ladder", is_flag=True, help="Also print the SIP messages.")
@click.option("--mermaid", is_flag=True, help="Print the SIP messages as a mermaid diagram only.")
@click.pass_obj
def ring(
    session: Session,
    number: str,
    caller: str | None,
    caller_name: str | None,
    duration: str | None,
    give_up_after: str | None,
    diversion: str | None,
    instant: bool,
    far_ends: tuple[str, ...],
    ladder: bool,
    mermaid: bool,
) -> None:
    """Call a number of a running emulator over SIP.

    NUMBER is a phone number of your account at the emulator. The call goes to the trunks that the number is routed to,
    as a call from the telephone network would; the report says what each of them did and why the next one was tried.

    The emulator is that of DIDWW_BASE_URL or --base-url, by default http://127.0.0.1:8750. Ctrl-C hangs up. The exit
    code is 0 if the call was answered, 9 if it was not.
    """
    if far_ends and not instant:
        raise click.UsageError("--far-end needs --instant: a call that is sent goes to the real far ends.")
    given: dict[str, Any] = {
        "caller": caller,
        "caller_name": caller_name,
        "duration": duration,
        "give_up_after": give_up_after,
        "diversion": diversion,
        "far_ends": _far_ends(far_ends) or None,
        "api_key": None if session.emulated else _api_key(session),
    }
    arguments = {name: value for name, value in given.items() if value is not None}
    calls: _Caller = _InFile(session.emulator) if session.emulated else _Remote(RemoteControls(base_url(session)))
    report = calls.ring({"did": number, "instant": instant, "wait": False, **arguments})
    report = report if report.ended else _followed(session, calls, report)
    _print(session, report, ladder=ladder, mermaid=mermaid)
    if not report.answered:
        raise click.exceptions.Exit(exit_codes.NOT_ANSWERED)


def _api_key(session: Session) -> str | None:
    """Return the key of the account; None for that of the emulator."""
    if session.settings.profile is None:
        return os.environ.get("DIDWW_API_KEY", "").strip() or None
    from didww.cli import profiles

    key: str = profiles.account(session.settings).options["api_key"]
    return key


def _far_ends(words: Sequence[str]) -> dict[str, str]:
    """Return what the far end of each trunk does, by the name of the trunk."""
    far_ends: dict[str, str] = {}
    for word in words:
        trunk, equals, what = word.rpartition("=")
        if not equals or not trunk or not what:
            raise click.UsageError(f"--far-end must be TRUNK=WHAT, such as Main=busy or *=answers, got {word!r}.")
        far_ends[trunk] = what
    return far_ends


def _followed(session: Session, calls: _Caller, report: RingReport) -> RingReport:
    """Return the report of a call when it has ended; a line shows what is going on."""
    from didww.cli.terminal import waiting

    try:
        with waiting(f"Calling {report.number}") as tell:
            while not report.ended:
                tell(report.result)
                time.sleep(_POLL)
                report = calls.report(report.id)
    except KeyboardInterrupt:
        calls.hang_up(report.id)
        session.known.append("The call was hung up.")
        raise
    return report


def _print(session: Session, report: RingReport, *, ladder: bool, mermaid: bool) -> None:
    import msgspec

    from didww.cli.output import print_rows, print_value

    settings = session.settings
    if mermaid:
        click.echo(report.to_mermaid())
    elif settings.for_person:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(report.to_text(width))
        if ladder and report.attempts:
            click.echo(f"\n{report.ladder(title=False)}")
    elif settings.query is None and (settings.output == "csv" or settings.columns is not None):
        print_rows(settings, [_row(attempt) for attempt in report.attempts], _COLUMNS)
    else:
        print_value(settings, msgspec.json.decode(msgspec.json.encode(report)))


def _row(attempt: Any) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "trunk": attempt.trunk,
        "destination": attempt.destination,
        "code": attempt.code,
        "reason": attempt.reason,
        "ended by": attempt.ended_by,
        "ringing": attempt.ringing_duration,
        "talking": attempt.duration,
        "why": attempt.why,
    }
