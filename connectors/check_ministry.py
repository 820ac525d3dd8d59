"""The part of `check` for the ministries' kinds: where events go and where replies come from."""

from __future__ import annotations

from typing import Any

from connectors.config import secret
from connectors.connector import open_database
from connectors.delivering import http_headers
from connectors.errors import ConfigRefused, ConnectorError
from connectors.events import ERASED
from connectors.ministry import MinistryConfig
from connectors.report import Report
from connectors.topic_member import KafkaConfig
from connectors.webhook_receiver import WebhookConfig, verifiers
from connectors.wording import of_section
from connectors.words import many
from schemas.events import event_type


async def check_webhook(config: WebhookConfig, report: Report) -> None:
    """The mailbox kind's part, and the secrets of [webhook]."""
    report.section(f"Webhook at {config.webhook.listen}{config.webhook.path}")
    try:
        report.ok(f"{many(len(verifiers(config.webhook)), 'secret')} set")
    except ConfigRefused as error:
        report.wrong(str(error))
    await check_mailbox(config, report)


async def check_mailbox(config: MinistryConfig, report: Report) -> None:
    report.section("Handing over and replies")
    report.ok(f"events handed over: {', '.join(config.deliver.event_types)}")
    try:
        if config.deliver.http:
            http_headers(config.deliver.http)
            report.ok(f"each is POSTed to {config.deliver.http.url} (not called now)")
        _note_erasures(config, report)
        if config.answers.http:
            secret(config.answers.http.token_env, "answers.http.token_env")
            report.ok(f"replies are taken at http://{config.answers.http.listen}/replies")
        if config.database:
            await _check_database(config, report)
    except ConnectorError as error:
        report.wrong(str(error))


def _note_erasures(config: MinistryConfig, report: Report) -> None:
    """Who erases the copies in the agency's system when a case is erased in the hub."""
    types = config.deliver.event_types
    named = bool({"*", ERASED, event_type(ERASED)} & {*types})
    if config.deliver.http and named:
        report.ok("an erasure of a case is POSTed like other events; a 2xx means that its copies are gone")
    elif config.deliver.http:
        report.note(
            'deliver.event_types lacks "reporter.erased": when a case is erased, somebody must erase its '
            "copies in the agency's system, and say so with simpul-connector receipt"
        )
    elif config.deliver.erased is None:
        report.note(
            "[deliver.erased] is not there: when a case is erased, somebody must erase its rows, and say so "
            "with simpul-connector receipt"
        )


async def check_kafka(config: KafkaConfig, report: Report) -> None:
    """The mailbox kind's part, and the broker."""
    from connectors.broker.check import check_broker  # Kafka's library takes a fifth of a second

    await check_broker(config, config.kafka, report)
    await check_mailbox(config, report)


async def _check_database(config: MinistryConfig, report: Report) -> None:
    if config.database is None:
        return
    database = open_database(config.database, config.agency)
    try:
        await database.read(lambda session: session.tuples("SELECT 1", {}))
        report.ok(f"{database.shown()} is reachable")
        if config.answers.table:
            query, after = config.answers.table.query, config.answers.table.start_after
            with of_section("[answers.table] query"):
                rows: list[Any] = await database.read(
                    lambda session: session.rows(query, {"cursor": after, "limit": 10})
                )
            report.ok(f"answers.table.query works and gives {many(len(rows), 'row')} of at most 10")
        if config.deliver.table:
            for statement, guard in config.deliver.table.guarded():
                report.ok(f"will run: {statement}" + (f" unless: {guard}" if guard else ""))
        if config.deliver.erased:
            for statement, _ in config.deliver.erased.guarded():
                report.ok(f"will run when a case is erased: {statement}")
    finally:
        database.close()
