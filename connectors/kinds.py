"""The kinds of connectors, one file each. Adding one: README.md, "Adding a kind"."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from connectors import (
    check_ministry,
    check_sql,
    mailbox_puller,
    ministry,
    sql,
    topic_member,
    webhook_receiver,
)
from connectors.broker.settings import check_kafka
from connectors.config import Common, check_common, read_document
from connectors.connector import Kind
from connectors.errors import ConfigRefused
from connectors.options import read_table

KINDS: dict[str, Kind] = {
    "sql": Kind(sql.SqlConfig, (sql.check_config,), sql.build, check_sql.check, sql.agencies),
    "webhook": Kind(
        webhook_receiver.WebhookConfig,
        (webhook_receiver.check_config,),
        webhook_receiver.build,
        check_ministry.check_webhook,
    ),
    "mailbox": Kind(
        ministry.MinistryConfig,
        (ministry.check_config,),
        mailbox_puller.build,
        check_ministry.check_mailbox,
    ),
    "kafka": Kind(
        topic_member.KafkaConfig,
        (topic_member.check_config,),
        topic_member.build,
        check_ministry.check_kafka,
    ),
}


def load(path: Path) -> Common:
    """Reads and checks a configuration of whichever kind it names; raises ConfigRefused."""
    document = read_document(path)
    kind = document.get("kind")
    if kind not in KINDS:
        raise ConfigRefused("kind", f"is {kind!r}", f"choose one of: {', '.join(sorted(KINDS))}")
    config = replace(read_table(KINDS[kind].config, document), file=str(path.absolute()))
    check_common(config)
    check_kafka(getattr(config, "kafka", None), config.hub)
    for check in KINDS[kind].checks:
        check(config)
    return config
