"""A run of the command: its settings, the client, questions before a change, and what to say if it is interrupted."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from didww.cli import exit_codes
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from didww import DidwwClient
    from didww._core.events import RequestStarted
    from didww._schema.versions import Versions
    from didww.cli.dry_run import DryRunTransport
    from didww.cli.profiles import Version
    from didww.credentials import ApiKey
    from didww.emulator import Emulator
    from didww.transport.base import Transport
    from didww.version import ApiVersion

__all__ = ["Session", "Settings"]


@dataclasses.dataclass
class Settings:
    """The common options, wherever on the command line they were.

    Attributes:
        client_version: The API version of the client, once there is one, and where it is from.
    """

    profile: str | None = None
    environment: str | None = None
    base_url: str | None = None
    api_version: str | None = None
    emulator: bool = False
    emulator_file: str | None = None
    timeout: float | None = None
    output: str = "table"
    columns: str | None = None
    query: str | None = None
    yes: bool = False
    dry_run: bool = False
    debug: bool = False
    client_version: Version | None = None

    @property
    def emulated(self) -> bool:
        """Whether the account is that of an emulator in a file."""
        return self.emulator or self.emulator_file is not None

    @property
    def version(self) -> ApiVersion:
        """The API version that the command uses: of an option, a profile or the environment, or else the default."""
        from didww.cli.profiles import version

        return version(self).value

    @property
    def for_person(self) -> bool:
        """Whether the output is the usual one for a person: a table, with columns of the command's choice."""
        return self.output == "table" and self.columns is None and self.query is None


