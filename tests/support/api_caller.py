"""Direct calls to the emulator's engine, and a scene with distinct records of every declared type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from didww._core.effects import Request, Response
from didww._schema.fields import Field
from didww._schema.registry import all_classes
from didww._schema.resource import Resource
from didww._schema.types import FieldType
from didww.emulator.behaviors import BEHAVIORS
from didww.emulator.behaviors.base import Behavior
from didww.emulator.emulator import Emulator
from didww.emulator.engine.engine import Engine
from didww.emulator.engine.overrides import CATALOG
from didww.emulator.engine.schema import table_of
from didww.emulator.engine.session import AccountSession
from didww.emulator.engine.values import complete
from didww.version import API_VERSIONS
from support.contract_facts import facts, types

BASE = "http://127.0.0.1:8080/v3"
MEDIA_TYPE = "application/vnd.api+json"
PER_TYPE = 3


class Caller:
    """A caller with an API key."""

    def __init__(self, engine: Engine, key: str | None = "key") -> None:
        self.engine = engine
        self.key = key

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        **query: str,
    ) -> Response:
        """Send a request and return the response; `query` may hold names with brackets."""
        sent = {"Accept": MEDIA_TYPE} | ({} if self.key is None else {"Api-Key": self.key})
        if body is not None or raw is not None:
            sent["Content-Type"] = MEDIA_TYPE
        sent |= headers or {}
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        address = f"{BASE}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        return self.engine.handle(Request(method, address, sent, content))

    def get(self, path: str, **query: str) -> Any:
        """Return the document of a response that must be 200."""
        response = self.send("GET", path, **query)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def write(self, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
        """Return the document of a response that must have this status."""
        response = self.send(method, path, body, **query)
        assert response.status == status, response.body
        return json.loads(response.body) if response.body else None

    def error(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Return the only error of a response that must be an error."""
        response = self.send(method, path, body, **query)
        assert response.status >= 400, response.body
        (error,) = json.loads(response.body)["errors"]
        assert error["status"] == str(response.status)
        return dict(error)

    def ids(self, path: str, **query: str) -> list[str]:
        """Return the ids of a list, over all pages."""
        result: list[str] = []
        document = self.get(path, **query)
        while True:
            result += [record["id"] for record in document["data"]]
            following = document.get("links", {}).get("next")
            if following is None:
                return result
            parts = urlsplit(following)
            document = self.get(
                parts.path.removeprefix("/v3"), **{name: values[0] for name, values in parse_qs(parts.query).items()}
            )


def document(type: str, id: str | None = None, relationships: Any = None, **attributes: Any) -> dict[str, Any]:
    """Return the body of a request."""
    data: dict[str, Any] = {"type": type, "attributes": attributes}
    if id is not None:
        data["id"] = id
    if relationships is not None:
        data["relationships"] = {name: {"data": value} for name, value in relationships.items()}
    return {"data": data}


def readable() -> list[type[Resource]]:
    """Return the types that have a list."""
    return [cls for cls in all_classes() if "list" in cls._operations]


class Metas(Behavior):
    """A behavior that only adds the `meta` that the contract demands."""

    def __init__(self, cls: type[Resource]) -> None:
        self.type = cls._type_name
        self.fields = cls.meta.cls._field_map

    def meta(self, session: AccountSession, record: dict[str, Any]) -> dict[str, Any] | None:
        values = {name: value_of(field.kind, 0, field) for name, field in self.fields.items()}
        return values or None


DERIVED = ("identities", "addresses", "emergency_requirements")


class Verified(Metas):
    """The same, plus what is shown otherwise than it is stored, such as the verified attribute, which has no column."""

    def attributes(self, session: AccountSession, record: dict[str, Any]) -> None:
        BEHAVIORS[self.type].attributes(session, record)


def filled(type: str, n: int = 0, **members: Any) -> dict[str, Any]:
    """Return a record with a value for every attribute."""
    table = table_of(type)
    assert table is not None
    values = {field.name: value_of(field.kind, n, field) for field in table.attribute_fields}
    # Of an older version if it has the type: its values are values of the newer one, too.
    version = next(version for version in API_VERSIONS if type in types(version))
    for name, fact in facts(type, version).attributes.items():
        if fact.enum and fact.kind in ("enum", "list"):  # the contract may have fewer members than the declaration
            value = sorted(fact.enum, key=str)[n % len(fact.enum)]
            values[name] = [value] if fact.kind == "list" else value
    return values | members


