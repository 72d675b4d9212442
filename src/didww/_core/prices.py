"""Look up prices, and download the price files that have all of them.

Each price list has a service, paths and a record class, which stand in one table. Only filters are sent: the services
refuse all other parameters.
"""

from __future__ import annotations

import os
import re
from email.message import Message
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar, get_args

from didww._core import request as requests
from didww._core.attempts import exchange
from didww._core.download import RemoteFile, check_max_bytes, download, target_path
from didww._core.response import api_response, error_for, expect
from didww._schema.forms import Form
from didww._schema.resource import Resource
from didww._schema.versions import unsupported
from didww._util.datetimes import http_date, http_date_text
from didww._util.text import shown
from didww._util.urls import path_of
from didww.exceptions import InvalidValueError, UnexpectedResponseError
from didww.query_params import QueryParams
from didww.resources.price.sms_in import SmsInPrice
from didww.resources.price.sms_out import SmsOutPrice
from didww.resources.price.voice_in import VoiceInPrice
from didww.resources.price.voice_out import VoiceOutPrice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from didww._core.download import Progress
    from didww._core.effects import Call, Request
    from didww._core.response import ApiResponse
    from didww.configuration import Configuration
    from didww.services import Service

__all__ = [
    "SMS_DOMAINS",
    "SMS_IN",
    "SMS_OUT",
    "VOICE_IN",
    "VOICE_OUT",
    "PriceFile",
    "PriceList",
    "SmsDomain",
    "check_offered",
    "checked_domain",
    "download_file",
    "file_info",
    "look_up",
]

SmsDomain: TypeAlias = Literal["a2p", "p2p", "otp"]
"""The purpose of outbound text messages: application to person, person to person, one-time passwords."""

SMS_DOMAINS: Final[tuple[SmsDomain, ...]] = get_args(SmsDomain)

_CALLED_NUMBER: Final = Form(
    "^[1-9][0-9]{7,14}$", "a text of 8 to 15 digits with the country code, without a plus sign", r"+\s./-"
)
_NUMBER: Final = Form("^[1-9][0-9]*$", "a text of digits with the country code, without a plus sign", r"+\s./-")
"""The services of outbound calls and of messages do not document a length."""

_COUNTRY: Final = Form("^(?!UK$)[A-Z]{2}$", "the ISO code of a country, such as 'GB'")
_COMMON_CODES: Final = {"UK": "GB"}
"""Codes that are no ISO codes of countries, and the ISO code."""
_MAX_NUMBER: Final = 10**15
_MAX_FILENAME: Final = 255
"""Bytes that a file name can have on most systems."""

_AS_IS: Final = "Omit decompress=True to get the file as it is."

P = TypeVar("P", bound=Resource)


class PriceList(NamedTuple, Generic[P]):
    """A price list of the account.

    Attributes:
        accessor: Its name in Python, for messages.
        service: Its service.
        lookup: The path of the lookup.
        file: The path of the file.
        record_class: The class of its prices.
        filters: The format of each filter.
        required: The filters that a lookup must have. If there are none, it must have any filter.
    """

    accessor: str
    service: Service
    lookup: str
    file: str
    record_class: type[P]
    filters: Mapping[str, Form]
    required: tuple[str, ...] = ()


_OF_MESSAGES: Final = {"dst_number": _NUMBER, "dst_country_iso": _COUNTRY}

VOICE_IN: Final = PriceList(
    "prices().voice_in",
    "voice_in_prices",
    "lookup/prices",
    "prices.csv.gz",
    VoiceInPrice,
    {"number": _CALLED_NUMBER, "src_country_iso": _COUNTRY},
    required=("number",),
)
VOICE_OUT: Final = PriceList(
    "prices().voice_out",
    "voice_out_prices",
    "lookup/prices",
    "prices.csv.gz",
    VoiceOutPrice,
    {"number": _NUMBER},
    required=("number",),
)
SMS_IN: Final = PriceList(
    "prices().sms_in", "sms_prices", "sms_in/lookup/prices", "sms_in/prices.csv.gz", SmsInPrice, _OF_MESSAGES
)
SMS_OUT: Final[Mapping[SmsDomain, PriceList[SmsOutPrice]]] = {
    domain: PriceList(
        f"prices().sms_out({domain!r})",
        "sms_prices",
        f"sms_out/{domain}/lookup/prices",
        f"sms_out/{domain}/prices.csv.gz",
        SmsOutPrice,
        _OF_MESSAGES,
    )
    for domain in SMS_DOMAINS
}


