"""simpul-connector check: in plain words what is wrong before anything is sent. Reads only, on both sides."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from connectors.channel import path_of
from connectors.config import Common
from connectors.environment import missing_of_hub, missing_variables
from connectors.erased import Erasures
from connectors.erasing import receipt_command
from connectors.errors import Away, ConfigRefused, HubRefused, WrongAgency
from connectors.hub_client import HubClient
from connectors.inbox import NOT_SHOWN, Inbox
from connectors.kinds import KINDS
from connectors.national_ids import without_national_id
from connectors.outbox import Outbox
from connectors.replies import Replies
from connectors.report import Report
from connectors.routing import GONE as ENDED
from connectors.rules import read_rules
from connectors.spool import UNUSABLE, Spool, read_spool, unusable
from connectors.sql import SqlConfig
from connectors.words import many, one_line
from connectors.written import Written

LOOKED_AT, SHOWN = 200, 10


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
    for missing in missing_variables(config):
        report.wrong(missing)
    await KINDS[config.kind].check(config, report)
    await _check_hub(config, report)
    _check_spool(config, report)


async def _check_hub(config: Common, report: Report) -> None:
    report.section(f"Hub {config.hub.url}")
    unset = missing_of_hub(config)
    if unset:
        are = "is" if len(unset) == 1 else "are"
        report.note(f"the hub was not asked: {' and '.join(unset)} {are} not set")
        return
    try:
        async with HubClient(config.hub, config.agency) as hub:
            await hub.token()
            report.ok("reachable, and it gave this client a token")
            if hub.scope:
                report.ok("the client may:")
                report.wrapped(hub.scope)
            await hub.mailbox(0, 1, 0)
            report.ok("the mailbox can be read")
            agency = await hub.get(path_of("agencies", config.agency))
            report.ok(f"the hub knows this agency as {agency.get('name', config.agency)}")
            _check_region(config, str(agency.get("region") or ""), report)
            await _check_stranded(hub, config.agency, report)
            for key, names in KINDS[config.kind].agencies(config).items():
                for name in names:
                    await _check_agency(hub, key, name, report)
    except (Away, HubRefused, ConfigRefused, WrongAgency) as error:
        report.wrong(str(error))


def _check_region(config: Common, own: str, report: Report) -> None:
    """A region that is the same for every row is the agency's own, or lies in it, or around it."""
    rule = read_rules(config.map).get("location.region") if isinstance(config, SqlConfig) else None
    if rule is None or not isinstance(rule.value, str) or not own:
        return
    written, home = (code.replace(".", "") for code in (rule.value, own))
    if not (written.startswith(home) or home.startswith(written)):
        report.note(
            f'location.region = "{rule.value}" stands in every complaint, but {config.agency} is at home in '
            f'"{own}"; look whether the mapping is still the example\'s'
        )


async def _check_stranded(hub: HubClient, agency: str, report: Report) -> None:
    """Cases of this agency that were forwarded and that nobody has any more; at most a page is looked at."""
    try:
        page = await hub.listing(f"/v1/cases?status=verified&limit={LOOKED_AT}")
    except HubRefused as problem:
        if problem.status != 403:
            raise
        return  # this client may not read cases: it forwards none
    waiting = [
        str(case["complaint"]["source"]["reference"])
        for case in page["items"]
        if case["owner"] == agency and case["forwardings"]
        if all(leg["status"] in ENDED for leg in case["forwardings"])
    ]
    if waiting:
        more = f" and {len(waiting) - SHOWN} more" if len(waiting) > SHOWN else ""
        report.note(
            f"{many(len(waiting), 'case')} {'waits' if len(waiting) == 1 else 'wait'} for a person, verified "
            f"and with nobody since the forwarding ended: {', '.join(waiting[:SHOWN])}{more}; forward anew, "
            "in the hub's pages or by POST /v1/cases/{id}/forwardings"
        )


