"""Queries of single behaviors, beyond the general session operations. Behaviors contain no SQL of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.sql import Conditions
    from didww.emulator.engine.store import Record

__all__ = [
    "delete_export_file",
    "dids_due",
    "export_file",
    "group_at",
    "group_of_number",
    "groups_where",
    "numbers_in_groups",
    "position_of_group",
    "purge_history",
    "renew_did",
    "requirement_pairs",
    "save_export_file",
    "trunks_with_twilio_account",
]


def _execute(session: AccountSession, sql: str, values: Any = ()) -> Any:
    return session.runtime.store.connection.execute(sql, values)


# Numbers and their groups


def group_of_number(session: AccountSession, number: str) -> str | None:
    """Return the id of the group whose range contains `number`, or else the one with the longest matching prefix."""
    session.touch("countries")
    session.touch("did_groups")
    row = _execute(
        session,
        "SELECT one.id, coalesce(countries.prefix, '') || one.prefix AS whole FROM did_groups AS one"
        " JOIN countries ON countries.id = one.country WHERE ? LIKE whole || '%'"
        " ORDER BY ? LIKE number_base || '%' DESC, length(number_base) DESC, length(whole) DESC, one.rowid"
        " LIMIT 1",
        (number, number),
    ).fetchone()
    return None if row is None else str(row[0])


def group_at(session: AccountSession, position: int) -> Record | None:
    """Return the DID group at a position of the table."""
    table = session.touch("did_groups")
    row = _execute(session, f"SELECT {table.selected} FROM did_groups WHERE rowid = ?", (position,)).fetchone()  # noqa: S608
    return None if row is None else table.record(row)


def position_of_group(session: AccountSession, id: str) -> int:
    """Return the position of a DID group in the table."""
    session.touch("did_groups")
    return int(_execute(session, "SELECT rowid FROM did_groups WHERE id = ?", (id,)).fetchone()[0])


def groups_where(session: AccountSession, columns: Sequence[str], conditions: Conditions) -> list[Record]:
    """Return these columns of the DID groups that match the conditions, in table order."""
    rows = _execute(
        session,
        f"SELECT {', '.join(columns)} FROM did_groups AS t0 WHERE {conditions.where} ORDER BY rowid",  # noqa: S608
        conditions.values,
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def numbers_in_groups(session: AccountSession, type: str, groups: Iterable[str]) -> set[str]:
    """Return the numbers of the account's DIDs or reservations in these groups."""
    session.touch(type)
    rows = _execute(
        session,
        f"SELECT number FROM {type} WHERE owner = ? AND did_group IN (SELECT value FROM json_each(?))",  # noqa: S608
        (session.owner, msgspec.json.encode(list(groups)).decode()),
    )
    return {row[0] for row in rows}


def dids_due(session: AccountSession) -> list[Record]:
    """Return the account's DIDs whose billing period has ended, earliest first."""
    table = session.touch("dids")
    rows = _execute(
        session,
        f"SELECT {table.selected} FROM dids WHERE owner = ? AND expires_at <= ? ORDER BY expires_at, rowid",  # noqa: S608
        (session.owner, session.stamp()),
    )
    return [table.record(row) for row in rows.fetchall()]


def renew_did(session: AccountSession, id: str, expires_at: str, cycles: int | None) -> None:
    """Set the end of a DID's billing period and its remaining cycles."""
    values = (expires_at, cycles, id)
    _execute(session, "UPDATE dids SET expires_at = ?, billing_cycles_count = ? WHERE id = ?", values)


def purge_history(session: AccountSession, until: str) -> str | None:
    """Delete the account's history up to `until`; return the time of the oldest remaining event."""
    values = (session.owner, until)
    _execute(session, "DELETE FROM did_history WHERE owner = ? AND created_at <= ?", values)
    row = _execute(session, "SELECT min(created_at) FROM did_history WHERE owner = ?", values[:1]).fetchone()
    return None if row[0] is None else str(row[0])


# Requirements, trunks, exports


def requirement_pairs(session: AccountSession, condition: str) -> list[tuple[str, str, str]]:
    """Return the countries and types (id, and `number_type`) of the DID groups that match a condition."""
    session.touch("did_groups")
    sql = f"SELECT DISTINCT country, did_group_type, number_type FROM did_groups WHERE {condition} ORDER BY 1, 2"  # noqa: S608
    return [(country, type, number_type) for country, type, number_type in _execute(session, sql).fetchall()]


def trunks_with_twilio_account(session: AccountSession, sid: str) -> list[str]:
    """Return the ids of the outbound trunks, of any account, that trust this Twilio account."""
    session.touch("voice_out_trunks")
    rows = _execute(
        session,
        "SELECT id FROM voice_out_trunks"
        " WHERE json_extract(authentication_method, '$.attributes.twilio_account_sid') = ?",
        (sid,),
    )
    return [row[0] for row in rows]


def export_file(session: AccountSession, export: str) -> bytes | None:
    """Return the stored contents of an export."""
    row = _execute(session, "SELECT contents FROM files WHERE export = ?", (export,)).fetchone()
    return None if row is None else bytes(row[0])


def save_export_file(session: AccountSession, export: str, contents: bytes) -> None:
    """Store the contents of an export."""
    _execute(session, "INSERT INTO files (export, contents) VALUES (?, ?)", (export, contents))


def delete_export_file(session: AccountSession, export: str) -> None:
    """Delete the stored contents of an export."""
    _execute(session, "DELETE FROM files WHERE export = ?", (export,))
