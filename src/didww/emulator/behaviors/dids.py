"""DIDs after the purchase: monthly renewal, cancellation, removal, and channels.

Not documented, and chosen here: a renewal charges the monthly price of the SKU without an order; a number that cannot
be paid is removed. Source: `tests/contract/facts/dids.yaml`.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.capacity import check_channels, recount
from didww.emulator.behaviors.date_math import add_month
from didww.emulator.behaviors.history import record_event
from didww.emulator.behaviors.sms_trunks import check_sms_route
from didww.emulator.behaviors.vat import add_vat
from didww.emulator.engine import queries
from didww.emulator.engine.errors import attribute_error, relationship_error

if TYPE_CHECKING:
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Dids", "take_over"]


class Dids(Behavior):
    """DIDs."""

    def before_seed(self, session: AccountSession, record: Record) -> None:
        """Assign the group whose range contains the number, or else the one with the longest matching prefix."""
        number = record.get("number")
        if not number or not str(number).isdigit():
            raise attribute_error("number", "is invalid")
        if session.count("dids", number=number):
            raise attribute_error("number", "has already been taken")
        if record.get("did_group") is None:
            group = queries.group_of_number(session, number)
            if group is None:
                raise relationship_error("did_group", "can't be blank")
            record["did_group"] = group
        check_sms_route(session, record)
        if record.get("sms_trunk") and record.get("sms_trunk_group"):
            raise relationship_error("sms_trunk")
        skus = session.find(
            "stock_keeping_units", did_group=record["did_group"], order="channels_included_count", limit=1
        )
        begun = session.now()
        if "expires_at" in record:
            if record["expires_at"] is None:
                raise attribute_error("expires_at", "can't be blank")
            begun = datetime.fromisoformat(record["expires_at"])
        else:
            record["expires_at"] = session.stamp(add_month(begun))
        record["private"] = {"monthly": skus[0]["monthly_price"] if skus else "0.00", "day": begun.day}

    def after_seed(self, session: AccountSession, record: Record) -> None:
        """Transfer the number to the account."""
        record_event(session, "assigned", [record["number"]], method="staff")
        _renew_later(session, record["expires_at"])

    def before_update(self, session: AccountSession, record: Record, changes: Record) -> None:
        """Check channels and the SMS trunk; a number removed from its emergency service loses emergency calling."""
        check_channels(session, record, changes)
        check_sms_route(session, changes)
        if "emergency_calling_service" in changes:
            changes["emergency_enabled"] = False

    def after_update(self, session: AccountSession, before: Record, changes: Record) -> None:
        """Recount channels and record the changes in the history."""
        if {"capacity_pool", "dedicated_channels_count"} & set(changes):
            for pool in session.find("capacity_pools"):
                recount(session, pool["id"])
        terminated, cycles = changes.get("terminated"), "billing_cycles_count"
        if terminated is not None and terminated != before["terminated"]:
            record_event(session, "canceled" if terminated else "restored", [before["number"]])
        if cycles in changes and changes[cycles] != before[cycles]:
            change = before[cycles], changes[cycles]
            record_event(session, "billing_cycles_count_changed", [before["number"]], change=change)

    def delete(self, session: AccountSession, record: Record) -> bool:
        """Remove the number immediately."""
        _remove(session, [record], method="api3")
        return True

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Renew due numbers, and remove those not renewed."""
        money, spent = session.balance(), Decimal(0)
        renewed: list[str] = []
        ended: list[Record] = []
        later: set[str] = set()
        for did in queries.dids_due(session):
            price, cycles = add_vat(session, Decimal(did["private"].get("monthly", "0"))), did["billing_cycles_count"]
            if did["terminated"] or cycles == 0 or (price and spent + price > money):
                ended.append(did)
                continue
            spent += price
            until = session.stamp(add_month(datetime.fromisoformat(did["expires_at"]), did["private"].get("day")))
            cycles = None if cycles is None else cycles - 1
            queries.renew_did(session, did["id"], until, cycles)
            later.add(until)
            renewed.append(did["number"])
        session.charge(spent, beyond=True)
        if renewed:
            record_event(session, "renewed", renewed, method="system")
        if ended:
            _remove(session, ended, method="system")
        for until in later:
            _renew_later(session, until)


def take_over(session: AccountSession, dids: list[Record]) -> None:
    """Transfer numbers to the account that bought them."""
    session.insert_many("dids", dids)
    record_event(session, "assigned", [did["number"] for did in dids])
    for until in {did["expires_at"] for did in dids}:
        _renew_later(session, until)


def _remove(session: AccountSession, dids: list[Record], *, method: str) -> None:
    """Remove numbers and references to them, and free their channels."""
    for did in dids:
        session.delete("dids", did["id"])
    for pool in sorted({did["capacity_pool"] for did in dids if did["dedicated_channels_count"]} - {None}):
        recount(session, pool)
    record_event(session, "removed", [did["number"] for did in dids], method=method)


def _renew_later(session: AccountSession, until: str) -> None:
    session.schedule_once(datetime.fromisoformat(until), "dids", "renew", f"renew/{session.owner}/{until}")
