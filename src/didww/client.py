"""The synchronous client: what goes beyond single resources.

Generated from didww/async_client.py by scripts/generate.py; do not edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from didww._core import raw
from didww._core.download import check_max_bytes, download, export_url, target_path
from didww._core.events import observers_for
from didww._drivers.opentelemetry import tracing_for
from didww._drivers.sync import Driver
from didww._endpoints.accessors import Accessors
from didww._util.suggest import did_you_mean
from didww._util.tracebacks import short_tracebacks
from didww._util.urls import origin_of
from didww.configuration import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    UNSET,
    ApiKey,
    Configuration,
    Environment,
    Unset,
    api_key_from,
    base_url_from,
    environment_at,
    not_copied,
)
from didww.rate_limit.local import DEFAULT_RATE, Limiter, limiter_for
from didww.transport.default import new_transport

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Never

    import requests

    from didww._core.download import Progress
    from didww._core.events import RequestStarted, ResponseReceived, RetryScheduled
    from didww._core.raw import RawResponse
    from didww._core.upload import EncryptedUpload
    from didww._drivers.file_source import (
        File,
    )
    from didww.query_params import QueryParams
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.export import Export
    from didww.transport.base import Transport

__all__ = ["DidwwClient"]


@short_tracebacks
class DidwwClient(Accessors):
    """A client of DIDWW API v3.

    Threads can share it. Connections are pooled: use the client in a `with` block, or close it.

    Args:
        api_key: The account's key. It goes to the API's own origin only, and is shown nowhere. Defaults to
            `DIDWW_API_KEY`.
        environment: `Environment.SANDBOX`, DIDWW's test installation; `Environment.LOCAL`, the emulator on this
            machine; or `Environment.PRODUCTION`, which buys real numbers for real money. Defaults to
            `DIDWW_ENVIRONMENT`, or else to `SANDBOX`.
        base_url: Another address of the API, e.g. that of a local server; overrides `environment`. Defaults to
            `DIDWW_BASE_URL`, which is not used where `environment` is given as `PRODUCTION`.
        timeout: Seconds that a whole call may take: connecting, sending, waiting and reading together.
        max_retries: Most retries of a request, where a retry is safe (docs/retries.md). Defaults to 2.
        rate_limit: Requests in a second. Defaults to 20, which is what the service takes of one key. Or a `Limiter`
            that several clients share; None for no limit.
        headers: Headers to add to each request.
        on_request: Called with each request before it goes out, each attempt by itself.
        on_response: Called with each response.
        on_retry: Called before the pause that precedes another attempt.
        tracing: Whether each call makes an OpenTelemetry span. By default, if the program has imported OpenTelemetry
            (docs/observability.md).
        allow_insecure: Whether addresses may be http, i.e. readable by anybody on the way, on other hosts than this
            one.
        session: A `requests.Session` of your own, used as it is (proxies, certificates) and never closed.
        transport: A transport of the caller's own, instead of httpx2.

    Raises:
        DidwwClientError: The key is empty, or another argument cannot be used.

    Example:
        >>> from didww.emulator import Emulator
        >>> client = Emulator().client()
        >>> client.balance().find().data.total_balance
        Decimal('10000.00')
    """

    def __init__(
        self,
        api_key: str | None = None,
        environment: Environment | str | None = None,
        base_url: str | None = None,
        session: requests.Session | None = None,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        rate_limit: float | Limiter | None = DEFAULT_RATE,
        headers: Mapping[str, str] | None = None,
        on_request: Callable[[RequestStarted], object] | None = None,
        on_response: Callable[[ResponseReceived], object] | None = None,
        on_retry: Callable[[RetryScheduled], object] | None = None,
        tracing: bool | None = None,
        allow_insecure: bool = False,
        transport: Transport | None = None,
    ) -> None:
        base_url = base_url_from(base_url, environment)
        self._configuration = Configuration(
            credentials=ApiKey(api_key_from(api_key)),
            base_url=base_url,
            timeout=timeout,
            headers=headers,
            max_retries=max_retries,
            limiter=limiter_for(rate_limit),
            observers=observers_for(on_request, on_response, on_retry),
            tracing=tracing_for(tracing, origin_of(base_url)),
            allow_insecure=allow_insecure,
        )
        self._driver = Driver(transport or new_transport(session))

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """Make a client with `options`, which take what they leave out from the environment; the same as the class."""
        return cls(**options)

    def with_options(
        self,
        *,
        timeout: float | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """The same client with other options; both share connections and rate limit, and closing one closes both.

        Args:
            timeout: Seconds that a whole call may take.
            max_retries: How often a request may be sent again; 0 for never.
            headers: Headers to add to those that are sent already.
        """
        twin = type(self).__new__(type(self))
        twin._configuration = self._configuration.replaced(timeout=timeout, max_retries=max_retries, headers=headers)
        twin._driver = self._driver
        return twin

    @property
    def base_url(self) -> str:
        """The address of the API that this client talks to."""
        return self._configuration.base_url

    @property
    def server_time(self) -> datetime | None:
        """The service's time in its latest response, in UTC and whole seconds; None before the first response.

        The emulator tells its own clock's, so a program that asks here what time it is follows an advance of it.
        """
        return self._configuration.server_clock.time()

    @property
    def environment(self) -> Environment | None:
        """The environment that this client talks to; None if `base_url` is another address."""
        return environment_at(self._configuration.base_url)

    def close(self) -> None:
        """Close the connections; calls after this raise `ClientClosedError`."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __copy__(self) -> Self:
        return self.with_options()

    def __reduce__(self) -> Never:
        raise not_copied(f"{type(self).__name__} cannot be pickled or deep-copied")

    if not TYPE_CHECKING:  # a checker must see a misspelt name as an error

        def __getattr__(self, name: str) -> Any:
            hint = did_you_mean(name, (known for known in dir(type(self)) if not known.startswith("_")))
            raise AttributeError(f"{type(self).__name__} has no {name!r}.{hint}", name=name, obj=self)

    def __repr__(self) -> str:
        configuration = getattr(self, "_configuration", None)  # none if the constructor raised
        return f"{type(self).__name__}({f'base_url={self.base_url!r}' if configuration is not None else ''})"

    def download_export(
        self,
        url: str | Export,
        file_path: str | bytes | os.PathLike[str],
        *,
        progress: Callable[[Progress], object] | None = None,
    ) -> Path:
        """The path of the file: an export's call records, gzip-packed CSV, streamed to disk.

        The file appears under its name when it is whole; until then its name ends in `.part`. It is readable by its
        owner only. The key is sent only if the address is of the configured origin.

        A download that is cut off goes on where it was, if the service gave the file a strong `ETag`, and begins anew
        if not; length and check sum are verified. `timeout` bounds it all: allow more for large files, with
        `with_options(timeout=...)`.

        Args:
            url: The `url` of a completed export, or the export.
            file_path: Where to put the file; an existing one is replaced.
            progress: Called with `Progress(done, total)`, both in bytes, as the file comes; an asynchronous client
                takes coroutine functions, too.

        Raises:
            UnexpectedResponseError: The file is damaged or cut off, and stays so; nothing was kept.
            InvalidValueError: The export is not completed yet, or `file_path` is no path; nothing was sent.
            NotFoundError: The file is gone; exports are kept for one month.
        """
        path = target_path(file_path)
        self._driver.run(download(self._configuration, export_url(url), path, progress=progress))
        return Path(path)

    def download_and_decompress_export(
        self,
        url: str | Export,
        file_path: str | bytes | os.PathLike[str],
        *,
        max_bytes: int = 10 << 30,
        progress: Callable[[Progress], object] | None = None,
    ) -> Path:
        """The path of the file: an export's call records as plain CSV, unpacked while they are streamed to disk.

        Otherwise as `download_export`.

        Args:
            url: The `url` of a completed export, or the export.
            file_path: Where to put the file; an existing one is replaced.
            max_bytes: Most bytes that it may unpack to. Defaults to 10 GiB.
            progress: As in `download_export`; it counts packed bytes.

        Raises:
            UnexpectedResponseError: The file is damaged, cut off, or unpacks to more than `max_bytes`; nothing was
                kept.
        """
        path = target_path(file_path)
        self._driver.run(download(self._configuration, export_url(url), path, check_max_bytes(max_bytes), progress))
        return Path(path)

    def upload_file(
        self,
        file: File,
        *,
        description: str | None = None,
        filename: str | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> EncryptedFile:
        """The uploaded file, ready to be attached to a proof, a supporting document or a verification.

        Fetches DIDWW's public keys, encrypts the file with them while it is sent, and encrypts and sends it once more
        if the keys were replaced in between. Memory does not grow with the file. The upload is removed after 24
        hours, attached or not: what it was attached to has a copy.

        Args:
            file: A JPG, PNG or PDF of at most 20 MB when encrypted: its bytes, its path, or a stream opened for
                reading bytes; an asynchronous client takes a web framework's `UploadFile`, too.
            description: Free text of the account's own.
            filename: Name of the file. Defaults to the file's own name.
            progress: Called with `Progress(done, total)`, in bytes of the encrypted request, as they are sent; an
                asynchronous client takes coroutine functions, too.

        Raises:
            InvalidValueError: It is empty or too large; nothing was sent.
            DidwwClientError: It cannot be read.
            ValidationError: The service refused it.
        """
        from didww._core import upload
        from didww._drivers.file_source import FileSource
        from didww.encrypt import MAX_ENCRYPTED_SIZE

        source = FileSource(file, MAX_ENCRYPTED_SIZE)
        return self._driver.run(upload.upload_file(self._configuration, source, description, filename, progress))

    def upload_encrypted_file(
        self, fingerprint: str, data: bytes, description: str | None = None, filename: str | None = None
    ) -> str:
        """The id of an uploaded container that was made with `didww.encrypt.Encrypt`.

        `upload_file` does it all in one call.

        Args:
            fingerprint: `Encrypt.calculate_fingerprint` of the keys that the container was made with.
            data: `Encrypt.encrypt_with_keys` of the file.
            description: Free text of the account's own.
            filename: The name to give it.

        Raises:
            ValidationError: The service refused it: "outdated fingerprint" means that it has other keys by now.
        """
        files: list[EncryptedUpload] = [{"data": data, "description": description, "filename": filename}]
        return (self.upload_encrypted_files(fingerprint=fingerprint, files=files))[0]

    def upload_encrypted_files(self, fingerprint: str, files: Sequence[EncryptedUpload]) -> list[str]:
        """The ids of uploaded containers, in their order; each goes in a request of its own.

        All are checked before the first is sent; `timeout` bounds them together. If one fails, the error's `completed`
        holds the ids of those before.

        Args:
            fingerprint: As in `upload_encrypted_file`.
            files: A dict for each: `data`, and if wanted `description` and `filename`.

        Raises:
            InvalidValueError: One of them cannot be right; nothing was sent.
            ValidationError: The service refused one.
        """
        from didww._core import upload

        return self._driver.run(upload.upload_encrypted(self._configuration, fingerprint, files))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: QueryParams | Mapping[str, object] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> RawResponse:
        """Send a raw request to the API and return the JSON document of its response.

        For what the service has and this SDK does not know yet. Key, time limit, rate limit, retries, hooks, log and
        errors are those of all other calls. A POST that may have been carried out is never sent again.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: A path below `base_url`, e.g. `/dids`, or an address of the same origin, e.g. a pagination link.
            params: The query, by parameter name or as a `QueryParams`; it is not checked against a resource.
            json: The document to send.

        Raises:
            InvalidValueError: An argument cannot be used, or `path` leads to another host; nothing was sent.
            DidwwApiError: The service said no.
            ApiConnectionError: No response arrived; `outcome_unknown` is True if a POST may have been carried out.
            UnexpectedResponseError: The response is no JSON document; the same.
        """
        return self._driver.run(raw.request(self._configuration, method, path, params, json))

    def get(self, path: str, params: QueryParams | Mapping[str, object] | None = None) -> RawResponse:
        """Send a raw GET and return the document: `request("GET", path, params=params)`."""
        return self.request("GET", path, params=params)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: QueryParams | Mapping[str, object] | None = None,
    ) -> RawResponse:
        """Send a raw POST and return the document: `request("POST", path, params=params, json=body)`."""
        return self.request("POST", path, params=params, json=body)

    def patch(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: QueryParams | Mapping[str, object] | None = None,
    ) -> RawResponse:
        """Send a raw PATCH and return the document: `request("PATCH", path, params=params, json=body)`."""
        return self.request("PATCH", path, params=params, json=body)

    def delete(self, path: str) -> RawResponse:
        """Send a raw DELETE and return the document, mostly an empty one: `request("DELETE", path)`."""
        return self.request("DELETE", path)