class PriceFile(NamedTuple):
    """A price file of the service.

    Attributes:
        changed: Whether the file was changed after `if_modified_since`; True without it.
        last_modified: When the file or the account's plan was changed, in UTC; None if the service does not say it.
        content_length: Size of the compressed file in bytes; None if it has not changed.
        filename: The name that the service gives the file, without folders; None if it gives none that is valid.
        path: Where the file was stored, or was stored earlier if it has not changed; None without a download.
    """

    changed: bool
    last_modified: datetime | None
    content_length: int | None
    filename: str | None
    path: Path | None = None


def check_offered(configuration: Configuration) -> None:
    """Check that the API version of the client has prices.

    Raises:
        UnsupportedVersionError: It has not.
    """
    versions, version = VoiceInPrice._versions, configuration.api_version
    if not versions.includes(version):
        raise unsupported("prices() does not exist", versions, version, "prices")


def checked_domain(domain: object) -> SmsDomain:
    """Return the domain of outbound text messages.

    Raises:
        InvalidValueError: There is no such domain.
    """
    for known in SMS_DOMAINS:
        if domain == known:
            return known
    *others, last = map(repr, SMS_DOMAINS)
    raise InvalidValueError(f"domain must be {', '.join(others)} or {last}, got {shown(domain)}.", field="domain")


def look_up(
    configuration: Configuration, prices: PriceList[P], filters: Mapping[str, str | None]
) -> Call[ApiResponse[list[P]]]:
    """Return the prices that match all filters that are not None.

    Raises:
        InvalidValueError: A required filter is missing, or a value has another format.
    """
    given = {name: value for name, value in filters.items() if value is not None or name in prices.required}
    query = QueryParams()
    for name, value in given.items():
        query.filter(name, _checked(name, value, prices.filters[name], prices.accessor))
    if not given:
        raise InvalidValueError(
            f"{prices.accessor}.lookup must have {' or '.join(filters)}, got neither.", field=next(iter(filters))
        )
    return _look_up(configuration, prices, query)


def _look_up(configuration: Configuration, prices: PriceList[P], query: QueryParams) -> Call[ApiResponse[list[P]]]:
    request = requests.build(configuration, "GET", prices.lookup, query=query, service=prices.service)
    # Unlike the API, these services refuse a type that a custom header may ask for.
    for name in [name for name in request.headers if name.lower() == "accept"]:
        del request.headers[name]
    request.headers["Accept"] = requests.MEDIA_TYPE
    exchanged = yield from exchange(configuration, request, creating=False)
    cls = prices.record_class
    response = api_response(request, exchanged.response, attempts=exchanged.attempts, record_class=cls)
    expect(cls, response, request, many=True)
    for record in response.data:
        if not isinstance(record, cls):
            raise UnexpectedResponseError(
                f"GET {path_of(request.url)} returned {shown(record.type)} instead of prices. Check service_urls.",
                status_code=response.status_code,
                request_id=response.request_id,
            )
    return response


def _checked(name: str, value: Any, form: Form, accessor: str) -> str:
    """Return the value of a filter.

    Raises:
        InvalidValueError: It has another format. The message has the corrected text, if there is one.
    """
    if isinstance(value, str) and form.fits(value):
        return str.__str__(value)
    meant = _meant(value, form)
    hint = f" Write {meant!r}." if meant is not None else ""
    raise InvalidValueError(f"{name} of {accessor}.lookup must be {form.words}, got {shown(value)}.{hint}", field=name)


