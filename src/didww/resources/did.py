"""The numbers that the account owns: their routing, capacity, billing and registration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww.resources.base import Resource
from didww.resources.fields import attribute, linkable, relationship, writable
from didww.resources.filters import Flag, OptionalTexts, Texts

if TYPE_CHECKING:
    from didww.resources.did_group import DidGroup
    from didww.resources.order import Order
    from didww.resources.voice_in_trunk import VoiceInTrunk
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

DidFilter = TypedDict(
    "DidFilter",
    {"number": OptionalTexts, "terminated": Flag, "did_group.features": Texts},
    total=False,
)
DidInclude = Literal["did_group", "order", "voice_in_trunk", "voice_in_trunk_group"]
DidSort = Literal["number", "-number"]


class Did(
    Resource,
    type="dids",
    operations=("list", "find", "update"),
    extra_operations=("delete",),
    filter=DidFilter,
    include=DidInclude,
    sort=DidSort,
):
    """A number that the account owns.

    Source: contract file dids.
    """

    number: str = attribute("E.164 digits without a plus sign.")
    description: str | None = writable("Free text of the account's own.", on="update")
    capacity_limit: int | None = writable(
        "Most concurrent calls, 0 to 32767; None for no limit.", on="update", low=0, high=32767
    )
    created_at: datetime = attribute("When the account got the number.")
    expires_at: datetime | None = attribute("When the running billing period ends.")
    order: Order | None = relationship("The order that bought it.")
    did_group: DidGroup | None = relationship("The group that it belongs to.")
    voice_in_trunk: VoiceInTrunk | None = linkable(
        "The trunk that gets its calls.", on="update", excludes="voice_in_trunk_group"
    )
    voice_in_trunk_group: VoiceInTrunkGroup | None = linkable(
        "The trunk group that gets its calls.", on="update", excludes="voice_in_trunk"
    )
