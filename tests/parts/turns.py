"""In which order the files of tests are given to the workers, so that the processors always have something to
do and no worker ends alone with something long."""

from __future__ import annotations

from collections.abc import Iterable

FIRST = (
    "tests/bus/kafka_broker/",
    "tests/whole/test_installed_script.py",
    "tests/whole/",
    "tests/e2e/",
    "tests/demo/test_cluster_demo.py",
    "tests/demo/test_demo.py",
    "tests/connectors/kafka_kind/",
    "tests/chaos/test_chaos_cluster.py",
    "tests/domain/test_ownership_machine.py",
    "tests/api/threads/test_thread_lives.py",
    "tests/store/test_move",
    "tests/privacy/",
)
"""What takes longest, and no two of the three with a cluster at once. The three folders that share a broker
mostly wait and keep three workers; beside them something that computes."""
WAITING = ("tests/chaos/", "tests/connectors/", "tests/fuzz/", "tests/secure/", "tests/stream/")
"""All that follows and mostly waits. One behind the other it leaves the processors idle on every worker."""
SPREAD_OVER = 0.8
"""Among the first so many of the others, which compute: these are short, and end together."""


def in_turn(files: Iterable[str]) -> list[str]:
    """FIRST in its order; then all others in their own, with what waits spread evenly among what computes."""
    ranked = [(_rank(file), file) for file in files]
    rest = [file for rank, file in ranked if rank == len(FIRST)]
    waiting = [file for file in rest if file.startswith(WAITING)]
    computing = [file for file in rest if not file.startswith(WAITING)]
    place = {file: number / len(computing) for number, file in enumerate(computing)}
    place |= {file: SPREAD_OVER * number / len(waiting) for number, file in enumerate(waiting)}
    return [file for _, file in sorted(ranked, key=lambda each: (each[0], place.get(each[1], 0.0)))]


def _rank(file: str) -> int:
    """Where it stands in FIRST; behind it when it is not named."""
    return next((number for number, start in enumerate(FIRST) if file.startswith(start)), len(FIRST))
