"""Create, update and delete requests: the body is validated, then the behavior runs, then the record is stored.

Errors of malformed bodies (400) are reported before those of invalid values (422).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from didww.emulator.engine import overrides
from didww.emulator.engine.errors import HttpError, attribute_error, missing, not_allowed, not_found, relationship_error
from didww.emulator.engine.values import Checker, complete, default, limit_errors, merges, rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.fields import Field
    from didww._schema.rules import Broken
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Body", "add", "change", "create", "read_body", "remove"]

_TOP = frozenset({"data", "jsonapi"})
_MEMBERS = frozenset({"type", "id", "attributes", "relationships"})
_LINKAGE = frozenset({"data"})
_IDENTIFIER = frozenset({"type", "id"})


class Body(NamedTuple):
    """The members of a request's document, not yet validated."""

    attributes: dict[str, Any]
    relationships: dict[str, Any]


def read_body(table: Table, body: bytes | None, id: str | None) -> Body:
    """Parse the document of a create request, or of an update of the record `id`.

    Raises:
        HttpError: The document is malformed (400).
    """
    try:
        document = msgspec.json.decode(body or b"")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise HttpError(400, "Bad Request", "The body is no valid JSON.", code="400") from None
    if not isinstance(document, dict):
        raise missing("data")
    whole = cast("dict[str, Any]", document)
    _reject_unknown(whole, _TOP)
    if "data" not in whole or whole["data"] is None:
        raise missing("data")
    if not isinstance(whole["data"], dict):
        raise HttpError(400, "Invalid data format", "Data must be a hash.", code="122")
    data = cast("dict[str, Any]", whole["data"])
    if "type" not in data:
        raise missing("type")
    if data["type"] != table.type:
        raise HttpError(400, "Type Mismatch", f"{data['type']} is not a valid type for this operation.", code="116")
    if id is None:
        if "id" in data:
            raise not_allowed("id")
    elif "id" not in data:
        raise missing("id")
    elif data["id"] != id:
        raise HttpError(400, "Key is not included in URL", f"The URL does not support the key {data['id']}", code="110")
    _reject_unknown(data, _MEMBERS)
    return Body(_object(data, "attributes"), _object(data, "relationships"))


def _reject_unknown(shape: dict[str, Any], known: frozenset[str]) -> None:
    """Reject unknown members (400)."""
    unknown = [not_allowed(name) for name in shape if name not in known]
    if unknown:
        raise HttpError.combine(unknown)


def _unknown_in_linkage(value: Any) -> list[str]:
    """Return the unknown members of a relationship and of its identifiers."""
    if not isinstance(value, dict):
        return []
    linkage = cast("dict[str, Any]", value)
    data: Any = linkage.get("data")
    identifiers = cast("list[Any]", data if isinstance(data, list) else [data])
    inside = [
        name
        for identifier in identifiers
        if isinstance(identifier, dict)
        for name in cast("dict[str, Any]", identifier)
    ]
    return [name for name in linkage if name not in _LINKAGE] + [name for name in inside if name not in _IDENTIFIER]


def _object(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name, {})
    if not isinstance(value, dict):
        raise HttpError(400, "Invalid data format", f"{name} must be a hash.", code="122")
    return cast("dict[str, Any]", value)


def create(session: AccountSession, table: Table, body: Body) -> Record:
    """Create a record from a document."""
    return add(session, table, _read_changes(session, table, body, creating=True))


def add(session: AccountSession, table: Table, record: Record) -> Record:
    """Complete a new record by its behavior and store it."""
    behavior = session.runtime.behavior(table.type)
    record.setdefault("id", session.new_id())
    now = session.now()
    for field in table.attribute_fields:
        if field.name not in record:
            record[field.name] = behavior.defaults.get(field.name, default(field, now))
    for name, relation in table.relations.items():
        record.setdefault(name, [] if relation.many else None)
    _check_rules(table, record)
    behavior.before_create(session, record)
    for field in table.attribute_fields:
        _check_nested_rules(field, record[field.name])
        record[field.name] = complete(field.kind, record[field.name])
    if not behavior.stored:
        return record
    stored = session.insert(table.type, record)
    behavior.after_create(session, stored)
    if stored.get("callback_url"):
        session.runtime.callbacks_queued = True
    return session.get(table.type, stored["id"]) or stored


