"""`didww trunks presets`, and what is printed after a trunk was created from one."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.framework import Command
from didww.cli.output import print_row, print_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from click.shell_completion import CompletionItem

    from didww.cli.presets.reader import Preset, Setting
    from didww.cli.session import Session

__all__ = ["UNVERIFIED", "PresetOption", "after_creation", "complete_presets", "presets"]

_MARK: Final = re.compile(r"\d+\. |- |  ")
"""What lines of a list begin with."""

UNVERIFIED: Final = "Unverified: parts of this preset are assumed or unconfirmed. Make a test call."


def complete_presets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 click's
    """Complete the name of a preset."""
    from click.shell_completion import CompletionItem

    from didww.cli.presets import reader

    return [CompletionItem(name) for name in reader.names() if name.startswith(incomplete)]


class PresetOption(click.Option):
    """An option whose help lists the presets, read only then."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help."""
        from didww.cli.presets import reader

        presets = [reader.load(name) for name in reader.names()]
        unverified = ", ".join(preset.name for preset in presets if preset.unverified)
        others = ", ".join(preset.name for preset in presets if not preset.unverified)
        self.help = (
            f"With the settings of a platform; options override them. Platforms: {others}; unverified: {unverified}. "
            "See: didww trunks presets."
        )
        return super().get_help_record(ctx)


@click.command(
    cls=Command,
    examples=("didww trunks presets", "didww trunks presets openai", "didww trunks presets livekit -o json"),
)
@click.argument("platform", required=False, shell_complete=complete_presets)
@click.pass_obj
def presets(session: Session, platform: str | None) -> None:
    """List the presets of `didww trunks create --for`, or show one in full.

    Each value has a mark that says how sure it is. The facts are from public pages of November 2026; none was tried
    with a call. Presets marked as unverified have assumed or unconfirmed parts.
    """
    from didww.cli.presets import reader

    if platform is None:
        rows = [_summary(reader.load(name)) for name in reader.names()]
        print_rows(session.settings, rows, ["preset", "platform", "needs", "unverified"])
        return
    preset = reader.load(platform)
    settings = session.settings
    if settings.output in ("table", "csv") and settings.query is None:
        print_rows(settings, list(_rows(preset)), ["setting", "value", "how sure", "note"])
        _say(session, reader.EXPLAINED)
        for line in _about(preset):
            _say(session, line)
    else:
        print_row(settings, _object(preset))


def _needs(preset: Preset) -> list[str]:
    values = [value.option or f"--set {value.name}=..." for value in preset.values if value.required]
    return [*values, *(_option_of(field) for field in preset.ask)]


def _option_of(field: str) -> str:
    """Return the option that sets a field."""
    from didww.cli.trunks.options import ALL_OPTIONS

    names = {option.field.name: option.opts[-1] for option in ALL_OPTIONS}
    return names[field]


def _summary(preset: Preset) -> dict[str, Any]:
    return {
        "preset": preset.name,
        "platform": preset.title,
        "needs": _needs(preset),
        "unverified": preset.unverified,
    }


def _rows(preset: Preset) -> Iterator[dict[str, Any]]:
    for field, setting in (*preset.settings.items(), *preset.trunk.items()):
        yield {
            "setting": _option_of(field),
            "value": setting.value,
            "how sure": preset.sure(setting),
            "note": setting.note,
        }


def _about(preset: Preset) -> Iterator[str]:
    """Yield the rest of a preset, as sentences."""
    from didww.cli.presets import reader

    if preset.unverified:
        yield UNVERIFIED
    for value in preset.values:
        choices = f" One of {', '.join(value.choices)}." if value.choices else ""
        need = "required" if value.required else f"defaults to {value.default}"
        yield f"{value.option or f'--set {value.name}=...'} ({need}): {value.help}{choices}"
    for field, reason in preset.ask.items():
        yield f"{_option_of(field)} (required): {reason}"
    if preset.digest:
        yield f"Digest (--auth-user): {preset.digest}"
    if preset.outbound:
        yield f"Calls from the platform to DIDWW: {preset.outbound}"
    yield from _steps(preset)
    yield "Transfers:"
    yield from (f"- {line}" for line in reader.transfers())
    yield "Outbound hosts of DIDWW:"
    hosts = reader.addresses().outbound
    yield from (f"  {name:<{max(map(len, hosts))}}  {', '.join(each)}" for name, each in hosts.items())
    yield "Sources:"
    yield from (f"- {source.title}{_doubt(source.sure)}" for source in preset.sources)


def _steps(preset: Preset) -> Iterator[str]:
    yield f"To do at {preset.title}:"
    yield from (f"{number}. {step}" for number, step in enumerate(preset.steps, 1))
    yield from (f"Note: {note}" for note in preset.notes)
    yield from _addresses(preset)


def _addresses(preset: Preset) -> Iterator[str]:
    """Yield the addresses that a firewall has to allow."""
    from didww.cli.presets import reader

    known = reader.addresses()
    if "enabled_sip_registration" in preset.settings:
        yield f"Registrars: {'; '.join(_host(*each) for each in known.registrars.items())}"
    else:
        yield "Calls come from (SIP):"
        width = max(len(place) for place in known.sip)
        yield from (f"  {place:<{width}}  {', '.join(each)}" for place, each in known.sip.items())
        yield f"  {known.without_pop}"
    yield f"Media networks{_doubt(known.media_sure)}: {', '.join(known.media)}"
    yield f"Source of the addresses: {known.source}{_doubt(known.sure)}."


def _doubt(mark: str) -> str:
    """Return how sure a source is, in parentheses, if it is not confirmed."""
    from didww.cli.presets.reader import MARKS

    return "" if MARKS[mark] == "confirmed" else f" ({MARKS[mark]})"


def _say(session: Session, line: str) -> None:
    """Print a line; on a terminal, wrapped between words."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        mark = _MARK.match(line)
        indent = 0 if mark is None else mark.end()
        line = line[:indent] + click.wrap_text(line[indent:], width - 1 - indent, subsequent_indent=" " * indent)
    for each in line.splitlines():
        session.say(each)


def _host(name: str, each: list[str]) -> str:
    return f"{name} ({', '.join(each)})" if each else name


def _object(preset: Preset) -> dict[str, Any]:
    from didww.cli.presets import reader

    known = reader.addresses()
    return {
        **_summary(preset),
        "settings": _sure(preset, preset.settings),
        "trunk": _sure(preset, preset.trunk),
        "values": [value._asdict() for value in preset.values],
        "ports": dict(preset.ports),
        "digest": preset.digest,
        "outbound": preset.outbound,
        "steps": list(preset.steps),
        "notes": list(preset.notes),
        "transfers": reader.transfers(),
        "sources": [{"title": source.title, "sure": reader.MARKS[source.sure]} for source in preset.sources],
        "addresses": {
            "sip": dict(known.sip),
            "outbound": dict(known.outbound),
            "media": known.media,
            "registrars": dict(known.registrars),
        },
    }


def _sure(preset: Preset, settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {field: {**each._asdict(), "sure": preset.sure(each)} for field, each in settings.items()}


def after_creation(session: Session, preset: Preset, *, digest: bool) -> None:
    """Print what is left to do at the platform."""
    for line in _steps(preset):
        _say(session, line)
    if preset.digest and not digest:
        _say(session, f"Digest (--auth-user): {preset.digest}")
    session.say(f"Values, sources, transfers: didww trunks presets {preset.name}")
