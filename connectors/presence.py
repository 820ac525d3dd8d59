"""Says once, plainly, when a part is away or asks to wait, and once when it is back; never in between."""

from __future__ import annotations

from collections.abc import Callable

import structlog

_LASTING = ("database login", "agency endpoint")


class Presence:
    """What of hub, database and agency system is away now. Loops share one, so that three say it once."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._away_since: dict[str, float] = {}
        self._asked_since: dict[str, float] = {}
        self._stuck: set[str] = set()
        self._log = structlog.get_logger("simpul-connector")

    def away(self, part: str, detail: str) -> None:
        if part in self._away_since:
            return
        self._away_since[part] = self._now_s()
        if part == "client":
            self._log.error(f"{detail}; trying again slowly, nothing is lost", part=part)
        elif part in _LASTING:
            hope = "this does not mend itself: somebody must; nothing is lost"
            self._log.error(f"{detail}; {hope}", part=part)
        else:
            self._log.warning(f"the {part} is away; waiting for it, nothing is lost", part=part, cause=detail)

    def asks_to_wait(self, part: str, detail: str, for_s: float) -> None:
        """It answers, and takes nothing for `for_s` seconds."""
        if part not in self._asked_since:
            self._asked_since[part] = self._now_s()
            said = f"the {part} asks to wait, {max(1, round(for_s))} s; nothing is lost"
            self._log.warning(said, part=part, cause=detail)

    def stuck(self, name: str, detail: str, lasting: bool = False) -> None:
        """A step of ours cannot go on, though every part answers; `lasting` until somebody mends it."""
        if name not in self._stuck:
            self._stuck.add(name)
            if lasting:
                hope = "this does not mend itself: somebody must; nothing is lost"
                self._log.error(f"{name} cannot go on; {hope}", step=name, cause=detail)
            else:
                self._log.warning(
                    f"{name} cannot go on; trying again, nothing is lost", step=name, cause=detail
                )

    def goes_on(self, name: str) -> None:
        if name in self._stuck:
            self._stuck.discard(name)
            self._log.info(f"{name} goes on", step=name)

    def back(self, part: str) -> None:
        """Called by whoever had an answer of the part."""
        asked = self._asked_since.pop(part, None)
        since = self._away_since.pop(part, None)
        if since is not None:
            self._log.info(
                f"the {part} is back; catching up", part=part, away_s=round(self._now_s() - since, 1)
            )
        elif asked is not None:
            waited_s = round(self._now_s() - asked, 1)
            self._log.info(f"the {part} takes events again; catching up", part=part, waited_s=waited_s)