def change(session: AccountSession, table: Table, record: Record, body: Body) -> None:
    """Update a record from a document; members not sent are unchanged."""
    behavior = session.runtime.behavior(table.type)
    changes = _read_changes(session, table, body, creating=False)
    for (type, name), emptied in overrides.EMPTIES.items():
        if type == table.type and changes.get(name) is True and not record[name]:
            changes.setdefault(emptied, [])
    held = {
        name: session.related(table.type, record["id"], name)
        for name, relation in table.relations.items()
        if relation.many and table.cls._rules
    }
    _merge(table, record, changes)  # first: the rules depend on the type of an object, which cannot be changed
    _check_rules(table, {**record, **held, **changes}, changes)
    behavior.before_update(session, record, changes)
    for field in table.attribute_fields:
        if field.name in changes:
            _check_nested_rules(field, changes[field.name])
            changes[field.name] = complete(field.kind, changes[field.name])
    now = session.update(table.type, record["id"], changes)
    behavior.after_update(session, record, changes)
    if now.get("callback_url"):
        session.runtime.callbacks_queued = True


def remove(session: AccountSession, table: Table, id: str) -> None:
    """Delete a record."""
    record = session.get(table.type, id)
    if record is None:
        raise not_found(table.type, id)
    behavior = session.runtime.behavior(table.type)
    behavior.before_delete(session, record)
    if not behavior.delete(session, record):
        session.delete(table.type, id)
    behavior.after_delete(session, record)


def _read_changes(session: AccountSession, table: Table, body: Body, *, creating: bool) -> Record:
    """Return the validated members of a body, as stored in a record."""
    checker = Checker(creating=creating, version=session.version)
    fields = table.view(session.version).fields
    for name, value in body.attributes.items():
        field = fields.get(name)
        if field is None or field.place != "attributes" or not _writable(field, creating=creating):
            checker.forbidden.append(not_allowed(name))
            continue
        if (table.type, name) in overrides.BLANK_IS_DEFAULT and (value is None or str(value).strip() == ""):
            value = session.runtime.behavior(table.type).defaults[name]  # noqa: PLW2901
        checker.check(field, value)
    linked: list[tuple[Field, Any]] = []
    for name, value in body.relationships.items():
        field = fields.get(name)
        if field is None or field.place != "relationships" or not _writable(field, creating=creating):
            checker.forbidden.append(not_allowed(name))
            continue
        checker.forbidden += [not_allowed(unknown) for unknown in _unknown_in_linkage(value)]
        linked.append((field, value))
    if checker.forbidden:
        raise HttpError.combine(checker.forbidden)
    for field, value in linked:
        _link(session, table, field, value, checker)
    if creating:
        _require(fields, checker)
    _exclude(table, checker)
    if checker.errors:
        raise HttpError.combine(checker.errors)
    return checker.values


def _merge(table: Table, record: Record, changes: Record) -> None:
    """Merge objects that are not replaced as a whole into the stored ones."""
    for field in table.attribute_fields:
        given, there = changes.get(field.name), record.get(field.name)
        if field.kind.name != "object" or given is None or there is None or not merges(field.kind, given["type"]):
            continue
        if given["type"] != there["type"]:
            raise attribute_error("type", "is invalid", path=f"{field.name}/type")
        changes[field.name] = {**given, "attributes": {**there["attributes"], **given["attributes"]}}


def _check_rules(table: Table, record: Record, changes: Record | None = None) -> None:
    """Check the cross-field rules of a record; on update, those of changed members."""
    errors: list[HttpError] = []
    for rule in table.cls._rules:
        if changes is None or not changes.keys().isdisjoint(rule.fields):
            for fault in rule.broken(record):
                refused = relationship_error if fault.field in table.relations else attribute_error
                errors.append(refused(fault.field, _rule_message(fault, record, table.type)))
    if errors:
        raise HttpError.combine(errors)


