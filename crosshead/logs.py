"""Structured logs: events with ids and counts, never bodies; one line each."""

import logging
import sys
from typing import Final, Literal

import structlog

OURS: Final = ("crosshead", "graph", "jobs", "connectors", "db")


def configure_logs(*, level: str, style: Literal["json", "console"]) -> None:
    """Set up logging for the process: our events and those of libraries go to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Traces are text before any renderer sees them: a renderer that draws them itself would show local variables.
    shared.append(structlog.processors.format_exc_info)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    _quiet(handler, logging.getLevelNamesMapping()[level.upper()])


def _quiet(handler: logging.Handler, level: int) -> None:
    """Let libraries say no more than INFO: below that some write out messages, with parts of tokens in them."""
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    for package in OURS:
        logging.getLogger(package).setLevel(level)
    for talkative in ("arq", "uvicorn.access"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
