"""Response documents: resource objects, included resources, linkage, links and meta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from didww.emulator.engine import overrides
from didww.version import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.emulator.engine.query import Query, Tree
    from didww.emulator.engine.schema import Relation, Table
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Row

__all__ = ["collection", "related_rows", "relationship", "single"]

_encoder = msgspec.json.Encoder()


class _Node:
    """A resource of a response, with the JSON linkage of its included relationships."""

    __slots__ = ("linkage", "row", "table")

    def __init__(self, table: Table, row: Row) -> None:
        self.table = table
        self.row = row
        self.linkage: dict[str, str] = {}


class _ResourceSet:
    """The distinct resources of one response."""

    def __init__(self, session: AccountSession) -> None:
        self.session = session
        self.nodes: dict[tuple[str, str], _Node] = {}

    def add(self, table: Table, rows: Iterable[Row]) -> list[_Node]:
        nodes = self.nodes
        added: list[_Node] = []
        for row in rows:
            key = (table.type, row[0])
            node = nodes.get(key)
            if node is None:
                node = nodes[key] = _Node(table, row)
            added.append(node)
        return added

    def include(self, nodes: Sequence[_Node], tree: Tree) -> None:
        """Add the resources that `tree` includes from `nodes` of one type. Iterative: paths can have any length."""
        pending = [(nodes, tree)]
        while pending:
            sources, deeper = pending.pop()
            for name, beyond in deeper.items():
                pending += [(added, beyond) for added in self._follow(sources, name)]

    def _follow(self, nodes: Sequence[_Node], name: str) -> list[list[_Node]]:
        """Add the targets of a relationship of `nodes` of one type; return them grouped by type."""
        relation = nodes[0].table.relations.get(name) if nodes else None
        if relation is None:  # a path that one of several types does not have
            return []
        rows = related_rows(self.session, nodes[0].table, relation, [node.row for node in nodes])
        by_type: dict[str, dict[str, tuple[Table, Row]]] = {}
        for node in nodes:
            others = rows.get(node.row[0], ())
            ids = [_identifier(other.type, row[0]) for other, row in others]
            node.linkage[name] = f"[{','.join(ids)}]" if relation.many else ids[0] if ids else "null"
            for other, row in others:
                by_type.setdefault(other.type, {})[row[0]] = (other, row)
        return [self.add(next(iter(some.values()))[0], (row for _, row in some.values())) for some in by_type.values()]


def related_rows(
    session: AccountSession, table: Table, relation: Relation, rows: Sequence[Row]
) -> dict[str, list[tuple[Table, Row]]]:
    """Return the target rows of a relationship, by the id of the source row."""
    store = session.runtime.store
    found: dict[str, list[tuple[Table, Row]]] = {}
    if relation.many:
        other = session.touch(relation.targets[0])
        ids = [row[0] for row in rows]
        if relation.inverse is not None:
            place = other.place[relation.inverse]
            several = table.type if f"{relation.inverse}_type" in other.by_name else None
            for row in store.rows_linking(other, relation.inverse, ids, several):
                found.setdefault(row[place], []).append((other, row))
            return found
        pairs = list(store.links(relation.name, ids))
        targets = store.rows_by_id(other, {target for _, target in pairs})
        for source, target in pairs:
            if target in targets:
                found.setdefault(source, []).append((other, targets[target]))
        return found
    place = table.place[relation.name]
    for type in relation.targets:
        other = session.touch(type)
        leading = rows
        if relation.polymorphic:
            kind = table.place[f"{relation.name}_type"]
            leading = [row for row in rows if row[kind] == type]
        targets = store.rows_by_id(other, {row[place] for row in leading if row[place] is not None})
        for row in leading:
            if row[place] in targets:
                found[row[0]] = [(other, targets[row[place]])]
    return found


def _identifier(type: str, id: str) -> str:
    # The store validates ids on insert, so they need no escaping.
    return f'{{"type":"{type}","id":"{id}"}}'


def relationship(
    session: AccountSession, table: Table, id: str, relation: Relation, found: Sequence[tuple[Table, Row]]
) -> bytes:
    """Return the document of a relationship's linkage."""
    ids = [{"type": other.type, "id": row[0]} for other, row in found]
    address = f"{session.base}/{table.path}/{id}"
    return _encoder.encode(
        {
            "links": {
                "self": f"{address}/relationships/{relation.name}",
                "related": f"{address}/{relation.name}",
            },
            "data": ids if relation.many else ids[0] if ids else None,
            "meta": {"api_version": session.version or API_VERSION},
        }
    )


