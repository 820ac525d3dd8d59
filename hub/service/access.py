"""Who is asking, and what token do they get: the hub's side of OAuth 2.

Signing keys live sealed in the registry; this process opens those that are there now and keeps `jwks.json`
equal to what is published, for a broker that reads it as a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from auth import evidence_signing, grants, keys
from auth.clients import Client
from auth.errors import NoSigningKey, TemporarilyUnavailable
from auth.metadata import server_metadata
from auth.principal import Principal
from auth.public_keys import PublicKey
from auth.tokens import TokenIssuer, TokenVerifier, bearer_token
from hub.domain.agency import HUB
from hub.domain.evidence import Signer
from hub.errors import Unavailable
from hub.ports.clock import Clock, rfc3339
from hub.ports.registry import RegistryStore, SigningKeyRow
from hub.ports.sealing import Sealing
from hub.ports.secrets import SecretBox
from hub.service.registry import Registry

KAFKA_AUDIENCE: Final = "simpul-kafka"
DEFAULT_LIFETIME_S: Final = 600
EVERY_KEY: Final = "jwks-all.json"
"""Beside `jwks.json`: the retired public keys too, by which old evidence is verified. No token is."""
OnWriter = Callable[[Callable[[], None]], Awaitable[None]]
"""`Writer.run`: an assertion is remembered in a row, and only the writer's thread writes."""
log = structlog.get_logger(__name__)


async def _here(job: Callable[[], None]) -> None:
    job()


def client_secret_pepper(sealing: Sealing) -> bytes:
    """The key under which client secrets are hashed; `simpul client add` needs it too."""
    return sealing.hub_digest("client-secret-pepper", b"")


def write_aside(path: Path, data: bytes) -> None:
    """Writes a whole file: a reader sees the old one or the new one, never a half, however many write."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        aside.write_bytes(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """`public_url` is issuer and audience, without a slash at its end; `jwks_file` None: none is written."""

    public_url: str
    token_lifetime_s: int = DEFAULT_LIFETIME_S
    jwks_file: Path | None = None


@dataclass(slots=True)
class _Replay:
    """The registry's memory of assertions as `auth` asks for it."""

    store: RegistryStore
    clock: Clock

    def remember(self, issuer: str, jti: str, expires_at: float) -> bool:
        return self.store.remember_assertion(issuer, jti, expires_at, self.clock.now().timestamp())


@dataclass(slots=True)
class _Published:
    """What follows from one generation of the registry; `last` is the mapping that `jwks.json` holds."""

    generation: int = -2
    signing: list[keys.SigningKey] = field(default_factory=list)
    by_kid: keys.PublishedKeys = field(default_factory=lambda: keys.PublishedKeys([]))
    last: Mapping[str, PublicKey] | None = None


