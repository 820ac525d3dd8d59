"""One broker, or three with the agencies' listener at each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from string import Template

from tests.parts import kafka
from tests.parts import kafka_files as files


@contextlib.contextmanager
def brokers(count: int) -> Iterator[list[kafka.Node]]:
    """1 or 3, running. PartMissing without Kafka's jars."""
    if count == 1:
        with kafka.broker() as node:
            yield [node]
        return
    with kafka.cluster() as nodes:
        for node in nodes:
            node.kill()
        for node in nodes:
            _let_agencies_in(node)
            node.start(wait=False)
        for node in nodes:
            node.wait_until_ready()
        yield nodes


def _let_agencies_in(node: kafka.Node) -> None:
    more = (
        f",AGENCY://{node.agency_bootstrap},LOOSE://{node.loose_bootstrap},SIGNED://{node.signed_bootstrap}"
    )
    lines = [
        line + more if line.startswith(("listeners=", "advertised.listeners=")) else line
        for line in node.properties.read_text().splitlines()
    ]
    agencies = Template((files.TEMPLATES / "agency.properties").read_text())
    lines.append(agencies.safe_substitute(jwks=node.jwks.as_uri(), issuer=kafka.ISSUER))
    node.properties.write_text("\n".join(lines))
