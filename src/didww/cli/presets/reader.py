"""Read the presets, and resolve one with the values that the user supplies."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from didww._util.suggest import did_you_mean
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from importlib.resources.abc import Traversable

__all__ = [
    "EXPLAINED",
    "MARKS",
    "Addresses",
    "Preset",
    "Setting",
    "Source",
    "UserValue",
    "addresses",
    "load",
    "names",
    "transfers",
]

MARKS: Final = {
    "contract": "confirmed",
    "F": "confirmed",
    "E": "confirmed",
    "T": "third party",
    "I": "assumed",
    "?": "unconfirmed",
}
"""How sure a fact is, by the marks of the data: the surest first. F: page read in full, E: opening of the page read,
contract: document of the API."""
EXPLAINED: Final = (
    "Confirmed: on a page of the platform or of DIDWW. Third party: on a page of others. Assumed: concluded from such "
    "pages. Unconfirmed: on no page."
)

_PLACEHOLDER: Final = re.compile(r"<([a-z]+)>")
_VALUE: Final = re.compile(r"[A-Za-z0-9._:-]+")


class Setting(NamedTuple):
    """A value of a field, in the words of the options. An empty mark: that of the sources."""

    value: Any
    sure: str = ""
    note: str = ""


class Source(NamedTuple):
    """A page that facts were taken from."""

    title: str
    sure: str


class UserValue(NamedTuple):
    """A value that the user supplies, by `--set` or by `option`.

    Attributes:
        choices: The settings that each choice changes; empty if any text will do.
    """

    name: str
    help: str
    required: bool = False
    default: str = ""
    option: str = ""
    choices: Mapping[str, Mapping[str, Any]] = {}


@dataclasses.dataclass(frozen=True)
class Preset:
    """What a platform needs.

    Attributes:
        settings: By field of the configuration.
        trunk: By field of the trunk.
        ports: The port for each transport that the platform takes; empty if not stated.
        ask: Fields that the user must decide, with the reason.
        steps: To do at the platform.
    """

    name: str
    title: str
    unverified: bool
    settings: Mapping[str, Setting]
    trunk: Mapping[str, Setting]
    values: tuple[UserValue, ...]
    ports: Mapping[str, int]
    ask: Mapping[str, str]
    digest: str
    steps: tuple[str, ...]
    outbound: str
    notes: tuple[str, ...]
    sources: tuple[Source, ...]

    def sure(self, setting: Setting) -> str:
        """Return how sure a setting is, in words: without a mark of its own, as sure as the best source."""
        marks = [setting.sure] if setting.sure else [source.sure for source in self.sources]
        return next(word for mark, word in MARKS.items() if mark in marks)

    def resolve(self, given: Mapping[str, str], explicit: Collection[str]) -> dict[str, Any]:
        """Return the settings of the configuration, in the words of the options.

        Args:
            given: Values by name, of `--set`.
            explicit: The fields that the user sets by options, which the preset leaves alone.

        Raises:
            InvalidValueError: A value is missing, unknown or not allowed.
        """
        known = {value.name: value for value in self.values}
        for name in given:
            if name not in known:
                has = f"Values: {', '.join(known)}." if known else "It takes none."
                raise InvalidValueError(
                    f"--set {name}: {self.title} has no value {name!r:.80}.{did_you_mean(name, known)} {has}"
                )
        settings = {field: setting.value for field, setting in self.settings.items()}
        for value in self.values:
            if value.choices:
                settings |= _chosen(value, given.get(value.name, value.default))
        wanted = {field: value for field, value in settings.items() if field not in explicit}
        for field, reason in self.ask.items():
            if field not in explicit:
                raise InvalidValueError(f"{reason} Decide it with {_ASKED[field]}.")
        return {field: self._filled(value, given) for field, value in wanted.items()}

    def _filled(self, value: Any, given: Mapping[str, str]) -> Any:
        """Return a value with the texts of the user in the place of `<name>`."""
        if not isinstance(value, str):
            return value

        def fill(match: re.Match[str]) -> str:
            name = match[1]
            text = given.get(name, "")
            if not text:
                wanted = next(value for value in self.values if value.name == name)
                option = f"{wanted.option} VALUE" if wanted.option else f"--set {name}=VALUE"
                raise InvalidValueError(f"{self.title} needs this: {wanted.help} Pass it as {option}.")
            if not _VALUE.fullmatch(text):
                raise InvalidValueError(
                    f"--set {name} must have letters, digits, '.', '_', '-' and ':' only, got {text!r:.80}."
                )
            return text

        return _PLACEHOLDER.sub(fill, value)


_ASKED: Final = {"media_encryption_mode": "--encryption disabled or --encryption srtp_sdes"}


def _chosen(value: UserValue, choice: str) -> Mapping[str, Any]:
    if choice not in value.choices:
        raise InvalidValueError(
            f"--set {value.name} must be one of {', '.join(value.choices)}, got {choice!r:.80}."
            f"{did_you_mean(choice, value.choices)}"
        )
    return value.choices[choice]


def names() -> list[str]:
    """Return the names of the presets."""
    texts = (file.name.removesuffix(".toml") for file in _data().iterdir())
    return sorted(name for name in texts if not name.startswith(("_", ".")))


def load(name: str) -> Preset:
    """Return a preset.

    Raises:
        InvalidValueError: There is none of this name.
    """
    known = names()
    name = name.strip().lower()
    if name not in known:
        raise InvalidValueError(
            f"There is no preset {name!r:.80}.{did_you_mean(name, known)} Presets: {', '.join(known)}."
        )
    base, own = _read("_base"), _read(name)
    omitted = {*own.get("omit", {}), *own.get("ask", {})}
    settings = {field: each for field, each in (base["settings"] | own["settings"]).items() if field not in omitted}
    return Preset(
        name=name,
        title=own["title"],
        unverified=own.get("unverified", False),
        settings=_settings(settings),
        trunk=_settings(base["trunk"]),
        values=tuple(UserValue(each, **value) for each, value in own.get("values", {}).items()),
        ports=own.get("ports", {}),
        ask=own.get("ask", {}),
        digest=own.get("digest", ""),
        steps=tuple(own["steps"]),
        outbound=own.get("outbound", ""),
        notes=tuple(own.get("notes", ())),
        sources=tuple(Source(**source) for source in own["sources"]),
    )


def transfers() -> list[str]:
    """Return what transfers of calls need."""
    return cast("list[str]", _read("_base")["transfers"])


class Addresses(NamedTuple):
    """Addresses of DIDWW that a firewall has to allow.

    Attributes:
        sip: Where calls come from: addresses by place.
        outbound: Where calls to DIDWW go: addresses by host name.
        media: The networks of RTP.
        registrars: Addresses of registrars by host name.
    """

    sip: Mapping[str, list[str]]
    outbound: Mapping[str, list[str]]
    media: list[str]
    media_sure: str
    registrars: Mapping[str, list[str]]
    source: str
    sure: str
    without_pop: str


def addresses() -> Addresses:
    """Return the addresses of DIDWW."""
    data = _read("_addresses")
    return Addresses(
        sip={place["name"]: place["inbound"] for place in data["places"]},
        outbound={place["outbound_host"]: place["outbound"] for place in data["places"]},
        media=data["media"]["networks"],
        media_sure=data["media"]["sure"],
        registrars=data["registrars"],
        source=data["source"],
        sure=data["sure"],
        without_pop=data["without_pop"],
    )


def _settings(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Setting]:
    return {field: Setting(**setting) for field, setting in table.items()}


def _data() -> Traversable:
    return files("didww.cli.presets") / "data"


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_data() / f"{name}.toml").read_text("utf-8"))
