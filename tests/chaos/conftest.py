"""What do tests that kill things share?"""

from collections.abc import AsyncIterator

import pytest

from databases import Database
from projections.engine import Engine


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[Engine]:
    """The projection engine over the test's database, without a runner until one is started."""
    async with Engine.over(database) as one:
        yield one


@pytest.fixture
def cycles(pytestconfig: pytest.Config) -> int:
    """How many times a server is killed."""
    return pytestconfig.getoption("--cycles")