def _meant(value: Any, form: Form) -> str | None:
    """Return the text that fits `form` and that `value` stands for; None if there is none."""
    if isinstance(value, int) and -_MAX_NUMBER < value < _MAX_NUMBER:  # longer ones cannot become text
        value = str(value)
    if not isinstance(value, str):
        return None
    text = value.strip().upper()
    text = _COMMON_CODES.get(text, text)
    return text if form.fits(text) else form.meant(text)


def download_file(
    configuration: Configuration,
    prices: PriceList[Any],
    path: str | bytes | os.PathLike[str],
    if_modified_since: datetime | None,
    *,
    decompress: bool,
    max_bytes: int,
    progress: Callable[[Progress], object] | None,
) -> Call[PriceFile]:
    """Download a price file to `path`, unless it has not changed."""
    target = target_path(path)
    if not isinstance(decompress, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"decompress must be True or False, got {shown(decompress)}.", field="decompress")
    condition = _condition(if_modified_since)
    source = RemoteFile(
        f"{configuration.url_of(prices.service)}/{prices.file}",
        _AS_IS,
        prices.service,
        compressed=True,
        # Without the file, the response that it has not changed would leave the caller without one.
        modified_since=condition if os.path.isfile(target) else "",  # noqa: PTH113 never raises, unlike that of Path
    )
    call = download(configuration, source, target, check_max_bytes(max_bytes) if decompress else None, progress)
    return _download_file(call, Path(target))


def _download_file(call: Call[Any], path: Path) -> Call[PriceFile]:
    downloaded = yield from call
    file = _described(downloaded.status, downloaded.headers, path)
    return file._replace(content_length=downloaded.size) if file.changed else file


def file_info(
    configuration: Configuration, prices: PriceList[Any], if_modified_since: datetime | None
) -> Call[PriceFile]:
    """Describe a price file without downloading it."""
    url = f"{configuration.url_of(prices.service)}/{prices.file}"
    request = requests.build_download(configuration, url, prices.service, method="HEAD")
    if condition := _condition(if_modified_since):
        request.headers["If-Modified-Since"] = condition
    return _file_info(configuration, request)


def _file_info(configuration: Configuration, request: Request) -> Call[PriceFile]:
    exchanged = yield from exchange(configuration, request, creating=False)
    response = exchanged.response
    if response.status >= 400:
        raise error_for(request, response.status, response.headers, response.body, exchanged.attempts)
    if response.status != 200 and not (response.status == 304 and "If-Modified-Since" in request.headers):
        raise UnexpectedResponseError(
            f"HEAD {path_of(request.url)} returned HTTP {response.status} instead of a file. Check service_urls.",
            status_code=response.status,
            request_id=response.headers.get("x-request-id"),
        )
    return _described(response.status, response.headers, None)


def _condition(if_modified_since: datetime | None) -> str:
    return "" if if_modified_since is None else http_date_text(if_modified_since, "if_modified_since")


def _described(status: int, headers: Mapping[str, str], path: Path | None) -> PriceFile:
    length = headers.get("content-length", "")
    known = status == 200 and re.fullmatch("[0-9]{1,18}", length)
    return PriceFile(
        status != 304,
        http_date(headers.get("last-modified", "")),
        int(length) if known else None,
        _filename(headers.get("content-disposition", "")),
        path,
    )


def _filename(disposition: str) -> str | None:
    """Return the file name in a `Content-Disposition` header, without folders; None if it cannot name a file."""
    header = Message()
    header["content-disposition"] = disposition
    try:
        # With the separators and drives of Windows, which include the slash.
        name = PureWindowsPath(header.get_filename() or "").name.strip()
    except (ValueError, TypeError):  # the parser raises them for numbered or encoded parts that are malformed
        return None
    if name in ("", ".", "..") or not name.isprintable() or len(name.encode()) > _MAX_FILENAME:
        return None
    return name
