"""The templates of the endpoint methods, for `scripts/generate.py`: signature, documentation and body.

Each template is a method of an asynchronous endpoint. Names in braces are replaced with values from the resource's
declaration. `METHODS` lists the methods of each operation.
"""

from __future__ import annotations

__all__ = ["FURTHER_IMPORTS", "FURTHER_OPERATIONS", "METHODS", "SINGLETON_FIND"]

_LIST = '''
async def list(
    self,
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    filter: {filter} = None,
    sort: {sort} = None,
    page: int | tuple[int, int] | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> ApiResponse[List[{Record}]]:
    """Return one page of {records}.

    Args:
        params: The query as a `QueryParams`; keywords are added to it.
        include: {include_doc}
        filter: {filter_doc}
        sort: {sort_doc}
        page: {page_doc}
        fields: Names of the fields to return, by resource type. Defaults to all.

    Raises:
        InvalidValueError: An argument is not valid; nothing was sent.
        DidwwApiError: The service returned an error.
        ApiConnectionError: No response arrived.
    """
    return await self._list(params, include, filter, sort, page, fields)
'''

_ITERATE = '''
def iterate(
    self,
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    filter: {filter} = None,
    sort: {sort} = None,
    page: int | tuple[int, int] | None = None,
    fields: Mapping[str, Sequence[str]] | None = None,
    page_size: int | None = None,
    limit: int | None = None,
    prefetch: int = PREFETCH,
    resume: str | None = None,
) -> AsyncRecordIterator[{Record}]:
    """Iterate over all {records} that match, page by page.

    Each record is returned once, even if it moves to another page during the iteration. A record that moves to a page
    that was already read is missed: the service does not offer a stable view.

    Args:
        params: As in `list`.
        include: As in `list`.
        filter: As in `list`.
        sort: As in `list`.
        page: The page to start at; `(number, size)` also sets the page size.
        fields: As in `list`.
        page_size: Records per page.
        limit: Maximum number of records. Defaults to no limit.
        prefetch: Maximum number of pages to fetch ahead; 0 fetches each page when it is needed.
        resume: The `cursor` of an earlier iterator with the same query, to continue after its last record.

    Raises:
        InvalidValueError: An argument is not valid; nothing was sent.
        DidwwError: While iterating, as `list`. `timeout` applies to each page.
    """
    return self._iterate(
        params, include, filter, sort, page, fields, page_size, limit, prefetch, resume
    )
'''

_FIRST = '''
async def first(
    self,
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    filter: {filter} = None,
    sort: {sort} = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> {Record} | None:
    """Return the first of the {records} that match, or None.

    Args:
        params: As in `list`.
        include: As in `list`.
        filter: As in `list`.
        sort: As in `list`.
        fields: As in `list`.

    Raises:
        DidwwError: As `list`.
    """
    return await self._first(params, include, filter, sort, fields)
'''

_ONE = '''
async def one(
    self,
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    filter: {filter} = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> {Record}:
    """Return the only one of the {records} that matches.

    Args:
        params: As in `list`.
        include: As in `list`.
        filter: As in `list`.
        fields: As in `list`.

    Raises:
        NotExactlyOneError: No record matches, or several do; `found` is their number.
        DidwwError: As `list`.
    """
    return await self._one(params, include, filter, fields)
'''

_COUNT = '''
async def count(self, params: QueryParams | None = None, *, filter: {filter} = None) -> int:
    """Return the number of {records} that match.

    Args:
        params: As in `list`.
        filter: As in `list`.

    Raises:
        DidwwError: As `list`.
    """
    return await self._count(params, filter)
'''

_FIND = '''
async def find(
    self,
    resource_id: str | UUID | {Record},
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    fields: Mapping[str, Sequence[str]] | None = None,
) -> ApiResponse[{Record}]:
    """Fetch one of the {records} by id.

    Args:
        resource_id: The record's id, or a record to load again.
        params: The query as a `QueryParams`; keywords are added to it.
        include: {include_doc}
        fields: Names of the fields to return, by resource type. Defaults to all.

    Raises:
        NotFoundError: The account has no such record.
        InvalidValueError: An argument is not valid; nothing was sent.
    """
    return await self._find(resource_id, params, include, fields)
'''

SINGLETON_FIND = '''
async def find(
    self, params: QueryParams | None = None, *, fields: Mapping[str, Sequence[str]] | None = None
) -> ApiResponse[{Record}]:
    """Fetch the account's {Record}.

    Args:
        params: The query as a `QueryParams`; keywords are added to it.
        fields: Names of the fields to return, by resource type. Defaults to all.

    Raises:
        DidwwApiError: The service returned an error.
        ApiConnectionError: No response arrived.
    """
    return await self._find(None, params, None, fields)
'''

