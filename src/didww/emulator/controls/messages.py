"""Simulated text messages to a number or through an SMS trunk; exports include them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from didww.emulator.controls.account_control import AccountControl
from didww.emulator.data.cdr import csv_line, dollars
from didww.emulator.data.messages import MESSAGES_A_DAY, SMS_IN_COLUMNS, SMS_OUT_COLUMNS, TRUNK_TYPES, rate_of

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Message", "Messages", "get_messages_per_day", "get_placed_messages"]

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_MAX_MESSAGES: Final = 10_000
_MAX_PARTS: Final = 10
_IN_STATUS: Final = ("Success", "Failed", "Queued")
_OUT_STATUS: Final = ("Routing Error", "In Progress", "Queued", "Failed", "Success")


class Message(msgspec.Struct, frozen=True):
    """A simulated text message.

    Attributes:
        sms_id: Its `SMS ID` in exports.
        at: Time by the emulator's clock.
        source: Source address.
        destination: Destination address.
        status: Its status.
        charged: Price in US dollars.
    """

    sms_id: str
    at: str
    source: str
    destination: str
    status: str
    charged: str


class Messages(AccountControl):
    """Simulated text messages: `emulator.messages`."""

    def rate(self, a_day: float) -> float:
        """Set the average number of messages of a number per weekday; a source of a trunk has five times as many.

        Args:
            a_day: 0 to 5000. Completed exports are unchanged.

        Raises:
            ValueError: `a_day` is out of range.
        """
        return self._set_rate("messages_per_day", a_day)

    def inbound(
        self,
        did: str,
        *,
        count: int = 1,
        source: str = "447700900123",
        status: str = "Success",
        parts: int = 1,
        api_key: str | None = None,
    ) -> list[Message]:
        """Simulate text messages to a number, now. They are recorded, but not delivered to the trunk's address.

        Args:
            did: The number, or the id of the DID.
            count: Number of messages, 1 to 10000.
            source: Source address.
            status: Success, Failed or Queued. A blocked trunk fails.
            parts: Parts of each message, 1 to 10.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such number.
            ValueError: The number has no SMS trunk, or a parameter is invalid.
        """
        from didww.emulator.behaviors.message_exports import route_of

        _check(count, parts, status, _IN_STATUS)
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            dids = session.find("dids", number=did) or session.find("dids", id=did)
            if not dids:
                raise LookupError(f"The account has no number {did!r}.")
            trunk = route_of(session, dids[0])
            if trunk is None:
                raise ValueError(f"{dids[0]['number']} has no SMS trunk. Set sms_trunk or sms_trunk_group of the DID.")
            values = {
                "Status": "Failed" if trunk["blocked"] else status,
                "Source Address": source,
                "Destination Address": dids[0]["number"],
                "Trunk Type": TRUNK_TYPES[trunk["configuration"]["type"]],
                "SMS Trunk": trunk["name"],
                "Message Parts": parts,
                "Charged (USD)": dollars(0),
            }
            place = (session, "sms_in", SMS_IN_COLUMNS, f"{trunk['id']}/", values)
            return runtime.run_in_transaction(lambda: [_stored(*place) for _ in range(count)])

    def outbound(
        self,
        trunk: str,
        *,
        count: int = 1,
        source: str | None = None,
        destination: str = "447700900123",
        status: str = "Success",
        service_type: str = "A2P",
        parts: int = 1,
        api_key: str | None = None,
    ) -> list[Message]:
        """Simulate text messages through a trunk, now.

        Args:
            trunk: The id of the SMS trunk.
            count: Number of messages, 1 to 10000. A blocked trunk sends none.
            source: Source address. Defaults to the first sender ID or outgoing DID of the trunk.
            destination: Destination number.
            status: Routing Error, In Progress, Queued, Failed or Success.
            service_type: A2P or P2P.
            parts: Parts of each message, 1 to 10.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            LookupError: The account has no such trunk.
            ValueError: The trunk does not send, has no such source address, or a parameter is invalid.
        """
        from didww.emulator.behaviors.message_exports import get_message_sources
        from didww.emulator.behaviors.sms_trunks import sends

        _check(count, parts, status, _OUT_STATUS)
        if service_type.upper() not in ("A2P", "P2P"):
            raise ValueError(f"service_type must be A2P or P2P, got {service_type!r}.")
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            record = session.get("sms_trunks", trunk)
            if record is None:
                raise LookupError(f"The account has no SMS trunk {trunk!r}.")
            if not sends(record):
                raise ValueError(f"The SMS trunk {record['name']!r} does not send messages.")
            addresses = [
                (address, one.id, one.reference)
                for one in get_message_sources(session, {"sms_trunk.id": trunk}, blocked=True)
                for address in one.addresses
            ]
            chosen = next((item for item in addresses if source in (None, item[0])), None)
            if chosen is None:
                raise ValueError(f"{source or 'None'} is no source address of the SMS trunk {record['name']!r}.")
            if record["blocked"]:
                return []
            country, rate = rate_of(destination)
            values = {
                "Status": status,
                "Source Address": chosen[0],
                "Destination Address": destination,
                "Service Type": service_type.upper(),
                "SMS Trunk": record["name"],
                "Sender ID": chosen[2],
                "Destination Country": country,
                "Message Parts": parts,
                "Charged (USD)": dollars(rate * parts if status == "Success" else 0),
            }
            place = (session, "sms_out", SMS_OUT_COLUMNS, chosen[1], values)
            return runtime.run_in_transaction(lambda: [_stored(*place) for _ in range(count)])


def get_messages_per_day(session: AccountSession) -> float:
    """Return the average number of messages of a number per weekday."""
    return float(session.runtime.store.get_meta("messages_per_day") or MESSAGES_A_DAY)


def get_placed_messages(
    session: AccountSession,
    kind: str,
    start: datetime,
    end: datetime,
    *,
    trunks: Container[str] | None = None,
    senders: Container[str] | None = None,
) -> list[tuple[str, str]]:
    """Return the simulated messages in order of time: time and CSV line.

    Args:
        session: The account.
        kind: sms_in or sms_out.
        start: Start of the period.
        end: End of the period, exclusive.
        trunks: Ids of the trunks; None for all.
        senders: Ids of the sender ID verifications; None for all messages.
    """
    rows = session.runtime.store.connection.execute(
        "SELECT at, row, line FROM calls WHERE owner = ? AND kind = ? AND at >= ? AND at < ? ORDER BY at, id",
        (session.owner, kind, start.strftime(_FORMAT), end.strftime(_FORMAT)),
    )
    found: list[tuple[str, str]] = []
    for at, row, line in rows:
        trunk, _, sender = line.partition("/")
        if (trunks is None or trunk in trunks) and (senders is None or sender in senders):
            found.append((at, row))
    return found


def _check(count: int, parts: int, status: str, known: tuple[str, ...]) -> None:
    if not 1 <= count <= _MAX_MESSAGES:
        raise ValueError(f"count must be from 1 to {_MAX_MESSAGES}, got {count}.")
    if not 1 <= parts <= _MAX_PARTS:
        raise ValueError(f"parts must be from 1 to {_MAX_PARTS}, got {parts}.")
    if status not in known:
        raise ValueError(f"status must be one of {', '.join(known)}, got {status!r}.")


def _stored(session: AccountSession, kind: str, columns: tuple[str, ...], line: str, values: dict[str, Any]) -> Message:
    at, id = session.now().strftime(_FORMAT), session.new_id().replace("-", "")[:16]
    whole: Record = {**values, "Date/Time (UTC)": at, "SMS ID": id}
    row = csv_line([whole.get(column, "") for column in columns])
    session.runtime.store.connection.execute(
        "INSERT INTO calls (owner, kind, line, at, row) VALUES (?, ?, ?, ?, ?)", (session.owner, kind, line, at, row)
    )
    return Message(
        id, at, values["Source Address"], values["Destination Address"], values["Status"], values["Charged (USD)"]
    )
