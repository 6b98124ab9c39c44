"""Is every acknowledged write there after `kill -9` of the server under load, and do all read models agree with it?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from api.installation import ok
from chaos import rows
from chaos.serving import Served, run_lms
from chaos.stories import Load, Stage
from lms import embedded
from lms.projections.catalogue import PROJECTIONS
from projections.engine import until

ACKNOWLEDGED_PER_CYCLE = 150


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server on a fresh data directory."""
    server = Served(tmp_path / "data")
    yield server
    await server.stop()


@asynccontextmanager
async def beside(data_dir: Path) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the server's PostgreSQL, as its owner."""
    connection = await asyncpg.connect((await embedded.attach(data_dir)).owner_dsn())
    try:
        yield connection
    finally:
        await connection.close()


async def set_up(client: httpx.AsyncClient, token: str, data_dir: Path) -> Stage:
    """A team with a colleague, a process, and the metric that it should move."""

    async def post(path: str, body: dict) -> dict:
        return ok(await client.post(path, json=body))

    await post("/v1/teams", {"name": "Service desk", "lead": "me"})
    ann = (await post("/v1/contributors", {"name": "Ann"}))["id"]
    metric = {"name": "Repeat purchases", "unit": "percent", "direction": "increase", "measures": "customer"}
    metric_id = (await post("/v1/outcome-metrics", metric))["id"]
    process = await post(
        "/v1/processes",
        {
            "name": "Hand-over",
            "measures": [{"name": "Hand-over time", "unit": "minutes", "direction": "decrease"}],
            "outcome_links": [{"outcome_metric_id": metric_id, "hypothesis": "Nobody likes to tell it twice"}],
        },
    )
    hers = await run_lms("token", "--contributor", ann, "--role", "employee", data_dir=data_dir)
    return Stage(
        ada=token,
        ann=hers["token"],
        ann_id=ann,
        metric=metric_id,
        process=process["id"],
        measure=process["measures"][0]["id"],
    )


@pytest.mark.chaos
async def test_every_acknowledged_write_survives_kill_nine_and_a_rebuild_gives_the_same_rows(
    served: Served, cycles: int
) -> None:
    await served.start()
    token = served.announced["administrator"]["token"]
    async with served.client(token) as client:
        load = Load(await set_up(client, token, served.data_dir))
    async with beside(served.data_dir) as connection:
        before = await rows.event_counts(connection)

    for _ in range(cycles):
        async with served.client(token) as client:
            writing = asyncio.create_task(load.write(client))
            await load.goes_on(ACKNOWLEDGED_PER_CYCLE)
            await served.kill()
            await writing
        await served.start()

    async with served.client(token) as client, beside(served.data_dir) as connection:
        await load.tell_again(client)
        told = await rows.event_counts(connection)
        assert {kind: told[kind] - before[kind] for kind in load.events()} == load.events()
        await load.tell_again(client)
        assert await rows.event_counts(connection) == told

        await until(lambda: rows.are_current(connection), "all read models are at the head", 60)
        grown, identities = await rows.tables(connection), await rows.identities(connection)
        await run_lms("projections", "rebuild", "my_learning", data_dir=served.data_dir)
        for projection in PROJECTIONS:
            ok(await client.post(f"/v1/projections/{projection.NAME}/rebuild"))
        await until(lambda: rows.are_current(connection), "all read models are built anew", 60)
        assert {"read.goals", "read.learning_entries", "bi.fact_checkin"} <= {
            name.partition("_v1")[0] for name, found in grown.items() if found
        }
        assert identities.isdisjoint(await rows.identities(connection))
        assert await rows.tables(connection) == grown
        assert await rows.event_counts(connection) == told
        assert await rows.is_dense(connection)
    await served.stop()
