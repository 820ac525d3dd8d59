"""The hub's public HTTP interface as a connector uses it: tokens and timeouts. Raises what `errors.py` names;
`hub_answers.py` says what a status means. Whatever else happens is our fault and is raised."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
import jwt
import orjson

from auth.client_side import ClientCredentials, TokenCache
from auth.errors import KeyRefused, TokenRefused
from connectors.batch_line import BatchLine, batch_line
from connectors.channel import path_of
from connectors.config import Hub, secret
from connectors.errors import ClientRefused, ConfigRefused, HubAway, HubRefused, WrongAgency
from connectors.hub_address import away, no_hub
from connectors.hub_answers import error_of, is_passing, problem_of
from connectors.mailbox_page import check_page
from connectors.words import retry_after_s

_NETWORK = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
RENEW_AGAIN_S = 10.0
"""While the old token serves: the least pause after an answer that gave no new one."""


class HubClient:
    """One session with the hub. Safe for several tasks; open it with `async with`."""

    def __init__(self, hub: Hub, agency: str, now_s: Callable[[], float] = time.time) -> None:
        """`agency` is whose client this must be; the first token of another one raises WrongAgency."""
        self._hub, self._agency = hub, agency
        self._base = hub.url.rstrip("/")
        self._now_s = now_s
        self._tokens = TokenCache(now_s)
        self._credentials = credentials(hub)
        self._renewing = asyncio.Lock()
        self._renew_not_before_s = 0.0
        self._session: aiohttp.ClientSession | None = None
        self.scope = ""
        self._was_known = False
        self.on_answer: Callable[[], None] = lambda: None

    async def __aenter__(self) -> HubClient:
        timeout = aiohttp.ClientTimeout(total=self._hub.timeout_s, connect=min(10, self._hub.timeout_s))
        self._session = aiohttp.ClientSession(timeout=timeout, raise_for_status=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def submit(self, content: bytes) -> dict[str, Any]:
        """POST /v1/complaints with exactly these bytes; the case. Idempotent by the complaint's reference."""
        return _having(await self._call("POST", "/v1/complaints", content), "id")

    async def submit_batch(self, contents: Sequence[bytes]) -> list[BatchLine]:
        """POST /v1/complaints/batch; the answers that arrived, which may be fewer than the lines sent."""
        body = b"\n".join(contents) + b"\n"
        headers = {"Content-Type": "application/x-ndjson"}
        status, answer, answer_headers = await self._send(
            "POST", "/v1/complaints/batch", body, headers, timeout_s=self._hub.timeout_s * 4
        )
        if status != 200:
            raise _error(status, answer, answer_headers)
        return [line for line in map(batch_line, answer.splitlines()) if line is not None]

    async def upload(self, path: Path, media_type: str, sha256: str) -> None:
        """POST /v1/attachments; the same file again is harmless."""
        digest = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {"Content-Type": media_type, "Repr-Digest": f"sha-256=:{digest}:"}
        content = await asyncio.to_thread(path.read_bytes)
        status, answer, answer_headers = await self._send(
            "POST", "/v1/attachments", content, headers, timeout_s=self._hub.timeout_s * 4
        )
        if status not in (200, 201):
            raise _error(status, answer, answer_headers)

    async def listing(self, path: str) -> dict[str, Any]:
        """A page of one of the hub's lists: `{"items": [{…}, …], "next": …}`."""
        page = _having(await self.get(path), "items")
        if not isinstance(page["items"], list) or not all(isinstance(item, dict) for item in page["items"]):
            raise HubAway("the answer's items are no list of objects; is hub.url the hub's address?")
        return page

    async def get(self, path: str) -> dict[str, Any]:
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any], idempotency_key: str = "") -> dict[str, Any]:
        return await self._call("POST", path, orjson.dumps(body), idempotency_key)

    async def case(self, case_id: str) -> dict[str, Any]:
        return _having(await self.get(path_of("cases", case_id)), "id", "status", "complaint", "forwardings")

    async def mailbox(self, after: int, limit: int, wait_s: int) -> dict[str, Any]:
        """GET /v1/mailbox, held open by the hub for at most `wait_s`; a page that mailbox_page.py checked."""
        path = f"/v1/mailbox?after={after}&limit={limit}&wait={wait_s}"
        status, answer, headers = await self._send(
            "GET", path, None, {}, timeout_s=wait_s + self._hub.timeout_s
        )
        page = _document(status, answer, headers)
        check_page(page)
        return page

    async def acknowledge(self, position: int) -> None:
        await self._call("PUT", "/v1/mailbox/cursor", orjson.dumps({"position": position}))

    def cut_short(self, answered: int, sent: int) -> HubAway:
        """Of a batch to which fewer answers came than lines were sent."""
        return HubAway(f"the answer to a batch ended after {answered} of {sent} lines")

    def forget_token(self) -> None:
        """Somebody else than the hub refuses it: the next call asks for another."""
        self._tokens.forget()

    async def token(self) -> str:
        """The present token; asks for one when due. Raises HubAway, also when the hub refuses the client:
        somebody may register it meanwhile."""
        if self._due():
            async with self._renewing:
                if self._due():
                    await self._renew()
        token = self._tokens.token()
        if token is None:
            raise HubAway("the hub gave no token")
        return token

    def _due(self) -> bool:
        """While the old token serves, an endpoint that gave no new one is left alone for a while."""
        serves = self._tokens.token() is not None
        return self._tokens.due() and not (serves and self._now_s() < self._renew_not_before_s)

    async def _renew(self) -> None:
        try:
            await self._ask_for_token()
        except HubAway as error:
            if self._tokens.token() is None:  # none that serves, or it was refused
                raise
            self._renew_not_before_s = self._now_s() + max(RENEW_AGAIN_S, error.retry_after_s or 0.0)

    async def _ask_for_token(self) -> None:
        request = self._credentials.request(self._now_s())
        status, answer, headers = await self._http("POST", request.url, request.body, request.headers, None)
        if is_passing(status):
            # no HubFailed: without a token nothing can be sent, whatever it holds
            raise HubAway(f"the hub answers {problem_of(status, _json(answer))}", retry_after_s(headers))
        document = _json(answer)
        try:
            self._tokens.accept(status, document)
        except TokenRefused as error:
            self._tokens.forget()
            raise (self._refusal(error) if error.error else no_hub(request.url, status)) from error
        owner = agency_of(str(document["access_token"]))
        if owner not in ("", self._agency):
            self._tokens.forget()
            raise WrongAgency(self._agency, owner)
        self._was_known = True
        self.scope = str(document.get("scope", "")) if isinstance(document, dict) else ""

    def _refusal(self, error: TokenRefused) -> HubAway:
        """A wrong secret does not mend itself soon: the pause is longer than that for a hub that is away."""
        if error.error not in ("invalid_client", "unauthorized_client"):
            return HubAway(f"the hub gives no token: {error}")
        names = [self._hub.client_id_env, self._hub.private_key_file or self._hub.client_secret_env]
        client_id = secret(self._hub.client_id_env, "hub.client_id_env")
        if self._was_known:
            why = f"it knew it before: the agency {self._agency} was deactivated, or this client was revoked"
        else:
            why = (
                f"check {' and '.join(names)}; if they are right, this client is revoked, or the agency "
                f"{self._agency} is deactivated"
            )
        return ClientRefused(
            f"the hub refuses this client ({client_id}); {why}: ask the hub's administrator",
            retry_after_s=4 * self._hub.backoff_cap_s,
        )

    async def _call(
        self, method: str, path: str, body: bytes | None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return _document(*await self._send(method, path, body, headers))

    async def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        timeout_s: float | None = None,
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """With the token; a 401 gets one new token, then counts as away."""
        for attempt in (1, 2):
            authorised = {**headers, "Authorization": f"Bearer {await self.token()}"}
            answer = await self._http(method, self._base + path, body, authorised, timeout_s)
            if answer[0] != 401 or attempt == 2:
                if answer[0] != 401 and not is_passing(answer[0]):
                    self.on_answer()
                return answer
            self._tokens.forget()
        raise AssertionError("unreachable")

    async def _http(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], timeout_s: float | None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        if self._session is None:
            raise RuntimeError("open the client with `async with` first")
        timeout = aiohttp.ClientTimeout(
            total=timeout_s or self._hub.timeout_s, connect=min(10, self._hub.timeout_s)
        )
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, await response.read(), response.headers
        except _NETWORK as error:
            raise away(self._base, error) from error


def credentials(hub: Hub) -> ClientCredentials:
    """The client's credentials from the environment or a key file; raises ConfigRefused."""
    client_id = secret(hub.client_id_env, "hub.client_id_env")
    url = hub.url.rstrip("/") + "/oauth/token"
    if not hub.private_key_file:
        return ClientCredentials(
            url, client_id, secret=secret(hub.client_secret_env, "hub.client_secret_env")
        )
    try:
        pem = Path(hub.private_key_file).read_text(encoding="utf-8")
        return ClientCredentials(url, client_id, private_key=pem)
    except (OSError, UnicodeDecodeError, KeyRefused) as error:
        remedy = "name a PEM file with an EC P-256, Ed25519 or RSA private key"
        raise ConfigRefused("hub.private_key_file", f"cannot be used ({error})", remedy) from error


def agency_of(token: str) -> str:
    """Whose client a token is for, by its own words: a hint, for only the hub can verify it. "" where it
    cannot be read."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return ""
    return str(claims.get("agency", ""))


def _document(status: int, answer: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    if not 200 <= status < 300:
        raise _error(status, answer, headers)
    document = _json(answer)
    if not isinstance(document, dict):
        raise HubAway("the answer is no JSON object; is hub.url the hub's address?")
    return document


def _having(document: dict[str, Any], *names: str) -> dict[str, Any]:
    """The document, if it has these members; else this is no hub of version 1."""
    missing = [name for name in names if name not in document]
    if missing:
        raise HubAway(f"the answer lacks {missing[0]!r}; is hub.url the hub's address?")
    return document


def _error(status: int, answer: bytes, headers: Mapping[str, str]) -> HubAway | HubRefused:
    return error_of(status, _json(answer), retry_after_s(headers))


def _json(answer: bytes) -> Any:
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None  # whoever reads it says what was expected instead
