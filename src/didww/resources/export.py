"""Exports: call detail records (CDRs) as a file, made in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypedDict

from didww.enums import CallbackMethod, ExportStatus, ExportType
from didww.resources.base import Outcome, Resource
from didww.resources.fields import attribute, writable
from didww.resources.filters import OptionalText, Texts

ExportFilter = TypedDict("ExportFilter", {"external_reference_id": OptionalText, "id": Texts}, total=False)
ExportSort = Literal[
    "created_at",
    "-created_at",
    "external_reference_id",
    "-external_reference_id",
    "status",
    "-status",
]


class Export(
    Resource,
    type="exports",
    operations=("list", "find", "create", "update"),
    filter=ExportFilter,
    sort=ExportSort,
    outcome=Outcome("status", reached=("completed",), ends=("completed",)),
):
    """A CDR export: ask again until `status` is completed, or give a `callback_url`, then download `url`.

    DIDWW removes it a month after completion.

    Source: contract file exports; CDR export sheet, sections 1 and 2.
    """

    export_type: ExportType = writable("Which calls: incoming or outgoing.", on="create", required=True)
    status: ExportStatus = attribute("Pending, processing, then completed: the file can be downloaded.")
    url: str | None = attribute(
        "Where the file, gzip-compressed CSV, is downloaded; None until it is completed.",
    )
    filters: dict[str, Any] = writable(
        "Which records: `from` (inclusive) and `to` (exclusive), e.g. `2026-03-01 00:00:00` in UTC, neither "
        "in the future and both within this month or the two before it; `did_number` for incoming calls "
        "and `voice_out_trunk.id` for outgoing ones narrow it down.",
        on="create",
        required=True,
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS address that is called when the export completes; None for no call.",
        on="create",
    )
    callback_method: CallbackMethod | None = writable("How it is called; None if it is not.", on="create")
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        longest=100,
    )
    created_at: datetime | None = attribute("When it was asked for; None if the service does not say.")