class Access:
    """For the event loop alone, but for `sync_jwks`; `rotate` and `ensure_signing_key` also for a command of
    its own."""

    def __init__(
        self,
        settings: AccessSettings,
        registry: Registry,
        store: RegistryStore,
        sealing: Sealing,
        box: SecretBox,
        clock: Clock,
        on_writer: OnWriter | None = None,
    ) -> None:
        self._registry, self._store, self._box, self._clock = registry, store, box, clock
        self._settings, self._on_writer = settings, on_writer or _here
        self._pepper = client_secret_pepper(sealing)
        url = settings.public_url
        self._audiences = frozenset({url, f"{url}/oauth/token"})
        self._issuer = TokenIssuer(url, [url], settings.token_lifetime_s, self._seconds)
        self._verifier = TokenVerifier(url, url, self._seconds)
        self._replay = _Replay(store, clock)
        self._published = _Published()
        self._opened: dict[str, bytes] = {}
        self._file = threading.Lock()

    def authenticate(self, authorization: str | None) -> Principal:
        """The caller; raises `auth.errors.InvalidToken`. A few microseconds for a token seen before."""
        by_kid = self._current().by_kid.at(self._seconds())
        if by_kid is not self._published.last:
            self._publish(by_kid)
        return self._verifier.verify(bearer_token(authorization), by_kid, self._registry.get)

    async def grant(self, headers: Mapping[str, str], form: Mapping[str, str]) -> dict[str, Any]:
        """The token response (RFC 6749 5.1); raises `auth.errors.OAuthError`."""
        self._current()
        proof = grants.prove_client(
            headers,
            form,
            directory=self._registry,
            pepper=self._pepper,
            audiences=self._audiences,
            now=self._seconds(),
        )
        if proof.by_assertion:
            await self._on_writer(lambda: proof.use_up(self._replay))
        return self._issue(proof.client, form)

    def _issue(self, proven: Client, form: Mapping[str, str]) -> dict[str, Any]:
        """With the keys and the client as they are now: remembering an assertion takes its time."""
        published = self._current()
        client = grants.unchanged(proven, self._registry)
        extra = [KAFKA_AUDIENCE] if self._registry.agencies[client.agency].kafka else []
        try:
            token, claims = self._issuer.issue(client, grants.grant(client, form), published.signing, extra)
        except NoSigningKey as error:
            raise TemporarilyUnavailable(error.description) from error
        return grants.token_response(token, claims)

    def jwks(self) -> dict[str, Any]:
        """The published keys (RFC 7517)."""
        return keys.jwks(self._current().signing, self._clock.now())

    def signer(self) -> Signer:
        """Signs evidence, with the key that tokens are signed with now. Unavailable where there is none."""
        try:
            key = keys.signing_key(self._current().signing, self._clock.now())
        except NoSigningKey as error:
            raise Unavailable(error.description, retry_after_s=60) from error
        return Signer(key.kid, lambda purpose, message: evidence_signing.sign(key, purpose, message))

    def probe_token(self) -> str:
        """A right token for the broker that belongs to nobody, to try whether its listener tells right from
        wrong. It has no rights anywhere: no such client is registered. Unavailable where no key signs."""
        harmless = frozenset({"mailbox:read"})  # Kafka refuses an empty scope before it looks further
        nobody = Client("simpul-probe", HUB, harmless, None, None, self._clock.now(), None)
        try:
            token, _ = self._issuer.issue(nobody, harmless, self._current().signing, [KAFKA_AUDIENCE])
        except NoSigningKey as error:
            raise Unavailable(error.description, retry_after_s=60) from error
        return token

    def metadata(self) -> dict[str, Any]:
        """The server's metadata (RFC 8414)."""
        return server_metadata(self._settings.public_url)

    def ensure_signing_key(self) -> None:
        """Makes the first key of an empty hub, and `jwks.json`; nothing where one may sign already."""
        now = self._clock.now()

        def first(before: list[keys.SigningKey]) -> list[keys.SigningKey]:
            return before if keys.can_sign(before, now) else keys.rotate(before, now)

        self._change_keys(first)
        self.sync_jwks()

    def rotate(
        self,
        now: datetime | None = None,
        overlap_s: float = keys.DEFAULT_OVERLAP_S,
        publish_ahead_s: float = keys.DEFAULT_PUBLISH_AHEAD_S,
    ) -> keys.SigningKey:
        """A new key, published at once and signing `publish_ahead_s` later; older ones stay published for
        the overlap. Gives the new one. Raises ValueError for an overlap below a token's longest life."""
        moment = now or self._clock.now()
        after = self._change_keys(lambda before: keys.rotate(before, moment, overlap_s, publish_ahead_s))
        self.sync_jwks()
        return after[-1]

    def _change_keys(
        self, change: Callable[[list[keys.SigningKey]], list[keys.SigningKey]]
    ) -> list[keys.SigningKey]:
        """The keys after `change`, which is made anew when another process was quicker: neither's is lost."""
        while True:
            rows = self._stored_keys()
            before = self._keys(rows)
            after = change(before)
            if after is before or self._store.put_signing_keys(self._rows(after, rows), rows):
                return after

    def sync_jwks(self) -> None:
        """Brings `jwks.json` up to date; called when keys change or retire. From any thread: the keys come
        from the database and not from the loop's memory, and who writes last has read last."""
        if self._settings.jwks_file is None:
            return
        with self._file:
            rows = self._stored_keys()
            published = keys.jwks(self._keys(rows), self._clock.now())
            every = {"keys": [orjson.loads(row.public_jwk) for row in rows]}
            write_aside(self._settings.jwks_file.with_name(EVERY_KEY), orjson.dumps(every))
            write_aside(self._settings.jwks_file, orjson.dumps(published))

    # --- inside --------------------------------------------------------------------------------------------

    def _seconds(self) -> float:
        return self._clock.now().timestamp()

    def _current(self) -> _Published:
        """The keys as the registry has them now."""
        self._registry.refresh()
        generation = self._registry.generation
        if self._published.generation != generation:
            opened = self._keys(self._registry.signing_keys)
            if opened != self._published.signing:
                self._published = _Published(generation, opened, keys.PublishedKeys(opened))
            self._published.generation = generation
        return self._published

    def _stored_keys(self) -> list[SigningKeyRow]:
        """As the database has them now, in any thread."""
        return self._store.changes_since(self._registry.generation).signing_keys

    def _publish(self, by_kid: Mapping[str, PublicKey]) -> None:
        """Once a change; where the disk refuses, housekeeping tries again, and requests go on."""
        self._published.last = by_kid
        try:
            self.sync_jwks()
        except OSError as error:
            log.warning("jwks_file_not_written", cause=error.strerror)

    def _keys(self, rows: Sequence[SigningKeyRow]) -> list[keys.SigningKey]:
        """Those that still have a private half."""
        return [self._key(row) for row in rows if row.sealed_private]

    def _rows(self, after: Sequence[keys.SigningKey], before: Sequence[SigningKeyRow]) -> list[SigningKeyRow]:
        """Of a retired key the private half goes and the public one stays: what it signed as evidence must
        verify in years."""
        left = {key.kid for key in after}
        gone = [replace(row, sealed_private=b"") for row in before if row.kid not in left]
        return [*gone, *(self._row(key) for key in after)]

    def _key(self, row: SigningKeyRow) -> keys.SigningKey:
        if row.kid not in self._opened:
            self._opened[row.kid] = self._box.open(f"signing-key:{row.kid}", row.sealed_private)
        return keys.SigningKey(
            kid=row.kid,
            algorithm="EdDSA" if row.algorithm == "EdDSA" else "ES256",
            private_pem=self._opened[row.kid],
            created_at=datetime.fromisoformat(row.created_at),
            published_at=datetime.fromisoformat(row.published_at),
            signs_from=datetime.fromisoformat(row.signs_from),
            retires_at=datetime.fromisoformat(row.retires_at) if row.retires_at else None,
        )

    def _row(self, key: keys.SigningKey) -> SigningKeyRow:
        return SigningKeyRow(
            kid=key.kid,
            algorithm=key.algorithm,
            sealed_private=self._box.seal(f"signing-key:{key.kid}", key.private_pem),
            public_jwk=orjson.dumps(key.jwk()).decode(),
            created_at=rfc3339(key.created_at),
            published_at=rfc3339(key.published_at),
            signs_from=rfc3339(key.signs_from),
            retires_at=rfc3339(key.retires_at) if key.retires_at else None,
        )
