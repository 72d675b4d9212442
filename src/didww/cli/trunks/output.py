"""Print a trunk: for a person in the words of the options, else as the API has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cli.field_options import described
from didww.cli.output import RecordTable, print_row
from didww.cli.trunks.options import ALL_OPTIONS, TARGET_OPTIONS
from didww.cli.trunks.pops import includes, pop_of
from didww.cli.trunks.use import destination
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from didww.cli.session import Settings

__all__ = ["TrunkOutput"]

_TARGET: Final = {option.field.name for option in TARGET_OPTIONS}


class TrunkOutput:
    """Prints one trunk.

    Args:
        settings: The output options.
        secrets: Whether to print credentials.
    """

    def __init__(self, settings: Settings, *, secrets: bool) -> None:
        self._settings = settings
        self._secrets = secrets
        self._table = RecordTable(settings, VoiceInTrunk, secrets=secrets)

    @property
    def includes(self) -> list[str]:
        """The include paths that are needed."""
        return list(dict.fromkeys([*self._table.includes, "voice_in_trunk_group", *includes(self._settings.version)]))

    def print(
        self, trunk: VoiceInTrunk, more: dict[str, Any] | None = None, *, only: AbstractSet[str] | None = None
    ) -> None:
        """Print a trunk, and more values by name.

        Args:
            trunk: The trunk.
            more: More values.
            only: The fields to show to a person, besides name, destination and group. Defaults to all.
        """
        if self._settings.for_person:
            print_row(self._settings, {**self._in_words(trunk, only), **(more or {})})
        else:
            self._table.print_one(trunk, more)

    def _in_words(self, trunk: VoiceInTrunk, only: AbstractSet[str] | None) -> dict[str, Any]:
        group, configuration = trunk.voice_in_trunk_group, trunk.configuration
        options = [option for option in ALL_OPTIONS if only is None or option.field.name in only - _TARGET]
        row: dict[str, Any] = {
            "id": trunk.id,
            "name": trunk.name,
            "calls go to": destination(trunk),
            "group": None if group is None else group.name,
        }
        if only is None or "pop" in only:
            row["point of presence"] = pop_of(trunk)
        row |= described(options, trunk, secrets=self._secrets)
        row |= described(options, configuration, secrets=self._secrets)
        if isinstance(configuration, SipConfiguration) and configuration.enabled_sip_registration:
            user, password = configuration.incoming_auth_username, configuration.incoming_auth_password
            row |= {"registers as": user, "with password": password} if self._secrets else {"registers as": "***"}
        return row if only is not None else row | {"created": trunk.created_at}
