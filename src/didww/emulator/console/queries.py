"""The SQL of the console. All statements only read; names of tables and columns are declared ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.emulator.console.masking import is_secret
from didww.emulator.engine.schema import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.session import Runtime
    from didww.emulator.engine.store import Row

__all__ = [
    "Account",
    "Event",
    "accounts",
    "balance_of",
    "count",
    "delivery_events",
    "events",
    "key_beginning_with",
    "key_of_owner",
    "numbers_expiring_at",
    "owner_of_key",
    "owner_of_record",
    "registering_trunks",
    "row",
    "rows",
    "search",
]

_MAX_WORDS: Final = 8
_MAX_ACCOUNTS: Final = 1000
_MIN_BEGINNING: Final = 8
"""Characters of a hash that name an account, as the console shows them."""
_TEXT_KINDS: Final = frozenset({"text", "enum", "decimal", "datetime", "date"})
_NAMES: Final = ("name", "iso", "number")
"""Attributes of related records that a search includes, beside those that are shown."""


class Account(NamedTuple):
    """An account: its number, and the hash of its key."""

    owner: int
    key: str


class Event(NamedTuple):
    """Something that falls due."""

    at: str
    owner: int
    type: str
    name: str
    record: str | None
    payload: str


# Accounts


def accounts(runtime: Runtime) -> list[Account]:
    """Return the accounts, oldest first, up to 1000."""
    statement = "SELECT id, key FROM accounts WHERE id > 0 ORDER BY id LIMIT ?"
    return [Account(*found) for found in runtime.store.connection.execute(statement, (_MAX_ACCOUNTS,))]


def owner_of_key(runtime: Runtime, key: str) -> int | None:
    """Return the account of a key, or None if the key was not used yet."""
    hashed = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    found = runtime.store.connection.execute("SELECT id FROM accounts WHERE key = ?", (hashed,)).fetchone()
    return None if found is None else found[0]


def key_of_owner(runtime: Runtime, owner: int) -> str | None:
    """Return the hash of the key of an account, or None."""
    found = runtime.store.connection.execute("SELECT key FROM accounts WHERE id = ?", (owner,)).fetchone()
    return None if found is None else found[0]


def key_beginning_with(runtime: Runtime, beginning: str) -> str | None:
    """Return the hash of the key of the only account whose hash begins like this; None if it is too short."""
    if len(beginning) < _MIN_BEGINNING:
        return None
    statement = "SELECT key FROM accounts WHERE id > 0 AND substr(key, 1, ?) = ? LIMIT 2"
    found = runtime.store.connection.execute(statement, (len(beginning), beginning)).fetchall()
    return found[0][0] if len(found) == 1 else None


def owner_of_record(runtime: Runtime, type: str, id: str) -> int | None:
    """Return the account that a record belongs to, or None."""
    table = table_of(type)
    if table is None or table.shared:
        return None
    runtime.store.table(type)
    statement = f'SELECT owner FROM "{table.type}" WHERE id = ? AND owner > 0'  # noqa: S608 declared names
    found = runtime.store.connection.execute(statement, (id,)).fetchone()
    return None if found is None else found[0]


def balance_of(runtime: Runtime, owner: int) -> tuple[str, str, str] | None:
    """Return prepaid balance, credit and total of an account; None if it has the initial ones."""
    runtime.store.table("balances")  # a table is created when it is first needed
    statement = "SELECT balance, credit, total_balance FROM balances WHERE owner = ?"
    found: tuple[str, str, str] | None = runtime.store.connection.execute(statement, (owner,)).fetchone()
    return found


def registering_trunks(runtime: Runtime, limit: int) -> list[tuple[str, str, str]]:
    """Return id, name and user name of the newest inbound trunks with SIP registration."""
    runtime.store.table("voice_in_trunks")
    statement = (
        "SELECT id, name, json_extract(configuration, '$.attributes.incoming_auth_username') "
        "FROM voice_in_trunks WHERE owner > 0 "
        "AND json_extract(configuration, '$.attributes.enabled_sip_registration') ORDER BY rowid DESC LIMIT ?"
    )
    return runtime.store.connection.execute(statement, (limit,)).fetchall()


# Records


def visible(table: Table) -> str:
    """Return the condition of the records that an account can see."""
    # Negative owners are hold accounts for pending orders, which no account can see.
    return "1" if table.shared else "owner > 0"


def count(runtime: Runtime, table: Table, text: str = "", paths: Iterable[str] = ()) -> int:
    """Return the number of records of all accounts that a search finds."""
    runtime.store.table(table.type)
    condition, values = search(table, text, paths)
    statement = f'SELECT count(*) FROM "{table.type}" WHERE {visible(table)} AND {condition}'  # noqa: S608
    return int(runtime.store.connection.execute(statement, values).fetchone()[0])


def rows(
    runtime: Runtime, table: Table, text: str, paths: Iterable[str], *, limit: int, offset: int
) -> list[tuple[int | None, Row]]:
    """Return the owner and the row of records that a search finds; those of accounts newest first."""
    runtime.store.table(table.type)
    condition, values = search(table, text, paths)
    statement = (
        f'SELECT owner, {table.selected} FROM "{table.type}" WHERE {visible(table)} AND {condition}'  # noqa: S608
        f" ORDER BY rowid {'' if table.shared else 'DESC'} LIMIT ? OFFSET ?"
    )
    found = runtime.store.connection.execute(statement, (*values, limit, offset))
    return [(owner, tuple(values)) for owner, *values in found]


def row(runtime: Runtime, table: Table, id: str) -> tuple[int | None, Row] | None:
    """Return the owner and the row of a record, or None."""
    runtime.store.table(table.type)
    statement = f'SELECT owner, {table.selected} FROM "{table.type}" WHERE id = ? AND {visible(table)}'  # noqa: S608
    found = runtime.store.connection.execute(statement, (id,)).fetchone()
    return None if found is None else (found[0], tuple(found[1:]))


def search(table: Table, text: str, paths: Iterable[str]) -> tuple[str, list[str]]:
    """Return a condition and its values: every word of `text` occurs in the record or in one that `paths` lead to."""
    tree: dict[str, Any] = {}
    for path in paths:
        here = tree
        for name in path.split("."):
            here = here.setdefault(name, {})
    conditions: list[str] = []
    values: list[str] = []
    for word in text.split()[:_MAX_WORDS]:
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        terms = list(_terms(table, tree, top=True, code=len(word) == 2 and word.isalpha() and word.isupper()))
        conditions.append(f"({' OR '.join(terms) or '0'})")
        for term in terms:
            values += [word if exact else f"%{escaped}%" for exact in _placeholders(term)]
    return " AND ".join(conditions) or "1", values


_LIKE: Final = " LIKE ? ESCAPE '\\'"
_EXACT: Final = " = ? COLLATE NOCASE"


def _placeholders(term: str) -> Iterator[bool]:
    """Yield for each placeholder whether it is compared exactly."""
    for before in term.split("?")[:-1]:
        yield before.endswith(" = ")


def _terms(table: Table, tree: dict[str, Any], *, top: bool = False, code: bool = False) -> Iterator[str]:
    """Yield the comparisons of a word with the columns of a table, and with those of related ones.

    Two capital letters (`code`) are a country, where there is one.
    """
    if code and (codes := [term for term in _terms(table, tree, top=top) if _EXACT in term]):
        yield from codes
        return
    for name in table.attributes:
        shown = top or name in tree or name in _NAMES
        # URLs may contain secrets, which are masked.
        if shown and table.by_name[name].kind in _TEXT_KINDS and not is_secret(name) and not name.endswith("url"):
            yield f'"{name}"{_EXACT if name == "iso" else _LIKE}'
    if top and not code:
        yield f"id{_LIKE}"
    for name, inner in tree.items():
        relation = table.relations.get(name)
        if relation is None or relation.many:
            continue
        for type in relation.targets:
            target = table_of(type)
            terms = [] if target is None else list(_terms(target, inner))
            if terms:
                yield f'"{name}" IN (SELECT id FROM "{type}" WHERE {" OR ".join(terms)})'  # noqa: S608


# What falls due


def events(runtime: Runtime, limit: int) -> list[Event]:
    """Return the next events."""
    statement = "SELECT at, owner, type, name, record, payload FROM events WHERE at IS NOT NULL ORDER BY at, id LIMIT ?"
    return [Event(*found) for found in runtime.store.connection.execute(statement, (limit,))]


def delivery_events(runtime: Runtime, limit: int) -> list[Event]:
    """Return the next attempts at callbacks."""
    statement = (
        "SELECT next_at, owner, type, 'callback', record, 'null' FROM deliveries WHERE next_at IS NOT NULL"
        " ORDER BY next_at, id LIMIT ?"
    )
    return [Event(*found) for found in runtime.store.connection.execute(statement, (limit,))]


def numbers_expiring_at(runtime: Runtime, owner: int, at: str, limit: int) -> list[tuple[str, str]]:
    """Return id and number of the numbers of an account that expire at a time."""
    runtime.store.table("dids")
    statement = "SELECT id, number FROM dids WHERE owner = ? AND expires_at = ? ORDER BY number LIMIT ?"
    return list(runtime.store.connection.execute(statement, (owner, at, limit)))
