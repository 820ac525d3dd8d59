"""Work that is done once before pytest's workers start, where each worker would do it for itself."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Each in a process of its own, to its end. What they leave is in files."""
    children = [_in_a_fork(work) for work in works]
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, "what is done before the tests failed; why stands above"


def _in_a_fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)  # nothing of pytest's own is to run twice
