"""A group of commands for each resource type, made from its declaration, and `didww resources`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from didww.cli.framework import Group, common_options

if TYPE_CHECKING:
    from didww._schema.resource import Resource
    from didww.cli.session import Session, Settings

__all__ = ["group_for", "resources"]


class ResourceGroup(Group):
    """The commands of a resource type. A command is made when it is used.

    Args:
        cls: The resource.
        path: How the group is called, such as `didww dids`.
    """

    def __init__(self, cls: type[Resource], path: str) -> None:
        text = cls.__doc__ and cls.__doc__.replace("`", "")
        super().__init__(_command_name(cls), help=text, versions=cls._versions)
        self._cls = cls
        self._path = path
        offered = cls._operations | cls._extra_operations
        self.operations: list[str] = [
            name for name in ("list", "find", "create", "update", "delete") if name in offered
        ]

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 the signature of click
        """Return the operations of the resource."""
        return self.operations

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 the signature of click
        """Return the command of an operation."""
        if cmd_name not in self.operations:
            return None
        from didww.cli.records.commands import build

        return build(self._cls, cmd_name, self._path)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 the signature of click
        """Write the operations, without making their options."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _DOES[name]) for name in self.operations])


_DOES = {
    "list": "List records, filtered and sorted.",
    "find": "Show a record.",
    "create": "Create a record, or several from JSON.",
    "update": "Update a record, or several from JSON or CSV.",
    "delete": "Delete records.",
}


def _command_name(cls: type[Resource]) -> str:
    return cls._type_name.replace("_", "-")


def group_for(name: str, within: str = "didww") -> click.Group | None:
    """Return the group of a resource type; None if there is no such type.

    Args:
        name: The type, with underscores or hyphens.
        within: The command that the group is in.
    """
    from didww._schema.registry import class_of

    cls = class_of(name.replace("-", "_"))
    if cls is None:
        return None
    group = ResourceGroup(cls, f"{within} {_command_name(cls)}")
    return group if group.operations else None


class Resources(Group):
    """The group with all resource types."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 the signature of click
        """Return the types that have operations."""
        from didww._schema.resource_types import RESOURCE_TYPES

        names = (name.replace("_", "-") for name in sorted(RESOURCE_TYPES))
        return [name for name in names if group_for(name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 the signature of click
        """Return the group of a type."""
        return group_for(cmd_name, "didww resources")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Leave the types to the list that the command prints."""


@click.group(
    cls=Resources,
    invoke_without_command=True,
    params=common_options(output=True, changes=False),
    examples=("didww resources", "didww resources orders find ID", "didww voice-in-trunks create --help"),
)
@click.pass_context
def resources(ctx: click.Context) -> None:
    """List the resource types of the API, each with its commands.

    A type is a command of its own: `didww voice-in-trunks list`. Where a command of this program has the same name, as
    orders has, the one of the type is `didww resources orders list`.
    """
    if ctx.invoked_subcommand is not None:
        return
    from didww._schema.registry import all_classes

    session: Session = ctx.obj
    settings = session.settings
    classes = all_classes()
    rows = [_row(cls) for cls in classes if cls._versions.includes(settings.version)]
    _print_types(settings, rows)
    others = [cls for cls in classes if not cls._versions.includes(settings.version)]
    if settings.for_person:
        for words in dict.fromkeys(cls._versions.in_words() for cls in others):
            names = ", ".join(_command_name(cls) for cls in others if cls._versions.in_words() == words)
            session.say(f"Not in API version {settings.version}, but {words}: {names}.")


def _print_types(settings: Settings, rows: list[dict[str, Any]]) -> None:
    from didww.cli.output import print_rows

    if sys.stdout.isatty() and settings.for_person:
        for row in rows:
            click.echo(f"{click.style(row['type'], bold=True)}: {row['commands']}")
            click.echo(f"    {row['description']}")
        return
    print_rows(settings, rows, ["type", "commands", "description"])


def _row(cls: type[Resource]) -> dict[str, Any]:
    commands = ResourceGroup(cls, "").operations
    description = (cls.__doc__ or "").strip().partition("\n")[0].partition(". ")[0].replace("`", "")
    return {
        "type": _command_name(cls),
        "commands": ", ".join(commands) or "none; only with --include",
        "description": f"{description.removesuffix('.')}.",
    }
