"""What a new or deleted record of a type changes elsewhere: calls, money, other records. It is shown and confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from didww.cli.errors import RefusedError
from didww.cli.records.targets import label
from didww.cli.trunks.use import routed
from didww.exceptions import NotLoadedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.cli.session import Session

    Lines: TypeAlias = Callable[[Session, Any], list[str]]

__all__ = ["HARMLESS", "LIVE", "of_create", "of_delete"]

HARMLESS: Final = {"description", "external_reference_id", "name"}
LIVE: Final = {
    "addresses",
    "capacity_pools",
    "dids",
    "identities",
    "sender_id_verifications",
    "shared_capacity_groups",
    "sms_trunk_groups",
    "sms_trunks",
    "voice_in_trunk_groups",
    "voice_in_trunks",
    "voice_out_trunks",
}
"""Types that calls, money or registrations depend on: a change of other than harmless fields is confirmed."""


def of_create(session: Session, record: Any) -> list[str]:
    """Return what a new record changes elsewhere; empty if nothing."""
    lines = _CREATE.get(record._type_name)
    return [] if lines is None else lines(session, record)


def of_delete(session: Session, record: Any) -> list[str]:
    """Return what is lost with a record, besides itself."""
    lines = _DELETE.get(record._type_name)
    return [] if lines is None else lines(session, record)


def _linked(record: Any, name: str) -> list[Any]:
    """Return the related records that were set or loaded."""
    try:
        related = getattr(record, name)
    except NotLoadedError:
        return []
    if related is None:
        return []
    return cast("list[Any]", related) if isinstance(related, list) else [related]


def _numbers(session: Session, record: Any) -> list[Any]:
    ids = [did.id for did in _linked(record, "dids")]
    return [session.client.dids().find(id, include="shared_capacity_group").data for id in ids]


# Create


def _credentials(session: Session, request: Any) -> list[str]:
    (trunk,) = _linked(request, "voice_out_trunk")
    name = label(session.client.voice_out_trunks().find(trunk.id).data)
    return [
        f"Outbound trunk {name} gets a new user name and password.",
        "The old ones stop working at once: calls fail until your systems have the new ones.",
    ]


def _verification(session: Session, verification: Any) -> list[str]:
    address = _linked(verification, "address")
    where = label(address[0]) if address else "none"
    numbers = [did.number for did in _numbers(session, verification)]
    if numbers:
        return [
            f"Emergency calling is ordered for {', '.join(numbers)} at address {where}. It is charged for monthly.",
            f"What it costs: {session.command_line('emergency', 'enable', *numbers, '--address', where, '--dry-run')}",
        ]
    services = ", ".join(label(service) for service in _linked(verification, "emergency_calling_service"))
    return [f"Emergency calls of service {services} are sent with address {where} once it is approved."]


def _trunk_group(session: Session, group: Any) -> list[str]:
    lines: list[str] = []
    for trunk in _linked(group, "voice_in_trunks"):
        loaded = session.client.voice_in_trunks().find(trunk.id, include="voice_in_trunk_group").data
        former = loaded.voice_in_trunk_group
        left = "" if former is None else f", and leaves group {former.name}"
        lines.append(f"Trunk {loaded.name} joins the group{left}.")
    return lines


def _trunk(session: Session, trunk: Any) -> list[str]:
    lines: list[str] = []
    for group in _linked(trunk, "voice_in_trunk_group"):
        name = session.client.voice_in_trunk_groups().find(group.id).data.name
        use = routed(session.client, "voice_in_trunk_group", group.id)
        lines.append(f"Trunk {trunk.name} joins group {name}, and can get its calls at once. {use.sentence('it')}")
    return lines


def _sms_trunk(session: Session, trunk: Any) -> list[str]:
    lines: list[str] = []
    for group in _linked(trunk, "sms_trunk_group"):
        name = session.client.sms_trunk_groups().find(group.id).data.name
        use = routed(session.client, "sms_trunk_group", group.id)
        lines.append(f"Trunk {trunk.name} joins group {name}, and can get its messages at once. {use.sentence('it')}")
    return lines


def _sms_group(session: Session, group: Any) -> list[str]:
    lines: list[str] = []
    for trunk in _linked(group, "sms_trunks"):
        loaded = session.client.sms_trunks().find(trunk.id, include="sms_trunk_group").data
        former = loaded.sms_trunk_group
        left = "" if former is None else f", and leaves group {former.name}"
        lines.append(f"Trunk {loaded.name} joins the group{left}.")
    return lines


def _sms_credentials(session: Session, request: Any) -> list[str]:
    (trunk,) = _linked(request, "sms_trunk")
    name = label(session.client.sms_trunks().find(trunk.id).data)
    return [
        f"SMS trunk {name} gets new credentials.",
        "The old ones stop working at once: messages fail until your systems have the new ones.",
    ]


def _shared_group(session: Session, group: Any) -> list[str]:
    lines: list[str] = []
    for did in _numbers(session, group):
        former = did.shared_capacity_group
        left = "" if former is None else f", and leaves group {former.name}"
        lines.append(f"{did.number} joins the group{left}.")
    metered = group._attributes.get("metered_channels_count")
    if metered:
        lines.append(f"Metered channels: {metered}. They are charged for by the minute.")
    return lines


_CREATE: Final[dict[str, Lines]] = {
    "emergency_verifications": _verification,
    "shared_capacity_groups": _shared_group,
    "sms_trunk_groups": _sms_group,
    "sms_trunk_regenerate_credentials": _sms_credentials,
    "sms_trunks": _sms_trunk,
    "voice_in_trunk_groups": _trunk_group,
    "voice_in_trunks": _trunk,
    "voice_out_trunk_regenerate_credentials": _credentials,
}


# Delete


def _number(_session: Session, did: Any) -> list[str]:
    until = "" if did.expires_at is None else f" It is paid until {did.expires_at:%Y-%m-%d}; these days are lost."
    return [f"{did.number} is given up at once and for good: calls to it fail, and others can buy it.{until}"]


def _group_with_trunks(session: Session, group: Any) -> list[str]:
    members = session.client.voice_in_trunk_groups().find(group.id, include="voice_in_trunks").data.voice_in_trunks
    if not members:
        return []
    names = ", ".join(sorted(trunk.name for trunk in members))
    command = session.command_line("groups", "delete", group.name)
    return [f"Its trunks are deleted with it: {names}. To keep them: {command}"]


def _out_trunk(_session: Session, _trunk: Any) -> list[str]:
    return ["Its calls end at once, and its credentials stop working."]


def _delete_sms_trunk(session: Session, trunk: Any) -> list[str]:
    use = routed(session.client, "sms_trunk", trunk.id)
    if use.total:
        command = session.command_line("numbers", "route", use.numbers[0], "--sms-trunk", "OTHER")
        raise RefusedError(
            f"SMS trunk {trunk.name!r} cannot be deleted. {use.sentence('it')} Route elsewhere first: {command}"
        )
    loaded = session.client.sms_trunks().find(trunk.id, include="sender_id_verifications").data
    names = ", ".join(each.name for each in loaded.sender_id_verifications)
    return [f"Sender IDs that are left without a trunk: {names}."] if names else []


def _delete_sms_group(session: Session, group: Any) -> list[str]:
    loaded = session.client.sms_trunk_groups().find(group.id, include="sms_trunks").data
    for field, kind, record in (
        ("sms_trunk_group", "SMS trunk group", loaded),
        *(("sms_trunk", "SMS trunk", trunk) for trunk in loaded.sms_trunks),
    ):
        use = routed(session.client, field, record.id)
        if use.total:
            raise RefusedError(
                f"SMS trunk group {loaded.name!r} cannot be deleted. {use.sentence(f'{kind} {record.name!r}')} Route "
                "elsewhere first."
            )
    names = ", ".join(sorted(trunk.name for trunk in loaded.sms_trunks))
    if not names:
        return []
    command = session.command_line("sms-groups", "delete", loaded.name)
    return [f"Its trunks are deleted with it: {names}. To keep them: {command}"]


def _shared(session: Session, group: Any) -> list[str]:
    loaded = session.client.shared_capacity_groups().find(group.id, include="dids").data
    numbers = ", ".join(did.number for did in loaded.dids)
    return [f"Numbers that lose its channels: {numbers}."] if numbers else []


def _service(session: Session, service: Any) -> list[str]:
    loaded = session.client.emergency_calling_services().find(service.id, include="dids").data
    numbers = ", ".join(did.number for did in loaded.dids)
    return [f"Numbers that can no longer call emergency services: {numbers or 'none'}."]


_DELETE: Final[dict[str, Lines]] = {
    "dids": _number,
    "emergency_calling_services": _service,
    "shared_capacity_groups": _shared,
    "sms_trunk_groups": _delete_sms_group,
    "sms_trunks": _delete_sms_trunk,
    "voice_in_trunk_groups": _group_with_trunks,
    "voice_out_trunks": _out_trunk,
}
