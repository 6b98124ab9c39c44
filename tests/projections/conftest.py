"""A real log, a real registry, and runners that can be killed."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from databases import Database
from projections.engine import Engine


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """One connection as the application."""
    connected = await asyncpg.connect(database.app_dsn, server_settings={"role": "lms_application"})
    yield connected
    await connected.close()


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[Engine]:
    """The projection engine over the test's database, without a runner until one is started."""
    async with Engine.over(database) as one:
        yield one