_CREATE = '''
async def create(
    self,
    resource: {Record},
    params: QueryParams | None = None,
    *,
    include: {include} = None,
    once: bool = False,
) -> ApiResponse[{Record}]:
    """Create {a_Record} and return it as stored by the service.

    {create_doc}

    Args:
        resource: The new record. {required_doc}
        params: The query as a `QueryParams`; keywords are added to it.
        include: {include_doc}
        once: Whether to look first for a record with the same `external_reference_id` or unique name, and to return
            that record instead of creating another. For programs that may be restarted
            (docs/explanation/orders-exactly-once.md).

    Raises:
        InvalidValueError: A required field is missing, or `resource` already exists; nothing was sent.
        NotExactlyOneError: With `once`, several records already have that identifier; nothing was created.
        ValidationError: The service rejected values; `fields` names them.
        {create_raises}ApiConnectionError: No response arrived; `outcome_unknown` is True if the record may exist.
    """
    return await self._create(resource, params, include, once=once)
'''

_UPDATE = '''
async def update(
    self, resource: {Record}, params: QueryParams | None = None, *, include: {include} = None
) -> ApiResponse[{Record}]:
    """Send the changes of {a_Record} and return it as stored by the service.

    Only changed fields are sent. Afterwards `resource` has no changes. {writable_doc}

    Args:
        resource: The changed record, loaded or created with `{Record}.build(id)`.
        params: The query as a `QueryParams`; keywords are added to it.
        include: {include_doc}

    Raises:
        InvalidValueError: `resource` has no id; nothing was sent.
        ValidationError: The service rejected values; `fields` names them.
    """
    return await self._update(resource, params, include)
'''

_DELETE = '''
async def delete(self, resource_id: str | UUID | {Record}) -> ApiResponse[None]:
    """Delete {a_Record}.

    Args:
        resource_id: The record, or its id.

    Raises:
        NotFoundError: The account has no such record.
        ValidationError: The state of the record does not allow it.
    """
    return await self._delete(resource_id)
'''

_MANY = '''
async def {verb}_many(
    self,
    records: Iterable[{Input}],
    *,
    concurrency: int = CONCURRENCY,
    stop_on_error: bool = False,{once_parameter}
    report: Report[{Input}] | None = None,
    progress: Callable[[Report[{Input}]], object] | None = None,
) -> Report[{Input}]:
    """{Verb} many {records}, several at once, and report the result of each.

    Each record takes its own request, within the rate limit and with the client's `timeout`. If the call is
    interrupted, requests that were started are finished first.

    Args:
        records: {input_doc}
        concurrency: Number of requests at once, 1 to 100.
        stop_on_error: Whether to start no new requests after the first failure.{once_doc}
        report: An empty `Report()` to fill, for reading progress from elsewhere and after an interruption.
        progress: Called with the report after each record; an asynchronous client also accepts coroutine functions.

    Raises:
        InvalidValueError: An argument is not valid; nothing was sent. All other errors are in the report.
    """
    return await self._{verb}_many(
        records, concurrency, report, progress, stop_on_error=stop_on_error{once_argument}
    )
'''

_WAIT = '''
async def wait(
    self,
    resource_id: str | UUID | {Record},
    *,
    until: str | Callable[[{Record}], bool] | None = None,
    timeout: float = 300.0,
    on_update: Callable[[{Record}], object] | None = None,
) -> ApiResponse[{Record}]:
    """Wait until {a_Record} reaches a status, polling every 0.5 to 5 seconds, and return it.

    After the first response, single failures of the service or the network do not end the wait. An interrupted wait
    can be started again with the same id, in any process.

    Args:
        resource_id: The record, or its id.
        until: The status to wait for, or a function that takes the record and returns True to stop. {until_doc}
        timeout: Maximum time to wait in seconds; the last request may take one second longer.
        on_update: Called with the record when it is first loaded and whenever it has changed; an asynchronous client
            also accepts coroutine functions.

    Raises:
        WaitError: The record reached another final status. `resource` is its last state, `reasons` the reasons.
        ApiTimeoutError: The timeout expired. The service continues: wait again with the same id.
    """
    return await self._wait(resource_id, until, timeout, on_update)
'''

