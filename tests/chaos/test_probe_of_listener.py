"""The hub's own look at the agencies' listener: a sound one lets its right token in, so that a forged one
that is refused was refused for its forgery."""

from __future__ import annotations

from pathlib import Path

from tests.parts import kafka
from tests.parts.local_server import PartMissing, skip_or_fail
from tests.whole.wholework import cluster


def test_a_sound_listener_takes_the_hubs_own_token(tmp_path: Path) -> None:
    try:
        with kafka.broker() as node, cluster(tmp_path, node, "percaya.") as whole:
            whole.desk.cli("agency", "list")
            whole.apis[0].start()
            whole.apis[0].stop()
            assert "refuses the hub's own token" not in whole.desk.log.read_text()
    except PartMissing as missing:
        skip_or_fail(missing)