class Session:
    """A run of the command.

    Attributes:
        settings: The common options.
        known: Sentences about what has been done, printed if the command is interrupted or fails.
        advice: Sentences about how to go on, printed after them.
        last_method: Method of the last request.
    """

    def __init__(self) -> None:
        self.settings = Settings()
        self.known: list[str] = []
        self.advice: list[str] = []
        self.last_method = ""
        self._token_url = ""
        self._client: DidwwClient | None = None
        self._emulator: Emulator | None = None
        self._close: list[Callable[[], object]] = []

    @property
    def client(self) -> Any:
        """The client of the chosen account, created on first use. Any: filters come from the command line."""
        if self._client is None:
            self._client = self._new_client()
        return self._client

    @property
    def api_key(self) -> ApiKey:
        """The API key of the client, sent with requests or to the token service."""
        credentials = self.client._configuration.credentials
        return cast("ApiKey", getattr(credentials, "_key", credentials))

    @property
    def emulated(self) -> bool:
        """Whether the account is that of an emulator in a file."""
        return self.settings.emulated

    @property
    def emulator(self) -> Emulator:
        """The emulator in a file, opened on first use."""
        if self._emulator is None:
            from didww.cli.emulator_file import open_emulator

            self._emulator = open_emulator(self.settings.emulator_file)
            self._close.append(self._emulator.close)
        return self._emulator

    def _new_client(self) -> DidwwClient:
        from didww import DidwwClient
        from didww.cli import profiles
        from didww.cli.messages import show_version_warnings

        settings = self.settings
        others = [name for name in ("profile", "environment", "base_url") if getattr(settings, name) is not None]
        if settings.debug:
            from didww.cli.debug_log import log_requests

            self._close.append(log_requests())
        if self.emulated and others:
            option = others[0].replace("_", "-")
            raise click.UsageError(f"--emulator does not go with --{option}.")
        settings.client_version = profiles.version(settings)
        options: dict[str, Any] = {"api_version": settings.client_version.value}
        if settings.timeout is not None:
            options["timeout"] = settings.timeout
        transport: Transport | None = None
        dry: DryRunTransport | None = None
        if self.emulated:
            from didww.emulator.emulator import BASE_URL
            from didww.transport.inprocess import InProcessTransport

            transport = InProcessTransport(self.emulator.exchange)
            options |= {"api_key": self.emulator.key, "base_url": BASE_URL, "allow_insecure": True, "rate_limit": None}
        else:
            options |= profiles.account_options(settings)
        if settings.dry_run:
            options["rate_limit"] = None  # for requests that are printed
            from didww.cli.dry_run import DryRunTransport
            from didww.transport.default import new_transport

            as_json = settings.output in ("json", "jsonl")
            transport = dry = DryRunTransport(transport or new_transport(None), as_json=as_json)
        self._close.append(show_version_warnings())
        client = DidwwClient(**options, transport=transport, on_request=self._remember)
        self._token_url = str(client._configuration.service_urls.token)
        if dry is not None:
            dry.token_url = self._token_url
            client._configuration.read_only = False  # what writes is printed
        self._close.append(client.close)
        return client

    def _remember(self, event: RequestStarted) -> None:
        if event.request.url != self._token_url:  # a token changes nothing
            self.last_method = event.request.method

    def close(self) -> None:
        """Close the client and the emulator."""
        while self._close:
            self._close.pop()()

    @property
    def account(self) -> str:
        """The account that the command acts on, in words."""
        if self.emulated:
            return "the emulator (no real money)"
        environment = self.client.environment
        name = self.client.base_url if environment is None else f"{environment} at {self.client.base_url}"
        parts = [name, *([f"profile {self.settings.profile}"] if self.settings.profile else [])]
        version = self.settings.version
        return ", ".join([*parts, *([f"API version {version}"] if version != API_VERSION else [])])

    def command_line(self, *words: str) -> str:
        """Return a command for the same account, as it is typed: for advice on how to go on.

        Args:
            words: Names and arguments, such as `orders`, `show`, `KTH-1`.
        """
        from didww._util.shells import command_line

        settings = self.settings
        options: list[str] = []
        if self.emulated:
            options += ["--emulator-file", settings.emulator_file] if settings.emulator_file else ["--emulator"]
        elif settings.profile not in (None, "default"):
            options += ["--profile", str(settings.profile)]
        if settings.base_url is not None:
            options += ["--base-url", settings.base_url]
        elif settings.environment is not None:
            options += ["--environment", settings.environment]
        if settings.api_version is not None:
            options += ["--api-version", settings.api_version]
        return command_line("didww", *options, *words)

    def check_versions(self, what: str, versions: Versions) -> None:
        """Check that the API version has something.

        Args:
            what: A clause about it, such as `The column sms_trunk does not exist`.
            versions: The versions that have it.

        Raises:
            UnsupportedVersionError: It does not.
        """
        from didww._schema.versions import unsupported

        if not versions.includes(self.settings.version):
            raise unsupported(what, versions, self.settings.version, "")

    def now(self) -> datetime:
        """Return the time of the service: that of its latest response, or else of this machine."""
        from datetime import UTC, datetime

        if self.emulated:
            return self.emulator.clock.now()
        return self.client.server_time or datetime.now(UTC)

    def say(self, text: str) -> None:
        """Print a line for a person to standard error."""
        from didww.cli.messages import say

        say(text)

    def confirm(self, *plan: str, question: str) -> None:
        """Show what will happen and ask, before something is spent, canceled or rerouted.

        Args:
            plan: Lines that say what will happen.
            question: The question.

        Raises:
            ReadOnlyClientError: The profile can only read, and this is no dry run.
            UsageError: There is no terminal to ask at, and `--yes` was not given.
            Exit: The answer was no.
        """
        from didww.cli import profiles
        from didww.exceptions import ReadOnlyClientError

        read_only = profiles.is_read_only(self.settings)
        if read_only and not self.settings.dry_run:
            raise ReadOnlyClientError("The profile can only read.")
        for line in plan:
            self.say(line)
        self.say(f"Account: {self.account}.{' It can only read.' if read_only else ''}")
        if self.settings.yes or self.settings.dry_run:
            return
        if not sys.stdin.isatty():
            raise click.UsageError(
                f"{question} Not confirmed, because there is no terminal to ask at. Pass --yes to go ahead, or "
                "--dry-run to see the request."
            )
        if not click.confirm(question, default=False, err=True):
            self.say("Nothing was changed.")
            raise click.exceptions.Exit(exit_codes.FAILED)


def data_directory() -> Path:
    """Return the user's directory for the emulator's file."""
    import platformdirs

    return Path(platformdirs.user_data_dir("didww", appauthor=False))