async def _check_agency(hub: HubClient, key: str, name: str, report: Report) -> None:
    """An agency that the configuration forwards to must be registered and active."""
    try:
        active = (await hub.get(path_of("agencies", name))).get("active", True)
    except HubRefused as problem:
        if problem.status not in (404, 422):
            raise
        report.wrong(f"{key}: no agency {name!r} is registered in the hub; see GET /v1/agencies")
        return
    if active:
        report.ok(f"{key}: {name} is registered and active")
    else:
        report.wrong(f"{key}: the agency {name!r} is not active in the hub; name another one")


def _check_spool(config: Common, report: Report) -> None:
    report.section(f"Spool {config.spool}")
    path = Path(config.spool)
    try:
        spool = read_spool(path)
        if spool is None:
            report.ok("not there yet; `run` makes it")
            return
        with closing(spool):
            _show_spool(spool, config.file, report)
            _show_messages(config, spool, report)
    except ConfigRefused as error:
        report.wrong(str(error))
    except UNUSABLE as error:
        report.wrong(str(unusable(path, error)))


def _show_spool(spool: Spool, file: str, report: Report) -> None:
    outbox, inbox, replies = Outbox(spool), Inbox(spool), Replies(spool)
    report.ok("complaints: " + (_counts(outbox.counts()) or "none so far"))
    report.ok("events: " + (_counts(inbox.counts()) or "none so far"))
    _show_events(inbox, report)
    _show_lost(Written(spool).lost_for_check(), report)
    troubles = [("refused so far", outbox.troubles()), ("replies refused", replies.troubles())]
    for case_id in Erasures(spool).unconfirmed():
        report.note(
            f"case {case_id} was erased in the hub; when no copy is left at this agency, say so: "
            + receipt_command(file, case_id)
        )
    for title, found in troubles:
        if found:
            report.note(f"{title}:")
        _list(found, report)


def _show_events(inbox: Inbox, report: Report) -> None:
    """What did not take effect is to be mended; a message that waits to be shown is spoken of by itself."""
    found = inbox.troubles()
    unshown = [each for each in found if each[2].startswith(NOT_SHOWN)]
    noted = [each for each in found if each[1] == "done" and each not in unshown]
    stuck = [each for each in found if each not in noted and each not in unshown]
    if stuck:
        are = "is" if len(stuck) == 1 else "are"
        report.wrong(
            f"{many(len(stuck), 'event')} {are} not in effect; mend what is said; `run` tries again:"
        )
        _list(stuck, report)
    for title, rest in (
        ("messages not shown", unshown),
        ("events that took effect, but look at them", noted),
    ):
        if rest:
            report.note(f"{title}:")
            _list(rest, report)


def _show_lost(references: list[str], report: Report) -> None:
    if references:
        more = f" and {len(references) - SHOWN} more" if len(references) > SHOWN else ""
        report.note(
            f"the restored hub lacks the answer to {many(len(references), 'report')}, which this app has; "
            "see that the agencies that gave them give them again (in the same words they become no second "
            f"row): {', '.join(map(one_line, references[:SHOWN]))}{more}"
        )


def _list(found: list[tuple[str, str, str]], report: Report) -> None:
    for name, state, reason in found:
        report.detail(f"{without_national_id(name)} ({state}): {reason}")


def _show_messages(config: Common, spool: Spool, report: Report) -> None:
    """Messages to reporters that came while the configuration did not say how the app shows them."""
    waiting = Inbox(spool).not_shown()
    if not waiting:
        return
    said = f"{many(len(waiting), 'message')} to reporters {'waits' if len(waiting) == 1 else 'wait'}"
    if isinstance(config, SqlConfig) and config.write_back.message:
        report.note(f"{said} for the next start of `run`, which shows them by [write_back.message]")
        return
    report.wrong(f"{said}: add [write_back.message], which says how the app shows them")
    for reason in waiting[:SHOWN]:
        report.detail(reason)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
