"""The pages of docs/reference/api: the public classes with signatures and docstrings, read from the source."""

from __future__ import annotations

import logging
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["API_PAGES", "api_page", "package"]

SOURCE = Path(__file__).resolve().parents[1] / "src"


class Page(NamedTuple):
    """A page of the reference: its title, its first paragraph, and the paths of its classes and functions."""

    title: str
    text: str
    members: tuple[str, ...]


API_PAGES = {
    "client": Page(
        "Client",
        "The synchronous client. `AsyncDidwwClient` has the same methods, with `await` and `async with`. Each resource "
        "has an accessor, such as `client.dids()`; [operations](operations.md) lists their methods.",
        ("client.DidwwClient", "configuration.Environment"),
    ),
    "operations": Page(
        "Operations",
        "The methods of the accessors: reading and changing on the example of `client.dids()`, creating and waiting on "
        "that of `client.orders()`. An accessor has those that its [resource](../resources/index.md) supports.",
        (
            "_endpoints.dids.DidsEndpoint",
            *(f"_endpoints.orders.OrdersEndpoint.{name}" for name in ("create", "create_many", "wait")),
        ),
    ),
    "queries-and-responses": Page(
        "Queries and responses",
        "What calls take and return.",
        (
            "query_params.QueryParams",
            "_core.response.ApiResponse",
            "_core.raw.RawResponse",
            "_endpoints.iterators.RecordIterator",
            "_core.bulk.Report",
            "_core.download.Progress",
        ),
    ),
    "records": Page(
        "Methods of records",
        "What every record has, besides the fields of its [resource](../resources/index.md).",
        ("_schema.resource.Resource", "_schema.nested.Nested", "_schema.meta.Meta", "enums.OpenStrEnum"),
    ),
    "exceptions": Page(
        "Exceptions",
        "The classes of all errors. [Errors](../errors.md) says when they occur and what to do.",
        ("exceptions",),
    ),
    "rate-limit": Page(
        "Limiters",
        "The limiter of a client, and limiters that several processes or hosts share.",
        ("rate_limit.local.RateLimiter", "rate_limit.shared"),
    ),
    "callbacks": Page(
        "Callbacks and call events",
        "Receive, verify and sign callbacks, and read call events.",
        (
            "callback.receiver.CallbackReceiver",
            "callback.verifier.CallbackVerifier",
            "callback.response.CallbackResponse",
            "callback.callback_request",
            "callback.stores",
            "callback.request_validator.RequestValidator",
            "callback.typed",
            "callback.call_event_verifier.CallEventVerifier",
            "callback.call_events",
        ),
    ),
    "call-records": Page(
        "Call records",
        "Call records as data: fetch and read them, keep them as Parquet files, and ask about them. The classes of the "
        "records have the [columns](../cdr-columns.md) as attributes.",
        (
            "_endpoints.exports.ExportsEndpoint.fetch",
            "_endpoints.exports.ExportsEndpoint.fetch_new",
            "_core.call_exports.FetchedFiles",
            "_core.call_exports.FetchProgress",
            "_core.call_rows.read_calls",
            "_core.call_rows.RejectedRow",
            "cdr.opening.open_calls",
            "cdr.calls.Calls",
            "cdr.answer.Answer",
            "cdr.dataset",
            "cdr.convert.arrow_batches",
            "cdr.sink.CallSink",
            "cdr.dlt_source",
        ),
    ),
    "encryption": Page("Encryption", "Encrypt documents before you upload them.", ("encrypt.Encrypt",)),
    "emulator": Page(
        "Emulator in Python",
        "The emulator from Python. [Control the emulator](../../how-to/emulator-control.md) shows it in use.",
        (
            "emulator.emulator.Emulator",
            "emulator.controls.clock.Clock",
            "emulator.http.server.running",
            "emulator.controls.ring.RingControls",
            "emulator.sip.report.RingReport",
            "emulator.sip.report.RingAttempt",
            "emulator.sip.far_end.FarEnd",
            "emulator.controls.sip.Sip",
            "emulator.controls.sip_state",
            "emulator.controls.call_events",
        ),
    ),
}


@cache
def package() -> griffe.Module:
    """Return the source of the package, with its docstrings."""
    logging.getLogger("griffe").setLevel(logging.ERROR)  # class keywords among the arguments of a class
    loaded = griffe.load("didww", search_paths=[str(SOURCE)], docstring_parser="google")
    assert isinstance(loaded, griffe.Module)
    return loaded


def api_page(name: str, note: str) -> str:
    """Return a page of the reference, with a note below its title."""
    page = API_PAGES[name]
    lines = [f"# {page.title}", "", note, "", page.text, ""]
    for path in page.members:
        member = package()[path]
        if isinstance(member, griffe.Module):
            for inner in public_members(member):
                if isinstance(inner, (griffe.Class, griffe.Function)):
                    lines += described(inner, 2)
        else:
            lines += described(member, 2)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def public_members(holder: Any) -> list[Any]:
    """Return the public members of a module or class, in the order of the source."""
    exported = [str(name) for name in holder.exports or []] if isinstance(holder, griffe.Module) else None
    members = [
        member
        for name, member in holder.members.items()
        if not member.is_alias and (name in exported if exported else not name.startswith("_"))
    ]
    return sorted(members, key=lambda member: member.lineno or 0)


