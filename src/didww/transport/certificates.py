"""Files of certificates and keys that the environment or a session names: which of them cannot be used, and why.

The errors of OpenSSL and of the HTTP libraries name neither the setting nor, mostly, the file. So when loading has
failed, the files are tried one by one.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["NamedFile", "authorities", "fault", "from_environment", "identity", "key_log"]


class NamedFile(NamedTuple):
    """A file, and what names it.

    Attributes:
        setting: The variable or argument.
        path: What it says.
        load: Does what will be done with the path; raises OSError if it cannot be.
    """

    setting: str
    path: str
    load: Callable[[str], object]


def authorities(setting: str, path: str) -> NamedFile:
    """Return a file or folder of certificates to trust."""
    return NamedFile(setting, path, _load_authorities)


def identity(setting: str, path: str, key: str | None) -> NamedFile:
    """Return a file with the client's own certificate, and its key if there is no file for that."""

    def load(path: str) -> None:
        _context().load_cert_chain(path, key, password="")

    return NamedFile(setting, path, load)


def key_log() -> list[NamedFile]:
    """Return the file that TLS secrets are written to, if the environment names one."""
    path = os.environ.get("SSLKEYLOGFILE")
    return [NamedFile("SSLKEYLOGFILE", path, _append)] if path else []


def from_environment() -> list[NamedFile]:
    """Return the files of httpx2: the first variable that is set counts."""
    for variable, load in (("SSL_CERT_FILE", _load_authorities), ("SSL_CERT_DIR", _list_folders)):
        path = os.environ.get(variable)
        if path:
            return [NamedFile(variable, path, load), *key_log()]
    return key_log()


def fault(files: Iterable[NamedFile]) -> str:
    """Return what is wrong with the first file that cannot be used; empty if all can."""
    for file in files:
        try:
            file.load(file.path)
        except OSError as error:  # those of ssl are, too
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            return f"{file.setting} names {file.path}, which cannot be used ({reason.replace('_', ' ').lower()})"
    return ""


def _load_authorities(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112 pathlib is not worth its import here
        _list_folders(path)
    else:
        _context().load_verify_locations(path)


def _list_folders(path: str) -> None:
    """List folders, as OpenSSL does when it looks for a certificate; it minds none that is missing, if one is there."""
    failure: OSError | None = None
    for folder in path.split(os.pathsep):
        try:
            os.scandir(folder).close()
        except OSError as error:
            failure = error
        else:
            return
    if failure is not None:
        raise failure


def _append(path: str) -> None:
    with open(path, "ab"):  # noqa: PTH123 the same
        pass


def _context() -> ssl.SSLContext:
    # None of its own files: `create_default_context` would read the very variables that are in question.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
