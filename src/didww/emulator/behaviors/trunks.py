"""Inbound trunks and trunk groups: server defaults, unique names, SIP registration and deletion.

A sent configuration is merged with the stored one. Deleting a group deletes its trunks. Sources:
`tests/contract/facts/voice_in_trunks.yaml` and `voice_in_trunk_groups.yaml`.
"""

from __future__ import annotations

import string
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, ClassVar, Final

from didww.emulator.behaviors.naming import UniqueNames
from didww.emulator.engine.errors import HttpError, attribute_error, relationship_error
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["TrunkGroups", "Trunks", "networks", "random_word"]

# Defaults of a SIP configuration; others are null. Few of the service's values are known (recorded: the DTMF formats,
# no rerouting codes); the rest is the emulator's own choice.
SIP_DEFAULTS: dict[str, Any] = {
    "transport_protocol_id": 1,
    "network_protocol_priority": "force_ipv4",
    "resolve_ruri": False,
    "use_did_in_ruri": False,
    "rx_dtmf_format_id": 1,
    "tx_dtmf_format_id": 1,
    "auth_enabled": False,
    "enabled_sip_registration": False,
    "sst_enabled": False,
    "sst_min_timer": 600,
    "sst_max_timer": 900,
    "sst_refresh_method_id": 1,
    "sst_accept_501": True,
    "sip_timer_b": 8000,
    "dns_srv_failover_timer": 2000,
    "rtp_ping": False,
    "rtp_timeout": 30,
    "force_symmetric_rtp": False,
    "symmetric_rtp_ignore_rtcp": False,
    "media_encryption_mode": "disabled",
    "stir_shaken_mode": "disabled",
    "diversion_relay_policy": "none",
    "diversion_inject_mode": "none",
    "cnam_lookup": False,
    "max_transfers": 0,
    "max_30x_redirects": 0,
}


class Trunks(UniqueNames):
    """Inbound trunks."""

    shared_by = ("voice_in_trunks", "voice_in_trunk_groups")
    defaults: ClassVar[Mapping[str, Any]] = {"priority": 1, "weight": 65535, "cli_format": "e164"}

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Set the defaults of the configuration."""
        super().before_create(session, record)
        record.update(_same_pop(session, record))
        _check_room(session, record["voice_in_trunk_group"])
        configuration = record["configuration"]
        if configuration["type"] == SipConfiguration._type_name:
            blank = dict.fromkeys(SipConfiguration._field_map)
            configuration = {**configuration, "attributes": {**blank, **SIP_DEFAULTS, **configuration["attributes"]}}
        record["configuration"] = _update_registration(session, configuration)

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Update the SIP registration and check the size of the group."""
        super().before_update(session, record, changes)
        changes.update(_same_pop(session, changes))
        if "configuration" in changes:
            changes["configuration"] = _update_registration(session, changes["configuration"])
        if changes.get("voice_in_trunk_group") != record["voice_in_trunk_group"]:
            _check_room(session, changes.get("voice_in_trunk_group"))

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a trunk with DIDs or in a group."""
        if session.count("dids", voice_in_trunk=record["id"]):
            raise _in_use_error("The trunk cannot be removed while DIDs are routed to it")
        if record["voice_in_trunk_group"] is not None:
            raise _in_use_error("The trunk cannot be removed while it is in a trunk group")


class TrunkGroups(UniqueNames):
    """Trunk groups."""

    shared_by = ("voice_in_trunk_groups", "voice_in_trunks")

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a group with DIDs, or with a trunk with DIDs."""
        members = session.related("voice_in_trunk_groups", record["id"], "voice_in_trunks")
        if session.count("dids", voice_in_trunk_group=record["id"]) or session.count("dids", voice_in_trunk=members):
            raise _in_use_error("The trunk group cannot be removed while DIDs are routed to it or to one of its trunks")

    def delete(self, session: AccountSession, record: Record) -> bool:
        """Delete its trunks too."""
        for trunk in session.related("voice_in_trunk_groups", record["id"], "voice_in_trunks"):
            session.delete("voice_in_trunks", trunk)
        return False

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        """Return the number of trunks."""
        return {"trunks_count": session.count("voice_in_trunks", voice_in_trunk_group=record["id"])}


_POPS: Final = {
    "DE, FRA": "FRA",
    "HK, HKG": "HK",
    "NL, AMS": "AMS",
    "SG, SIN": "SG",
    "US, LA": "LAC",
    "US, MIA": "MIA",
    "US, NY": "NYC",
}
"""Points of presence by their names in version 2026-04-16. Others have no code: they are null in later versions."""


def _same_pop(session: AccountSession, values: Record) -> Record:
    """Return the point of presence in the other form: the relationship is of version 2026-04-16, the code of later."""
    if values.get("pop_code") is not None or ("pop_code" in values and values.get("pop") is None):
        name = next((name for name, code in _POPS.items() if code == values["pop_code"]), None)
        return {"pop": None if name is None else session.find("pops", name=name)[0]["id"]}
    if "pop" in values:
        pop = session.get("pops", values["pop"])
        return {"pop_code": None if pop is None else _POPS.get(pop["name"])}
    return {}


def _in_use_error(text: str) -> HttpError:
    """Return the error for deleting a record in use. The service's text is not known."""
    return HttpError(422, text, pointer="/data")


def _check_room(session: AccountSession, group: str | None) -> None:
    """Check that a group has room for another trunk."""
    most = VoiceInTrunkGroup._field_map["voice_in_trunks"].le
    if group is not None and most is not None and session.count("voice_in_trunks", voice_in_trunk_group=group) >= most:
        raise relationship_error("voice_in_trunk_group", f"has {most} trunks already")


def _update_registration(session: AccountSession, configuration: dict[str, Any]) -> dict[str, Any]:
    """Return `configuration` with credentials generated when registration is enabled, removed when disabled."""
    inside = configuration["attributes"]
    if configuration["type"] != SipConfiguration._type_name:
        return configuration
    networks(inside["allowed_rtp_ips"], "allowed_rtp_ips", "configuration/allowed_rtp_ips")
    if not inside["enabled_sip_registration"]:
        inside.update(incoming_auth_username=None, incoming_auth_password=None)
    elif not inside["incoming_auth_username"]:
        inside.update(incoming_auth_username=_secret(session), incoming_auth_password=_secret(session))
    return configuration


def _secret(session: AccountSession) -> str:
    """Return a user name or password for a registration, in the recorded format."""
    return "".join(session.rng.choices(string.ascii_letters + string.digits, k=16))


def random_word(session: AccountSession, length: int) -> str:
    """Return a random word of lowercase letters and digits, for user names and passwords."""
    return "".join(session.rng.choices(string.ascii_lowercase + string.digits, k=length))


def networks(ips: list[str] | None, label: str, path: str) -> list[str]:
    """Normalize addresses and networks.

    Raises:
        HttpError: An address is invalid or duplicate.
    """
    problems: list[str] = []
    for n, ip in enumerate(ips or ()):
        try:
            network = str(ip_network(ip, strict=False))
        except ValueError:
            raise attribute_error(f"{label}/{n}", "must be an IP address or network", path=f"{path}/{n}") from None
        if network in problems:
            raise attribute_error(label, "must not hold the same twice", path=path)
        problems.append(network)
    return problems
