"""What comes in: headers however a framework has them, bodies within bounds, packed or not. No I/O."""

from __future__ import annotations

import gzip
import io
import logging
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

import msgspec

from didww._util.text import Sparing
from didww.exceptions import CallbackRejectedError, InvalidValueError

__all__ = [
    "Headers",
    "Rejections",
    "check_size",
    "gunzip",
    "header",
    "normalize_headers",
    "objects_of",
    "pairs_of",
    "read_before",
]

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
"""Headers as frameworks have them: a mapping, or pairs of text or bytes. The case of names does not matter."""

MAX_OBJECTS: Final = 10_000
"""Objects in one body; DIDWW sends up to 1,000."""
_MAX_LINES: Final = 10

log = logging.getLogger("didww.callback")


class Rejections:
    """Rejected requests as lines of the log: ten a minute, so that a stranger cannot fill a disk with them."""

    def __init__(self) -> None:
        self._lines = Sparing(_MAX_LINES)

    def log(self, text: str) -> None:
        """Log a line, or count it for the next one."""
        left_out = self._lines.take()
        if left_out is not None:
            more = f" {left_out} more were rejected since the last line." if left_out else ""
            log.warning("%s%s", text, more)


def pairs_of(headers: Headers) -> list[tuple[str, str]]:
    """Return each name with its value, as text."""
    items = getattr(headers, "items", None)
    pairs = cast("Iterable[tuple[object, object]]", headers if items is None else items())
    return [(_text(name), _text(value)) for name, value in pairs]


def normalize_headers(headers: Headers) -> dict[str, list[str]]:
    """The values of each header, by its name in lower case."""
    found: dict[str, list[str]] = {}
    for name, value in pairs_of(headers):
        found.setdefault(name.lower(), []).append(value.strip())
    return found


def read_before(named: dict[str, list[str]], body: bytes) -> str:
    """Return a sentence for the log if a body was sent and did not come here; else nothing."""
    length = next(iter(named.get("content-length", ())), "0")
    if body or not length.isdecimal() or not length.strip("0"):
        return ""
    return (
        f" Its body of {length:.20} bytes did not arrive here: something before the receiver has read it. Hand over "
        "what the framework has kept of it."
    )


def header(named: dict[str, list[str]], name: str) -> str | None:
    """The value of a header; None if there is none.

    Raises:
        CallbackRejectedError: There are several.
    """
    found = named.get(name.lower(), ())
    if len(found) > 1:
        raise CallbackRejectedError(f"The request has {len(found)} headers {name}.")
    return found[0] if found else None


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


def check_size(body: bytes, most: int) -> bytes:
    """`body`, if it is not larger than `most` bytes.

    Raises:
        CallbackRejectedError: It is.
        InvalidValueError: It is text.
    """
    given = cast("object", body)
    if not isinstance(given, (bytes, bytearray, memoryview)):
        way = " Of text, pass body.encode()." if isinstance(given, str) else ""
        raise InvalidValueError(
            f"body must be the bytes of the request as they arrived, got {type(given).__name__}.{way}", field="body"
        )
    if len(body) > most:
        raise CallbackRejectedError(f"The body has {len(body)} bytes; at most {most} are read.", reason="too_large")
    return body


def gunzip(body: bytes, most: int) -> bytes:
    """What gzip data holds, of one member or several.

    Raises:
        CallbackRejectedError: It is not gzip, it is cut off, or holds more than `most` bytes.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            content = packed.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CallbackRejectedError(f"The body is not gzip, or cut off: {error}.") from None
    if len(content) > most:
        raise CallbackRejectedError(f"The body unpacks to more than {most} bytes.", reason="too_large")
    return content


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def objects_of(body: bytes) -> list[dict[str, Any]]:
    """The objects of a JSON body: one, an array of them, or one a line.

    Raises:
        CallbackRejectedError: It holds something else.
    """
    try:
        found = _decoded(body)
    except ValueError as whole:
        if body.count(b"\n") > 2 * MAX_OBJECTS:  # empty ones are left out below
            raise CallbackRejectedError(f"The body has more than {2 * MAX_OBJECTS} lines.") from None
        # A byte order mark is no JSON; lines may end in CR LF.
        lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= MAX_OBJECTS:
            raise CallbackRejectedError(
                f"The body has {len(lines)} lines; it has to have 1 to {MAX_OBJECTS}."
            ) from None
        try:
            found = [_decoded(line) for line in lines]
        except ValueError as error:
            said = whole if len(lines) < 2 else error
            raise CallbackRejectedError(f"The body is no JSON: {said}.") from None
    several = cast("list[Any]", found if isinstance(found, list) else [found])
    if len(several) > MAX_OBJECTS:
        raise CallbackRejectedError(f"The body holds {len(several)} objects; at most {MAX_OBJECTS} are read.")
    for one in several:
        if not isinstance(one, dict):
            raise CallbackRejectedError("The body holds something else than JSON objects.")
    return several
