"""Wait for a record of the service, with its status on the screen, and say how to go on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from didww.cli.errors import StillPendingError
from didww.cli.terminal import waiting
from didww.exceptions import ApiTimeoutError, WaitError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["wait_for"]


def wait_for(session: Session, endpoint: Any, record: Any, *, name: str, limit: float, again: str) -> Any:
    """Wait until the service has completed a record, and return it.

    Args:
        session: The run.
        endpoint: Its endpoint, such as `client.orders()`.
        record: The record.
        name: Its name, such as `Order KTH-1`.
        limit: Seconds to wait at most.
        again: The command that waits again, printed if this one fails or is interrupted.

    Raises:
        WaitError: It cannot be completed anymore.
        StillPendingError: It was not completed in time.
    """
    advice = f"To continue: {again}"
    session.advice.append(advice)
    status = str(record.status)
    started = time.monotonic()

    with waiting(name) as show:

        def update(current: Any) -> None:
            nonlocal status
            status = str(current.status)
            show(status)

        try:
            record = endpoint.wait(record, timeout=limit, on_update=update).data
        except WaitError as error:
            session.advice.remove(advice)
            reasons = f": {'; '.join(error.reasons)}" if error.reasons else ""
            raise WaitError(f"{name} is {status}{reasons}.", resource=error.resource, reasons=error.reasons) from error
        except ApiTimeoutError as error:
            if error.phase != "waiting for the record":
                raise
            passed = round(time.monotonic() - started)
            raise StillPendingError(f"{name} is still {status} after {passed} s.") from error
    session.advice.remove(advice)
    return record
