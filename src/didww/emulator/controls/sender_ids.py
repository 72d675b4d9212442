"""Sender ID verifications, which only DIDWW creates and decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.seeding import seed
from didww.emulator.engine.session import AccountSession
from didww.enums import SenderIdVerificationStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.emulator.engine.store import Record

__all__ = ["SenderId", "SenderIds"]

_TYPE = "sender_id_verifications"


class SenderId(msgspec.Struct, frozen=True):
    """A sender ID verification.

    Attributes:
        id: Its id.
        reference: Its reference.
        name: Its name.
        status: Its status.
    """

    id: str
    reference: str
    name: str
    status: str


class SenderIds(AccountControl):
    """Sender ID verifications: `emulator.sender_ids`."""

    def add(
        self,
        name: str,
        *,
        sender_ids: Sequence[str] = (),
        sender_type: str = "alphanumeric",
        status: str = "active",
        countries: Sequence[str] = (),
        dids: Sequence[str] = (),
        trunk: str | None = None,
        api_key: str | None = None,
    ) -> SenderId:
        """Add a sender ID verification to an account.

        Args:
            name: Its name.
            sender_ids: The sender IDs. Defaults to the numbers of `dids` for the types long_code and toll_free.
            sender_type: alphanumeric, carrier, long_code, short_code or toll_free.
            status: new, in_process, active, changes_required, closing_in_process or closed.
            countries: Codes of the countries, such as `GB`.
            dids: Ids of the DIDs that are the sender IDs.
            trunk: Id of the SMS trunk it is assigned to.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: A value is invalid.
        """
        if isinstance(sender_ids, str):
            raise ValueError(f"sender_ids must be a list of strings, such as [{sender_ids!r}].")  # noqa: TRY004 as for all of these
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            known = {country["iso"]: country["id"] for country in session.find("countries", iso=list(countries))}
            if unknown := [iso for iso in countries if iso not in known]:
                raise ValueError(f"There is no country {unknown[0]!r}.")
            record = {
                "name": name,
                "sender_ids": list(sender_ids),
                "sender_type": sender_type,
                "status": status,
                "countries": list(known.values()),
                "dids": list(dids),
                **({} if trunk is None else {"sms_trunk": trunk}),
            }
            ids = runtime.run_in_transaction(lambda: seed(session, {_TYPE: [record]}))
            return _shown(session.get(_TYPE, ids[_TYPE][0]) or {})

    def set_status(self, id: str, status: str, *, reasons: Sequence[str] = (), comment: str | None = None) -> SenderId:
        """Set the status of a sender ID verification.

        Args:
            id: Id of the verification.
            status: new, in_process, active, changes_required, closing_in_process or closed. Closing removes the trunk.
            reasons: Reasons for the status changes_required.
            comment: Comment on the status changes_required.

        Raises:
            LookupError: There is no such verification.
            ValueError: The status is unknown, or the verification is closed.
        """
        from didww.emulator.behaviors.sender_ids import status_changes

        if isinstance(reasons, str):
            raise ValueError(f"reasons must be a list of strings, such as [{reasons!r}].")  # noqa: TRY004 as for all of these
        if status not in SenderIdVerificationStatus:
            known = ", ".join(SenderIdVerificationStatus)
            raise ValueError(f"status must be one of {known}, got {status!r}.")
        with self._engine.locked() as runtime:
            table = runtime.store.table(_TYPE)
            row = runtime.store.connection.execute(f'SELECT owner FROM "{table.type}" WHERE id = ?', (id,)).fetchone()  # noqa: S608
            if row is None:
                raise LookupError(f"There is no sender ID verification {id!r}.")
            session = AccountSession(runtime, row[0], "http://127.0.0.1/v3")
            record = session.get(_TYPE, id) or {}
            if record["status"] == SenderIdVerificationStatus.CLOSED:
                raise ValueError(f"{id} is closed already.")
            changes = status_changes(session, record, status, reasons, comment)
            return _shown(runtime.run_in_transaction(lambda: session.update(_TYPE, id, changes)))


def _shown(record: Record) -> SenderId:
    return SenderId(record["id"], record["reference"], record["name"], record["status"])
