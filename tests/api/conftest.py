"""What do tests of the HTTP interface share? One running product; every test gets an organisation of its own in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from api.installation import Installation, Product, opened
from databases import Database
from lms import embedded, migrations
from lms.embedded.provision import APPLICATION

_HERE = Path(__file__).parent
_DATABASE = "test_api"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The product lives in the loop of the run, so its tests do."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(
    cluster: embedded.Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    """The product over a database of its own."""
    await _execute(cluster.owner_dsn(), f"CREATE DATABASE {_DATABASE} TEMPLATE {template}")
    database = Database(name=_DATABASE, owner_dsn=cluster.owner_dsn(_DATABASE), app_dsn=cluster.app_dsn(_DATABASE))
    await migrations.migrate(database.owner_dsn, APPLICATION)
    async with opened(database, tmp_path_factory.mktemp("api")) as product:
        yield product


@pytest_asyncio.fixture(loop_scope="session")
async def installation(product: Product) -> Installation:
    """A founded organisation behind the real application."""
    return await product.founded()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