def _check_nested_rules(field: Field, value: Any) -> None:
    """Check the cross-field rules of a nested object."""
    if field.kind.name != "object" or value is None:
        return
    type_, inside = value["type"], value["attributes"]
    faults = [fault for rule in rules_of(field.kind, type_) for fault in rule.broken(inside)]
    errors: list[HttpError] = []
    for fault in faults:
        path = f"{field.name}/{fault.field}"
        label = field.name if fault.barred and (type_, fault.field) in overrides.MUST_BE_BLANK else fault.field
        errors.append(attribute_error(label, _rule_message(fault, inside, type_), path=path))
    if errors:
        raise HttpError.combine(errors)


def _rule_message(fault: Broken, known: Record, type: str) -> str:
    if fault.barred:
        return overrides.MUST_BE_BLANK.get((type, fault.field), "must be blank")
    return "can't be blank" if known[fault.field] in (None, "", []) else f"must be {fault.expected}"


def _writable(field: Field, *, creating: bool) -> bool:
    return field.create if creating else field.update


def _require(fields: Mapping[str, Field], checker: Checker) -> None:
    for name, field in fields.items():
        if not field.required or field.name in checker.values:
            continue
        if field.kind.name == "object":
            # A trunk without its configuration is malformed (400), not just invalid.
            raise missing(name)
        if field.place == "attributes":
            checker.errors.append(
                HttpError(422, "can't be blank", f"{name} - can't be blank", f"/data/attributes/{name}")
            )
        else:
            checker.errors.append(relationship_error(name, "can't be blank"))


def _exclude(table: Table, checker: Checker) -> None:
    """Clear the relationship that a written one excludes."""
    values = checker.values
    for name, field in table.cls._field_map.items():
        if field.excludes is None or values.get(name) is None:
            continue
        if values.get(field.excludes) is not None:
            checker.errors.append(relationship_error(name))
            return
        values[field.excludes] = None


def _link(session: AccountSession, table: Table, field: Field, value: Any, checker: Checker) -> None:
    name, found = field.name, checker.values
    relation = table.relations[name]
    shape = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if "data" not in shape:
        checker.errors.append(relationship_error(name))
        return
    data = shape["data"]
    if relation.many:
        found[name] = []
        if not isinstance(data, list):
            checker.errors.append(relationship_error(name))
            return
        if field.required and not data:
            checker.errors.append(relationship_error(name, "can't be blank"))
        ids: list[str] = []
        for identifier in cast("list[Any]", data):
            known = _resolve_identifier(session, relation.targets, identifier)
            if known is None:
                checker.errors.append(_reference_error(table, name))
                return
            ids.append(known[1])
        found[name] = list(dict.fromkeys(ids))
        if ids:
            checker.errors += [relationship_error(name, message) for message in limit_errors(field, ids)]
        return
    found[name] = None
    if relation.polymorphic:
        found[f"{name}_type"] = None
    if data is None:
        if not field.nullable:
            checker.errors.append(relationship_error(name, "can't be blank"))
        return
    known = _resolve_identifier(session, relation.targets, data)
    if known is None or field.detach_only:
        checker.errors.append(_reference_error(table, name))
        return
    found[name] = known[1]
    if relation.polymorphic:
        found[f"{name}_type"] = known[0]


def _resolve_identifier(session: AccountSession, targets: tuple[str, ...], data: Any) -> tuple[str, str] | None:
    """Return type and id of a valid identifier of a visible record, or None."""
    if not isinstance(data, dict):
        return None
    one = cast("dict[str, Any]", data)
    type, id = one.get("type"), one.get("id")
    if not isinstance(type, str) or not isinstance(id, str) or type not in targets:
        return None
    return (type, id) if session.row(type, id) is not None else None


def _reference_error(table: Table, name: str) -> HttpError:
    special = overrides.REFERENCE_ERRORS.get((table.type, name))
    if special is None:
        return relationship_error(name)
    title, detail, pointer = special
    return HttpError(422, title, detail, pointer)
