"""A number of the emulator whose calls go to SIP programs on the loopback interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww import (
    Codec,
    ExportType,
    InboundCall,
    ReroutingDisconnectCode,
    SharedCapacityGroup,
    SipConfiguration,
    TransportProtocol,
    VoiceInTrunk,
    VoiceInTrunkGroup,
    read_calls,
)
from support.registration import bought, groups_of

if TYPE_CHECKING:
    from pathlib import Path

    from didww import DidwwClient
    from didww.emulator import Emulator, RingReport

__all__ = ["Line", "of_records", "of_report", "read_records"]

TRANSPORTS = {"udp": TransportProtocol.UDP, "tcp": TransportProtocol.TCP, "tls": TransportProtocol.TLS}
REROUTING = [
    ReroutingDisconnectCode.SIP_486_BUSY_HERE,
    ReroutingDisconnectCode.SIP_408_REQUEST_TIMEOUT,
    ReroutingDisconnectCode.SIP_503_SERVICE_UNAVAILABLE,
    ReroutingDisconnectCode.RINGING_TIMEOUT,
]


class Line:
    """A number that was just bought, without other calls.

    Args:
        emulator: The emulator.
        client: A client of it.
        folder: Folder for exports.
    """

    def __init__(self, emulator: Emulator, client: DidwwClient, folder: Path) -> None:
        self.emulator = emulator
        self.client = client
        self._folder = folder
        emulator.calls.rate(0)
        emulator.transitions.set("exports", after=0)
        (self._did,) = bought(emulator, client, groups_of(client, "GB")[0])
        self.number = self._did.number

    def trunk(
        self,
        name: str,
        port: int | None,
        *,
        transport: str = "udp",
        ringing_timeout: int = 30,
        priority: int = 1,
        capacity_limit: int | None = None,
        **configuration: Any,
    ) -> VoiceInTrunk:
        """Create a trunk to a port of this machine, or with registration if the port is None."""
        to = {"enabled_sip_registration": True} if port is None else {"host": "127.0.0.1", "port": port}
        settings = SipConfiguration(
            **{
                **to,
                "codec_ids": [Codec.PCMU, Codec.PCMA, Codec.TELEPHONE_EVENT],
                "transport_protocol_id": TRANSPORTS[transport],
                "rerouting_disconnect_code_ids": REROUTING,
                **({} if port is None else {"username": "{DID}", "sip_timer_b": 2000}),
                **configuration,
            }
        )
        trunk = VoiceInTrunk(name=name, priority=priority, ringing_timeout=ringing_timeout, configuration=settings)
        trunk.weight = 1
        trunk.capacity_limit = capacity_limit
        return self.client.voice_in_trunks().create(trunk).data

    def route(self, *trunks: VoiceInTrunk) -> None:
        """Route the number to a trunk, or to a group of several."""
        if len(trunks) == 1:
            self._did.voice_in_trunk = trunks[0]
        else:
            group = VoiceInTrunkGroup(name="Failover", voice_in_trunks=list(trunks))
            self._did.voice_in_trunk_group = self.client.voice_in_trunk_groups().create(group).data
        self.client.dids().update(self._did)

    def ring(self, **options: Any) -> RingReport:
        """Call the number, from a number of its own, and talk for a second at most."""
        return self.emulator.calls.ring(self.number, **{"caller": "12025550123", "duration": 1, **options})

    def records(self) -> list[InboundCall]:
        """Return the call records of the number, as a program gets them: from an export."""
        return read_records(self.emulator, self.client, self.number, self._folder)

    def channels(self, count: int) -> None:
        """Let so many calls talk at once."""
        pools = self.client.capacity_pools().list(include="countries").data
        pool = next(pool for pool in pools if any(country.iso == "GB" for country in pool.countries))
        group = SharedCapacityGroup(name="Many", metered_channels_count=count)
        group.capacity_pool = pool
        self._did.capacity_pool = pool
        self._did.shared_capacity_group = self.client.shared_capacity_groups().create(group).data
        self._did = self.client.dids().update(self._did).data


def read_records(emulator: Emulator, client: DidwwClient, number: str, folder: Path) -> list[InboundCall]:
    """Return the call records of a number, as a program gets them: from an export. The emulator's clock advances."""
    emulator.clock.advance("10 min")
    now = emulator.clock.now()
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    to = folder / f"calls-{now:%H%M%S%f}"
    files = client.exports().fetch(ExportType.CDR_IN, start=start, end=now, did_number=number, directory=to)
    return sorted(
        read_calls(files, InboundCall), key=lambda call: (call.time_start, call.call_id or "", call.attempt or 0)
    )


def whole_seconds(duration: float) -> int:
    """Rounded half up, at least 1 if it is not 0."""
    return max(int(duration + 0.5), 1) if duration else 0


def of_report(report: RingReport) -> list[tuple[Any, ...]]:
    """What the records of a call must have, by its report."""
    return [
        (report.call_id, one.number, one.trunk, str(one.code), one.reason, whole_seconds(one.duration))
        for one in report.attempts
    ]


def of_records(records: list[InboundCall]) -> list[tuple[Any, ...]]:
    """What its records have."""
    return [
        (one.call_id, one.attempt, one.trunk, str(one.disconnect_code), one.disconnect_reason, one.duration or 0)
        for one in records
    ]
