"""A dlt source of call records: load them into a warehouse, repeatedly, and each record once.

dlt is imported when the source is created: `pip install "didww-sdk[dlt]"`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from didww._core.call_periods import earliest
from didww._util.extras import need
from didww._util.text import shown
from didww.cdr.dataset import CallDataset
from didww.cdr.dlt_tables import KEY, call_files, empty_table, tables
from didww.client import DidwwClient
from didww.enums import ExportType
from didww.exceptions import InvalidValueError
from didww.resources.call import InboundCall, OutboundCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    import pyarrow as pa

    from didww.resources.call import CallRecord
    from didww.resources.voice_out_trunk import VoiceOutTrunk

    Source: TypeAlias = DidwwClient | CallDataset | str | PathLike[str] | Iterable[str | PathLike[str]]

__all__ = ["calls"]

_TABLES: Final[dict[type[CallRecord], tuple[str, ExportType, str]]] = {
    InboundCall: ("inbound_calls", ExportType.CDR_IN, "did_number"),
    OutboundCall: ("outbound_calls", ExportType.CDR_OUT, "voice_out_trunk"),
}
"""By record class: the name of the table, the type of the exports, and their filter."""


class _Wanted(NamedTuple):
    """The calls to load.

    Attributes:
        account: Name of the account, unless the source has it.
        start: Time of the first, or None.
        end: Time before which they start, or None.
        overlap: How far a load from a client begins before the end of the one before.
    """

    account: str
    start: datetime | None
    end: datetime | None
    overlap: timedelta


def calls(
    source: Source,
    *,
    account: str = "default",
    start: datetime | None = None,
    end: datetime | None = None,
    overlap: timedelta = timedelta(days=1),
    did_number: str | None = None,
    voice_out_trunk: VoiceOutTrunk | str | None = None,
) -> Any:
    """Return a dlt source with the resources `inbound_calls` and `outbound_calls`.

    Each is a table with the columns of `InboundCall` or `OutboundCall`, `extra` as JSON text, `account`, and
    `record_key`: call ID and attempt, or for a record without a call ID a digest of the record and its number among
    equal ones. Tables are merged by `account` and `record_key`: a record that is loaded again replaces itself.

    From a client, each load fetches the calls since the end of the one before, and those up to `overlap` before that,
    because records can appear late. Each account and filter goes on separately. From files, each load reads those that
    are new or have changed. dlt stores this state with the data, so that a load that fails is repeated as it was.

    Args:
        source: A client, to export the calls; or a dataset or its folder, exports, or a folder of exports.
        account: Name of the account, in the column `account`. Datasets have it themselves.
        start: Load only calls from this time on. Required with a client, for the first load.
        end: Load only calls that start before this time. Defaults to all; with a client, to now.
        overlap: How far each load from a client begins before the end of the one before.
        did_number: Only calls to this number. Only with a client, and for inbound calls.
        voice_out_trunk: Only calls over this trunk, or the trunk with this ID. Only with a client, and for outbound
            calls.

    Returns:
        The source, a `DltSource`. `source.with_resources("inbound_calls")` loads only inbound calls.

    Raises:
        InvalidValueError: dlt or pyarrow is not installed, or an argument is not valid.

    Example:
        ::

            pipeline = dlt.pipeline("calls", destination="duckdb", dataset_name="didww")
            pipeline.run(calls(client, start=datetime(2026, 9, 1, tzinfo=UTC)))
    """
    dlt: Any = need("dlt", "dlt")
    need("pyarrow", "dlt")
    wanted = _Wanted(account, _bound(start, "start"), _bound(end, "end"), overlap)
    filters = {"did_number": did_number, "voice_out_trunk": voice_out_trunk}
    _check(source, wanted, filters)
    if not isinstance(source, DidwwClient | CallDataset | str | os.PathLike):
        source = tuple(source)  # both resources read it
    resources: list[Any] = []
    for cls, (name, export_type, filter_name) in _TABLES.items():
        if isinstance(source, DidwwClient):
            load = _exporting(dlt, source, export_type, {filter_name: filters[filter_name]}, cls, wanted)
        else:
            load = _reading(dlt, source, cls, wanted)
        resource = dlt.resource(load, name=name, write_disposition="merge", primary_key=["account", KEY])
        resources.append(resource)
    return dlt.source(lambda: resources, name="didww_calls", section="didww_calls")()


def _check(source: object, wanted: _Wanted, filters: dict[str, Any]) -> None:
    if wanted.overlap < timedelta(0):
        raise InvalidValueError(f"overlap must not be negative, got {wanted.overlap}.", field="overlap")
    if wanted.start is not None and wanted.end is not None and wanted.start >= wanted.end:
        raise InvalidValueError(f"start must be before end, got {wanted.start} and {wanted.end}.", field="start")
    if isinstance(source, DidwwClient):
        if wanted.start is None:
            raise InvalidValueError(
                "start is required with a client: the time of the first call to load. DIDWW has the calls of this "
                "month and of the two before.",
                field="start",
            )
        return
    if not isinstance(source, CallDataset | str | os.PathLike | Iterable):
        raise InvalidValueError(
            f"source must be a DidwwClient, a dataset, or paths of exports, got {shown(source)}.", field="source"
        )
    for name, value in filters.items():
        if value is not None:
            raise InvalidValueError(
                f"{name} is only for a source that is a client. Filter the loaded tables instead.", field=name
            )


def _bound(time: datetime | None, name: str) -> datetime | None:
    if time is None:
        return None
    if not isinstance(time, datetime) or time.utcoffset() is None:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValueError(f"{name} must be a datetime with a time zone, got {shown(time)}.", field=name)
    return time.astimezone(UTC)


def _exporting(
    dlt: Any,
    client: DidwwClient,
    export_type: ExportType,
    filters: dict[str, Any],
    cls: type[CallRecord],
    wanted: _Wanted,
) -> Callable[[], Iterator[pa.Table]]:
    """Return the function of a resource that fetches calls from the service."""
    # Accounts and filters of one pipeline go on separately: each has calls that the others have not loaded.
    which = " ".join([wanted.account, *(str(getattr(value, "id", value)) for value in filters.values() if value)])

    def load() -> Iterator[pa.Table]:
        state = dlt.current.resource_state()
        if not state:
            yield empty_table(cls)
        loaded = state.setdefault("until", {})
        start = wanted.start
        if which in loaded:
            start = _resumed(datetime.fromisoformat(loaded[which]), wanted.overlap)
        if start is None or (wanted.end is not None and start >= wanted.end):
            return
        with TemporaryDirectory() as folder:
            fetched = client.exports().fetch(export_type, start=start, end=wanted.end, directory=folder, **filters)
            for file in call_files(fetched.paths, cls):
                yield from tables(file.batches(), cls, wanted.account, start, wanted.end)
        loaded[which] = fetched.end.isoformat()

    return load


def _reading(dlt: Any, source: Any, cls: type[CallRecord], wanted: _Wanted) -> Callable[[], Iterator[pa.Table]]:
    """Return the function of a resource that reads files."""
    bounds = (wanted.start, wanted.end)

    def load() -> Iterator[pa.Table]:
        state = dlt.current.resource_state()
        if not state:
            yield empty_table(cls)
        loaded = state.setdefault("files", {})
        for file in call_files(source, cls):
            account = file.account if file.account is not None else wanted.account
            version = " ".join([file.version, account, *(bound.isoformat() if bound else "-" for bound in bounds)])
            if loaded.get(file.name) != version:
                yield from tables(file.batches(), cls, account, *bounds, file.part)
                loaded[file.name] = version

    return load


def _resumed(until: datetime, overlap: timedelta) -> datetime:
    """Return where to go on after a load of the calls until a time.

    What the service does not keep any longer was loaded before, unless that is too long ago; then `fetch` says so.
    """
    return max(until - overlap, min(until, earliest(datetime.now(UTC))))
