"""What every hub reads or computes at its start and never changes: done before the first one is forked."""

from __future__ import annotations

from hub.service.calendars import official_calendar
from schemas.registry import Registry

Registry.load().checked()
official_calendar()
