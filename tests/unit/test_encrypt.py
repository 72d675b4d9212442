"""Encryption containers and fingerprints: published vectors, and decryption with generated keys."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from didww.encrypt import Encrypt
from didww.exceptions import InvalidValueError

Pem, Der = serialization.Encoding.PEM, serialization.Encoding.DER
Spki, Pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
OAEP = rsa_padding.OAEP(mgf=rsa_padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
# 1031: a modulus that does not fill its bytes.
SIZES = (1024, 1031, 2048)


@cache
def private(size: int, number: int = 0) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, size)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Pem, Spki).decode()


def pair(first: int = 1024, second: int = 2048) -> tuple[list[rsa.RSAPrivateKey], list[str]]:
    keys = [private(first), private(second, 1)]
    return keys, [pem(key) for key in keys]


def opened(container: bytes, keys: list[rsa.RSAPrivateKey]) -> bytes:
    """The file in a container, by the rules of the service; both keys must give the same credentials."""
    credentials = []
    for key in keys:
        length = (key.key_size + 7) // 8
        credentials.append(key.decrypt(container[:length], OAEP))
        container = container[length:]
    assert credentials[0] == credentials[1]
    assert len(credentials[0]) == 48
    decryptor = Cipher(algorithms.AES(credentials[0][:32]), modes.CBC(credentials[0][32:])).decryptor()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(container) + decryptor.finalize()) + unpadder.finalize()


# The container


@pytest.mark.parametrize(
    ("plain", "cipher"),
    [
        (b"", "e2740e8afad4e4d15d0d661b382eca89"),
        (b"test data", "4c4d5a47841406b7e33c1bf4d593de9e"),
        (b"Hello, DIDWW!", "51003f39f7841c439ee3b635028c086b"),
        (b"0123456789abcdef", "8c1c33e630923f9fb77c47d198032d17cbcde9871e78ae0b1c1a65e985776507"),
    ],
)
def test_encryption_matches_published_vectors(plain: bytes, cipher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With key 00..1f and vector 20..2f, the data after the two blocks is the published cipher text."""
    keys, public = pair()
    taken = iter((bytes(range(32)), bytes(range(32, 48))))
    monkeypatch.setattr(os, "urandom", lambda size: next(taken)[:size])
    container = Encrypt.encrypt_with_keys(plain, public)
    monkeypatch.undo()
    assert container[128 + 256 :].hex() == cipher
    assert keys[0].decrypt(container[:128], OAEP) == bytes(range(48))
    assert keys[1].decrypt(container[128:384], OAEP) == bytes(range(48))


@given(data=st.binary(max_size=200), first=st.sampled_from(SIZES), second=st.sampled_from(SIZES))
def test_encrypted_file_can_be_decrypted(data: bytes, first: int, second: int) -> None:
    """The service can decrypt the original bytes, for any contents and key sizes."""
    keys, public = pair(first, second)
    container = Encrypt.encrypt_with_keys(data, public)
    assert opened(container, keys) == data
    assert len(container) == Encrypt.encrypted_size(len(data), public)


@given(data=st.binary(max_size=100), cuts=st.lists(st.integers(0, 100), max_size=6))
def test_chunk_sizes_do_not_change_the_container(data: bytes, cuts: list[int]) -> None:
    """The split does not matter, empty chunks included; bytearrays and memoryviews are accepted."""
    keys, public = pair()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)]
    kinds = (bytes, bytearray, memoryview)
    given_pieces: Any = (kinds[number % 3](piece) for number, piece in enumerate(pieces))
    made = list(Encrypt.encrypt_pieces(given_pieces, public))
    assert opened(b"".join(made), keys) == data
    assert all(made), "an empty piece would end a body that is streamed"


def test_container_layout_with_4096_bit_keys() -> None:
    """The layout is 1024 bytes of blocks, then 16 bytes for each started or full block of 16."""
    from didww.emulator.behaviors.files import _public_keys

    public = _public_keys()
    for size in (0, 1, 15, 16, 17, 1000, 20 << 20):
        assert Encrypt.encrypted_size(size, public) == 1024 + 16 * (size // 16 + 1)
    assert len(Encrypt.encrypt_with_keys(b"x" * 17, public)) == 1056


def test_each_container_has_its_own_key() -> None:
    """Neither the blocks nor the cipher text repeat."""
    keys, public = pair()
    made = [Encrypt.encrypt_with_keys(b"same" * 8, public) for _ in range(20)]
    assert len({container[384:] for container in made}) == 20
    assert len({keys[0].decrypt(container[:128], OAEP)[:32] for container in made}) == 20
    assert len({keys[0].decrypt(container[:128], OAEP)[32:] for container in made}) == 20


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_bytes_like_object_is_accepted(kind: Any) -> None:
    keys, public = pair()
    assert opened(Encrypt.encrypt_with_keys(kind(b"%PDF"), public), keys) == b"%PDF"


def test_chunks_are_read_lazily() -> None:
    """No part of the file is read before the container is; invalid keys raise earlier."""
    taken: list[int] = []

    def pieces() -> Any:
        for number in range(3):
            taken.append(number)
            yield bytes(64)

    with pytest.raises(InvalidValueError):
        Encrypt.encrypt_pieces(pieces(), [])
    container = Encrypt.encrypt_pieces(pieces(), pair()[1])
    next(container)
    next(container)
    assert taken == []
    next(container)
    assert taken == [0]


# The fingerprint


def test_fingerprint_matches_openssl() -> None:
    """The fingerprints of the emulator's keys match `openssl pkey -pubout -outform DER | sha1sum`."""
    from didww.emulator.behaviors.files import _public_keys

    first, second = "d39f7df135306e14add52b5014ca33760df134cf", "6f3eaa94e67110cbb1882b484aac7d87e3c9308f"
    assert Encrypt.calculate_fingerprint(_public_keys()) == f"{first}:::{second}"
    assert Encrypt.calculate_fingerprint(_public_keys()[::-1]) == f"{second}:::{first}"


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: f"\n\t {text.strip()} \n\n",
        lambda text: "\n".join(f"  {line}\t" for line in text.splitlines()),
        lambda text: text.replace("PUBLIC KEY", "RSA PUBLIC KEY"),
        lambda text: text.replace("\n", " "),
        lambda text: "-----BEGIN PUBLIC KEY-----" + "".join(text.splitlines()[1:-1]) + "-----END PUBLIC KEY-----",
    ],
)
def test_fingerprint_ignores_pem_formatting(rewritten: Any) -> None:
    """The digest is that of the decoded body; the same text works for encryption."""
    keys, public = pair()
    sums = [hashlib.sha1(key.public_key().public_bytes(Der, Spki)).hexdigest() for key in keys]
    other = [rewritten(text) for text in public]
    assert Encrypt.calculate_fingerprint(other) == ":::".join(sums)
    assert opened(Encrypt.encrypt_with_keys(b"x", other), keys) == b"x"


