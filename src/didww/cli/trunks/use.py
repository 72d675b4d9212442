"""Who uses a trunk or a trunk group: the numbers that are routed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from didww.resources.voice_in_trunk import VoiceInTrunk

__all__ = ["SHOWN", "Use", "affected", "destination", "routed"]

SHOWN: Final = 5
"""Maximum number of phone numbers in a sentence."""


class Use(NamedTuple):
    """Numbers that are routed to something: how many, and the first hundred."""

    total: int
    numbers: list[str]

    def sentence(self, target: str) -> str:
        """Return how many numbers are routed to a target, and which."""
        if not self.total:
            return f"No number is routed to {target}."
        more = f" and {self.total - SHOWN} more" if self.total > SHOWN else ""
        verb = "number is" if self.total == 1 else "numbers are"
        return f"{self.total} {verb} routed to {target}: {', '.join(self.numbers[:SHOWN])}{more}."


def routed(client: Any, relationship: str, id: str) -> Use:
    """Return the numbers that are routed to a trunk (`voice_in_trunk`) or a group (`voice_in_trunk_group`)."""
    page = client.dids().list(
        filter={f"{relationship}.id": id}, sort="number", page=(1, 100), fields={"dids": ["number"]}
    )
    numbers = [did.number for did in page.data]
    return Use(page.total_records or len(numbers), numbers)


def affected(client: Any, trunk: VoiceInTrunk) -> list[str]:
    """Return a sentence for each way that numbers use a trunk, which was loaded with its group."""
    sentences = [routed(client, "voice_in_trunk", trunk.id).sentence("the trunk")]
    group = trunk.voice_in_trunk_group
    if group is not None:
        sentences.append(routed(client, "voice_in_trunk_group", group.id).sentence(f"its group {group.name!r}"))
    return sentences


def destination(trunk: VoiceInTrunk) -> str:
    """Return where a trunk sends calls, in words."""
    from didww.resources.configuration.pstn import PstnConfiguration

    configuration = trunk.configuration
    if isinstance(configuration, PstnConfiguration):
        return f"+{configuration.dst}"
    if configuration.enabled_sip_registration:
        return "registered device"
    return f"{configuration.host}:{configuration.port}" if configuration.port else str(configuration.host)
