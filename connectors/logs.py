"""Logs to standard error: lines for people at a terminal, JSON otherwise. No personal value is ever logged:
references, codes and pointers stand for them."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up() -> None:
    """Once, at the start of the program."""
    for_people = sys.stderr.isatty()
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if for_people else "iso", utc=not for_people),
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer() if for_people else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
