"""Certificates for tests: an authority of its own, and what it signs, as PEM files."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HERE = ("localhost", "127.0.0.1")
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    @property
    def both(self) -> bytes:
        """As Kafka's `ssl.keystore.type=PEM` takes them: one file."""
        return self.key + self.certificate


@dataclass
class Authority:
    """Signs with a key of its own, which lives for this test run only."""

    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def root(self) -> bytes:
        """Its own certificate, PEM: what clients trust."""
        return self._signed(self.name, self.key.public_key(), (), 1, is_authority=True)

    def issue(self, names: Sequence[str] = HERE, *, days: int = 1) -> Pair:
        """For a server of these names and addresses; with `days` below 0 it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Pair(self._signed("peladen", key.public_key(), names, days), private)

    def _signed(
        self,
        subject: str,
        key: ec.EllipticCurvePublicKey,
        names: Sequence[str],
        days: int,
        *,
        is_authority: bool = False,
    ) -> bytes:
        now = datetime.datetime.now(datetime.UTC)
        building = (
            x509.CertificateBuilder()
            .subject_name(_named(subject))
            .issuer_name(_named(self.name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 10 * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            others = x509.SubjectAlternativeName([_other_name(name) for name in names])
            building = building.add_extension(others, critical=False)
        return building.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _other_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
