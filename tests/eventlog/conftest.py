"""Which logs must keep the same promises?"""

from collections.abc import AsyncIterator

import pytest

from databases import Database
from lms.eventlog.log import EventLog
from lms.eventlog.memory import MemoryLog
from lms.eventlog.postgres import PostgresLog


@pytest.fixture
async def postgres_log(database: Database) -> AsyncIterator[PostgresLog]:
    log = await PostgresLog.connect(database.app_dsn)
    yield log
    await log.close()


@pytest.fixture
def memory_log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(params=["memory_log", "postgres_log"])
def log(request: pytest.FixtureRequest) -> EventLog:
    """Every implementation of the log, one after the other."""
    return request.getfixturevalue(request.param)
