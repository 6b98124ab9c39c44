"""What does the program say about itself, in which form, and what does it never say?

Lines carry what is bound around them (request_id, command, stream, position). Texts about people are never logged:
events are named, not shown, and a field that could hold such a text is withheld should one slip in.
"""

import logging
import sys
from typing import Any, Literal

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_WITHHELD = "(withheld)"
_NOT_LOGGED = frozenset(
    {"authorization", "body", "data", "dsn", "email", "headers", "my_reason", "name", "narrative", "note", "password"}
    | {"payload", "secret", "sub", "subject", "text", "title", "token", "url"}
)


def configure(log_format: Literal["auto", "json", "pretty"] = "auto", level: str = "info") -> None:
    """Send the program's log, and that of its libraries, to standard error: JSON, or pretty on a terminal."""
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        withhold_personal,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if pretty:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_encoded)]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("asyncio", "httpx", "httpcore", "urllib3", "_granian"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _encoded(event: EventDict, **_options: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def withhold_personal(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the value of every field that could hold a text about a person, or a secret."""
    for name in event.keys() & _NOT_LOGGED:
        event[name] = _WITHHELD
    return event