# Mistakes


GOOD = pem(private(1024))
SMALL = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKvNEqI0VniavN7wESIzRFVmd4iZqrvM3e7/ABEiM0RV
ZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8AESIzRFUCAwEAAQ==
-----END PUBLIC KEY-----"""
SECRET = (
    private(1024).private_bytes(Pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode().strip()
)
WRONG_KEYS: dict[str, Any] = {
    "none": [],
    "one": [GOOD],
    "three": [GOOD] * 3,
    "one text": GOOD,
    "bytes": GOOD.encode(),
    "no list": 5,
    "None": None,
    "list of None": [GOOD, None],
    "list of bytes": [GOOD, GOOD.encode()],
    "private": [GOOD, SECRET],
    "not PEM": [GOOD, "c2VjcmV0"],
    "empty": [GOOD, ""],
    "no body": [GOOD, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"],
    "no end": [GOOD, GOOD.partition("-----END")[0]],
    "cut off": [GOOD, GOOD.replace(GOOD.splitlines()[2], "")],
    "no Base64": [GOOD, GOOD.replace(GOOD.splitlines()[2], "!!!")],
    "not ASCII": [GOOD, GOOD.replace(GOOD.splitlines()[2], "ä")],
    "two in one": [GOOD, GOOD + GOOD],
    "EC": [GOOD, pem(ec.generate_private_key(ec.SECP256R1()))],
    "PKCS1": [GOOD, private(1024).public_key().public_bytes(Pem, Pkcs1).decode()],
    "512 bits": [GOOD, SMALL],
}


@pytest.mark.parametrize("keys", WRONG_KEYS.values(), ids=WRONG_KEYS)
@pytest.mark.parametrize(
    "use",
    [
        Encrypt.calculate_fingerprint,
        lambda keys: Encrypt.encrypt_with_keys(b"x", keys),
        lambda keys: Encrypt.encrypt_pieces([b"x"], keys),
        lambda keys: Encrypt.encrypted_size(1, keys),
    ],
)
def test_invalid_keys_are_rejected(use: Any, keys: Any) -> None:
    """InvalidValueError names the argument immediately and does not show the value."""
    with pytest.raises(InvalidValueError) as caught:
        use(keys)
    assert caught.value.field == "public_keys"
    assert caught.value.__context__ is None
    assert not [line for text in (GOOD, SECRET, SMALL) for line in text.splitlines()[1:-1] if line in str(caught.value)]


@pytest.mark.parametrize("data", ["text", None, 5, [b"x"], object()])
def test_non_bytes_data_is_rejected(data: Any) -> None:
    with pytest.raises(InvalidValueError, match="bytes") as caught:
        Encrypt.encrypt_with_keys(data, pair()[1])
    assert caught.value.field == "binary_data"


@pytest.mark.parametrize("pieces", ["text", b"bytes", bytearray(b"x"), ["text"], [b"x", None], [5]])
def test_invalid_chunks_are_rejected(pieces: Any) -> None:
    """A single str or bytes object is not split into its characters."""
    with pytest.raises(InvalidValueError) as caught:
        list(Encrypt.encrypt_pieces(pieces, pair()[1]))
    assert caught.value.field == "pieces"


@pytest.mark.parametrize("size", [-1, 1.5, True, "1", None])
def test_invalid_size_is_rejected(size: Any) -> None:
    with pytest.raises(InvalidValueError) as caught:
        Encrypt.encrypted_size(size, pair()[1])
    assert caught.value.field == "size"


def test_encrypt_object_reuses_its_keys() -> None:
    """`Encrypt(keys)` has the fingerprint and encrypts; the functions work on the object and on the class."""
    private_keys, pems = pair()
    encrypt = Encrypt(public_keys=pems)
    assert encrypt.fingerprint == Encrypt.calculate_fingerprint(public_key_pems=pems)
    assert opened(encrypt.encrypt(b"%PDF"), private_keys) == b"%PDF"
    assert opened(encrypt.encrypt_with_keys(binary_data=b"%PDF", public_key_pems=pems), private_keys) == b"%PDF"
    with pytest.raises(InvalidValueError, match="public_keys must be the two keys"):
        Encrypt(pems[:1])
