"""What do routes work with? The composition root fills this in; tests fill in the same."""

from collections.abc import Awaitable, Callable

import asyncpg
import msgspec

from lms.config import Settings
from lms.dispatch import Dispatch
from lms.eventlog.log import EventLog
from lms.eventlog.metrics import Metrics
from lms.eventlog.subjects import Subjects
from lms.projections.readiness import Readiness
from lms.tokens import TokenVerifier

WaitForPosition = Callable[[int, float], Awaitable[bool]]
"""Wait until every read model has a position, at most so many seconds; False when the time ran out."""


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The parts behind the routes. ``reads`` is a pool whose search_path is the live read schema."""

    settings: Settings
    log: EventLog
    dispatch: Dispatch
    subjects: Subjects
    reads: asyncpg.Pool
    verifier: TokenVerifier
    wait_for_position: WaitForPosition
    readiness: Readiness
    log_metrics: Metrics = msgspec.field(default_factory=Metrics)
