"""Commands and groups of commands: the options that all have, sections of the help, examples, modules loaded on use."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from didww._schema.versions import EVERY_VERSION, Versions
from didww.cli.session import Session
from didww.version import API_VERSION, API_VERSIONS, TOKENS_SINCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from click.shell_completion import CompletionItem

__all__ = [
    "SINCE_TOKENS",
    "Command",
    "Group",
    "LazyGroup",
    "SectionOption",
    "common_options",
    "in_help",
    "is_in_use",
    "names_in_help",
]

SINCE_TOKENS: Final = Versions(since=TOKENS_SINCE)
"""The API versions that have text messages and prices."""


def names_in_help(names: Iterable[str], limited: Mapping[str, Versions]) -> str:
    """Return names for the help, those that not every API version has after the others."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(limited.get(name, EVERY_VERSION).in_words(), []).append(name)
    everywhere = ", ".join(found.pop("", []))
    return "; ".join(
        [*([everywhere] if everywhere else []), *(f"{words}: {', '.join(found[words])}" for words in found)]
    )


def in_help(text: str, versions: Versions) -> str:
    """Return a text of the help with the API versions that have what it describes."""
    words = versions.in_words()
    return f"{text} {words[0].upper()}{words[1:]}." if words else text


class SectionOption(click.Option):
    """An option in a section of the help.

    Args:
        section: Title of the section.
        versions: The API versions that have it. The help says so, and in another version it is refused.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        section: str = "Options",
        versions: Versions = EVERY_VERSION,
        help: str | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(names, help=help if help is None else in_help(help, versions), **attributes)
        self.section = section
        self.versions = versions


class CommonOption(click.Option):
    """An option that is stored in the settings of the session.

    Args:
        section: Title of its section in the help.
    """

    def __init__(self, names: Sequence[str], *, section: str, **attributes: Any) -> None:
        super().__init__(names, expose_value=False, callback=_store, **attributes)
        self.section = section


def _store(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is None or value is False:
        return
    settings, name = ctx.ensure_object(Session).settings, str(param.name)
    from_environment = ctx.get_parameter_source(name) is ParameterSource.ENVIRONMENT
    if not from_environment or getattr(settings, name) is None:  # an option anywhere on the line comes first
        setattr(settings, name, value)


def _complete_profiles(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 click's
    from didww.cli import completion

    return completion.profiles(incomplete)


_ACCOUNT: Final = "Account"
_OUTPUT: Final = "Output"
_SAFETY: Final = "Safety"


def common_options(*, output: bool, changes: bool) -> list[click.Parameter]:
    """Return the options of a command.

    Args:
        output: Whether it prints data.
        changes: Whether it changes something.
    """
    option = CommonOption
    safety = [
        option(["--yes", "-y"], section=_SAFETY, is_flag=True, help="Do not ask."),
        option(["--dry-run"], section=_SAFETY, is_flag=True, help="Print the requests instead of sending them."),
    ]
    printing = [
        option(
            ["-o", "--output"],
            section=_OUTPUT,
            type=click.Choice(["table", "json", "jsonl", "csv", "yaml"]),
            help="Format. Defaults to table: in a pipe, values separated by tabs.",
        ),
        option(
            ["--columns"],
            section=_OUTPUT,
            metavar="NAMES",
            help="Columns, separated by commas: headings of the table, or fields with dots.",
        ),
        option(["--query"], section=_OUTPUT, metavar="JMESPATH", help="Select from the JSON output."),
    ]
    account = [
        option(["--emulator"], section=_ACCOUNT, is_flag=True, help="Use an emulator kept in a file."),
        option(["--emulator-file"], section=_ACCOUNT, metavar="FILE", help="The file. Defaults to one of your own."),
        option(
            ["--profile"],
            section=_ACCOUNT,
            envvar="DIDWW_PROFILE",
            metavar="NAME",
            shell_complete=_complete_profiles,
            help="Profile of `didww login`.",
        ),
        option(
            ["--environment"],
            section=_ACCOUNT,
            type=click.Choice(["production", "sandbox", "local"]),
            help="Environment of the API. Defaults to sandbox.",
        ),
        option(["--base-url"], section=_ACCOUNT, metavar="URL", help="Another address of the API."),
        option(
            ["--api-version"],
            section=_ACCOUNT,
            type=click.Choice(API_VERSIONS),
            help=f"Version of the API. Defaults to {API_VERSION}.",
        ),
        option(
            ["--timeout"],
            section=_ACCOUNT,
            type=click.FloatRange(min=0, min_open=True),
            metavar="SECONDS",
            help="Seconds for a request with its retries. Defaults to 60.",
        ),
        option(["--debug"], section=_ACCOUNT, is_flag=True, help="Log requests, and print tracebacks of errors."),
    ]
    return [*(safety if changes else ()), *(printing if output else ()), *account]


class Command(click.Command):
    """A command with the common options and examples.

    Args:
        examples: Command lines for the help, run by the tests against an emulator.
        output: Whether it prints data.
        changes: Whether it changes something, and so has `--yes` and `--dry-run`.
        common: Whether it has the common options at all. An option of its own replaces the one with the same name.
        versions: The API versions that have what it does. The help says so, and in another version it is refused.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        output: bool = True,
        changes: bool = False,
        common: bool = True,
        versions: Versions = EVERY_VERSION,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.changes = changes
        self.versions = versions
        if common:
            own = {param.name for param in self.params}
            self.params += [each for each in common_options(output=output, changes=changes) if each.name not in own]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, if the API version has it and its options.

        Raises:
            UnsupportedVersionError: It does not.
        """
        _check_versions(ctx)
        return super().invoke(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options of the API version that begin with what was typed."""
        found = super().shell_complete(ctx, incomplete)
        other = {
            name
            for param in self.get_params(ctx)
            if not is_in_use(ctx, getattr(param, "versions", EVERY_VERSION))
            for name in (*param.opts, *param.secondary_opts)
        }
        return [item for item in found if item.value not in other]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text, with the API versions that have the command."""
        super().format_help_text(ctx, formatter)
        _format_versions(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section."""
        _format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _format_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class Group(click.Group):
    """A group whose commands are `Command`s."""

    command_class = Command

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str] = (),
        versions: Versions = EVERY_VERSION,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)
        self.versions = versions

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands of the API version that begin with what was typed."""
        found = super().shell_complete(ctx, incomplete)
        return [item for item in found if is_in_use(ctx, self._versions_of(ctx, item.value))]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text, with the API versions that have the group."""
        super().format_help_text(ctx, formatter)
        _format_versions(ctx, formatter)

    def _versions_of(self, ctx: click.Context, name: str) -> Versions:
        command = self.get_command(ctx, name) if name[:1] != "-" else None
        return getattr(command, "versions", EVERY_VERSION)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; the groups of resource types, such as orders, have those of every type, too."""
        return super().get_command(ctx, cmd_name) or self._resource_command(ctx, cmd_name)

    def _resource_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ("list", "find", "create", "update", "delete"):
            return None
        from didww.cli.resource_commands import group_for

        group = group_for(self.name or "")
        return None if group is None else group.get_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; if there is none, suggest the closest names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from didww._util.suggest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx)) if args else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        _format_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _format_examples(self.examples, formatter)
        super().format_epilog(ctx, formatter)


class LazyGroup(Group):
    """A group whose commands are imported when they are used.

    Args:
        sections: Title of a section of the help (empty for the usual one), mapped to the names of its commands, each
            with its place (`module:attribute`, in `didww.cli`) and its short help.
        limited: The commands that not every API version has, with the versions that have them.
    """

    def __init__(
        self,
        *args: Any,
        sections: Mapping[str, Mapping[str, tuple[str, str]]],
        limited: Mapping[str, Versions] | None = None,
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.sections = sections
        self.limited = limited or {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 the signature of click
        """Return the names of the commands, in the order of the help."""
        return [name for section in self.sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; return None if there is none of this name."""
        for section in self.sections.values():
            if cmd_name in section:
                module, _, attribute = section[cmd_name][0].partition(":")
                command: click.Command = getattr(importlib.import_module(f"didww.cli.{module}"), attribute)
                return command
        return self._resource_command(ctx, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin with what was typed, without importing them."""
        from click.shell_completion import CompletionItem

        texts = {name: text for section in self.sections.values() for name, (_, text) in section.items()}
        commands = [
            CompletionItem(name, help=text)
            for name, text in texts.items()
            if name.startswith(incomplete) and is_in_use(ctx, self._versions_of(ctx, name))
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def _versions_of(self, ctx: click.Context, name: str) -> Versions:  # noqa: ARG002 the signature of the base class
        return self.limited.get(name, EVERY_VERSION)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, without importing them."""
        for title, section in self.sections.items():
            with formatter.section(title or "Commands"):
                formatter.write_dl(
                    [(name, in_help(text, self._versions_of(ctx, name))) for name, (_, text) in section.items()]
                )


def is_in_use(ctx: click.Context, versions: Versions) -> bool:
    """Return whether completion offers what these API versions have."""
    if versions == EVERY_VERSION:
        return True
    try:
        return versions.includes(ctx.ensure_object(Session).settings.version)
    except Exception:  # noqa: BLE001 completion must not print errors: a file that cannot be read, a wrong variable
        return True


def _limited(ctx: click.Context) -> Iterator[tuple[str, Versions]]:
    """Yield the command and its groups that not every API version has, the outermost first."""
    above = [] if ctx.parent is None else [*_limited(ctx.parent)]
    versions = getattr(ctx.command, "versions", EVERY_VERSION)
    yield from [*above, *([(f"The command {ctx.info_name}", versions)] if versions != EVERY_VERSION else [])]


def _format_versions(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the API versions that have a command, if not all have it."""
    versions = next((each for _, each in _limited(ctx)), EVERY_VERSION)
    if versions != EVERY_VERSION:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(in_help("", versions).strip())


def _check_versions(ctx: click.Context) -> None:
    """Check that the API version has a command and the options that were given.

    Raises:
        UnsupportedVersionError: It does not.
    """
    options = [
        ("/".join(param.opts[:1]), param.versions)
        for param in ctx.command.params
        if isinstance(param, SectionOption)
        and param.versions != EVERY_VERSION
        and ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    ]
    known = {name for param in ctx.command.params for name in param.opts}
    for name, versions in (*_limited(ctx), *options):
        instead = f"--{re.sub('[._]', '-', versions.replacement)}"
        found = versions._replace(replacement=instead) if instead in known else versions
        ctx.ensure_object(Session).check_versions(f"{name} does not exist", found)


def _format_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write the options by section; those that all commands have are explained once, by the root."""
    sections: dict[str, list[tuple[str, str]]] = {"Options": []}
    shared: list[str] = []
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        section = getattr(param, "section", "Options")
        if record is None or not isinstance(param, click.Option):
            continue
        if ctx.parent is not None and section in (_OUTPUT, _ACCOUNT):
            shared.append("/".join(param.opts))
        else:
            sections.setdefault(section, []).append(record)
    sections |= {title: sections.pop(title) for title in (_SAFETY, _OUTPUT, _ACCOUNT) if title in sections}
    for title, records in sections.items():
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
    if shared:
        with formatter.section(f"Options of all commands, explained by `{ctx.find_root().info_name} --help`"):
            formatter.write_text(" ".join(shared))


def _format_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
