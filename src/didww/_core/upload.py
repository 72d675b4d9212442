"""Encrypt and upload documents as multipart forms."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, cast

from didww._core import effects, operations
from didww._core.attempts import mark_unknown, within
from didww._core.download import Progress
from didww._core.effects import Call, FileMeasure, clock
from didww._core.request import check_writable, follow
from didww._core.response import expect
from didww._core.trace import CallTrace
from didww.encrypt import MAX_ENCRYPTED_SIZE, Encrypt
from didww.exceptions import DidwwError, InvalidValueError, UnexpectedResponseError, ValidationError
from didww.query_params import QueryParams
from didww.resources.encrypted_file import EncryptedFile
from didww.resources.public_key import PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import NotRequired

    from didww.configuration import Configuration

__all__ = ["EncryptedUpload", "Source", "upload_encrypted", "upload_file"]

# Percent-encodes the characters of a file name that could end the quoted string or the header line.
_ESCAPED = {code: f"%{code:02X}" for code in (*range(32), *b'"\\', 127)}


class EncryptedUpload(TypedDict):
    """An encrypted file to upload."""

    data: bytes
    description: NotRequired[str | None]
    filename: NotRequired[str | None]


class Source(effects.Source, Protocol):
    """A file to encrypt and send."""

    @property
    def name(self) -> str:
        """The name of the file."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        ...


