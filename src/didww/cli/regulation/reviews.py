"""Wait for the review of a verification, and say what to do when it was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.filter_rules import UUID_TEXT, filter_rules
from didww.cli import parameters
from didww.cli.errors import RefusedError
from didww.exceptions import NotExactlyOneError, WaitError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["DEFAULT_WAIT", "by_reference", "callback_option", "wait_for"]

callback_option: Final = click.option(
    "--callback-url", type=parameters.web_address, metavar="URL", help="URL to notify of the decision, by POST."
)
DEFAULT_WAIT: Final = "30d"
ADVICE: Final = (
    "Correct the identity, the address or the documents, and submit again with the same command: a new verification."
)


def wait_for(session: Session, endpoint: Any, verification: Any, limit: float, *, command: str) -> Any:
    """Wait until a verification is approved, and return it.

    Args:
        session: The run.
        endpoint: Address verifications or emergency verifications.
        verification: The verification.
        limit: Seconds to wait at most.
        command: The command that waits for it again, without the reference.

    Raises:
        RefusedError: It was rejected.
        StillPendingError: It was not decided in time.
    """
    from didww.cli import waits

    reference = verification.reference
    if verification.is_pending:
        session.say("DIDWW's review takes hours or days. Ctrl-C ends the wait, not the review.")
    name, again = f"Verification {reference}", session.command_line(*command.split()[1:], reference)
    try:
        return waits.wait_for(session, endpoint, verification, name=name, limit=limit, again=again)
    except WaitError as error:
        session.advice.append(ADVICE)
        raise _rejected(error) from None


def _rejected(error: WaitError) -> RefusedError:
    record: Any = error.resource
    reasons = "; ".join(record.reject_reasons or ()) or "no reason given"
    comment = f" Comment: {record.reject_comment}" if record.reject_comment else ""
    return RefusedError(f"Verification {record.reference} was rejected: {reasons}.{comment}")


def by_reference(endpoint: Any, text: str, include: list[str]) -> Any:
    """Return a verification by id, reference or external reference.

    Raises:
        NotExactlyOneError: There is none, or there are several.
    """
    text = text.strip()
    if UUID_TEXT.fullmatch(text):
        return endpoint.find(text, include=include).data
    found = [
        each
        for name in ("reference", "external_reference_id")
        for each in _having(endpoint, name, text, include)
        if getattr(each, name) == text
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(each.id for each in found)
        raise NotExactlyOneError(f"Several verifications match {text!r:.80}. Pass the id: {ids}.", found=len(found))
    raise NotExactlyOneError(f"There is no verification {text!r:.80}.")


def _having(endpoint: Any, name: str, text: str, include: list[str]) -> Any:
    """Return the verifications with a reference: filtered, where the service can and no comma is in it."""
    filtered = name in filter_rules(endpoint._resource) and text and "," not in text
    return endpoint.iterate(filter={name: text} if filtered else None, include=include)
