"""Encrypted uploads: public keys, and containers, which are decrypted to validate them.

The emulator's RSA keys are part of the package, so uploads are not secret. A file can be attached once, and is removed
after 24 hours. Source: `tests/contract/facts/encrypted_files.yaml`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import Message
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from didww.emulator.behaviors.base import Behavior
from didww.emulator.engine.errors import HttpError, attribute_error, relationship_error
from didww.encrypt import MAX_ENCRYPTED_SIZE, Encrypt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["EncryptedFiles", "PublicKeys", "attach"]

KEPT: Final = timedelta(hours=24)
_FIELDS: Final = frozenset(
    {b"encrypted_files[file]", b"encrypted_files[encryption_fingerprint]", b"encrypted_files[description]"}
)
_NAME: Final = re.compile(rb'content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.IGNORECASE)


class PublicKeys(Behavior):
    """The two public keys."""

    def rows(self, session: AccountSession) -> Iterable[Record]:
        """Return the keys, which do not depend on the seed."""
        for position, key in enumerate(_public_keys()):
            yield {"id": session.catalog.id_of("public_keys", str(position)), "key": key}


class EncryptedFiles(Behavior):
    """Uploaded files, removed after a day."""

    def create(self, session: AccountSession, content_type: str, body: bytes) -> Record | None:  # noqa: ARG002
        """Return the record of an upload."""
        fields = _form(content_type, body)
        if fields is None or not set(fields) <= _FIELDS:
            raise HttpError(400, "invalid params", "invalid params", code="400")
        sent = {name.removeprefix(b"encrypted_files[").removesuffix(b"]"): value for name, value in fields.items()}
        if sent.get(b"encryption_fingerprint", b"").decode("latin-1") != Encrypt.calculate_fingerprint(_public_keys()):
            raise HttpError(422, "outdated fingerprint", "outdated fingerprint", "/data")
        container = sent.get(b"file")
        if not container:
            raise attribute_error("file", "can't be blank")
        if len(container) > MAX_ENCRYPTED_SIZE:
            raise attribute_error("file", f"is too large (maximum is {MAX_ENCRYPTED_SIZE >> 20} MB)")
        if _decrypt(container) is None:
            raise attribute_error("file", "is invalid")
        description = sent.get(b"description")
        return {"description": None if description is None else description.decode("utf-8", "replace")}

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Set the expiration."""
        record["expires_at"] = session.stamp(session.now() + KEPT)

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Schedule the expiration."""
        session.schedule(session.now() + KEPT, "encrypted_files", "expire", record["id"])

    def due(self, session: AccountSession, name: str, payload: Any) -> None:  # noqa: ARG002
        """Remove the expired file."""
        session.delete("encrypted_files", payload)


def attach(session: AccountSession, record: Record, name: str) -> None:
    """Attach the files of a relationship to a new record.

    Raises:
        HttpError: A file was attached before.
    """
    for file in session.find("encrypted_files", id=record[name]):
        if file["private"].get("attached"):
            raise relationship_error(name)
        session.update("encrypted_files", file["id"], {"private": {**file["private"], "attached": True}})


def _form(content_type: str, body: bytes) -> dict[bytes, bytes] | None:
    """Return the fields of a multipart form; None if invalid."""
    head = Message()
    head["Content-Type"] = content_type
    boundary = head.get_boundary()
    if head.get_content_type() != "multipart/form-data" or not boundary:
        return None
    fields: dict[bytes, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))[1:-1]:
        described, _, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(described)
        if name is None:
            return None
        fields[name[1]] = value
    return fields or None


@cache
def _keys() -> list[RSAPrivateKey]:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = files("didww.emulator") / "data"
    loaded = [load_pem_private_key((data / f"key_{name}.pem").read_bytes(), None) for name in ("a", "b")]
    return [key for key in loaded if isinstance(key, RSAPrivateKey)]


@cache
def _public_keys() -> tuple[str, ...]:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    shape = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    return tuple(key.public_key().public_bytes(*shape).decode() for key in _keys())


def _decrypt(container: bytes) -> bytes | None:
    """Decrypt a container; None unless both keys decrypt the same file."""
    from cryptography.hazmat.primitives import hashes, padding
    from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    oaep = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    first, second = (key.key_size // 8 for key in _keys())
    blocks = container[:first], container[first : first + second]
    try:
        opened = [key.decrypt(block, oaep) for key, block in zip(_keys(), blocks, strict=True)]
        if opened[0] != opened[1] or len(opened[0]) != 48:
            return None
        cipher = Cipher(AES256(opened[0][:32]), CBC(opened[0][32:])).decryptor()
        padded = cipher.update(container[first + second :]) + cipher.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return None
