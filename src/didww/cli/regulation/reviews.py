"""Wait for the review of a verification, and say what to do when it was rejected."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import exit_codes, parameters
from didww.exceptions import NotExactlyOneError, WaitError

if TYPE_CHECKING:
    from datetime import timedelta

    from didww.cli.session import Session

__all__ = ["RejectedError", "by_reference", "max_wait_option", "no_wait_option", "wait_for"]

no_wait_option: Final = click.option("--no-wait", is_flag=True, help="Do not wait for the decision.")
max_wait_option: Final = click.option(
    "--max-wait", type=parameters.duration, metavar="DURATION", help="Maximum wait, e.g. 2h. Defaults to no limit."
)

ADVICE: Final = (
    "Correct the identity, the address or the documents, and submit again with the same command: a new verification."
)


class RejectedError(click.ClickException):
    """A verification was rejected."""

    exit_code = exit_codes.REFUSED


def wait_for(session: Session, endpoint: Any, verification: Any, limit: timedelta | None, *, command: str) -> Any:
    """Wait until a verification is approved, and return it.

    Args:
        session: The run.
        endpoint: Address verifications or emergency verifications.
        verification: The verification.
        limit: Maximum time; None waits without limit.
        command: The command that waits for it again, without the reference.

    Raises:
        RejectedError: It was rejected.
    """
    from didww.cli.terminal import waiting

    reference = verification.reference
    known = f"Verification {reference} was submitted. Wait for its decision: {command} {reference}"
    session.known.append(known)
    timeout = math.inf if limit is None else limit.total_seconds()
    try:
        if str(verification.status) == "pending":
            session.say(
                f"DIDWW reviews verification {reference}, which takes hours or days. Ctrl-C ends the wait only."
            )
        with waiting(f"Verification {reference}") as tell:

            def show(current: Any) -> None:
                tell(str(current.status))

            approved = endpoint.wait(verification, timeout=timeout, on_update=show).data
    except WaitError as error:
        session.known[:] = [ADVICE]
        raise _rejected(error) from None
    session.known.remove(known)
    return approved


def _rejected(error: WaitError) -> RejectedError:
    record: Any = error.resource
    reasons = "; ".join(record.reject_reasons or ()) or "no reason given"
    comment = f" Comment: {record.reject_comment}" if record.reject_comment else ""
    return RejectedError(f"Verification {record.reference} was rejected: {reasons}.{comment}")


def by_reference(endpoint: Any, text: str, include: list[str]) -> Any:
    """Return a verification by id, reference or external reference.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    from didww._schema.filter_rules import UUID_TEXT

    text = text.strip()
    if UUID_TEXT.fullmatch(text):
        return endpoint.find(text, include=include).data
    found = [each for each in endpoint.iterate(include=include) if text in (each.reference, each.external_reference_id)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise NotExactlyOneError(f"Several verifications match {text!r:.80}. Pass the id: {ids}.", found=len(found))
    raise NotExactlyOneError(f"There is no verification {text!r:.80}.")