_FETCH = '''
async def fetch(
    self,
    export_type: CallExportType,
    *,
    start: datetime,
    end: datetime | None = None,
    did_number: str | None = None,
    voice_out_trunk: str | UUID | VoiceOutTrunk | None = None,
    directory: str | os.PathLike[str] | None = None,
    timeout: float = 3600.0,
    progress: Callable[[FetchProgress], object] | None = None,
) -> FetchedFiles:
    """Create the exports of the calls of a period, wait for them, download them, and return the files.

    There is one export for each month. An export of the same calls that is still being prepared is waited for, and one
    that was created a day after the end of its calls, or later, is used again. A file that was downloaded from the same
    export, and has its size, is not downloaded again. So an interrupted call can be repeated.

    Args:
        export_type: `ExportType.CDR_IN` for inbound calls, or `CDR_OUT` for outbound calls.
        start: Start of the calls, with a time zone, in this month or one of the two before it, in UTC.
        end: End of the calls, exclusive. Defaults to now.
        did_number: Only inbound calls to this number.
        voice_out_trunk: Only outbound calls over this trunk, or the trunk with this id.
        directory: Directory of the files, created if missing: one for each account. Defaults to the current one. What
            is known about the files is in its subdirectory `.didww`.
        timeout: Maximum time to wait for each export, and to download it, in seconds.
        progress: Called with a `FetchProgress` while waiting and downloading; an asynchronous client also accepts
            coroutine functions.

    Raises:
        InvalidValueError: An argument is not valid, the service does not have the calls, or the directory has those of
            another account; nothing was created.
        ApiTimeoutError: An export was not ready in time. Repeat the call to go on waiting.
        DidwwClientError: A file cannot be written.

    Source: docs/how-to/fetch-call-records.md.
    """
    from didww._core.call_exports import Wanted, fetch
    from didww._drivers.call_folder import CallFolder

    wanted = Wanted.of(export_type, did_number, voice_out_trunk)
    folder = CallFolder("" if directory is None else directory, wanted.export_type)
    return await self._driver.run(
        fetch(self._configuration, wanted, start, end, folder, timeout, progress)
    )
'''

_FETCH_NEW = '''
async def fetch_new(
    self,
    export_type: CallExportType,
    directory: str | os.PathLike[str],
    *,
    start: datetime | None = None,
    did_number: str | None = None,
    voice_out_trunk: str | UUID | VoiceOutTrunk | None = None,
    overlap: timedelta = OVERLAP,
    timeout: float = 3600.0,
    progress: Callable[[FetchProgress], object] | None = None,
) -> FetchedFiles:
    """Add the calls that are new to a directory, and return the files with them.

    Goes on where the last call of this method ended. Files are never changed, and together they have each row once: a
    row is known by its call ID and attempt, or without a call ID by all its values. An interruption at any point, even
    of the process, neither loses nor doubles a row. The files of a call that raised, was canceled, or was killed before
    its end are returned by the next.

    Args:
        export_type: `ExportType.CDR_IN` for inbound calls, or `CDR_OUT` for outbound calls.
        directory: Directory of the files, created if missing: one for each account. What is known about the files is
            in its subdirectory `.didww`; keep it.
        start: Start of the calls the first time, with a time zone. Defaults to all that the service has. Later, only
            whether it would leave a gap is checked.
        did_number: Only inbound calls to this number.
        voice_out_trunk: Only outbound calls over this trunk, or the trunk with this id.
        overlap: How long after the start of a call its record can appear. It is missed if it appears later. An export
            begins as much before the end of the last one.
        timeout: Maximum time to wait for each export, and to download it, in seconds.
        progress: Called with a `FetchProgress` while waiting and downloading; an asynchronous client also accepts
            coroutine functions.

    Raises:
        InvalidValueError: An argument is not valid, there would be a gap because the last call was too long ago, or
            the directory has other calls; nothing was created.
        DidwwClientError: Another program is fetching into the directory, or a file cannot be written.
        ApiTimeoutError: An export was not ready in time. Repeat the call.
        CallFileError: An export is damaged.

    Source: docs/how-to/fetch-call-records.md.
    """
    from didww._core.call_exports import Wanted
    from didww._core.call_exports_new import fetch_new
    from didww._drivers.call_folder import CallFolder

    wanted = Wanted.of(export_type, did_number, voice_out_trunk)
    folder = CallFolder(directory, wanted.export_type)
    return await self._driver.run(
        fetch_new(self._configuration, wanted, start, folder, overlap, timeout, progress)
    )
'''

METHODS = {
    "list": (_LIST, _ITERATE, _FIRST, _ONE, _COUNT),
    "find": (_FIND,),
    "create": (_CREATE, _MANY),
    "update": (_UPDATE, _MANY),
    "delete": (_DELETE, _MANY),
    "wait": (_WAIT,),
    "fetch": (_FETCH, _FETCH_NEW),
}
"""The methods of each operation."""

FURTHER_OPERATIONS = {"exports": ("fetch",)}
"""Operations of single resource types that the service does not have, made of several requests."""

FURTHER_IMPORTS = {
    "fetch": (
        "import os",
        "from datetime import datetime, timedelta",
        "from didww._core.call_exports import CallExportType, FetchedFiles, FetchProgress",
        "from didww.resources.voice_out_trunk import VoiceOutTrunk",
    )
}
"""Imports for type checking that the methods of these operations need."""