class _Writer:
    """Write the resource objects of one type, all with the same fields."""

    def __init__(self, session: AccountSession, table: Table, fields: frozenset[str] | None) -> None:
        self.session = session
        self.table = table
        self.fields = fields
        behavior = session.runtime.behavior(table.type)
        self.behavior = behavior
        self.has_meta = behavior.overrides("meta")
        self.has_attributes = behavior.overrides("attributes")
        self.view = table.view(session.version)
        self.relations = [name for name in self.view.relations if fields is None or name in fields]
        # The URL is built once per type; only the id differs.
        address = _encoder.encode(f"{session.base}/{table.path}/").decode()[1:-1]
        self.before = f'{{"links":{{"self":"{address}'
        self.between = f'"related":"{address}'
        self.plain = self._relationships({})

    def _relationships(self, linkage: dict[str, str]) -> str:
        """Return the relationships object, with a NUL in place of the id."""
        parts: list[str] = []
        for name in self.relations:
            data = f',"data":{linkage[name]}' if name in linkage else ""
            parts.append(f'"{name}":{self.before}\0/relationships/{name}",{self.between}\0/{name}"}}{data}}}')
        return f"{{{','.join(parts)}}}"

    def write(self, node: _Node) -> dict[str, Any]:
        table, row, fields = self.table, node.row, self.fields
        if self.has_attributes:
            record = table.record(row)
            self.behavior.attributes(self.session, record)
            attributes = self.view.select(record)
        else:
            attributes = self.view.to_attributes(row)
        if fields is not None:
            attributes = {name: value for name, value in attributes.items() if name in fields}
        resource: dict[str, Any] = {"id": row[0], "type": table.type, "attributes": attributes}
        if self.relations:
            text = self._relationships(node.linkage) if node.linkage else self.plain
            resource["relationships"] = msgspec.Raw(text.replace("\0", row[0]))
        if self.has_meta:
            meta = self.behavior.meta(self.session, table.record(row))
            if meta is not None:
                resource["meta"] = meta
        return resource


def _document(session: AccountSession, nodes: Sequence[_Node], resources: _ResourceSet, query: Query) -> dict[str, Any]:
    """Return a document with `data` as a list, and `included` if requested."""
    writers: dict[str, _Writer] = {}

    def write(node: _Node) -> dict[str, Any]:
        type = node.table.type
        writer = writers.get(type)
        if writer is None:
            writer = writers[type] = _Writer(session, node.table, query.fields.get(type))
        return writer.write(node)

    document: dict[str, Any] = {"data": [write(node) for node in nodes]}
    if query.include is not None:
        primary = {id(node) for node in nodes}
        document["included"] = [write(node) for node in resources.nodes.values() if id(node) not in primary]
    return document


def single(session: AccountSession, table: Table, row: Row | None, query: Query, operation: str) -> bytes:
    """Return a document with one resource or null."""
    resources = _ResourceSet(session)
    nodes = resources.add(table, () if row is None else (row,))
    if query.include:
        resources.include(nodes, query.include)
    document = _document(session, nodes, resources, query)
    document["data"] = document["data"][0] if nodes else None
    document["meta"] = {
        **session.runtime.behavior(table.type).document_meta(session, operation),
        "api_version": session.version or API_VERSION,
    }
    return _encoder.encode(document)


def collection(
    session: AccountSession,
    table: Table,
    rows: Sequence[Row],
    query: Query,
    *,
    total: int | None,
    meta: dict[str, Any] | None = None,
) -> bytes:
    """Return a document with a list; `total` is the number of matches, None for an unpaged list."""
    resources = _ResourceSet(session)
    nodes = resources.add(table, rows)
    if query.include:
        resources.include(nodes, query.include)
    document = _document(session, nodes, resources, query)
    if table.type in overrides.NO_META:
        return _encoder.encode(document)
    more = {**session.runtime.behavior(table.type).document_meta(session, "list"), **(meta or {})}
    if query.page is not None and total is not None:
        more["total_records"] = total
        document["links"] = _page_links(session, table, query, total)
    document["meta"] = {**more, "api_version": session.version or API_VERSION}
    return _encoder.encode(document)


def _page_links(session: AccountSession, table: Table, query: Query, total: int) -> dict[str, str]:
    assert query.page is not None  # noqa: S101 checked by the caller
    path = f"{session.base}/{table.path}"
    number, size = query.page
    last = max(1, -(-total // size))
    links = {"first": query.link(path, 1, size)}
    if number > 1:
        links["prev"] = query.link(path, min(number - 1, last), size)
    if number < last:
        links["next"] = query.link(path, number + 1, size)
    links["last"] = query.link(path, last, size)
    return links
