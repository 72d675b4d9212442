"""Completion of numbers and names in the shell, and `didww completion`, which prints its script."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.shell_completion import CompletionItem, get_completion_class

from didww.cli.framework import Command
from didww.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["completion", "items"]

SECONDS: Final = 60.0
"""How long values are kept."""
MAX_VALUES: Final = 1000


def _countries(client: Any) -> list[tuple[str, str]]:
    return [(country.iso, country.name) for country in client.countries().list().data]


def _numbers(client: Any) -> list[tuple[str, str]]:
    return [(did.number, did.description or "") for did in client.dids().iterate(limit=MAX_VALUES, page_size=100)]


def _names(path: str) -> Callable[[Any], list[tuple[str, str]]]:
    def names(client: Any) -> list[tuple[str, str]]:
        return [(record.name, "") for record in getattr(client, path)().iterate(limit=MAX_VALUES)]

    return names


_SOURCES: Final[dict[str, Callable[[Any], list[tuple[str, str]]]]] = {
    "countries": _countries,
    "numbers": _numbers,
    "trunks": _names("voice_in_trunks"),
    "groups": _names("voice_in_trunk_groups"),
    "out_trunks": _names("voice_out_trunks"),
    "pools": _names("capacity_pools"),
}


def items(ctx: click.Context, source: str, incomplete: str) -> list[CompletionItem]:
    """Return the values that begin with what was typed; none if the account cannot be read.

    Args:
        ctx: The context of the command.
        source: What is completed: countries, numbers, trunks, groups, out_trunks or pools.
        incomplete: What was typed.
    """
    session = ctx.find_object(Session) or Session()
    if session.settings.timeout is None:
        session.settings.timeout = 5.0  # a shell that hangs is worse than no completion
    try:
        values = _values(session, source)
    except Exception:  # noqa: BLE001 completion must not print errors
        return []
    start = incomplete.casefold()
    return [CompletionItem(value, help=text) for value, text in values if value.casefold().startswith(start)]


def _values(session: Session, source: str) -> list[tuple[str, str]]:
    """Return the values from the cache, or else from the account."""
    file = _cache_file(session, source)
    try:
        if time.time() - file.stat().st_mtime < SECONDS:
            return [(value, text) for value, text in cast("list[list[str]]", json.loads(file.read_text("utf-8")))]
    except (OSError, ValueError):
        pass
    values = _SOURCES[source](session.client)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(json.dumps(values), encoding="utf-8")
    except OSError:
        pass
    return values


def _cache_file(session: Session, source: str) -> Path:
    """Return the file of one account and source. Its name is a hash that does not reveal the API key."""
    import platformdirs

    headers: dict[str, str] = {}
    session.client._configuration.credentials.sign(headers)
    account = json.dumps([session.client.base_url, session.settings.emulator_file, headers])
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("didww", appauthor=False)) / f"completion-{source}-{name}.json"


@click.command(
    cls=Command,
    common=False,
    examples=('eval "$(didww completion bash)"', "didww completion fish > ~/.config/fish/completions/didww.fish"),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Commands, options, numbers, countries and names of trunks are completed. To use it, run the first example at the
    start of each shell, in ~/.bashrc or ~/.zshrc (there with "zsh"). Numbers and names are kept for a minute.
    """
    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(ctx.find_root().command, {}, "didww", "_DIDWW_COMPLETE").source())
