"""Logs go to standard error: JSON for machines, plain lines when a person watches. Nothing personal is ever
given to them."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from hub.cli.lines import LinesHandler, standard_error

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


def configure(level: str) -> None:
    """Logs from here on go to standard error as it is now; no write to it ever raises."""
    lines = standard_error()
    renderer: Any = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr is not None and sys.stderr.isatty()
        else structlog.processors.JSONRenderer(sort_keys=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[LinesHandler(lines)], level=logging.WARNING, format="%(name)s: %(message)s")
