"""Seed data of an account: objects are created as by requests, or inserted as they are where no request can.

    balance: "250.00"
    features: {emergency_calling: false}
    voice_in_trunks:
      - id: main
        name: Main
        configuration: {type: sip_configurations, attributes: {host: sip.example.com, codec_ids: [9]}}
    dids:
      - number: "12125550100"
        voice_in_trunk: main

An `id` may be a word, from which a fixed UUID is derived. Relationships refer to ids of this file, the account or the
catalog. The order does not matter.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import NAMESPACE_URL, UUID, uuid5

from didww._util.suggest import did_you_mean
from didww.emulator.controls.clock import stamp
from didww.emulator.engine import overrides, writes
from didww.emulator.engine.accounts import set_features
from didww.emulator.engine.errors import HttpError
from didww.emulator.engine.store import valid_id
from didww.emulator.engine.values import Checker, complete, default

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.fields import Field
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["id_of", "put_balance", "seed"]

_SINGLE: Final = ("balance", "features")
"""Settings of the account, besides lists of objects."""
_MOST: Final = 10**12


def seed(session: AccountSession, objects: Mapping[str, Any]) -> dict[str, list[str]]:
    """Create objects in an account; return their ids by type.

    Raises:
        ValueError: An object is invalid; the message says where.
    """
    identifiers: dict[str, list[tuple[str, str]]] = {}
    waiting: list[tuple[str, Table, dict[str, Any]]] = []
    for type, several in objects.items():
        if type == "balance":
            put_balance(session, several)
            continue
        if type == "features":
            set_features(session.runtime.store, session.owner, several)
            continue
        table = _table(session, type)
        if not isinstance(several, list):
            raise ValueError(f"{type} must be a list of objects.")  # noqa: TRY004 data from a file
        for n, one in enumerate(cast("list[Any]", several)):
            where = f"{type}[{n}]"
            if not isinstance(one, dict):
                raise ValueError(f"{where} must be an object with attributes and relationships.")  # noqa: TRY004
            resource = cast("dict[str, Any]", one)
            _check_names(table, resource, where)
            waiting.append((where, table, resource))
    named = {(table.type, id_of(resource["id"])) for _, table, resource in waiting if "id" in resource}
    if len(named) < sum("id" in resource for _, _, resource in waiting):
        raise ValueError("Two objects of a type have the same id.")
    while waiting:
        ready = [item for item in waiting if not _depends_on_pending(item, named)]
        if not ready:
            raise ValueError(f"{waiting[0][0]}: objects refer to each other in a cycle.")
        for where, table, resource in ready:
            try:
                id = _seed_record(session, table, resource, where)
            except HttpError as error:
                raise ValueError(f"{where}: {'; '.join(problem['detail'] for problem in error.errors)}") from None
            identifiers.setdefault(table.type, []).append((where, id))
            named.discard((table.type, id))
        waiting = [item for item in waiting if item not in ready]
    places = {
        f"{type}[{n}]": n for type, several in objects.items() if type not in _SINGLE for n in range(len(several))
    }
    return {
        type: [id for _, id in sorted(pairs, key=lambda pair: places[pair[0]])] for type, pairs in identifiers.items()
    }


def id_of(name: Any) -> str:
    """Return the id for a name: a UUID itself, or a UUID derived from another word.

    Example:
        >>> id_of("main")
        'fa74c356-9b67-59cb-b816-048fe1411ada'
    """
    text = str(name)
    try:
        UUID(text)
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"https://emulator.example.com/{text}"))
    return text


def put_balance(session: AccountSession, amount: Any, credit: Any = None) -> Record:
    """Set the prepaid balance of an account, and its credit limit if given.

    Raises:
        ValueError: An amount is invalid.
    """
    from decimal import Decimal, InvalidOperation

    record = session.find("balances", limit=1)[0]
    try:
        balance = Decimal(str(amount))
        more = Decimal(record["credit"] if credit is None else str(credit))
    except InvalidOperation:
        raise ValueError(f"An amount must be a number such as '250.00', got {amount!r}.") from None
    if not (balance.is_finite() and more.is_finite()):
        raise ValueError(f"An amount must be a number such as '250.00', got {amount!r}.")
    if not (-_MOST < balance < _MOST and -_MOST < more < _MOST):
        raise ValueError("An amount must be below 1,000,000,000,000.")
    changes = {"balance": f"{balance:.2f}", "credit": f"{more:.2f}", "total_balance": f"{balance + more:.2f}"}
    return session.update("balances", record["id"], changes)


def _table(session: AccountSession, type: str) -> Table:
    from didww._schema.registry import all_classes

    own = sorted({cls._type_name for cls in all_classes()} - overrides.SHARED - {"balances"})
    if type not in own:
        raise ValueError(f"{type}: objects of this type cannot be created.{did_you_mean(type, own)}")
    return session.touch(type)


def _check_names(table: Table, given: dict[str, Any], where: str) -> None:
    known = [*table.attributes, *table.relations, "id"]
    for name in given:
        if name not in known:
            raise ValueError(f"{where}: {table.type} have no {name!r}.{did_you_mean(name, known)}")
        if (table.type, name) in overrides.EXPRESSIONS:
            raise ValueError(f"{where}.{name} is derived from other objects. Remove it.")
    if "id" in given and not valid_id(str(given["id"])):
        raise ValueError(f"{where}: an id must be 1 to 64 letters, digits, - or _.")


def _depends_on_pending(one: tuple[str, Table, dict[str, Any]], named: set[tuple[str, str]]) -> bool:
    """Return whether an object refers to one that is not created yet."""
    _, table, given = one
    return any(
        (type, id) in named
        for name, relation in table.relations.items()
        for id in _ids(given.get(name))
        for type in relation.targets
    )


def _ids(value: Any) -> list[str]:
    several = cast("list[Any]", value) if isinstance(value, list) else [value]
    ids = [cast("dict[str, Any]", item).get("id") if isinstance(item, dict) else item for item in several]
    # Anything but an id, or an object with one, matches no record.
    return [id_of(id) for one, id in zip(several, ids, strict=True) if one is not None]


def _seed_record(session: AccountSession, table: Table, given: dict[str, Any], where: str) -> str:
    fields = table.cls._field_map
    checker = Checker(creating=True, version=None)
    record: Record = {}
    for field in table.attribute_fields:
        if field.name in given:
            checker.check(field, _to_json(field, given[field.name]))
    if checker.forbidden or checker.errors:
        raise HttpError.combine([*checker.forbidden, *checker.errors])
    record.update(checker.values)
    for name, relation in table.relations.items():
        if name not in given:
            continue
        ids = _ids(given[name])
        types = [next((type for type in relation.targets if session.row(type, id) is not None), None) for id in ids]
        for id, type in zip(ids, types, strict=True):
            if type is None:
                shown = id if id == given[name] else f"{given[name]!r} (id {id})"
                raise ValueError(f"{where}.{name}: there is no {shown} among {', '.join(relation.targets)}.")
        record[name] = ids if relation.many else (ids[0] if ids else None)
        if relation.polymorphic and not relation.many:
            record[f"{name}_type"] = types[0] if types else None
    record["id"] = id_of(given["id"]) if "id" in given else session.new_id()
    if session.runtime.store.rows_by_id(table, [record["id"]]):
        raise ValueError(f"{where}: there is a record of id {record['id']!r} already.")
    behavior = session.runtime.behavior(table.type)
    if "create" in table.cls._operations and not behavior.steps:
        missing = [name for name, field in fields.items() if field.required and record.get(name) in (None, [])]
        if missing:
            raise ValueError(f"{where}: missing {', '.join(missing)}.")
        return str(writes.add(session, table, record)["id"])
    behavior.before_seed(session, record)
    for field in table.attribute_fields:
        if field.name not in record:
            record[field.name] = behavior.defaults.get(field.name, default(field, session.now()))
        record[field.name] = complete(field.kind, record[field.name])
    if behavior.steps and record.get("status") in behavior.undecided:
        decided = "create it by a request, or give its final status"
        raise ValueError(f"{where}.status: {record['status']!r} is not a final status; {decided}.")
    for name, relation in table.relations.items():
        record.setdefault(name, [] if relation.many else None)
    behavior.after_seed(session, session.insert(table.type, record))
    return str(record["id"])


def _to_json(field: Field, value: Any) -> Any:
    """Return a value as JSON: YAML parses numbers and times."""
    if isinstance(value, datetime):
        return stamp(value) if value.tzinfo else f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    if field.kind.name in ("text", "decimal") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return value
