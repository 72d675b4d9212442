"""SMS trunks and trunk groups: server defaults, unique names, generated credentials and deletion.

A sent configuration is merged with the stored one. Deleting a group deletes its trunks. Sources:
`tests/contract/facts_2026_11_19/sms_trunks.yaml` and `sms_trunk_groups.yaml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.naming import UniqueNames
from didww.emulator.behaviors.trunks import networks, random_word
from didww.emulator.engine.errors import HttpError, relationship_error
from didww.resources.sms_configuration import (
    HttpInConfiguration,
    HttpOutConfiguration,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = [
    "SMS_HOST",
    "RegenerateSmsCredentials",
    "SmsTrunkGroups",
    "SmsTrunks",
    "check_sms_route",
    "receives",
    "sends",
]

SMS_HOST: Final = "https://sms-out.example.com/outbound_messages"
"""The URL in `meta.host` of an `http_out` trunk. Nothing listens there."""

_IN: Final = "allow_in"
_OUT: Final = "allow_out"
_DIRECTIONS: Final = {
    SmsToEmailConfiguration._type_name: (_IN,),
    HttpInConfiguration._type_name: (_IN,),
    HttpOutConfiguration._type_name: (_OUT,),
    SmppEsmeConfiguration._type_name: (_IN, _OUT),
    SmppSmscConfiguration._type_name: (_IN, _OUT),
}
_CLASSES: Final = (
    SmsToEmailConfiguration,
    HttpInConfiguration,
    HttpOutConfiguration,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
)
# Defaults of configurations; others are null. Only those of the ports are known.
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    HttpInConfiguration._type_name: {"follow_redirect": False, "validate_https_certificate": True},
    SmppSmscConfiguration._type_name: {
        "tx_port": 2775,
        "rx_port": 2776,
        "transceiver_mode": False,
        "connection_timeout": 30,
        "use_ssl": False,
    },
}
# The generated credentials of each type, with their lengths.
_GENERATED: Final[dict[str, dict[str, int]]] = {
    HttpOutConfiguration._type_name: {"auth_name": 10, "auth_password": 16},
    SmppEsmeConfiguration._type_name: {"system_id": 10, "password": 8},
}
_PRIORITY: Final = 100
_BLANK: Final = {cls._type_name: dict.fromkeys(cls._field_map) for cls in _CLASSES}


class SmsTrunks(UniqueNames):
    """SMS trunks."""

    shared_by = ("sms_trunks", "sms_trunk_groups")

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Set the defaults, and generate the credentials."""
        super().before_create(session, record)
        given = record["configuration"]
        type = given["type"]
        credentials = {name: random_word(session, length) for name, length in _GENERATED.get(type, {}).items()}
        inside = {**_BLANK[type], **_DEFAULTS.get(type, {}), **given["attributes"], **credentials}
        record["configuration"] = {"type": type, "attributes": inside}
        record.update(dict.fromkeys((_IN, _OUT), False) | dict.fromkeys(_DIRECTIONS[type], True))
        record["updated_at"] = record["created_at"]
        _check(session, record, record)

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check the changes."""
        super().before_update(session, record, changes)
        changes["updated_at"] = session.stamp()
        _check(session, record, changes)

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a trunk with DIDs."""
        if session.count("dids", sms_trunk=record["id"]):
            raise _in_use_error("The SMS trunk cannot be removed while DIDs are routed to it")

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the URL for messages of an HTTP trunk."""
        return {"host": SMS_HOST} if record["configuration"]["type"] == HttpOutConfiguration._type_name else None


class SmsTrunkGroups(UniqueNames):
    """SMS trunk groups."""

    shared_by = ("sms_trunk_groups", "sms_trunks")

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check the members."""
        super().before_create(session, record)
        record["updated_at"] = record["created_at"]
        _check_members(session, record["sms_trunks"])

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check the members."""
        super().before_update(session, record, changes)
        changes["updated_at"] = session.stamp()
        _check_members(session, changes.get("sms_trunks", ()))

    def before_delete(self, session: AccountSession, record: Record) -> None:
        """Refuse to delete a group with DIDs, or with a trunk with DIDs."""
        members = session.related("sms_trunk_groups", record["id"], "sms_trunks")
        if session.count("dids", sms_trunk_group=record["id"]) or session.count("dids", sms_trunk=members):
            raise _in_use_error(
                "The SMS trunk group cannot be removed while DIDs are routed to it or to one of its trunks"
            )

    def delete(self, session: AccountSession, record: Record) -> bool:
        """Delete its trunks too."""
        for trunk in session.related("sms_trunk_groups", record["id"], "sms_trunks"):
            session.delete("sms_trunks", trunk)
        return False

    def meta(self, session: AccountSession, record: Record) -> dict[str, Any] | None:
        """Return the number of trunks."""
        return {"sms_trunks_count": session.count("sms_trunks", sms_trunk_group=record["id"])}


class RegenerateSmsCredentials(Behavior):
    """New credentials of an SMS trunk; the response has the trunk's id."""

    stored = False

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Replace the credentials; trunks of other types have none."""
        trunk = session.get("sms_trunks", record["sms_trunk"]) or {}
        configuration = trunk["configuration"]
        if configuration["type"] not in _GENERATED:
            raise relationship_error("sms_trunk")
        record["id"] = trunk["id"]
        lengths = _GENERATED[configuration["type"]]
        credentials = {name: random_word(session, length) for name, length in lengths.items()}
        changed = {**configuration, "attributes": {**configuration["attributes"], **credentials}}
        session.update("sms_trunks", trunk["id"], {"configuration": changed, "updated_at": session.stamp()})


def receives(trunk: Record) -> bool:
    """Return whether a trunk receives messages."""
    return _IN in _DIRECTIONS[trunk["configuration"]["type"]]


def sends(trunk: Record) -> bool:
    """Return whether a trunk sends messages."""
    return _OUT in _DIRECTIONS[trunk["configuration"]["type"]]


def check_sms_route(session: AccountSession, changes: Record) -> None:
    """Check that a DID is not routed to a trunk that receives no messages."""
    trunk = session.get("sms_trunks", changes.get("sms_trunk"))
    if trunk is not None and not receives(trunk):
        raise relationship_error("sms_trunk")


def _check(session: AccountSession, record: Record, changes: Record) -> None:
    """Check and complete the changes of a trunk."""
    if changes.get("priority", _PRIORITY) is None and receives(record):
        changes["priority"] = _PRIORITY
    for did in session.find("dids", id=changes.get("outgoing_dids", [])):
        if did["awaiting_registration"]:
            raise relationship_error("outgoing_dids")
    configuration = changes.get("configuration")
    if configuration is not None:
        networks(configuration["attributes"].get("allowed_ips"), "allowed_ips", "configuration/allowed_ips")


def _check_members(session: AccountSession, trunks: Sequence[str]) -> None:
    """Check that each trunk can be in a group."""
    if not all(receives(trunk) for trunk in session.find("sms_trunks", id=list(trunks))):
        raise relationship_error("sms_trunks")


def _in_use_error(text: str) -> HttpError:
    """Return the error for deleting a record in use. The service's text is not known."""
    return HttpError(422, text, pointer="/data")
