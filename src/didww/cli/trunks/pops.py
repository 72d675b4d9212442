"""The point of presence of a trunk: a related record until API version 2026-04-16, then an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._util.suggest import did_you_mean, question
from didww.cli import parameters
from didww.cli.choices import choices
from didww.cli.framework import SectionOption, is_in_use
from didww.enums import PopCode
from didww.exceptions import InvalidValueError, NotExactlyOneError
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    from didww.resources.pop import Pop
    from didww.version import ApiVersion

__all__ = ["includes", "pop_of", "pop_option", "set_pop"]

_CODES: Final = choices(PopCode)


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the codes of the attribute, or the names of the related records."""
    from click.shell_completion import CompletionItem

    if is_in_use(ctx, VoiceInTrunk._field_map["pop_code"].versions):
        return [CompletionItem(code) for code in _CODES if code.casefold().startswith(incomplete.casefold())]
    found: list[CompletionItem] = parameters.complete_pops(ctx, param, incomplete)
    return found


def pop_option(metavar: str, text: str) -> Callable[[Any], Any]:
    """Return the option `--pop`.

    Args:
        metavar: What the value is called.
        text: What it does, without a full stop.
    """
    since = VoiceInTrunk._field_map["pop_code"].versions.in_words()
    until = VoiceInTrunk._field_map["pop"].versions.in_words()
    return click.option(
        "--pop",
        cls=SectionOption,
        section="Trunk",
        metavar=metavar,
        shell_complete=_complete,
        help=f"{text}. Values {since}: {', '.join(_CODES)}; {until}: names such as 'DE, FRA', or FRA.",
    )


def includes(version: ApiVersion) -> list[str]:
    """Return the include paths that `pop_of` needs."""
    return ["pop"] if _is_related(version) else []


def pop_of(trunk: VoiceInTrunk) -> str | None:
    """Return the name of the point of presence of a trunk; None if it is not pinned to one."""
    if "pop_code" in trunk._attributes:
        return None if trunk.pop_code is None else str(trunk.pop_code.value)
    return None if trunk.pop is None else trunk.pop.name


def set_pop(client: Any, trunk: VoiceInTrunk, text: str) -> None:
    """Pin a trunk to a point of presence by name or code, or to none.

    Raises:
        InvalidValueError: There is none of this name.
        NotExactlyOneError: There is none of this name.
    """
    none = text.strip().lower() == "none"
    if _is_related(client._configuration.api_version):
        trunk.pop = None if none else _pop_named(client, text)
    else:
        trunk.pop_code = None if none else _code(text)


def _is_related(version: ApiVersion) -> bool:
    return VoiceInTrunk._field_map["pop"].versions.includes(version)


def _code(text: str) -> PopCode:
    """Return the code of a text: a code, or a name of the earlier version that ends with one, such as `DE, FRA`."""
    member = _CODES.get(text.rpartition(",")[2].strip().upper())
    if member is None:
        raise InvalidValueError(
            f"There is no point of presence {text!r:.80}.{_similar(text, _CODES)} There are: {', '.join(_CODES)}.",
            field="pop",
        )
    return PopCode(member.value)


def _similar(text: str, names: Iterable[str]) -> str:
    """Return a question with the names that were probably meant.

    The two versions abbreviate places differently: `US, NY` is `NYC`, and `SG, SIN` is `SG`.
    """
    known = list(names)
    for part in reversed(_parts(text)):
        alike = [name for name in known if any(_is_start(part, other) for other in _parts(name)[-1:])]
        if alike:
            return question(map(repr, alike))
    return did_you_mean(text, known)


def _parts(name: str) -> list[str]:
    return [part for text in name.split(",") if (part := text.strip().casefold())]


def _is_start(part: str, other: str) -> bool:
    return len(part) > 1 and (part.startswith(other) or other.startswith(part))


def _pop_named(client: Any, text: str) -> Pop:
    """Return a point of presence by name such as `DE, FRA`, by the last part of it, or by id."""
    pops: list[Pop] = client.pops().list().data
    wanted = text.strip().casefold()
    for each in pops:
        name = each.name.casefold()
        if wanted in (name, name.rpartition(", ")[2], each.id):
            return each
    names = [each.name for each in pops]
    raise NotExactlyOneError(
        f"There is no point of presence {text!r:.80}.{_similar(text, names)} There are: {', '.join(names)}."
    )