class _Form:
    """The multipart form of one encrypted file, generated while it is sent."""

    def __init__(
        self,
        fields: Mapping[str, str],
        filename: str,
        size: int,
        pieces: Callable[[], Iterable[bytes]],
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self.boundary = secrets.token_hex(16)
        start = f"--{self.boundary}\r\nContent-Disposition: form-data; name="
        head = [f'{start}"encrypted_files[{name}]"\r\n\r\n{value}\r\n' for name, value in fields.items()]
        head.append(
            f'{start}"encrypted_files[file]"; filename="{filename.translate(_ESCAPED)}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        self._head = "".join(head).encode("utf-8", "replace")
        self._tail = f"\r\n--{self.boundary}--\r\n".encode()
        self._size = size
        self._pieces = pieces
        self._progress = progress

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from self._pieces()
        yield self._tail

    def sent(self, size: int) -> object:
        return self._progress(Progress(size, len(self))) if self._progress is not None else None


def upload_encrypted(
    configuration: Configuration, fingerprint: str, files: Sequence[EncryptedUpload]
) -> Call[list[str]]:
    """Upload encrypted files sequentially and return their ids.

    Checks all arguments before sending the first file. If an upload fails or the timeout expires, the error's
    `completed` has the ids of the files uploaded so far.
    """
    check_writable(configuration)
    end = (yield from clock()) + configuration.timeout
    forms = [_container_form(fingerprint, file, f"files[{index}]") for index, file in enumerate(_listed(files))]
    ids: list[str] = []
    for form in forms:
        try:
            ids.append((yield from _post((yield from _until(configuration, end)), form)).id)
        except DidwwError as error:
            error.completed = tuple(ids)
            raise
    return ids


def upload_file(
    configuration: Configuration,
    source: Source,
    description: str | None,
    filename: str | None,
    progress: Callable[[Progress], object] | None = None,
) -> Call[EncryptedFile]:
    """Encrypt a file with the public keys of the service and upload it.

    If the service has replaced its keys in the meantime, it rejects the upload; the file is then encrypted with the new
    keys and sent once more.
    """
    check_writable(configuration)
    _checked_text(description, "description")
    _checked_text(filename, "filename")
    if progress is not None and not callable(progress):
        raise InvalidValueError(
            f"progress must be a function that takes a Progress, got {type(progress).__name__}.", field="progress"
        )
    end = (yield from clock()) + configuration.timeout
    while (size := cast("int | None", (yield FileMeasure(source)))) is None:
        yield from _until(configuration, end)
    if not size:
        raise InvalidValueError("file must not be empty, got 0 bytes. Nothing was sent.", field="file")
    _check_size(size)
    name = f"{filename or source.name or 'document'}.enc"
    retried = False
    while True:
        response = yield from operations.list_((yield from _until(configuration, end)), PublicKey, QueryParams())
        pem = [key.key for key in response.data]
        try:
            fingerprint, length = Encrypt.calculate_fingerprint(pem), Encrypt.encrypted_size(size, pem)
        except InvalidValueError:
            raise UnexpectedResponseError(
                f"The service returned {len(pem)} public keys instead of two RSA keys. The file was not sent.",
                status_code=response.status_code,
                request_id=response.request_id,
            ) from None
        _check_size(length)
        form = _form(fingerprint, description, name, length, partial(_encrypted, source, pem), progress)
        try:
            return (yield from _post((yield from _until(configuration, end)), form))
        except ValidationError as error:
            if retried or not _outdated(error):
                raise
            retried = True


def _check_size(size: int) -> None:
    """Reject a file that is too large when encrypted; encryption adds about 1 KB."""
    if size > MAX_ENCRYPTED_SIZE:
        raise InvalidValueError(
            f"file must be at most {MAX_ENCRYPTED_SIZE >> 20} MB ({MAX_ENCRYPTED_SIZE:,} bytes) when encrypted, got "
            f"{size:,} bytes. It was not sent. Make it smaller, for example with a lower resolution.",
            field="file",
        )


def _encrypted(source: Source, public_keys: list[str]) -> Iterator[bytes]:
    return Encrypt.encrypt_pieces(source.pieces(), public_keys)


def _until(configuration: Configuration, end: float) -> Call[Configuration]:
    return within(configuration, end, "The upload", "preparing the file")


def _outdated(error: ValidationError) -> bool:
    texts = (f"{item.get('title')} {item.get('detail')}".lower() for item in error.errors)
    return any("outdated fingerprint" in text for text in texts)


def _post(configuration: Configuration, form: _Form) -> Call[EncryptedFile]:
    request = follow(
        configuration,
        "POST",
        f"{configuration.base_url}/{EncryptedFile._path}",
        body=form,
        content_type=f"multipart/form-data; boundary={form.boundary}",
    )
    trace = CallTrace(request)
    try:
        response = yield from operations.send(configuration, request, creating=True, trace=trace)
        expect(EncryptedFile, response, request)
    except BaseException as error:
        if trace.in_doubt:
            mark_unknown(
                error, "It is unknown whether the file was uploaded. Unused uploads are deleted after 24 hours."
            )
        raise
    return cast("EncryptedFile", response.data)


def _container_form(fingerprint: str, file: EncryptedUpload, where: str) -> _Form:
    data = file.get("data") if isinstance(file, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
    if not isinstance(data, (bytes, bytearray)):
        raise InvalidValueError(
            f"{where} must have 'data', the bytes returned by Encrypt.encrypt_with_keys. To upload a file that is not "
            "encrypted, use client.upload_file.",
            field=where,
        )
    for name in file:
        if name not in EncryptedUpload.__annotations__:
            raise InvalidValueError(
                f"{where} must have only data, description and filename, got {name!r}.", field=where
            )
    if not data or len(data) > MAX_ENCRYPTED_SIZE:
        raise InvalidValueError(
            f"{where} must have 1 byte to {MAX_ENCRYPTED_SIZE >> 20} MB of data, got {len(data):,} bytes. "
            "Nothing was sent.",
            field=where,
        )
    description, filename = file.get("description"), file.get("filename")
    _checked_text(description, f"{where} description")
    _checked_text(filename, f"{where} filename")
    return _form(fingerprint, description, filename or "document.enc", len(data), lambda: [bytes(data)])


def _form(
    fingerprint: str,
    description: str | None,
    filename: str,
    size: int,
    pieces: Callable[[], Iterable[bytes]],
    progress: Callable[[Progress], object] | None = None,
) -> _Form:
    if not isinstance(fingerprint, str) or not fingerprint.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(
            f"fingerprint must be the text returned by Encrypt.calculate_fingerprint, got {fingerprint!r:.80}.",
            field="fingerprint",
        )
    fields = {"encryption_fingerprint": fingerprint.strip()}
    if description is not None:
        fields["description"] = description
    return _Form(fields, filename, size, pieces, progress)


def _listed(files: Any) -> list[EncryptedUpload]:
    if isinstance(files, (str, bytes, dict)) or not isinstance(files, Iterable):
        raise InvalidValueError(
            f"files must be a list of {{'data': ..., 'description': ..., 'filename': ...}}, "
            f"got {type(cast('object', files)).__name__}.",
            field="files",
        )
    return list(cast("Iterable[EncryptedUpload]", files))


def _checked_text(value: object, name: str) -> None:
    field = name.rpartition(" ")[2]
    if value is not None and not isinstance(value, str):
        raise InvalidValueError(f"{name} must be text, got {type(value).__name__}.", field=field)
    if field == "description" and any("\ud800" <= letter <= "\udfff" for letter in value or ""):
        raise InvalidValueError(
            f"{name} must be text that UTF-8 can encode, got a lone surrogate. Remove it.", field=field
        )
