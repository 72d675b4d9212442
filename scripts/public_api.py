"""Write the public API with its signatures to `api.txt`. A test fails if the file is outdated.

The source is read (griffe), so every Python version gives the same file; only the commands, and the constants that are
defaults, are imported. `AsyncDidwwClient` and its
endpoints have the methods of `DidwwClient` (scripts/synchronous.py), so endpoints are listed once.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["COMMAND", "FILE", "difference", "public_api"]

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))
FILE = ROOT / "api.txt"
COMMAND = "python scripts/public_api.py"

HEAD = f"""\
The public API of didww with its signatures. Written by `{COMMAND}`; do not edit.
A changed line is a changed promise: describe it in changelog.d/.
"""

PACKAGES = ("didww", "didww.cdr", "didww.emulator", "didww.transport")
"""Packages whose `__all__` is public."""

MODULES = (
    "didww.callback.asgi",
    "didww.callback.call_event_verifier",
    "didww.callback.call_events",
    "didww.callback.callback_request",
    "didww.callback.receiver",
    "didww.callback.request_validator",
    "didww.callback.response",
    "didww.callback.stores",
    "didww.callback.typed",
    "didww.callback.verifier",
    "didww.callback.wsgi",
    "didww.cdr.dlt_source",
    "didww.configuration",
    "didww.encrypt",
    "didww.enums",
    "didww.exceptions",
    "didww.query_params",
    "didww.query_types",
    "didww.rate_limit.local",
    "didww.rate_limit.shared",
    "didww.version",
)
"""Public modules."""

FIXTURES = ("didww_emulator", "didww_client", "async_didww_client")
"""The fixtures for pytest."""

FACTS = frozenset({"filter", "sort", "match"})
"""Arguments of field declarations that `didww.query_types` shows."""


def public_api() -> str:
    """Return the text of the file."""
    package = cast("griffe.Module", griffe.load("didww", search_paths=[ROOT / "src"], resolve_aliases=True))
    sections = {name: _names(_at(package, name)) for name in PACKAGES}
    classes: dict[str, griffe.Class] = {}
    others: dict[str, str] = {}
    paths = [path for names in sections.values() for path in names.values()]
    paths += [f"{name}.{one}" for name in MODULES for one in _names(_at(package, name))]
    paths += [
        item.path
        for module in _at(package, "didww._endpoints").modules.values()
        for item in module.classes.values()
        if item.name.endswith("Endpoint") and not item.name.startswith(("_", "Async"))
    ]
    paths += [
        item.path
        for module in _at(package, "didww.emulator.controls").modules.values()
        for item in module.classes.values()
        if not item.name.startswith("_")
    ]
    paths += ["didww.resources.export.CdrInFilters", "didww.resources.export.CdrOutFilters"]
    plugin = _at(package, "didww.emulator.pytest_plugin")
    paths += [function.path for function in plugin.functions.values() if function.name in FIXTURES]
    while paths:
        target = _at(package, paths.pop())
        if isinstance(target, griffe.Class):
            if target.path not in classes:
                classes[target.path] = target
                paths += [base for base in map(_resolved, target.bases) if base.startswith("didww.")]
        elif isinstance(target, griffe.Function):
            others[target.path] = "\n".join(_function(target, target.path))
        else:
            others[target.path] = _attribute(cast("griffe.Attribute", target), target.path)

    blocks = [HEAD]
    for name, names in sections.items():
        lines = [f"from {name} import {one}  # {path}" for one, path in sorted(names.items())]
        blocks.append("\n".join(lines))
    blocks.append("\n".join(commands()))
    blocks += [others[path] for path in sorted(others)]
    blocks += ["\n".join(_class(classes[path])) for path in sorted(classes)]
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def commands() -> Iterator[str]:
    """Yield each command with its arguments and options; those of resource types follow from their declarations."""
    import click

    from didww.cli.app import SECTIONS, command

    def walk(found: click.Command, path: str, parent: click.Context) -> Iterator[str]:
        context = click.Context(found, info_name=path, parent=parent)
        if isinstance(found, click.Group):
            for name in found.list_commands(context):
                inner = found.get_command(context, name)
                if inner is not None:
                    yield from walk(inner, f"{path} {name}", context)
            if not found.invoke_without_command:
                return
        words = [
            parameter.human_readable_name
            if isinstance(parameter, click.Argument)
            else "/".join((*parameter.opts, *parameter.secondary_opts))
            for parameter in found.get_params(context)
            if "--help" not in parameter.opts and not getattr(parameter, "hidden", False)
        ]
        yield f"{path} {' '.join(words)}"

    root = click.Context(command, info_name="didww")
    for section in SECTIONS.values():
        for name in section:
            found = command.get_command(root, name)
            if found is not None:
                yield from walk(found, f"didww {name}", root)


def difference() -> str:
    """Return the difference between the file and the source, or an empty text."""
    old = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    lines = difflib.unified_diff(old.splitlines(), public_api().splitlines(), "api.txt", "the source", lineterm="", n=1)
    return "\n".join(lines)


def _at(package: griffe.Module, path: str) -> griffe.Object:
    found = package if path == "didww" else package[path.removeprefix("didww.")]
    return cast("griffe.Object", found.final_target if isinstance(found, griffe.Alias) else found)


def _names(module: griffe.Object) -> dict[str, str]:
    """Return where each name of `__all__` is defined."""
    homes: dict[str, str] = {}
    for name in map(str, module.exports or ()):
        member = module.members[name]
        homes[name] = member.final_target.path if isinstance(member, griffe.Alias) else member.path
    return homes


def _resolved(expression: str | griffe.Expr) -> str:
    base = expression.left if isinstance(expression, griffe.ExprSubscript) else expression
    return base if isinstance(base, str) else base.canonical_path


def _class(cls: griffe.Class) -> Iterator[str]:
    keywords = "".join(f", {name}={value}" for name, value in cls.keywords.items() if name in ("type", "operations"))
    yield f"class {cls.path}({', '.join(map(str, cls.bases))}{keywords})"
    for name, member in cls.members.items():
        if name in ("__slots__", "__hash__", "__all__", "__doc__", "__annotations__"):
            continue
        if name.startswith("_") and not (name.startswith("__") and name.endswith("__")):
            continue
        if isinstance(member, griffe.Function):
            for line in _function(member, name):
                yield f"    {line}"
        elif isinstance(member, griffe.Attribute):
            yield f"    {_attribute(member, name)}"


def _function(function: griffe.Function, name: str) -> Iterator[str]:
    for variant in function.overloads or [function]:
        kind = "async def" if "async" in function.labels else "def"
        marks = [label for label in ("classmethod", "staticmethod", "property") if label in function.labels]
        head = "".join(f"@{mark} " for mark in marks)
        returns = "" if variant.returns is None else f" -> {variant.returns}"
        yield f"{head}{kind} {name}({', '.join(_parameters(variant.parameters))}){returns}"


def _parameters(parameters: griffe.Parameters) -> Iterator[str]:
    """Write the parameters as in source; `self` and `cls` are kept, for the difference to static methods."""
    starred = False
    listed = list(parameters)
    for index, one in enumerate(listed):
        kind = one.kind
        if kind is griffe.ParameterKind.keyword_only and not starred:
            starred = True
            yield "*"
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(kind, "")
        starred = starred or stars == "*"
        annotation = "" if one.annotation is None else f": {one.annotation}"
        default = "" if one.default is None or stars else f" = {_value(one.default)}"
        yield f"{stars}{one.name}{annotation}{default}"
        if kind is griffe.ParameterKind.positional_only and (
            index + 1 == len(listed) or listed[index + 1].kind is not kind
        ):
            yield "/"


def _value(default: str | griffe.Expr) -> str:
    """Return a default as it is written, or the value of the constant that it names."""
    if isinstance(default, griffe.ExprName) and str(default).isupper() and default.canonical_path.startswith("didww."):
        module, _, name = default.canonical_path.rpartition(".")
        value = getattr(importlib.import_module(module), name)
        return repr(value) if isinstance(value, (int, float, str)) else str(default)
    return str(default)


def _attribute(attribute: griffe.Attribute, name: str) -> str:
    if "property" in attribute.labels:
        settable = " settable" if "writable" in attribute.labels else ""
        return f"property{settable} {name}: {attribute.annotation}"
    annotation = "" if attribute.annotation is None else f": {attribute.annotation}"
    value = attribute.value
    if isinstance(value, griffe.ExprCall) and attribute.annotation is not None:
        facts = [str(one) for one in value.arguments if isinstance(one, griffe.ExprKeyword) and one.name not in FACTS]
        return f"{name}{annotation} = {value.function}({', '.join(facts)})"
    return f"{name}{annotation}" if value is None else f"{name}{annotation} = {value}"


if __name__ == "__main__":
    FILE.write_text(public_api(), encoding="utf-8", newline="\n")
