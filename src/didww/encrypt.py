"""Encrypt documents for upload to DIDWW, and calculate the fingerprint of the public keys.

Source: DIDWW's documentation of `/public_keys` and `/encrypted_files`. Encryption needs both public keys of an
environment, in the order in which the API lists them.
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
"""Maximum size of an encrypted file in bytes: DIDWW's limit of 20 MB, taken as MiB."""

_BLOCK: Final = 16
_MIN_KEY_SIZE: Final = 128
_PEM: Final = re.compile(r"-----BEGIN [^\r\n]*-----(?P<body>[^-]*)-----END [^\r\n]*-----")


class Encrypt:
    """Encrypts files with the two public keys of `client.public_keys().list()`, and calculates their fingerprint.

    Example:
        >>> from didww.emulator import Emulator
        >>> keys = [key.key for key in Emulator().client().public_keys().list().data]
        >>> len(Encrypt.calculate_fingerprint(keys))
        83
        >>> len(Encrypt.encrypt_with_keys(b"%PDF-1.7 ...", keys))
        1040

    Or pass the keys only once:

        >>> encrypt = Encrypt(keys)
        >>> encrypt.fingerprint == Encrypt.calculate_fingerprint(keys)
        True
        >>> len(encrypt.encrypt(b"%PDF-1.7 ..."))
        1040

    Args:
        public_keys: The two PEM-encoded keys, in the order of the API.

    Raises:
        InvalidValueError: There are not exactly two keys, or one is not a PEM-encoded RSA public key.
    """

    def __init__(self, public_keys: Sequence[str]) -> None:
        self.fingerprint: str = self.calculate_fingerprint(public_keys)
        self.public_keys: tuple[str, ...] = tuple(public_keys)

    def encrypt(self, binary_data: bytes) -> bytes:
        """Encrypt a file with the keys of this object, like `encrypt_with_keys`."""
        return self.encrypt_with_keys(binary_data, self.public_keys)

    @staticmethod
    def calculate_fingerprint(public_key_pems: Sequence[str]) -> str:
        """Return the fingerprint of the two keys: two hexadecimal SHA-1 digests joined by `:::`, 83 characters.

        Args:
            public_key_pems: The two PEM-encoded keys, in the order of the API; the order changes the fingerprint.

        Raises:
            InvalidValueError: There are not exactly two keys, or one is not a PEM-encoded RSA public key.
        """
        return ":::".join(hashlib.sha1(der, usedforsecurity=False).hexdigest() for der, _ in _pair(public_key_pems))

    @staticmethod
    def encrypt_with_keys(binary_data: bytes, public_key_pems: Sequence[str]) -> bytes:
        """Encrypt a file so that only DIDWW can read it.

        Args:
            binary_data: Content of a JPG, PNG or PDF file. The format is not checked here.
            public_key_pems: The two PEM-encoded keys, in the order of the API.

        Raises:
            InvalidValueError: There are not exactly two keys, or one is not a PEM-encoded RSA public key.
        """
        if not isinstance(binary_data, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"binary_data must be the bytes of a file, got {type(binary_data).__name__}. For a path, pass "
                "path.read_bytes().",
                field="binary_data",
            )
        return b"".join(Encrypt.encrypt_pieces([bytes(binary_data)], public_key_pems))

    @staticmethod
    def encrypt_pieces(pieces: Iterable[bytes], public_keys: Sequence[str]) -> Iterator[bytes]:
        """Encrypt a file lazily, piece by piece, without holding it in memory.

        Args:
            pieces: Content of the file in pieces of any size.
            public_keys: The two PEM-encoded keys, in the order of the API.

        Raises:
            InvalidValueError: A key is invalid (raised immediately), or a piece is not bytes (raised during iteration).
        """
        value: object = pieces
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            raise InvalidValueError(
                f"pieces must be an iterable of bytes, got {type(value).__name__}. For a single piece, use "
                "encrypt_with_keys.",
                field="pieces",
            )
        return _container(pieces, [key for _, key in _pair(public_keys)])

    @staticmethod
    def encrypted_size(size: int, public_keys: Sequence[str]) -> int:
        """Return the size in bytes that a file of `size` bytes has after encryption.

        Raises:
            InvalidValueError: `size` is not a whole number from 0, or a key is invalid.
        """
        whole = whole_number(size)
        if whole is None or whole < 0:
            raise InvalidValueError(f"size must be a number of bytes, got {size!r}.", field="size")
        return sum(_length(key) for _, key in _pair(public_keys)) + (whole // _BLOCK + 1) * _BLOCK


def _container(pieces: Iterable[bytes], keys: list[RSAPublicKey]) -> Iterator[bytes]:
    from cryptography.hazmat.primitives import hashes, padding
    from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    key, start = os.urandom(32), os.urandom(_BLOCK)
    # Both hashes must be set: libraries default to SHA-1 for the other, which DIDWW cannot decrypt.
    oaep = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    for public in keys:
        yield public.encrypt(key + start, oaep)
    cipher = Cipher(AES256(key), CBC(start)).encryptor()
    padder = padding.PKCS7(_BLOCK * 8).padder()
    for piece in pieces:
        if not isinstance(piece, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(f"pieces must contain only bytes, got {type(piece).__name__}.", field="pieces")
        if encrypted := cipher.update(padder.update(piece)):
            yield encrypted
    yield cipher.update(padder.finalize()) + cipher.finalize()


def _pair(public_keys: Sequence[str]) -> list[tuple[bytes, RSAPublicKey]]:
    """Return both keys, each as DER bytes and as a loaded key."""
    value: Any = public_keys
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidValueError(
            f"public_keys must be a list of two PEM strings, got {type(value).__name__}. Use "
            "[key.key for key in client.public_keys().list().data].",
            field="public_keys",
        )
    keys = list(public_keys)
    if len(keys) != 2:
        raise InvalidValueError(
            f"public_keys must be the two keys of client.public_keys().list(), got {len(keys)}.",
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
    if not isinstance(key, RSAPublicKey) or _length(key) < _MIN_KEY_SIZE or _is_pkcs1(der, key):
        raise InvalidValueError(
            "public_keys must be RSA public keys of at least 1024 bits as SubjectPublicKeyInfo. Pass PublicKey.key "
            "unchanged.",
            field="public_keys",
        )
    return der, key


def _der(pem: str) -> bytes:
    """Return the decoded content of a PEM block."""
    if isinstance(pem, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        match = _PEM.fullmatch(pem.strip())
        if match is not None:
            try:
                return base64.b64decode("".join(match["body"].split()), validate=True)
            except ValueError:
                pass
    raise InvalidValueError(
        "public_keys must be PEM strings that begin with '-----BEGIN PUBLIC KEY-----'. Pass PublicKey.key unchanged.",
        field="public_keys",
    )


def _length(key: RSAPublicKey) -> int:
    """Return the size of the modulus in bytes, which is also the size of data encrypted with the key."""
    return (key.key_size + 7) // 8


def _is_pkcs1(der: bytes, key: RSAPublicKey) -> bool:
    """Return whether `der` is PKCS #1, whose digest would not match the fingerprint that DIDWW expects."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return der == key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
