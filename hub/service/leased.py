"""A role that only one process of a hub holds at a time: the relay, the clock, delivery.

The lease lives in the database and is measured by its clock. A holder renews it well before it ends; one that
cannot (the database is away, or the process was stopped for a while) ends its work before the lease does, by
its own monotonic clock, so that the next holder begins alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from hub.errors import SimpulError
from hub.ports.clock import Clock
from hub.ports.leases import Lease, Leases
from hub.service.writer import Writer

log = structlog.get_logger(__name__)

TTL_S: Final = 6.0
"""A killed holder's work is taken over within this and one ASK_EVERY_S."""
ASK_EVERY_S: Final = 1.5
MARGIN_S: Final = 1.0
"""The work ends so long before the lease, if it was not renewed."""


class Claim:
    """What the work holds: `token` fences its writes; `holds` is asked before anything leaves the process."""

    def __init__(self, lease: Lease, clock: Clock, asked_at: float) -> None:
        self.lease = lease
        self._clock = clock
        self._until = asked_at + TTL_S - MARGIN_S

    @property
    def token(self) -> int:
        return self.lease.token

    @property
    def left_s(self) -> float:
        return self._until - self._clock.monotonic()

    def holds(self) -> bool:
        """False once the lease may have ended, also right after a stopped process goes on."""
        return self.left_s > 0

    def renewed(self, asked_at: float) -> None:
        self._until = asked_at + TTL_S - MARGIN_S


Work = Callable[[Claim], Awaitable[None]]
"""Runs until it is cancelled. If it ends or raises, the lease is given back and asked for anew."""


class LeasedRole:
    """Holds `name` whenever nobody else does, and runs `work` meanwhile."""

    def __init__(
        self,
        name: str,
        holder: str,
        leases: Leases,
        writer: Writer,
        clock: Clock,
        work: Work,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self._holder = holder
        self._leases = leases
        self._writer = writer
        self._clock = clock
        self._work = work
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None
        self.held = False

    def start(self) -> None:
        self._task = asyncio.create_task(self._forever(), name=f"role {self.name}")

    async def stop(self) -> None:
        """Ends the work and gives the lease back, so that another process takes over at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _forever(self) -> None:
        while True:
            try:
                await self._once()
            except SimpulError as error:
                log.warning("role_ended", role=self.name, cause=str(error))
            except Exception:  # without this task nobody here would ever take the role again
                log.exception("role_crashed", role=self.name)
            await self._sleep(ASK_EVERY_S)

    async def _once(self) -> None:
        asked_at = self._clock.monotonic()
        try:
            lease = await self._writer.run(lambda: self._leases.acquire(self.name, self._holder, TTL_S))
        except SimpulError as error:
            log.warning("lease_not_asked", role=self.name, cause=str(error))
            return
        if lease is None:
            return
        claim = Claim(lease, self._clock, asked_at)
        log.info("role_taken", role=self.name, token=claim.token)
        self.held = True
        try:
            await self._hold(claim)
        finally:
            self.held = False
            await self._give_back(lease)

    async def _hold(self, claim: Claim) -> None:
        """Work and renewing side by side; whichever ends first ends both."""
        work = asyncio.ensure_future(self._work(claim))
        keeping = asyncio.ensure_future(self._keep(claim))
        try:
            await asyncio.wait((work, keeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            keeping.cancel()
            results = await asyncio.gather(work, keeping, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _keep(self, claim: Claim) -> None:
        """Returns when the lease is lost, or can no longer be relied on."""
        while claim.holds():
            await self._sleep(min(ASK_EVERY_S, max(claim.left_s, 0.0)))
            asked_at = self._clock.monotonic()
            try:
                async with asyncio.timeout(max(claim.left_s, 0.001)):
                    kept = await self._writer.run(lambda: self._leases.renew(claim.lease, TTL_S))
            except TimeoutError:
                break
            except SimpulError as error:
                log.warning("lease_not_renewed", role=self.name, cause=str(error))
                continue
            if not kept:
                break
            claim.renewed(asked_at)
        log.warning("role_lost", role=self.name, token=claim.token)

    async def _give_back(self, lease: Lease) -> None:
        """As good as it goes: a lease that is not given back ends by itself."""
        try:
            async with asyncio.timeout(MARGIN_S):
                await self._writer.run(lambda: self._leases.release(lease))
        except (TimeoutError, SimpulError) as error:
            log.warning("lease_not_given_back", role=self.name, cause=str(error) or "no answer in time")
