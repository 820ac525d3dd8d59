"""`decide` with every decision. Each module below registers its own, so it is imported from here alone."""

from __future__ import annotations

import hub.domain.consultation
import hub.domain.erasing
import hub.domain.escalation
import hub.domain.forwarding
import hub.domain.lapses
import hub.domain.passing_on
import hub.domain.reporter_reading  # noqa: F401  # registers, as the six above do
from hub.domain.decisions import decide as decide
