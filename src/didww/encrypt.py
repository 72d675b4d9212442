"""Encryption of documents for DIDWW: the container that is uploaded, and the fingerprint of the keys it was made with.

Source: the upload as DIDWW documents it (`/public_keys`, `/encrypted_files`). Both public keys of an
environment are needed, in the order in which the service lists them.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from didww._util.coerce import whole_number
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = ["MAX_ENCRYPTED_SIZE", "Encrypt"]

MAX_ENCRYPTED_SIZE: Final = 20 << 20
"""Most bytes of an encrypted file that DIDWW takes: 20 MB, read here as MiB."""

_BLOCK: Final = 16
_SMALLEST: Final = 128
_PEM: Final = re.compile(r"-----BEGIN [^\r\n]*-----(?P<body>[^-]*)-----END [^\r\n]*-----")


class Encrypt:
    """Containers and fingerprints, from the two public keys of `client.public_keys().list()`.

    Example:
        >>> from didww.emulator import Emulator
        >>> keys = [key.key for key in Emulator().client().public_keys().list().data]
        >>> len(Encrypt.calculate_fingerprint(keys))
        83
        >>> len(Encrypt.encrypt_with_keys(b"%PDF-1.7 ...", keys))
        1040

    Or with the keys given once:

        >>> encrypt = Encrypt(keys)
        >>> encrypt.fingerprint == Encrypt.calculate_fingerprint(keys)
        True
        >>> len(encrypt.encrypt(b"%PDF-1.7 ..."))
        1040

    Args:
        public_keys: The two keys as PEM text, in the order of the service.

    Raises:
        InvalidValueError: There are not exactly two, or one is no RSA public key in PEM.
    """

    def __init__(self, public_keys: Sequence[str]) -> None:
        self.fingerprint: str = self.calculate_fingerprint(public_keys)
        self.public_keys: tuple[str, ...] = tuple(public_keys)

    def encrypt(self, binary_data: bytes) -> bytes:
        """Return the container: `encrypt_with_keys` with the keys of this object."""
        return self.encrypt_with_keys(binary_data, self.public_keys)

    @staticmethod
    def calculate_fingerprint(public_key_pems: Sequence[str]) -> str:
        """The fingerprint of the two keys: two SHA-1 sums in hexadecimal digits with `:::` between them, 83 characters.

        Args:
            public_key_pems: The two keys as PEM text, in the order of the service; swapped, they have another
                fingerprint.

        Raises:
            InvalidValueError: There are not exactly two, or one is no RSA public key in PEM.
        """
        return ":::".join(hashlib.sha1(der, usedforsecurity=False).hexdigest() for der, _ in _pair(public_key_pems))

    @staticmethod
    def encrypt_with_keys(binary_data: bytes, public_key_pems: Sequence[str]) -> bytes:
        """The container: a file encrypted so that only DIDWW can read it.

        Args:
            binary_data: A JPG, PNG or PDF file; the kind is checked by DIDWW's staff, not here.
            public_key_pems: The two keys as PEM text, in the order of the service.

        Raises:
            InvalidValueError: There are not exactly two keys, or one is no RSA public key in PEM.
        """
        if not isinstance(binary_data, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"Encrypt takes the bytes of a file, not {type(binary_data).__name__}. Of a path: path.read_bytes().",
                field="binary_data",
            )
        return b"".join(Encrypt.encrypt_pieces([bytes(binary_data)], public_key_pems))

    @staticmethod
    def encrypt_pieces(pieces: Iterable[bytes], public_keys: Sequence[str]) -> Iterator[bytes]:
        """The container in pieces, made as they are taken, for a file that is not to be held in memory.

        Args:
            pieces: The file, in pieces of any size.
            public_keys: The two keys as PEM text, in the order of the service.

        Raises:
            InvalidValueError: At once, for keys that cannot be used; later, for a piece that is no bytes.
        """
        given: object = pieces
        if isinstance(given, (str, bytes, bytearray, memoryview)):
            raise InvalidValueError("pieces is an iterable of bytes; for one piece: encrypt_with_keys.", field="pieces")
        return _container(pieces, [key for _, key in _pair(public_keys)])

    @staticmethod
    def encrypted_size(size: int, public_keys: Sequence[str]) -> int:
        """How many bytes the container of a file of `size` bytes has.

        Raises:
            InvalidValueError: `size` is no number of bytes, or the keys cannot be used.
        """
        whole = whole_number(size)
        if whole is None or whole < 0:
            raise InvalidValueError(f"size is a number of bytes, not {size!r}.", field="size")
        return sum(_length(key) for _, key in _pair(public_keys)) + (whole // _BLOCK + 1) * _BLOCK


def _container(pieces: Iterable[bytes], keys: list[RSAPublicKey]) -> Iterator[bytes]:
    from cryptography.hazmat.primitives import hashes, padding
    from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    key, start = os.urandom(32), os.urandom(_BLOCK)
    # Both hashes are named: where only one is, libraries fall back to SHA-1 for the other, and DIDWW cannot read it.
    oaep = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    for public in keys:
        yield public.encrypt(key + start, oaep)
    cipher = Cipher(AES256(key), CBC(start)).encryptor()
    padder = padding.PKCS7(_BLOCK * 8).padder()
    for piece in pieces:
        if not isinstance(piece, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(f"A piece of a file is bytes, not {type(piece).__name__}.", field="pieces")
        if encrypted := cipher.update(padder.update(piece)):
            yield encrypted
    yield cipher.update(padder.finalize()) + cipher.finalize()


def _pair(public_keys: Sequence[str]) -> list[tuple[bytes, RSAPublicKey]]:
    """Both keys, as they stand between the PEM lines and loaded."""
    given: Any = public_keys
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InvalidValueError(
            "public_keys is a list of two PEM texts: [key.key for key in client.public_keys().list().data].",
            field="public_keys",
        )
    keys = list(public_keys)
    if len(keys) != 2:
        raise InvalidValueError(
            f"Two public keys are needed, both those of client.public_keys().list(); {len(keys)} given.",
            field="public_keys",
        )
    return [_load(key) for key in keys]


def _load(pem: str) -> tuple[bytes, RSAPublicKey]:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    der = _der(pem)
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey) or _length(key) < _SMALLEST or _is_pkcs1(der, key):
        raise InvalidValueError(
            "A public key of DIDWW is an RSA public key of at least 1024 bits, as SubjectPublicKeyInfo; this one is "
            "not. Take the text of PublicKey.key as it is.",
            field="public_keys",
        )
    return der, key


def _der(pem: str) -> bytes:
    """What stands between the PEM lines, decoded."""
    if isinstance(pem, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        found = _PEM.fullmatch(pem.strip())
        if found is not None:
            try:
                return base64.b64decode("".join(found["body"].split()), validate=True)
            except ValueError:
                pass
    raise InvalidValueError(
        "A public key is PEM text that begins with '-----BEGIN PUBLIC KEY-----', as in PublicKey.key.",
        field="public_keys",
    )


def _length(key: RSAPublicKey) -> int:
    """Bytes of the modulus, and so of what is encrypted with the key."""
    return (key.key_size + 7) // 8


def _is_pkcs1(der: bytes, key: RSAPublicKey) -> bool:
    """Whether this is the bare key, whose sum would be another fingerprint than the service's."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return der == key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
