"""Tokens as the hub issues them (RFC 9068), and wrong ones, for a broker's agency listener."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from jwt.algorithms import ECAlgorithm, OKPAlgorithm
from kafka.net.sasl.oauth import AbstractTokenProvider

from hub.bus.kafka.endpoint import BrokerListener
from tests.parts import kafka


@dataclass
class Issuer:
    """Signs with ES256 (`alg` EdDSA for the other), publishes its keys in the broker's file."""

    alg: str = "ES256"
    key: Any = None
    kid: str = field(default_factory=lambda: os.urandom(6).hex())

    def __post_init__(self) -> None:
        known = {
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.key = known[self.alg]()

    def publish(self, node: kafka.Node) -> None:
        """Adds the public key to those that are there; written aside, then renamed."""
        algorithm: Any = ECAlgorithm if self.alg == "ES256" else OKPAlgorithm
        document = json.loads(node.jwks.read_text())
        own = json.loads(algorithm.to_jwk(self.key.public_key()))
        document["keys"].append(own | {"kid": self.kid, "use": "sig", "alg": self.alg})
        aside = node.jwks.with_suffix(".new")
        aside.write_text(json.dumps(document))
        aside.rename(node.jwks)

    def token(self, client: str, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": kafka.ISSUER,
            "sub": client,
            "client_id": client,
            "aud": [kafka.ISSUER, "simpul-kafka"],
            "iat": now,
            "exp": now + 300,
            "jti": os.urandom(8).hex(),
            "scope": "complaints:submit mailbox:read",
        } | changes
        return jwt.encode(claims, self.key, self.alg, headers={"kid": self.kid, "typ": "at+jwt"})


class Provider(AbstractTokenProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token


@dataclass(frozen=True, slots=True)
class TokenEndpoint(BrokerListener):
    """The agency listener as an agency's own client uses it."""

    token: str = ""

    def options(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_provider": Provider(self.token),
        }
