"""Find the certificate or key file that cannot be loaded, and why.

Errors of OpenSSL and of the HTTP libraries name neither the setting nor, usually, the file. So after loading has
failed, the files that the environment or a session names are tried one by one.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["NamedFile", "authorities", "fault", "from_environment", "identity", "key_log"]


class NamedFile(NamedTuple):
    """A file, and the setting that names it.

    Attributes:
        setting: The environment variable or argument.
        path: Its value.
        load: Loads the file as the HTTP library will; raises OSError if that fails.
    """

    setting: str
    path: str
    load: Callable[[str], object]


def authorities(setting: str, path: str) -> NamedFile:
    """Return a file or folder of trusted CA certificates."""
    return NamedFile(setting, path, _load_authorities)


def identity(setting: str, path: str, key: str | None) -> NamedFile:
    """Return a client certificate file, which also contains the key unless `key` names a separate file."""

    def load(path: str) -> None:
        _context().load_cert_chain(path, key, password="")

    return NamedFile(setting, path, load)


def key_log() -> list[NamedFile]:
    """Return the TLS key log file, if SSLKEYLOGFILE is set."""
    path = os.environ.get("SSLKEYLOGFILE")
    return [NamedFile("SSLKEYLOGFILE", path, _append)] if path else []


def from_environment() -> list[NamedFile]:
    """Return the files that httpx2 uses: the first variable that is set takes precedence."""
    for variable, load in (("SSL_CERT_FILE", _load_authorities), ("SSL_CERT_DIR", _list_folders)):
        path = os.environ.get(variable)
        if path:
            return [NamedFile(variable, path, load), *key_log()]
    return key_log()


def fault(files: Iterable[NamedFile]) -> str:
    """Return the problem with the first file that cannot be loaded, or an empty string."""
    for file in files:
        try:
            file.load(file.path)
        except OSError as error:  # includes ssl.SSLError
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            return f"{file.setting} names {file.path}, which cannot be used ({reason.replace('_', ' ').lower()})"
    return ""


def _load_authorities(path: str) -> None:
    if os.path.isdir(path):  # noqa: PTH112 avoids importing pathlib
        _list_folders(path)
    else:
        _context().load_verify_locations(path)


def _list_folders(path: str) -> None:
    """List folders, as OpenSSL does to look up a certificate. Missing ones are ignored if at least one exists."""
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
    with open(path, "ab"):  # noqa: PTH123 avoids importing pathlib
        pass


def _context() -> ssl.SSLContext:
    # Loads no files by itself, while `create_default_context` would read the variables being checked.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
