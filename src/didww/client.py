"""The synchronous client: its options, and the operations that do not belong to one resource.

Generated from didww/async_client.py by scripts/generate.py; do not edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from didww._core import raw
from didww._core.download import check_max_bytes, download, export_file, target_path
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
    Configuration,
    Environment,
    Unset,
    api_version_from,
    base_url_from,
    credentials_from,
    environment_at,
    not_copied,
    service_urls_from,
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
    from didww._endpoints.prices import PricesEndpoint
    from didww.credentials import Credentials
    from didww.query_params import QueryParams
    from didww.resources.encrypted_file import EncryptedFile
    from didww.resources.export import Export
    from didww.services import ServiceUrls
    from didww.transport.base import Transport

__all__ = ["DidwwClient"]


@short_tracebacks
class DidwwClient(Accessors):
    """A client for DIDWW API v3.

    Threads can share it. Connections are pooled: use the client in a `with` block, or close it.

    Args:
        api_key: The API key of the account. Sent only to the origin of the API, or since API version 2026-11-19 only to
            the token service, and never logged. Defaults to `DIDWW_API_KEY`.
        environment: `Environment.SANDBOX`, DIDWW's test environment; `Environment.LOCAL`, the emulator on this
            machine; or `Environment.PRODUCTION`, where numbers cost real money. Defaults to `DIDWW_ENVIRONMENT`, or
            `SANDBOX` if that is not set.
        base_url: The base URL of the API, such as that of a local server; overrides `environment`. Defaults to
            `DIDWW_BASE_URL`, unless `environment` is passed as `PRODUCTION`.
        api_version: The version of the API: `"2026-04-16"` or `"2026-11-19"` (docs/explanation/versions.md). Defaults
            to `DIDWW_API_VERSION`, or 2026-04-16 if that is not set.
        credentials: An `ApiKey`, a `TokenProvider` or a `BearerToken` instead of `api_key`
            (docs/explanation/credentials.md).
        scope: `"read"` for a client that refuses to write, `"read:..."` for one that has a narrower token, or
            `"full"`. None, the default, is the scope of `credentials`, or else `"full"`.
        timeout: Timeout of a whole call in seconds, including connecting, retries and reading. Defaults to 60.
        max_retries: Maximum number of retries of a request, where a retry is safe
            (docs/explanation/retries.md). Defaults to 2.
        rate_limit: Maximum number of requests per second, or a `Limiter` to share between clients; None disables it.
            Defaults to 20, the limit of the API for one key.
        headers: Additional headers of each request.
        on_request: Called before each attempt to send a request.
        on_response: Called after each response.
        on_retry: Called before the delay of each retry.
        tracing: Whether to create an OpenTelemetry span for each call. Defaults to True if the program has imported
            OpenTelemetry (docs/how-to/observability.md).
        allow_insecure: Whether to allow unencrypted http URLs of hosts other than this machine.
        service_urls: URLs of the token service and the prices services, to replace those of the environment
            (docs/explanation/credentials.md). Each defaults to its environment variable, such as `DIDWW_TOKEN_URL`,
            where `DIDWW_BASE_URL` applies.
        session: A `requests.Session` to use unchanged, with its proxies and certificates. It is not closed.
        transport: A custom transport to use instead of httpx2.

    Raises:
        DidwwClientError: The API key is empty, or another argument is not valid.

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
        api_version: str | None = None,
        credentials: Credentials | None = None,
        scope: str | None = None,
        max_retries: int = DEFAULT_RETRIES,
        rate_limit: float | Limiter | None = DEFAULT_RATE,
        headers: Mapping[str, str] | None = None,
        on_request: Callable[[RequestStarted], object] | None = None,
        on_response: Callable[[ResponseReceived], object] | None = None,
        on_retry: Callable[[RetryScheduled], object] | None = None,
        tracing: bool | None = None,
        allow_insecure: bool = False,
        service_urls: ServiceUrls | None = None,
        transport: Transport | None = None,
    ) -> None:
        services = service_urls_from(service_urls, base_url, environment)
        base_url = base_url_from(base_url, environment)
        version = api_version_from(api_version)
        self._configuration = Configuration(
            credentials=credentials_from(api_key, credentials, version),
            base_url=base_url,
            service_urls=services,
            api_version=version,
            scope=scope,
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
        """Create a client from environment variables and `options`. Equivalent to calling the class."""
        return cls(**options)

    def with_options(
        self,
        *,
        timeout: float | Unset = UNSET,
        max_retries: int | Unset = UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client with other options that shares connections and the rate limit. Closing one closes both.

        Args:
            timeout: Timeout of a whole call in seconds.
            max_retries: Maximum number of retries; 0 disables them.
            headers: Headers to add to the existing ones.
        """
        copy = type(self).__new__(type(self))
        copy._configuration = self._configuration.replaced(timeout=timeout, max_retries=max_retries, headers=headers)
        copy._driver = self._driver
        return copy

    @property
    def base_url(self) -> str:
        """The base URL of the API."""
        return self._configuration.base_url

    @property
    def server_time(self) -> datetime | None:
        """The server time of the latest response, in UTC and whole seconds; None before the first response.

        The emulator returns the time of its own clock, so programs that use this property follow its clock.
        """
        return self._configuration.server_clock.time()

    @property
    def environment(self) -> Environment | None:
        """The environment of the client; None if `base_url` is a custom URL."""
        return environment_at(self._configuration.base_url)

    def close(self) -> None:
        """Close the connections. Later calls raise `ClientClosedError`."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __copy__(self) -> Self:
        return self.with_options()

    def __reduce__(self) -> Never:
        raise not_copied(f"{type(self).__name__} cannot be pickled or deep-copied")

    if not TYPE_CHECKING:  # a type checker must report a misspelled name

        def __getattr__(self, name: str) -> Any:
            hint = did_you_mean(name, (known for known in dir(type(self)) if not known.startswith("_")))
            raise AttributeError(f"{type(self).__name__} has no {name!r}.{hint}", name=name, obj=self)

    def __repr__(self) -> str:
        configuration = getattr(self, "_configuration", None)  # not set if the constructor failed
        return f"{type(self).__name__}({f'base_url={self.base_url!r}' if configuration is not None else ''})"

    def prices(self) -> PricesEndpoint:
        """The prices of calls and text messages of the account's plans: lookups, and files with all prices.

        Raises:
            UnsupportedVersionError: The client's `api_version` is older than 2026-11-19.
        """
        from didww._endpoints.prices import PricesEndpoint

        return PricesEndpoint(self)

    def download_export(
        self,
        url: str | Export,
        file_path: str | bytes | os.PathLike[str],
        *,
        progress: Callable[[Progress], object] | None = None,
    ) -> Path:
        """Download the call records of an export as a gzip-compressed CSV file, and return its path.

        Writes to a temporary `.part` file and renames it when the download is complete. The file is readable only by
        its owner. The API key is sent only to the configured origin.

        An interrupted download resumes if the file has a strong `ETag`, and starts over otherwise. Length and checksum
        are verified. `timeout` covers the whole download: raise it for large files with `with_options(timeout=...)`.

        Args:
            url: The `url` of a completed export, or the export.
            file_path: The file to write. An existing file is replaced.
            progress: Called with `Progress(done, total)` in bytes during the download; an asynchronous client also
                accepts coroutine functions.

        Raises:
            UnexpectedResponseError: The file is damaged or truncated, even after retries; nothing was saved.
            InvalidValueError: The export is not completed, or `file_path` is not a path; nothing was sent.
            NotFoundError: The file no longer exists; exports are kept for one month.
        """
        path = target_path(file_path)
        self._driver.run(download(self._configuration, export_file(url), path, progress=progress))
        return Path(path)

    def download_and_decompress_export(
        self,
        url: str | Export,
        file_path: str | bytes | os.PathLike[str],
        *,
        max_bytes: int = 10 << 30,
        progress: Callable[[Progress], object] | None = None,
    ) -> Path:
        """Download the call records of an export as a decompressed CSV file, and return its path.

        Works like `download_export`, and decompresses the file during the download.

        Args:
            url: The `url` of a completed export, or the export.
            file_path: The file to write. An existing file is replaced.
            max_bytes: Maximum decompressed size in bytes. Defaults to 10 GiB.
            progress: As in `download_export`, in compressed bytes.

        Raises:
            UnexpectedResponseError: The file is damaged, truncated, or larger than `max_bytes`; nothing was saved.
        """
        path = target_path(file_path)
        self._driver.run(download(self._configuration, export_file(url), path, check_max_bytes(max_bytes), progress))
        return Path(path)

    def upload_file(
        self,
        file: File,
        *,
        description: str | None = None,
        filename: str | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> EncryptedFile:
        """Encrypt and upload a file, to attach it to a proof, a supporting document or a verification.

        Fetches DIDWW's public keys and encrypts the file while sending it, with constant memory use. If the keys are
        replaced in the meantime, encrypts and sends the file once more. DIDWW deletes the upload after 24 hours, but
        records that it was attached to keep a copy.

        Args:
            file: A JPG, PNG or PDF of at most 20 MB when encrypted, as bytes, a path or a binary stream. An async
                client also accepts the `UploadFile` of a web framework.
            description: A description in free text.
            filename: The name of the file. Defaults to the name of `file`.
            progress: Called with `Progress(done, total)` in bytes of the encrypted request; an asynchronous client also
                accepts coroutine functions.

        Raises:
            InvalidValueError: The file is empty or too large; nothing was sent.
            DidwwClientError: The file cannot be read.
            ValidationError: The service rejected the file.
        """
        from didww._core import upload
        from didww._drivers.file_source import FileSource
        from didww.encrypt import MAX_ENCRYPTED_SIZE

        source = FileSource(file, MAX_ENCRYPTED_SIZE)
        return self._driver.run(upload.upload_file(self._configuration, source, description, filename, progress))

    def upload_encrypted_file(
        self, fingerprint: str, data: bytes, description: str | None = None, filename: str | None = None
    ) -> str:
        """Upload a file that was encrypted with `didww.encrypt.Encrypt`, and return its id.

        To encrypt and upload in one call, use `upload_file`.

        Args:
            fingerprint: The result of `Encrypt.calculate_fingerprint` for the public keys.
            data: The result of `Encrypt.encrypt_with_keys`.
            description: A description in free text.
            filename: The name of the file.

        Raises:
            ValidationError: The service rejected the file. "outdated fingerprint" means that DIDWW has replaced its
                keys.
        """
        files: list[EncryptedUpload] = [{"data": data, "description": description, "filename": filename}]
        return (self.upload_encrypted_files(fingerprint=fingerprint, files=files))[0]

    def upload_encrypted_files(self, fingerprint: str, files: Sequence[EncryptedUpload]) -> list[str]:
        """Upload several encrypted files, one request each, and return their ids in order.

        Checks all files before sending the first one. `timeout` covers all requests. If an upload fails, the error's
        `completed` has the ids of the files uploaded so far.

        Args:
            fingerprint: As in `upload_encrypted_file`.
            files: A dict for each file, with `data` and optionally `description` and `filename`.

        Raises:
            InvalidValueError: A file is not valid; nothing was sent.
            ValidationError: The service rejected a file.
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

        For features that this SDK does not support yet. Authentication, timeout, rate limit, retries, hooks, logging
        and errors work as in all other calls. A POST that the server may have processed is never retried.

        Args:
            method: GET, POST, PATCH or DELETE.
            path: A path below `base_url`, such as `/dids`, or a URL of the same origin, such as a pagination link.
            params: The query as a dict or a `QueryParams`. Names are not checked.
            json: The document to send.

        Raises:
            InvalidValueError: An argument is not valid, or `path` leads to another host; nothing was sent.
            DidwwApiError: The service returned an error.
            ApiConnectionError: No response arrived. `outcome_unknown` is True if a POST may have been processed.
            UnexpectedResponseError: The response is not a JSON document. `outcome_unknown` is set likewise.
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
        """Send a raw DELETE and return the document, which is usually empty: `request("DELETE", path)`."""
        return self.request("DELETE", path)
