"""What do all tests share? One real PostgreSQL per run, and a fresh, migrated database per test that asks for it."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from databases import Database
from lms import embedded, migrations
from lms.embedded.provision import APPLICATION

_TEMPLATE = "lms_template"
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pg-bindir", type=Path, default=None, help="test against these PostgreSQL binaries (15 to 18)")
    parser.addoption("--cycles", type=int, default=2, help="kill the server so often under load (make chaos: more)")


def pytest_configure() -> None:
    """What somebody has set for his own installation is no concern of the tests."""
    for name in [name for name in os.environ if name.startswith("LMS_")]:  # noqa: TID251
        del os.environ[name]  # noqa: TID251


@pytest.fixture(scope="session")
def cluster_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="lms-test-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster(cluster_dir: Path, pytestconfig: pytest.Config) -> AsyncIterator[embedded.Cluster]:
    """The PostgreSQL of this test run."""
    async with embedded.start(cluster_dir, pytestconfig.getoption("--pg-bindir")) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(cluster: embedded.Cluster) -> str:
    """The name of a migrated database that is copied for each test."""
    await _execute(cluster.owner_dsn(), f"CREATE DATABASE {_TEMPLATE}")
    await migrations.migrate(cluster.owner_dsn(_TEMPLATE), APPLICATION)
    return _TEMPLATE


@pytest.fixture
async def database(cluster: embedded.Cluster, template: str) -> AsyncIterator[Database]:
    """A migrated database without events, gone after the test."""
    name = f"test_{next(_numbers)}"
    await _execute(cluster.owner_dsn(), f"CREATE DATABASE {name} TEMPLATE {template}")
    found = Database(name=name, owner_dsn=cluster.owner_dsn(name), app_dsn=cluster.app_dsn(name))
    await migrations.migrate(found.owner_dsn, APPLICATION)  # grants on a database are not copied with it
    yield found
    await _execute(cluster.owner_dsn(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_database(cluster: embedded.Cluster) -> AsyncIterator[Database]:
    """A database that nobody has migrated, gone after the test."""
    name = f"test_{next(_numbers)}"
    await _execute(cluster.owner_dsn(), f"CREATE DATABASE {name}")
    yield Database(name=name, owner_dsn=cluster.owner_dsn(name), app_dsn=cluster.app_dsn(name))
    await _execute(cluster.owner_dsn(), f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
