"""Completion of numbers and names in the shell, and `didww completion`, which prints its script."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import time
from collections import Counter
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click
from click.shell_completion import CompletionItem, get_completion_class

from didww._util.text import printable
from didww.cli.framework import Command
from didww.cli.parameters import OneOf
from didww.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["completion", "items", "profiles"]

SECONDS: Final = 60.0
"""How long values are kept."""
MAX_VALUES: Final = 1000
SHELLS: Final = ("bash", "zsh", "fish")
LATEST: Final = 50
"""Orders and exports that are completed."""


def _countries(client: Any) -> list[tuple[str, str]]:
    return [(country.iso, country.name) for country in client.countries().list().data]


def _numbers(client: Any) -> list[tuple[str, str]]:
    return [(did.number, did.description or "") for did in client.dids().iterate(limit=MAX_VALUES, page_size=100)]


def _names(path: str) -> Callable[[Any], list[tuple[str, str]]]:
    def names(client: Any) -> list[tuple[str, str]]:
        return [(record.name, "") for record in getattr(client, path)().iterate(limit=MAX_VALUES)]

    return names


def _pops(client: Any) -> list[tuple[str, str]]:
    return [(pop.name, "") for pop in client.pops().list().data]


def _sms_trunks(fits: Callable[[Any], bool]) -> Callable[[Any], list[tuple[str, str]]]:
    """Return the source of the SMS trunks that fit, with their types."""

    def names(client: Any) -> list[tuple[str, str]]:
        records = client.sms_trunks().iterate(limit=MAX_VALUES)
        return [(record.name, str(record.configuration.type)) for record in records if fits(record)]

    return names


def _sender_ids(client: Any) -> list[tuple[str, str]]:
    """Return names, and the references of those whose name others have, too."""
    records = list(client.sender_id_verifications().iterate(limit=MAX_VALUES))
    count = Counter(record.name for record in records)
    return [(record.name, "") if count[record.name] == 1 else (record.reference, record.name) for record in records]


def _orders(client: Any) -> list[tuple[str, str]]:
    latest = client.orders().iterate(sort="-created_at", limit=LATEST)
    return [(order.reference, f"{order.status}, {order.amount} USD") for order in latest]


def _exports(client: Any) -> list[tuple[str, str]]:
    latest = client.exports().iterate(sort="-created_at", limit=LATEST)
    named = {export.external_reference_id or export.id: str(export.status) for export in reversed(list(latest))}
    return list(reversed(named.items()))


_SOURCES: Final[dict[str, Callable[[Any], list[tuple[str, str]]]]] = {
    "countries": _countries,
    "numbers": _numbers,
    "trunks": _names("voice_in_trunks"),
    "groups": _names("voice_in_trunk_groups"),
    "out_trunks": _names("voice_out_trunks"),
    "pools": _names("capacity_pools"),
    "pops": _pops,
    "sms_trunks": _sms_trunks(lambda _: True),
    "sms_trunks_in": _sms_trunks(lambda trunk: trunk.allow_in),
    "sms_trunks_out": _sms_trunks(lambda trunk: trunk.allow_out),
    "sms_groups": _names("sms_trunk_groups"),
    "sender_ids": _sender_ids,
    "orders": _orders,
    "exports": _exports,
}


def items(ctx: click.Context, source: str, incomplete: str) -> list[CompletionItem]:
    """Return the values that begin with what was typed; none if the account cannot be read.

    Args:
        ctx: The context of the command.
        source: What is completed: a name of `_SOURCES`.
        incomplete: What was typed.
    """
    session = ctx.find_object(Session) or Session()
    if session.settings.timeout is None:
        session.settings.timeout = 5.0  # a shell that hangs is worse than no completion
    try:
        with redirect_stderr(io.StringIO()):
            values = _values(session, source)
    except Exception:  # noqa: BLE001 completion must not print errors
        return []
    plus = "+" if source == "numbers" and incomplete.startswith("+") else ""
    start = incomplete.removeprefix("+").casefold() if plus else incomplete.casefold()
    found = [(f"{plus}{value}", _line(text)) for value, text in values if value.casefold().startswith(start)]
    return [CompletionItem(value, help=text or None) for value, text in found if value.isprintable()]


def _line(text: str) -> str:
    """Return a description as the shells take it: one line."""
    return " ".join(printable(text).split())


def profiles(incomplete: str) -> list[str]:
    """Return the profiles that begin with what was typed."""
    from didww.cli.profiles import read

    try:
        return [name for name in read().sections() if name.startswith(incomplete)]
    except click.ClickException:
        return []


def _values(session: Session, source: str) -> list[tuple[str, str]]:
    """Return the values from the cache, or else from the account."""
    file = _cache_file(session, source)
    try:
        if 0 <= time.time() - file.stat().st_mtime < SECONDS:
            return _checked(json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        pass
    values = _SOURCES[source](session.client)
    _store(file, json.dumps(values))
    return values


def _checked(values: Any) -> list[tuple[str, str]]:
    """Return the pairs of a cache.

    Raises:
        TypeError: It is damaged.
        ValueError: It is damaged.
    """
    pairs = [(value, text) for value, text in cast("list[list[Any]]", values)]
    if not all(isinstance(each, str) for pair in pairs for each in pair):
        raise TypeError
    return cast("list[tuple[str, str]]", pairs)


def _store(file: Path, text: str) -> None:
    """Write a file that only the user can read; if that fails, there is no cache."""
    scratch: str | None = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, scratch = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        Path(scratch).replace(file)
    except OSError:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)


def _cache_file(session: Session, source: str) -> Path:
    """Return the file of one account and source. Its name is a hash that does not reveal the API key."""
    import platformdirs

    headers: dict[str, str] = {}
    session.api_key._sign(headers)
    account = json.dumps([session.client.base_url, session.settings.version, session.settings.emulator_file, headers])
    name = hashlib.sha256(account.encode()).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("didww", appauthor=False)) / f"completion-{source}-{name}.json"


@click.command(
    cls=Command,
    common=False,
    examples=('eval "$(didww completion bash)"', "didww completion fish > ~/.config/fish/completions/didww.fish"),
)
@click.argument("shell", metavar="|".join(SHELLS), type=OneOf(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    Commands, options, numbers, countries and names of trunks are completed. To use it, run the first example at the
    start of each shell, in ~/.bashrc or ~/.zshrc (there with "zsh"). Numbers and names are kept for a minute.
    """
    if shell in _SCRIPTS:
        click.echo(_SCRIPTS[shell])
        return
    script = get_completion_class(shell)
    assert script is not None  # noqa: S101 click has it
    click.echo(script(ctx.find_root().command, {}, "didww", "_DIDWW_COMPLETE").source())


# Those of click break names with spaces (bash) and commas (fish).
_SCRIPTS: Final = {
    "bash": r"""_didww_completion() {
    local response type value
    response=$(IFS=$'\n'; COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _DIDWW_COMPLETE=bash_complete "$1")
    COMPREPLY=()
    while IFS=',' read -r type value; do
        case $type in
        dir) compopt -o dirnames ;;
        file) compopt -o default ;;
        plain)
            COMPREPLY+=("$value")
            if [[ $value == *[^A-Za-z0-9._+:-]* ]]; then
                compopt -o filenames
            fi
            ;;
        esac
    done <<< "$response"
}
complete -o nosort -F _didww_completion didww""",
    "fish": r"""function _didww_completion
    set -l response (env _DIDWW_COMPLETE=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) didww)
    for completion in $response
        set -l parts (string split --max 1 "," -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command didww --arguments '(_didww_completion)'""",
}
