"""`didww doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli import exit_codes
from didww.cli.framework import Command

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["doctor"]


@click.command(cls=Command, examples=("didww doctor", "didww doctor --profile shop -o json"))
@click.pass_obj
def doctor(session: Session) -> None:
    """Check the setup, and say what is wrong and what to do.

    Checks this machine (packages, profiles, proxy, certificates) and, with one request, the connection, the API key,
    the token that is issued for it, the API version and the clock. Nothing is changed. Exit codes: 0 without a problem,
    1 otherwise; warnings do not count.
    """
    from didww.cli.doctor_checks import PROBLEM, Finding, run_checks
    from didww.cli.output import print_rows

    findings = list(run_checks(session))
    settings = session.settings
    rows = [finding._asdict() for finding in findings]
    if settings.for_person:
        rows = [{**row, "finding": f"{row['finding']} {row['advice']}".strip()} for row in rows]
        print_rows(settings, rows, Finding._fields[:3])
    else:
        print_rows(settings, rows, Finding._fields)
    problems = sum(finding.state == PROBLEM for finding in findings)
    if problems:
        session.say(f"{problems} problem{'s' if problems > 1 else ''} found.")
        raise click.exceptions.Exit(exit_codes.FAILED)
