"""TLS of calls: the certificate of listeners, and what is verified."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from didww.emulator.sip.allowed import is_loopback

__all__ = ["client_context", "make_certificate", "server_context"]

_VALID = timedelta(days=398)


def client_context(host: str) -> ssl.SSLContext:
    """Return the TLS settings toward a host. Certificates of loopback addresses are not verified."""
    context = ssl.create_default_context()
    if is_loopback(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(
    certificate: str | None = None, key: str | None = None, *, host: str = "127.0.0.1"
) -> ssl.SSLContext:
    """Return the TLS settings of a listener.

    Args:
        certificate: PEM file of the certificate. Defaults to one that is made for this listener.
        key: PEM file of its key. Defaults to the file of the certificate.
        host: Address of the listener, for a certificate that is made.

    Raises:
        OSError: A file cannot be read, or is no certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if certificate is not None:
        context.load_cert_chain(certificate, key)
        return context
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads certificates from files only
        path = Path(folder) / "certificate.pem"
        path.touch(mode=0o600)
        path.write_bytes(make_certificate(host))
        context.load_cert_chain(path)
    return context


def make_certificate(host: str) -> bytes:
    """Return a self-signed certificate for `localhost` and an address, and its key, as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    try:
        names.append(x509.IPAddress(ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