def described(member: Any, level: int) -> Iterator[str]:
    """Yield the section of a class or function."""
    yield from (f"{'#' * level} {title(member)}", "")
    if isinstance(member, griffe.Class):
        bases = [str(base) for base in member.bases if not str(base).startswith("_")]
        constructor = member.members.get("__init__")
        if isinstance(constructor, griffe.Function) and len(constructor.parameters) > 1:
            yield from ("```text", signature(constructor, member.name), "```", "")
        if bases and bases[0].endswith("Error"):
            yield from (f"Subclass of {', '.join(f'`{base}`' for base in bases)}.", "")
        yield from sections(member)
        for inner in public_members(member):
            if inner.docstring is not None and inner.kind in (griffe.Kind.FUNCTION, griffe.Kind.ATTRIBUTE):
                yield from described(inner, level + 1)
        return
    if isinstance(member, griffe.Function):
        yield from ("```text", signature(member, member.name), "```", "")
    elif member.annotation is not None:
        yield from (f"Type: `{member.annotation}`", "")
    yield from sections(member)


def title(member: Any) -> str:
    """Return the heading of a member: its name, with that of its class."""
    holder = member.parent
    return f"{holder.name}.{member.name}" if isinstance(holder, griffe.Class) else member.name


def signature(function: griffe.Function, name: str) -> str:
    """Return the call with its parameters, one a line if they are many."""
    shown: list[str] = []
    star = False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind
        if kind is griffe.ParameterKind.keyword_only and not star:
            shown.append("*")
            star = True
        prefix = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(kind, "")
        star = star or prefix == "*"
        annotation = f": {parameter.annotation}" if parameter.annotation is not None else ""
        default = ""
        if parameter.default is not None and not prefix:
            default = f" = {parameter.default}" if annotation else f"={parameter.default}"
        shown.append(f"{prefix}{parameter.name}{annotation}{default}")
    returns = f" -> {function.returns}" if function.returns is not None and function.name != "__init__" else ""
    line = f"{name}({', '.join(shown)}){returns}"
    if len(line) <= 88:
        return line
    inner = "".join(f"    {text},\n" for text in shown)
    return f"{name}(\n{inner}){returns}"


def sections(member: Any) -> Iterator[str]:
    """Yield the docstring as Markdown."""
    for part in member.docstring.parsed if member.docstring is not None else ():
        match part.kind:
            case griffe.DocstringSectionKind.text:
                yield from (prose(part.value), "")
            case griffe.DocstringSectionKind.parameters if not callable_with(member, part.value[0].name):
                pass  # keywords of a class statement, for those who declare resources
            case griffe.DocstringSectionKind.parameters | griffe.DocstringSectionKind.attributes:
                heading = "Arguments" if part.kind is griffe.DocstringSectionKind.parameters else "Attributes"
                yield from (f"{heading}:", "")
                yield from (f"- `{item.name}`: {inline(item.description)}" for item in part.value)
                yield ""
            case griffe.DocstringSectionKind.raises:
                yield from ("Raises:", "")
                yield from (f"- `{item.annotation}`: {inline(item.description)}" for item in part.value)
                yield ""
            case griffe.DocstringSectionKind.returns | griffe.DocstringSectionKind.yields:
                yield from (f"Returns: {inline(item.description)}" for item in part.value)
                yield ""
            case griffe.DocstringSectionKind.examples:
                yield from ("Example:", "")
                for kind, text in part.value:
                    if kind is griffe.DocstringSectionKind.examples:
                        yield from ("```pycon", text.strip(), "```", "")
                    else:
                        yield from (text, "")
            case griffe.DocstringSectionKind.admonition:
                yield from (prose(f"{part.title}:\n\n{part.value.description}"), "")
            case _:
                raise ValueError(f"{member.path}: a section of kind {part.kind}")


def callable_with(member: Any, name: str) -> bool:
    """Return whether a function, or the constructor of a class, has a parameter."""
    function = member.members.get("__init__") if isinstance(member, griffe.Class) else member
    return function is None or name.lstrip("*") in {parameter.name for parameter in function.parameters}


def prose(text: str) -> str:
    """Return the text of a docstring with its doctests as code blocks."""
    blocks: list[str] = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith(("Class keywords", "Facts:", "Source: tests/")):
            continue  # for those who declare resources
        dedented = "\n".join(line.removeprefix("    ") for line in paragraph.split("\n"))
        if dedented.lstrip().startswith(">>>"):
            blocks.append(f"```pycon\n{dedented.strip()}\n```")
        elif paragraph.startswith("    "):
            blocks.append(f"```text\n{dedented}\n```")
        else:
            blocks.append(linked(paragraph))
    return "\n\n".join(blocks)


def inline(text: str) -> str:
    """Return the description of an argument in one paragraph."""
    return linked(" ".join(text.split()))


def linked(text: str) -> str:
    """Return text with links to the pages that it names."""
    return re.sub(r"\bdocs/([\w/-]+/([\w-]+))\.md", r"[\2](../../\1.md)", text)
