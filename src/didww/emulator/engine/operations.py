"""The operations on a resource type: list, find, create, update, delete, and relationship URLs.

The declarations say which of them a type supports. This module checks media types and body sizes; `writes` and `query`
validate bodies and queries, `documents` builds responses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.emulator.engine import documents, overrides, writes
from didww.emulator.engine.errors import (
    HttpError,
    bad_filter_value,
    forbidden,
    no_such_path,
    not_found,
    not_offered,
    unsupported,
)
from didww.emulator.engine.query import Query, parse
from didww.emulator.engine.sql import Conditions
from didww.encrypt import MAX_ENCRYPTED_SIZE

if TYPE_CHECKING:
    from didww._core.effects import Request
    from didww.emulator.engine.schema import Relation, Table
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Row

__all__ = ["MEDIA_TYPE", "Operation", "check_accept"]

MEDIA_TYPE = "application/vnd.api+json"
MAX_BODY = 1 << 20
MAX_UPLOAD = MAX_ENCRYPTED_SIZE + (1 << 20)  # plus the multipart form around the file
_WRITES = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
_METHODS = {"list": "GET", "find": "GET", "create": "POST", "update": "PATCH", "delete": "DELETE"}


class Operation:
    """One request to one resource type."""

    def __init__(self, session: AccountSession, table: Table, request: Request, *, path: str, query: str) -> None:
        self.session = session
        self.table = table
        self.request = request
        self.path = path
        self.text = query
        body = request.body
        self.body = body if body is None or isinstance(body, bytes) else b"".join(body)
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.behavior = session.runtime.behavior(table.type)

    def run(self, rest: list[str]) -> tuple[int, dict[str, str], bytes]:
        """Run the operation selected by the method and the rest of the path."""
        method = self.request.method
        self._check_feature(overrides.NEEDS.get(self.table.type))
        if len(rest) > 1:
            return self._below(rest)
        operation = self._operation(rest, method)
        if operation == "create":
            self._check_feature(overrides.NEEDS_TO_CREATE.get(self.table.type))
        uploads = self.behavior.overrides("create") and operation == "create"
        if not uploads:  # upload responses are not labeled JSON:API
            check_accept(self.headers.get("accept", ""))
        if operation == "delete":
            self.session.runtime.run_in_transaction(lambda: writes.remove(self.session, self.table, rest[0]))
            return 204, {}, b""
        if operation == "list":
            return 200, {}, self._list()
        if operation == "find":
            return 200, {}, self._find(rest[0] if rest else None)
        if operation == "create":
            headers = {"content-type": "application/json"} if uploads else {}
            return 201, headers, self.session.runtime.run_in_transaction(self._create)
        return 200, {}, self.session.runtime.run_in_transaction(lambda: self._update(rest[0]))

    def _operation(self, rest: list[str], method: str) -> str:
        cls = self.table.cls
        offered = cls._operations | cls._extra_operations
        if cls._singleton and rest:
            raise no_such_path(self.path)
        here = ("find", "update", "delete") if rest or cls._singleton else ("list", "create")
        reading = "find" if rest or cls._singleton else "list"
        operation = reading if method == "GET" else _WRITES.get(method, "")
        if operation not in here or operation not in offered:
            raise not_offered(method, self.path, {_METHODS[operation] for operation in here if operation in offered})
        return operation

    def _check_feature(self, feature: str | None) -> None:
        if feature is not None and not self.session.enabled(feature):
            raise forbidden(feature)

    def _query(self, *, listed: bool) -> Query:
        return parse(self.table, self.text, listed=listed, now=self.session.now(), version=self.session.version)

    # Reading

    def _list(self) -> bytes:
        query = self._query(listed=True)
        session, table = self.session, self.table
        session.touch(table.type)
        for name, one in query.filters.items():
            owned = overrides.OWNED.get((table.type, name))
            if owned is not None and session.row(owned, one.values[0]) is None:
                raise bad_filter_value(name, one.values[0])
            for value in overrides.NEED_FEATURE.get((table.type, name), frozenset()).intersection(one.values):
                if not session.enabled(value):
                    raise bad_filter_value(name, value)
        if self.behavior.overrides("listed"):
            special = self.behavior.listed(session, query.filters)
            if special is not None:
                ids, meta = special
                kept = session.runtime.store.rows_by_id(table, ids)
                rows = [kept[id] for id in ids if id in kept]
                return documents.collection(session, table, rows, query, total=None, meta=meta)
        conditions = Conditions(table, session.owner, session.touch)
        conditions.narrow(query.filters)
        order = conditions.order(query.sorts)
        store = session.runtime.store
        execute = store.connection.execute
        source = f'FROM "{table.type}" AS t0 WHERE {conditions.where}'
        if query.page is None:
            rows = execute(f"SELECT {table.selected} {source} ORDER BY {order}", conditions.values).fetchall()
            return documents.collection(session, table, rows, query, total=None)
        total = store.count(source, conditions.values)
        size = query.page.size
        conditions.values.update(size=size, start=(query.page.number - 1) * size)
        # Sort ids only: sorting whole rows would be slower.
        page = execute(f"SELECT t0.id {source} ORDER BY {order} LIMIT :size OFFSET :start", conditions.values)
        found = store.rows_by_id(table, ids := [row[0] for row in page])
        return documents.collection(session, table, [found[id] for id in ids], query, total=total)

    def _find(self, id: str | None) -> bytes:
        query = self._query(listed=False)
        document = documents.single(self.session, self.table, self._row(id), query, "find")
        if id is not None and self.session.runtime.read_counted:
            self.session.record_read(id)
        return document

    def _row(self, id: str | None) -> Row:
        if id is None:
            rows = self.session.runtime.store.rows_where(
                self.session.touch(self.table.type), self.session.owner, {}, limit=1
            )
            return rows[0]
        row = self.session.row(self.table.type, id)
        if row is None:
            raise not_found(self.table.type, id)
        return row

    def _below(self, rest: list[str]) -> tuple[int, dict[str, str], bytes]:
        """Serve the URLs in the `links` of a relationship: the related resources, and the linkage."""
        bare = len(rest) == 3 and rest[1] == "relationships"
        name = rest[-1]
        relation = self.table.relations.get(name)
        if (
            relation is None
            or name not in self.table.view(self.session.version).relations
            or not (bare or len(rest) == 2)
            or "find" not in self.table.cls._operations
            or self.table.type in overrides.LINKS_NOT_SERVED
        ):
            raise no_such_path(self.path)
        if self.request.method in _WRITES:
            raise unsupported("writes to relationship URLs")
        if self.request.method != "GET":
            raise not_offered(self.request.method, self.path, ("GET",))
        check_accept(self.headers.get("accept", ""))
        row = self._row(rest[0])
        linked = documents.related_rows(self.session, self.table, relation, [row]).get(row[0], [])
        if bare:
            body = documents.relationship(self.session, self.table, row[0], relation, linked)
            return 200, {}, body
        return 200, {}, self._related(relation, linked)

    def _related(self, relation: Relation, found: list[tuple[Table, Row]]) -> bytes:
        table = found[0][0] if found else self.session.touch(relation.targets[0])
        query = parse(table, self.text, listed=False, now=self.session.now(), version=self.session.version)
        rows = [row for _, row in found]
        if relation.many:
            query.page = None
            return documents.collection(self.session, table, rows, query, total=None)
        return documents.single(self.session, table, rows[0] if rows else None, query, "find")

    # Writing

    def _create(self) -> bytes:
        query = self._query(listed=False)
        session, table, behavior = self.session, self.table, self.behavior
        uploads = behavior.overrides("create")
        self._check_size(MAX_UPLOAD if uploads else MAX_BODY)
        record = behavior.create(session, self.headers.get("content-type", ""), self.body or b"") if uploads else None
        if record is not None:
            created = writes.add(session, table, record)
        else:
            self._check_content_type()
            created = writes.create(session, table, writes.read_body(table, self.body, None))
        row = session.runtime.store.row(table, session.owner, created["id"]) if behavior.stored else table.row(created)
        return documents.single(session, table, row, query, "create")

    def _update(self, id: str) -> bytes:
        query = self._query(listed=False)
        self._check_size(MAX_BODY)
        self._check_content_type()
        body = writes.read_body(self.table, self.body, id)
        record = self.session.get(self.table.type, id)
        if record is None:
            raise not_found(self.table.type, id)
        writes.change(self.session, self.table, record, body)
        return documents.single(self.session, self.table, self._row(id), query, "update")

    def _check_size(self, most: int) -> None:
        if len(self.body or b"") > most:
            raise HttpError(413, "Payload Too Large", f"The body is larger than {most} bytes.", code="413")

    def _check_content_type(self) -> None:
        content_type = self.headers.get("content-type", "").strip()
        if content_type.lower() != MEDIA_TYPE:
            detail = (
                f"All requests that create or update must use the '{MEDIA_TYPE}' Content-Type. "
                f"This request specified '{content_type}'."
            )
            raise HttpError(415, "Unsupported media type", detail, code="415")


def check_accept(accept: str) -> None:
    """Check that an `Accept` header allows JSON:API.

    Raises:
        HttpError: It does not (406).
    """
    accept = accept.strip()
    if not accept:
        return
    kinds = [part.strip() for part in accept.lower().split(",")]  # media types are case-insensitive
    if any(kind == MEDIA_TYPE or kind.startswith(("*/*", "application/*")) for kind in kinds):
        return
    detail = (
        f"All requests must use the '{MEDIA_TYPE}' Accept without media type parameters. "
        f"This request specified '{accept}'."
    )
    raise HttpError(406, "Not acceptable", detail, code="406")
