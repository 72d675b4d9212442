"""Suggest known names for a misspelled one, for error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["close_names", "did_you_mean", "question"]

ALIASES: Final = {
    "g711": ("pcmu", "pcma"),
    "g711u": ("pcmu",),
    "g711a": ("pcma",),
    "ulaw": ("pcmu",),
    "alaw": ("pcma",),
    "company": ("business",),
    "person": ("personal",),
    "individual": ("personal",),
}
"""Common names elsewhere, lowercase and alphanumeric only, and the corresponding names in this API."""

_CLOSE: Final = 0.75
"""Minimum similarity of a suggested name."""
_ALMOST: Final = 0.85
"""Minimum similarity of a typo, which is preferred to a longer name that contains the word."""
_SHORT: Final = 2
"""Maximum length of a name that is too short to be matched as a part of another."""
_MAX_NAMES: Final = 3


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the known names that were probably meant, or an empty string.

    Example:
        >>> did_you_mean("nmae", ["id", "name"])
        " Did you mean 'name'?"
        >>> did_you_mean("trunks", ["order", "voice_in_trunk", "voice_in_trunk_group"])
        " Did you mean 'voice_in_trunk'?"
        >>> did_you_mean("dtmf", ["rx_dtmf_format_id", "tx_dtmf_format_id", "port"])
        " Did you mean 'rx_dtmf_format_id' or 'tx_dtmf_format_id'?"
        >>> did_you_mean("transport", ["port", "host"])
        ''
    """
    return question(repr(known_name) for known_name in close_names(name, known))


def question(names: Iterable[str]) -> str:
    """Return " Did you mean ...?" with `names`, or an empty string if there are none."""
    *others, last = list(names) or [""]
    return f" Did you mean {', '.join(others)}{' or ' if others else ''}{last}?" if last else ""


def close_names(name: object, known: Iterable[str]) -> list[str]:
    """Return the known names that `name` probably means: a typo, an abbreviation, or a name used elsewhere.

    Names that merely look similar do not count: different digits or a different word mean a different thing.
    """
    import difflib  # imported only for errors

    if not isinstance(name, str):
        return []
    name, names = name[:80], list(known)
    letters = "".join(filter(str.isalnum, name.lower()))
    if aliases := [known_name for known_name in names if known_name.lower() in ALIASES.get(letters, ())]:
        return aliases

    def misspelled(cutoff: float) -> list[str]:
        close = difflib.get_close_matches(name, names, n=_MAX_NAMES, cutoff=cutoff)
        return [match for match in close if _digits(match) == _digits(name) and same_words(match)][:1]

    def same_words(match: str) -> bool:
        words, others = name.split("_"), match.split("_")
        return len(words) != len(others) or all(
            difflib.SequenceMatcher(None, *pair).ratio() >= _CLOSE for pair in zip(words, others, strict=True)
        )

    def longer() -> list[str]:
        matches = [known_name for known_name in names if any(_contains(known_name, text) for text in (whole, part))]
        fewest = min((match.count("_") for match in matches), default=0)
        named = [match for match in matches if match.endswith(f"_{part}")] if "_" not in part else []
        return (named or [match for match in matches if match.count("_") == fewest])[:_MAX_NAMES]

    whole = name.strip("-")
    part = whole.removesuffix("s")
    if len(whole) <= _SHORT:
        return misspelled(_CLOSE)
    return (
        misspelled(_ALMOST)
        or longer()
        or misspelled(_CLOSE)
        or sorted((known_name for known_name in names if part in known_name), key=len)[:1]
    )


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _contains(name: str, part: str) -> bool:
    """Return whether `name` contains the words of `part` in sequence; a plural `name` counts as singular."""
    words, part_words = name.removesuffix("s").split("_"), part.split("_")
    return any(words[at : at + len(part_words)] == part_words for at in range(len(words)))
