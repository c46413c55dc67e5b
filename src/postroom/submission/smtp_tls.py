"""TLS for the SMTP door: the configured certificate, or a self-signed one made once."""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

SELF_SIGNED_DAYS = 3650
"""Clients that accept a self-signed certificate do not look at its end; renewal would only hurt."""


def server_context(hostname: str) -> ssl.SSLContext:
    """TLS 1.2 and newer (RFC 8996), with the certificate that is configured."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.POSTROOM_TLS_CERT:
        context.load_cert_chain(settings.POSTROOM_TLS_CERT, settings.POSTROOM_TLS_KEY)
    else:
        context.load_cert_chain(self_signed(Path(settings.POSTROOM_DATA), hostname))
    return context


def self_signed(directory: Path, hostname: str) -> Path:
    """The file with key and certificate; made when missing, whole or not at all."""
    file = directory / "smtp-self-signed.pem"
    if not file.exists():
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = directory / f"{file.name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(_key_and_certificate(hostname))
        draft.replace(file)
    return file


def _key_and_certificate(hostname: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hostname[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
