"""Which logs must keep the same promises?"""

import itertools
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from databases import Database
from lms import embedded, migrations
from lms.embedded.provision import APPLICATION
from lms.eventlog.log import EventLog
from lms.eventlog.memory import MemoryLog
from lms.eventlog.postgres import PostgresLog

_SHARED = "test_eventlog"
_lanes = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(cluster: embedded.Cluster, template: str) -> Database:
    """One database for all tests that need only a lane of their own."""
    connection = await asyncpg.connect(cluster.owner_dsn())
    await connection.execute(f"CREATE DATABASE {_SHARED} TEMPLATE {template}")
    await connection.close()
    await migrations.migrate(cluster.owner_dsn(_SHARED), APPLICATION)
    return Database(name=_SHARED, owner_dsn=cluster.owner_dsn(_SHARED), app_dsn=cluster.app_dsn(_SHARED))


@pytest.fixture
async def lane_log(shared: Database) -> AsyncIterator[PostgresLog]:
    """An empty log, in a lane of the shared database."""
    log = await PostgresLog.connect(shared.app_dsn, lane=next(_lanes), readers=2)
    yield log
    await log.close()


@pytest.fixture
async def postgres_log(database: Database) -> AsyncIterator[PostgresLog]:
    """An empty log in a database of its own."""
    log = await PostgresLog.connect(database.app_dsn)
    yield log
    await log.close()


@pytest.fixture
def memory_log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture(params=["memory_log", "lane_log"])
def log(request: pytest.FixtureRequest) -> EventLog:
    """Every implementation of the log, one after the other."""
    return request.getfixturevalue(request.param)
