"""The point of presence of a trunk: a related record until API version 2026-04-16, then an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww._util.suggest import did_you_mean
from didww.cli.choices import choice
from didww.enums import PopCode
from didww.exceptions import NotExactlyOneError
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from didww.resources.pop import Pop
    from didww.version import ApiVersion

__all__ = ["includes", "pop_of", "set_pop"]


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
        trunk.pop_code = None if none else PopCode(choice(PopCode, text, field="pop").value)


def _is_related(version: ApiVersion) -> bool:
    return VoiceInTrunk._field_map["pop"].versions.includes(version)


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
        f"There is no point of presence {text!r:.80}.{did_you_mean(text, names)} There are: {', '.join(names)}."
    )
