"""The controls of a running emulator, over HTTP."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import click

from didww._util.text import printable
from didww.cli import exit_codes
from didww.cli.errors import RefusedError

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["NoEmulatorError", "RemoteControls", "UnknownToEmulatorError", "base_url"]

DEFAULT: Final = "http://127.0.0.1:8750/v3"
_TIMEOUT: Final = 30
_MAX_TEXT: Final = 500


class NoEmulatorError(click.ClickException):
    """There is no emulator, or something else, at an address."""

    exit_code = exit_codes.NO_RESPONSE


class UnknownToEmulatorError(click.ClickException):
    """The emulator has no such record."""

    exit_code = exit_codes.NOT_FOUND


def base_url(session: Session) -> str:
    """Return the address of the emulator that a command uses.

    Raises:
        UsageError: The environment is not local.
    """
    environment = session.settings.environment
    if environment not in (None, "local"):
        raise click.UsageError(f"This uses an emulator, not the environment {environment}. Leave out --environment.")
    return session.settings.base_url or os.environ.get("DIDWW_BASE_URL", "").strip() or DEFAULT


class RemoteControls:
    """The control API of a running emulator.

    Args:
        url: Base URL of the emulator's API, such as `http://127.0.0.1:8750/v3`.

    Raises:
        UsageError: The URL is invalid.
        NoEmulatorError: There is no emulator at the address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise click.UsageError(
                f"The address of the emulator must be a URL such as {DEFAULT}, got {printable(url[:200])!r}. "
                "Pass it as --base-url, or set DIDWW_BASE_URL."
            )
        self.root = f"{parts.scheme}://{parts.netloc}"
        status, state = self._send("GET", "clock/state", {})
        if status == 403 and (text := _error(state)):
            raise NoEmulatorError(text)
        if status != 200 or not isinstance(state, dict) or "now" not in state:
            raise NoEmulatorError(
                f"What answers at {self.root} is not an emulator. Start one with didww emulator, and pass its address "
                "as --base-url, or set DIDWW_BASE_URL."
            )

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the result of an operation that only reads."""
        return self._result("GET", path, parameters)

    def post(self, path: str, **parameters: Any) -> Any:
        """Run an operation and return its result."""
        return self._result("POST", path, parameters)

    def _result(self, method: str, path: str, parameters: dict[str, Any]) -> Any:
        status, content = self._send(method, path, parameters)
        if status in (200, 204):
            return content
        if text := _error(content):
            raise (UnknownToEmulatorError if status == 404 else RefusedError)(text)
        raise NoEmulatorError(
            f"The emulator at {self.root} failed with status {status}. See its output for the reason."
        )

    def _send(self, method: str, path: str, parameters: dict[str, Any]) -> tuple[int, Any]:
        """Return status and JSON of the response; None if it is not JSON."""
        import httpx2

        from didww.transport.httpx_common import default_verification

        query, body = (parameters, None) if method == "GET" else (None, parameters)
        try:
            response = httpx2.request(
                method,
                f"{self.root}/_emulator/{path}",
                params=query,
                json=body,
                timeout=_TIMEOUT,
                trust_env=False,
                verify=default_verification(),
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoEmulatorError(
                f"There is no emulator at {self.root} ({_reason(error)}). Start one in another terminal "
                "with didww emulator, or pass the address of one as --base-url, or set DIDWW_BASE_URL."
            ) from None
        try:
            return response.status_code, response.json() if response.content else None
        except ValueError:
            return response.status_code, None


def _reason(error: Exception) -> str:
    """Return why there was no response, e.g. `Connection refused`."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or type(error).__name__


def _error(content: Any) -> str:
    """Return the message of an error of the control API; empty if it is something else."""
    text = cast("dict[str, Any]", content).get("error") if isinstance(content, dict) else None
    return text[:_MAX_TEXT] if isinstance(text, str) else ""