class Scene:
    """An engine without behaviors of its own, and records of every type in it.

    Record number n differs from the others in every attribute, and is linked to number n of every other type.
    """

    def __init__(self) -> None:
        self.engine = Engine(seed=7)
        # The engine's own are kept, everybody else's are out of the scene: what is stored is what is shown.
        own = {name: self.engine._runtime.behaviors[name] for name in ("did_groups", "available_dids")}
        plain = {
            cls._type_name: (Verified if cls._type_name in DERIVED else Metas)(cls)
            for cls in all_classes()
            if cls._type_name not in CATALOG
        }
        self.engine._runtime.behaviors = {**plain, **own}
        self.caller = Caller(self.engine)
        self.session = self.engine.session("key")
        self.ids: dict[str, list[str]] = {}
        self._fill()

    def _fill(self) -> None:
        session = self.session
        classes = [cls for cls in all_classes() if cls._type_name != "available_dids"]
        for type in CATALOG - {"did_groups"}:
            self.ids[type] = [record["id"] for record in session.find(type, limit=PER_TYPE)]
        # Groups of two countries, each in a city and a region, so that filters distinguish them.
        groups = [
            group
            for group in session.search("did_groups", {"meta.total_count_gteq": 1, "available_dids_enabled": True})
            if group["city"] and group["region"]
        ]
        seen: dict[str, dict[str, Any]] = {}
        for group in groups:
            seen.setdefault(group["country"], group)
        first, second = list(seen.values())[:2]
        third = next(group for group in groups if group["region"] not in (first["region"], second["region"]))
        self.ids["did_groups"] = [group["id"] for group in (first, second, third)]
        self.ids["available_dids"] = [
            self.caller.ids("/available_dids", **{"filter[did_group.id]": group})[0] for group in self.ids["did_groups"]
        ]
        for cls in classes:
            if cls._type_name not in CATALOG:
                records = [filled(cls._type_name, n) for n in range(PER_TYPE)]
                self.ids[cls._type_name] = [session.insert(cls._type_name, record)["id"] for record in records]
        for cls in classes:
            if cls._type_name not in CATALOG:
                for n, id in enumerate(self.ids[cls._type_name]):
                    session.update(cls._type_name, id, self._links(cls, n))

        for n, id in enumerate(self.ids["did_groups"]):
            session.update("did_groups", id, {"address_requirement": self.ids["address_requirements"][n]})

    def _links(self, cls: type[Resource], n: int) -> dict[str, Any]:
        table = table_of(cls._type_name)
        assert table is not None
        linked: dict[str, Any] = {}
        for name, column in table.ones.items():
            target = column.targets[n % len(column.targets)]
            linked[name] = self.ids[target][n]
            if column.polymorphic:
                linked[f"{name}_type"] = target
        for name, relation in table.relations.items():
            if relation.many and relation.inverse is None:
                linked[name] = [self.ids[relation.targets[0]][n]]
        if cls._type_name == "dids" and n == PER_TYPE - 1:  # registered for no one
            linked |= {"identity": None, "address": None}
        return linked

    def record(self, type: str, n: int) -> dict[str, Any]:
        """Return record number n of a type."""
        result = self.session.get(type, self.ids[type][n])
        assert result is not None
        return result


def value_of(kind: FieldType, n: int, field: Field | None = None) -> Any:
    """Return a value of a kind; a different n gives a different value, as far as there are enough."""
    name = kind.name
    if name == "text":
        if field is not None and field.name in ("number", "did_number", "phone_number"):
            return f"44207946{n:04}"
        return f"{field.name if field else 'text'} {n}"
    if name == "integer":
        return (field.ge or 0 if field else 0) + n + 1
    if name == "boolean":
        return n % 2 == 0
    if name == "decimal":
        return f"{(2, 10, 9)[n]}.50"  # text would sort otherwise
    if name == "datetime":
        return f"2026-0{n + 1}-15T12:00:00.000Z"
    if name == "date":
        return f"2026-0{n + 1}-15"
    if name == "enum":
        members = [member.value for member in kind.detail]
        return members[n % len(members)]
    if name == "list":
        return [value_of(kind.detail, n)]
    if name == "object":
        cls = kind.detail[n % len(kind.detail)]
        inside = {
            field.name: value_of(field.kind, n, field)
            for field in cls._field_map.values()
            if not (field.create and field.clearable)
        }
        return complete(kind, {"type": cls._type_name, "attributes": inside})
    return {"n": n}


@contextmanager
def work(emulator: Emulator) -> Iterator[list[int]]:
    """Count the steps of SQLite in the block, in hundreds: the same on machines of any speed."""
    steps = [0]

    def count() -> None:
        steps[0] += 1

    connection = emulator.engine.session(emulator.key).runtime.store.connection
    connection.set_progress_handler(count, 100)
    try:
        yield steps
    finally:
        connection.set_progress_handler(None, 0)
