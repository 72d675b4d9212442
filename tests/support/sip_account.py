"""An account with a number that is routed to a group of trunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww import Codec, DidOrderItem, Order, ReroutingDisconnectCode, SipConfiguration, VoiceInTrunk, VoiceInTrunkGroup

if TYPE_CHECKING:
    from didww import DidwwClient
    from didww.emulator import Emulator

RC = ReroutingDisconnectCode


def buy_number(emulator: Emulator, client: DidwwClient) -> str:
    """Buy a number and return it."""
    group = client.did_groups().first(
        filter={
            "country.id": client.countries().one(filter={"iso": "GB"}),
            "needs_registration": False,
            "is_available": True,
        },
        include="stock_keeping_units",
    )
    assert group is not None
    order = client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)])).data
    if order.status == "pending":
        emulator.transitions.complete(order.id)
    return str(client.dids().list(filter={"order.id": order.id}).data[0].number)


def route_to_group(client: DidwwClient, number: str, *names: str, port: int = 5071) -> None:
    """Route a number to a new group of SIP trunks, in the order of their names, rerouted on 486 and 408."""
    trunks = [
        client.voice_in_trunks()
        .create(
            VoiceInTrunk(
                name=name,
                priority=place + 1,
                weight=1,
                configuration=SipConfiguration(
                    host="127.0.0.1",
                    port=port + place,
                    username="{DID}",
                    codec_ids=[Codec.PCMU, Codec.PCMA],
                    sip_timer_b=2000,
                    rerouting_disconnect_code_ids=[RC.SIP_486_BUSY_HERE, RC.SIP_408_REQUEST_TIMEOUT],
                ),
            )
        )
        .data
        for place, name in enumerate(names)
    ]
    group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Failover", voice_in_trunks=trunks)).data
    did = client.dids().one(filter={"number": number})
    did.voice_in_trunk_group = group
    client.dids().update(did)
