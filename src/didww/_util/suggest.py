"""Words that messages share."""

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
"""What things are called elsewhere, and the names that they have here; by letters alone, all of them small."""

_CLOSE: Final = 0.75
_ALMOST: Final = 0.85
"""How much of a name must be right; with so much of it, it is not another name in short."""
_SHORT: Final = 2
"""Letters that are too few to be a part of a name."""
_MOST: Final = 3


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return a question for the known names that were probably meant, with a space before it; empty if there are none.

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
    return question(repr(one) for one in close_names(name, known))


def question(names: Iterable[str]) -> str:
    """Return the question whether one of `names` was meant, with a space before it; empty if there are none."""
    *others, last = list(names) or [""]
    return f" Did you mean {', '.join(others)}{' or ' if others else ''}{last}?" if last else ""


def close_names(name: object, known: Iterable[str]) -> list[str]:
    """Return the known names that `name` is probably meant to be: misspelled, shortened, or called otherwise elsewhere.

    A name that merely looks alike is none of them: other digits, or another word in one place, mean another thing.
    """
    import difflib  # for mistakes only

    if not isinstance(name, str):
        return []
    name, names = name[:80], list(known)
    letters = "".join(filter(str.isalnum, name.lower()))
    if aliases := [one for one in names if one.lower() in ALIASES.get(letters, ())]:
        return aliases

    def misspelled(cutoff: float) -> list[str]:
        close = difflib.get_close_matches(name, names, n=_MOST, cutoff=cutoff)
        return [one for one in close if _digits(one) == _digits(name) and same_words(one)][:1]

    def same_words(one: str) -> bool:
        words, others = name.split("_"), one.split("_")
        return len(words) != len(others) or all(
            difflib.SequenceMatcher(None, *pair).ratio() >= _CLOSE for pair in zip(words, others, strict=True)
        )

    def longer() -> list[str]:
        found = [one for one in names if any(_holds(one, some) for some in (whole, part))]
        least = min((one.count("_") for one in found), default=0)
        return [one for one in found if one.count("_") == least][:_MOST]

    whole = name.strip("-")
    part = whole.removesuffix("s")
    if len(whole) <= _SHORT:
        return misspelled(_CLOSE)
    return (
        misspelled(_ALMOST)
        or longer()
        or misspelled(_CLOSE)
        or sorted((one for one in names if part in one), key=len)[:1]
    )


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _holds(one: str, other: str) -> bool:
    """Whether the words of `other` stand in `one`, one after the other; a plural counts as its singular."""
    words, some = one.removesuffix("s").split("_"), other.split("_")
    return any(words[at : at + len(some)] == some for at in range(len(words)))
