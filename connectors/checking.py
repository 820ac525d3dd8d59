"""simpul-connector check: in plain words what is wrong before anything is sent. Reads only, on both sides."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import click

from connectors.config import Common
from connectors.errors import Away, ConfigRefused, HubRefused
from connectors.hub_client import HubClient
from connectors.inbox import Inbox
from connectors.kinds import KINDS
from connectors.outbox import Outbox
from connectors.replies import Replies
from connectors.report import Report
from connectors.spool import Spool, read_spool


def check(config: Common, print_line: Callable[[str], None] = click.echo) -> bool:
    """Prints the report to standard output; True when nothing stands in the way."""
    report = Report(print_line)
    asyncio.run(_check(config, report))
    report.summary()
    sys.stdout.flush()
    return report.problems == 0


async def _check(config: Common, report: Report) -> None:
    report.section("Configuration")
    report.ok(f"kind {config.kind}, agency {config.agency}, times without a zone are {config.time_zone}")
    await KINDS[config.kind].check(config, report)
    await _check_hub(config, report)
    _check_spool(config, report)


async def _check_hub(config: Common, report: Report) -> None:
    report.section(f"Hub {config.hub.url}")
    try:
        async with HubClient(config.hub) as hub:
            await hub.token()
            report.ok("reachable, and it gave this client a token")
            if hub.scope:
                report.ok(f"the client may: {hub.scope}")
            await hub.mailbox(0, 1, 0)
            report.ok("the mailbox can be read")
            agency = await hub.get(f"/v1/agencies/{config.agency}")
            report.ok(f"the hub knows this agency as {agency.get('name', config.agency)}")
    except (Away, HubRefused, ConfigRefused) as error:
        report.wrong(str(error))


def _check_spool(config: Common, report: Report) -> None:
    report.section(f"Spool {config.spool}")
    path = Path(config.spool)
    if not path.parent.is_dir():
        report.wrong(f"the folder {path.parent} does not exist")
        return
    spool = read_spool(path)
    if spool is None:
        report.ok("not there yet; `run` makes it")
        return
    try:
        _show_spool(spool, report)
    finally:
        spool.close()


def _show_spool(spool: Spool, report: Report) -> None:
    outbox, inbox, replies = Outbox(spool), Inbox(spool), Replies(spool)
    report.ok("complaints: " + (_counts(outbox.counts()) or "none so far"))
    report.ok("events: " + (_counts(inbox.counts()) or "none so far"))
    troubles = [("refused so far", outbox.troubles()), ("events not in effect", inbox.troubles())]
    troubles.append(("replies refused", replies.troubles()))
    for title, found in troubles:
        if found:
            report.note(f"{title}:")
        for name, state, reason in found:
            report.detail(f"{name} ({state}): {reason}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
