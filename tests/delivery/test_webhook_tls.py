"""The endpoint's certificate is verified against its name, although the connection goes to an address."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.delivery.delivery_world import AGENCIES, DeliveryWorld
from tests.delivery.receiver import Receiver

NAME = "layanan.example.go.id"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Self-signed for NAME: certificate and key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.parametrize(
    ("host", "trusted", "state"),
    [(NAME, True, "done"), (NAME, False, "pending"), ("lain.example.go.id", True, "pending")],
)
async def test_certificates(
    world: DeliveryWorld, certificate: tuple[Path, Path], host: str, trusted: bool, state: str
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    world.ssl_context = ssl.create_default_context(cafile=str(certificate[0]) if trusted else None)

    async def resolve(name: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    world.resolve = resolve
    ministry = Receiver(server)
    await ministry.start()
    try:
        await world.desk.put(AGENCIES[0], f"https://{host}:{ministry.port}/simpul", ["*"], None)
        await world.start()
        await world.submit()
        await world.settle()
        (row,) = await world.rows()
        assert row["state"] == state
        assert len(ministry.received) == (1 if state == "done" else 0)
        if state == "pending":
            assert "certificate was not accepted" in row["cause"]
    finally:
        await world.stop()
        await ministry.stop()
