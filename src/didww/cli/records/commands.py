"""`list`, `find`, `create`, `update` and `delete` of a resource type."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from didww._schema.filter_rules import includes as include_names
from didww.cli import parameters
from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.records import options
from didww.cli.records.examples import examples
from didww.cli.records.slots import slots
from didww.cli.records.targets import Targets, endpoint, label, named_by, noun
from didww.cli.records.words import listed, sentence, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from didww._schema.resource import Resource
    from didww.cli.output import RecordTable
    from didww.cli.records.json_input import Entry
    from didww.cli.session import Session

    Build: TypeAlias = Callable[[type[Resource], str], Command]

__all__ = ["OPERATIONS", "build"]

_json_option: Final = click.Option(
    ["--json", "json_path"],
    metavar="FILE|-",
    help="Read a JSON:API document, an object of fields, or a list of them; -: from standard input.",
)
_credentials_option: Final = click.Option(["--show-credentials"], is_flag=True, help="Print passwords, too.")


def build(cls: type[Resource], operation: str, path: str) -> Command:
    """Return the command of an operation.

    Args:
        cls: The resource.
        operation: The operation.
        path: The command of the resource, such as `didww dids`, for the examples.
    """
    return _BUILD[operation](cls, path)


def _a_record(cls: type[Resource]) -> str:
    """Return what one record is called, with an article."""
    text = noun(cls)
    return f"{'an' if text.startswith(('a', 'e', 'i', 'o', 'SMS')) else 'a'} {text}"


def _records(cls: type[Resource]) -> str:
    return words(cls._type_name)


def _secret(cls: type[Resource]) -> list[click.Parameter]:
    """Return the option to print credentials, if a record can have some."""
    kinds = [field.kind for field in cls._field_map.values() if field.place == "attributes"]
    nested = [inner for kind in kinds if kind.name == "object" for inner in kind.detail]
    related = [field for inner in nested for field in inner._field_map.values()]
    secret = any(field.secret for field in (*cls._field_map.values(), *related))
    return [_credentials_option] if secret else []


def _list(cls: type[Resource], path: str) -> Command:
    @click.pass_obj
    def run(
        session: Session, /, filters: Sequence[tuple[str, str]], limit: int | None, count: bool, **given: Any
    ) -> None:
        client = session.client
        query = options.filter_of(cls, given, filters, client)
        if count:
            click.echo(endpoint(client, cls).count(filter=query))
            return
        table = _table(session, cls, given)
        include = list(dict.fromkeys([*table.includes, *given.get("include", ())]))
        asked = {"filter": query, "include": include, "sort": given.get("sort")}
        table.print(
            endpoint(client, cls).iterate(limit=limit, **{name: value for name, value in asked.items() if value})
        )

    params = [
        *options.list_options(cls),
        *_of(parameters.filter_option, parameters.limit_option),
        click.Option(["--count"], is_flag=True, help="Print the number of records instead."),
        *_secret(cls),
    ]
    return _command("list", run, params, f"List {_records(cls)}.", path, cls)


def _table(session: Session, cls: type[Resource], given: Mapping[str, Any]) -> RecordTable:
    from didww.cli.output import RecordTable

    return RecordTable(session.settings, cls, secrets=given.get("show_credentials", False))


def _of(*decorators: Any) -> list[click.Parameter]:
    """Return the parameters that decorators add."""

    def holder() -> None: ...

    for decorate in reversed(decorators):
        decorate(holder)
    return list(reversed(getattr(holder, "__click_params__", [])))


def _command(
    name: str,
    run: Callable[..., None],
    params: list[click.Parameter],
    text: str,
    path: str,
    cls: type[Resource],
    *,
    changes: bool = False,
) -> Command:
    lines = examples(cls._type_name, name, path)
    return Command(name, callback=run, params=params, help=text, examples=lines, changes=changes)


def _find(cls: type[Resource], path: str) -> Command:
    singleton = cls._singleton

    @click.pass_obj
    def run(session: Session, /, id: str | None = None, **given: Any) -> None:
        client = session.client
        table = _table(session, cls, given)
        include = list(dict.fromkeys([*table.includes, *given.get("include", ())]))
        place = () if singleton else (Targets(client).find(cls, id or "").id,)
        query: dict[str, Any] = {"include": include} if include else {}
        table.print_one(endpoint(client, cls).find(*place, **query).data)

    params: list[click.Parameter] = [] if singleton else [_id(cls)]
    params += [options.include_option(cls)] if include_names(cls) else []
    text = f"Show the {noun(cls)}." if singleton else f"Show {_a_record(cls)}."
    return _command("find", run, [*params, *_secret(cls)], text, path, cls)


def _id(cls: type[Resource], **attributes: Any) -> click.Argument:
    complete = parameters.complete_numbers if cls._type_name == "dids" else None
    metavar = named_by(cls) if attributes.get("required", True) else f"[{named_by(cls)}]"
    return click.Argument(["id"], metavar=metavar, shell_complete=complete, **attributes)


def _create(cls: type[Resource], path: str) -> Command:
    @click.pass_context
    def run(ctx: click.Context, /, json_path: str | None, named: str | None = None, **given: Any) -> None:
        from didww.cli.records import draft

        session: Session = ctx.obj
        if named is not None:
            options.take_name(ctx, named)
        targets = Targets(session.client)
        known = slots(cls, creating=True)
        rows = _entries(ctx, cls, json_path, targets, creating=True)
        for row in rows:
            if missing := draft.missing(row.values, known):
                needed = ["NAME" if by_name and slot.name == "name" else slot.option for slot in missing]
                raise click.UsageError(f"Missing {listed(needed)}.", ctx)
        with options.naming(cls, creating=True) if json_path is None else nullcontext():
            records = [draft.new(cls, row.values, known) for row in rows]
            for record in records:
                draft.check(record, creating=True)

        def create(record: Any) -> Any:
            created = endpoint(session.client, cls).create(record, **_shown(session, cls)).data
            session.known.append(f"The {noun(cls)} {label(created)} was created.")
            return created

        with ExitStack() as locks:
            if cls._marked:
                _check_references(session, records, locks)
                _confirm_cost(session, records)
            else:
                _confirm_create(session, cls, records)
            done = _each(session, records, create)
        _print(session, cls, done, given)

    by_name = options.is_named(cls)
    params: list[click.Parameter] = [click.Argument(["named"], metavar="[NAME]", required=False)] if by_name else []
    params += [*options.field_options(cls, creating=True), _json_option, *_secret(cls)]
    text = f"Create {_a_record(cls)}.\n\nRelated records are given by name or id."
    return _command("create", run, params, text, path, cls, changes=True)


def _confirm_create(session: Session, cls: type[Resource], records: Sequence[Any]) -> None:
    """Ask if a record changes something elsewhere, or if there are several."""
    from didww.cli.plans import confirm_plan
    from didww.cli.records.consequences import of_create

    def read() -> dict[str, list[str]]:
        return {f"new record {number}": of_create(session, record) for number, record in enumerate(records, 1)}

    seen = read()
    plan = [line for lines in seen.values() for line in lines]
    if plan or len(records) > 1:
        what = f"this {noun(cls)}" if len(records) == 1 else f"{len(records)} {_records(cls)}"
        confirm_plan(session, *plan, question=f"Create {what}?", seen=seen, read=read)


def _check_references(session: Session, orders: Sequence[Any], locks: ExitStack) -> None:
    """Check that no order has the references of new ones, which are locked until the new ones are placed.

    Raises:
        RefusedError: An order has one.
    """
    from didww.cli.locks import reference_lock
    from didww.cli.orders_placed import find_order

    references = [text for order in orders if (text := order._attributes.get("external_reference_id"))]
    if len(set(references)) < len(references):
        raise click.UsageError("Two of the orders have the same external_reference_id.")
    for reference in sorted(references):
        locks.enter_context(reference_lock(session, reference))
        order = find_order(session.client, reference)
        if order is not None:
            raise RefusedError(
                f"The reference {reference!r:.80} belongs to order {order.reference} already. See: "
                f"{session.command_line('orders', 'show', order.reference)}"
            )


def _confirm_cost(session: Session, records: Sequence[Any]) -> None:
    from didww.cli.records import costs

    found = [costs.cost(session.client, record) for record in records]
    known = all(cost.known for cost in found)
    what = "this order" if len(records) == 1 else f"{len(records)} orders"
    plan = [line for cost in found for line in cost.lines]
    if not known and session.settings.yes and not session.settings.dry_run:
        for line in plan:
            session.say(line)
        raise RefusedError(
            f"The price is unknown, so --yes does not place {what}. Answer the question at a terminal, without --yes."
        )
    session.confirm(*plan, question=f"Place {what}?" if known else f"Place {what} although the price is unknown?")


def _entries(
    ctx: click.Context,
    cls: type[Resource],
    path: str | None,
    targets: Targets,
    *,
    creating: bool,
    named: bool = False,
) -> list[Entry]:
    """Return what to write: from options, from JSON, or from both: options win."""
    from didww.cli.records import json_input

    given = options.values_of(ctx, cls, creating=creating, targets=targets)
    if path is None:
        return [json_input.Entry(None, given, ())]
    rows = json_input.entries(cls, json_input.load(path), creating=creating, targets=targets, named=named)
    left_out = dict.fromkeys(name for row in rows for name in row.left_out)
    if left_out:
        ctx.obj.say(f"Not writable, left out: {', '.join(left_out)}.")
    return [row._replace(values={**row.values, **given}) for row in rows]


def _update(cls: type[Resource], path: str) -> Command:
    @click.pass_context
    def run(
        ctx: click.Context,
        /,
        id: str | None,
        json_path: str | None,
        from_csv: str | None,
        results: str | None,
        **given: Any,
    ) -> None:
        from didww.cli.records import draft

        session: Session = ctx.obj
        targets = Targets(session.client)
        if from_csv is not None:
            _only_csv(ctx, id, json_path)
            from didww.cli.records import csv_update

            csv_update.update(session, cls, from_csv, results)
            return
        rows = _entries(ctx, cls, json_path, targets, creating=False, named=id is not None)
        if id is not None and len(rows) > 1:
            raise click.UsageError(f"{named_by(cls)} goes with one record, not with a list of {len(rows)}.", ctx)
        if id is None and any(row.id is None for row in rows):
            raise click.UsageError(f"Missing argument {named_by(cls)}.", ctx)
        if not any(row.values for row in rows):
            raise click.UsageError("There is nothing to change: pass an option for a field, --json or --from-csv.", ctx)
        known = slots(cls, creating=False)
        records: list[Any] = []
        changed: list[dict[str, tuple[str, str]]] = []
        for row in rows:
            place = targets.find(cls, id if id is not None else str(row.id)).id
            include = {*draft.includes(cls, [known[name] for name in row.values]), *_includes(session, cls)}
            records.append(endpoint(session.client, cls).find(place, include=sorted(include)).data)
            with options.naming(cls, creating=False) if json_path is None else nullcontext():
                changed.append(draft.differences(records[-1], row.values, known))
        _confirm_update(session, cls, records, changed)

        def update(record: Any) -> Any:
            if not record.changes:
                return record
            updated = endpoint(session.client, cls).update(record, **_shown(session, cls)).data
            session.known.append(f"The {noun(cls)} {label(record)} was updated.")
            return updated

        _print(session, cls, _each(session, records, update), given)

    params = [
        _id(cls, required=False),
        *options.field_options(cls, creating=False),
        _json_option,
        click.Option(["--from-csv"], metavar="FILE", help="Update the record of each row; see above."),
        click.Option(["--results"], metavar="FILE", help="Results of --from-csv. Defaults to FILE.results.csv."),
        *_secret(cls),
    ]
    keys = " or ".join(key for key in named_by(cls).lower().split("|"))
    text = (
        f"Update {_a_record(cls)}, or many from a CSV file.\n\n"
        "The value none, or --no-FIELD, clears a field. Related records are given by name or id.\n\n"
        f"A CSV file has a column {keys}, and a column for each field to change. An empty cell leaves the field alone, "
        "none clears it. An interrupted run goes on when it is repeated."
    )
    return _command("update", run, params, text, path, cls, changes=True)


def _only_csv(ctx: click.Context, id: str | None, json_path: str | None) -> None:
    fields = [
        name
        for name, value in ctx.params.items()
        if name.startswith(("field_", "clear_", "file_")) and value not in (None, (), False)
    ]
    if id is not None or json_path is not None or fields:
        raise click.UsageError("--from-csv goes without an id, --json and options of fields.", ctx)


def _confirm_update(
    session: Session, cls: type[Resource], records: Sequence[Any], changed: Sequence[Mapping[str, tuple[str, str]]]
) -> None:
    """Show the changes, and ask if calls or money depend on them."""
    from didww.cli.records.consequences import HARMLESS, LIVE

    plan: list[str] = []
    serious = False
    for record, fields in zip(records, changed, strict=True):
        lines = {name: pair for name, pair in fields.items() if pair[0] != pair[1]}
        serious = serious or not lines.keys() <= HARMLESS
        parts = ", ".join(
            f"{words(name)}: {before or 'none'} -> {after or 'none'}" for name, (before, after) in lines.items()
        )
        plan.append(f"{sentence(noun(cls))} {label(record)}: {parts or 'nothing changes'}")
    if (serious and cls._type_name in LIVE) or len(records) > 1:
        session.confirm(*plan, question="Make this change?" if len(records) == 1 else "Make these changes?")
    else:
        for line in plan:
            session.say(line)


def _delete(cls: type[Resource], path: str) -> Command:
    @click.pass_obj
    def run(session: Session, /, ids: Sequence[str]) -> None:
        from didww.cli.plans import confirm_plan
        from didww.cli.records.consequences import of_delete

        targets = Targets(session.client)
        places = dict.fromkeys(targets.find(cls, text).id for text in ids)
        records = [_found(session, cls, place) for place in places]

        def read() -> dict[str, list[str]]:
            return {record.id: of_delete(session, record) for record in records}

        seen = read()
        plan: list[str] = []
        for record in records:
            plan.append(f"{sentence(noun(cls))} {label(record)} ({record.id})")
            plan += (f"  {line}" for line in seen[record.id])
        question = f"Delete this {noun(cls)}?" if len(records) == 1 else f"Delete these {len(records)} {_records(cls)}?"
        confirm_plan(session, *plan, question=question, seen=seen, read=read)

        def delete(record: Any) -> None:
            endpoint(session.client, cls).delete(record.id)
            session.known.append(f"The {noun(cls)} {label(record)} was deleted.")

        _each(session, records, delete)
        session.say(f"Deleted: {', '.join(label(record) for record in records)}.")

    complete = parameters.complete_numbers if cls._type_name == "dids" else None
    argument = click.Argument(["ids"], metavar=f"{named_by(cls)}...", nargs=-1, required=True, shell_complete=complete)
    text = f"Delete {_records(cls)}."
    if cls._type_name == "dids":
        text += "\n\nTo cancel numbers at the end of the paid period, use `didww numbers cancel`."
    return _command("delete", run, [argument], text, path, cls, changes=True)


def _found(session: Session, cls: type[Resource], place: str) -> Any:
    if "find" in cls._operations | cls._extra_operations:
        return endpoint(session.client, cls).find(place).data
    return cls.build(place)


def _each(session: Session, records: Sequence[Any], act: Callable[[Any], Any]) -> list[Any]:
    """Act on one record after the other, and stop at the first error. A dry run goes on after each request."""
    from didww.cli.dry_run import DryRunError

    results: list[Any] = []
    dry: DryRunError | None = None
    for record in records:
        try:
            results.append(act(record))
        except DryRunError as error:
            dry = error
    if dry is not None:
        raise dry
    session.known.clear()
    return results


def _includes(session: Session, cls: type[Resource]) -> list[str]:
    """Return the related records that the output shows."""
    return _table(session, cls, {}).includes


def _shown(session: Session, cls: type[Resource]) -> dict[str, Any]:
    """Return the query for the related records that the output shows."""
    include = _includes(session, cls)
    return {"include": include} if include else {}


def _print(session: Session, cls: type[Resource], records: Iterable[Any], given: Mapping[str, Any]) -> None:
    table = _table(session, cls, given)
    found = list(records)
    if len(found) == 1:
        table.print_one(found[0])
    else:
        table.print(found)


_BUILD: Final[dict[str, Build]] = {
    "list": _list,
    "find": _find,
    "create": _create,
    "update": _update,
    "delete": _delete,
}
OPERATIONS: Final = tuple(_BUILD)
