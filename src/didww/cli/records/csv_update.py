"""`didww <type> update --from-csv`: a change for each row of a CSV file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cli import bulk, csv_input, lookups
from didww.cli.records import draft, values
from didww.cli.records.options import cell_error
from didww.cli.records.slots import Slot, slots
from didww.cli.records.targets import Targets, key_fields, label, noun
from didww.exceptions import DidwwError, InvalidValueError, NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.resource import Resource
    from didww.cli.csv_input import CsvFile, Row
    from didww.cli.session import Session

__all__ = ["CLEAR", "update"]

CLEAR: Final = "null"
"""A cell that clears the field, as `none` does, also where `none` is a value; an empty cell leaves it alone."""


def update(session: Session, cls: type[Resource], path: str, result_file: str | None) -> None:
    """Update the records of a CSV file.

    Args:
        session: The run of the command.
        cls: The resource.
        path: Path of the file.
        result_file: Path of the file with the results. Defaults to the path with `.results.csv`.
    """
    known = slots(cls, creating=False)
    linked = [name for name, slot in known.items() if slot.field.place == "relationships"]
    aliases = {f"{name}.{ending}": name for name in linked for ending in ("id", "name", "number")}
    aliases |= {
        f"{slot.parent.name}.{slot.field.name}": name for name, slot in known.items() if slot.parent is not None
    }
    keys = key_fields(cls)
    file = csv_input.read(path, dict.fromkeys([*keys, *known]), aliases)
    key = _key(file, keys, known)
    columns = {column: known[column] for column in file.columns if column != key}
    if not columns:
        raise InvalidValueError(f"{path}, line 1: there is no column to change. Columns: {', '.join(known)}.")
    texts = [_normal(file, row, key) for row in file.rows]
    file.check_unique(key, texts)
    targets = Targets(session.client)
    _look_up(file, columns, targets)
    given = [_values(file, row, columns, targets) for row in file.rows]
    records = targets.load(cls, key, texts, draft.includes(cls, list(columns.values())))
    for row, text in zip(file.rows, texts, strict=True):
        if text not in records:
            file.fail(row, key, f"the account has no {noun(cls)} {text!r:.80}.")
    changes = [
        _change(file, row, records[text], row_values, known)
        for row, text, row_values in zip(file.rows, texts, given, strict=True)
    ]
    what = "number" if cls._type_name == "dids" else noun(cls)
    bulk.run(session, changes, result_file=result_file or f"{path}.results.csv", what=what)


def _key(file: CsvFile, keys: tuple[str, ...], known: Mapping[str, Slot]) -> str:
    """Return the column that identifies records. A name beside an id is a field to change."""
    fixed = [name for name in keys if name not in known]
    if "id" in file.columns or "name" not in keys or "name" not in file.columns:
        return file.one_of(fixed if any(name in file.columns for name in fixed) else keys)
    return "name" if not any(name in file.columns for name in fixed) else file.one_of(fixed)


def _normal(file: CsvFile, row: Row, key: str) -> str:
    """Return the key of a row as the service has it."""
    text = row.cells[key]
    if key != "number" or not text:
        return text.lower() if key == "id" else text
    try:
        return lookups.plain_number(text)
    except InvalidValueError as error:
        hint = " A spreadsheet has shortened it: format the column as text." if "E+" in text.upper() else ""
        file.fail(row, key, f"{error}{hint}")


def _look_up(file: CsvFile, columns: Mapping[str, Slot], targets: Targets) -> None:
    """Look up the names of related records together."""
    from didww._schema.registry import class_named

    for column, slot in columns.items():
        names: tuple[str, ...] = slot.field.kind.detail.names if slot.field.kind.name == "one" else ()
        if len(names) == 1:
            texts = [row.cells[column] for row in file.rows if row.cells[column] not in ("", CLEAR)]
            targets.remember(class_named(names[0]), texts)


def _values(file: CsvFile, row: Row, columns: Mapping[str, Slot], targets: Targets) -> dict[str, Any]:
    """Return the values of a row."""
    given: dict[str, Any] = {}
    for column, slot in columns.items():
        text = row.cells[column]
        if not text:
            continue
        try:
            given[slot.name] = (
                values.blank(slot.field) if text.lower() == CLEAR else values.parse(slot, _texts(slot, text), targets)
            )
        except InvalidValueError as error:
            file.fail(row, column, cell_error(slot, error))
        except NotExactlyOneError as error:
            file.fail(row, column, error)
    return given


def _texts(slot: Slot, text: str) -> list[str]:
    """Return the texts of a cell: several for related records, separated by commas."""
    return text.split(",") if slot.field.kind.name == "many" else [text]


def _change(
    file: CsvFile, row: Row, record: Resource, given: Mapping[str, Any], known: Mapping[str, Slot]
) -> bulk.Change:
    try:
        changed = draft.differences(record, given, known)
    except DidwwError as error:
        name = (getattr(error, "field", "") or "").rpartition(".")[2]
        file.fail(row, name or "id", error)
    wanted = repr(sorted((name, row.cells[name]) for name in file.columns))
    secret = any(known[name].field.secret for name in given)
    return bulk.Change(label(record), record, changed, wanted, secret=secret)
