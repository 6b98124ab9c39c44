"""Is every acknowledged write there after `kill -9` of the server under load?"""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import httpx
import pytest

from chaos.serving import Served, run_lms
from lms import clock, embedded

WRITERS = 16
CYCLES = 2
ACKNOWLEDGED_PER_CYCLE = 150


class Load:
    """Writers that log learning, each entry under a key of its own, until the server is gone."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        self.unanswered: set[str] = set()
        self.enough = asyncio.Event()
        self._target = 0

    async def run(self, client: httpx.AsyncClient) -> None:
        """Write until the server no longer answers."""
        self._target = len(self.acknowledged) + ACKNOWLEDGED_PER_CYCLE
        self.enough.clear()
        await asyncio.gather(*(self._write(client) for _ in range(WRITERS)))

    async def _write(self, client: httpx.AsyncClient) -> None:
        while True:
            key = str(clock.uuid7())
            self.unanswered.add(key)
            try:
                response = await post(client, key)
            except httpx.TransportError:
                return
            assert response.status_code == 201, response.text
            self.unanswered.discard(key)
            self.acknowledged[key] = response.json()["id"]
            if len(self.acknowledged) >= self._target:
                self.enough.set()


async def post(client: httpx.AsyncClient, key: str) -> httpx.Response:
    """One entry; its note says its key."""
    return await client.post("/v1/me/learning", json={"note": key}, headers={"Idempotency-Key": key})


@pytest.fixture
async def served(tmp_path: Path):
    """A server on a fresh data directory."""
    server = Served(tmp_path / "data")
    yield server
    await server.stop()


async def test_every_acknowledged_write_survives_kill_nine_and_a_rebuild_gives_the_same_rows(served: Served) -> None:
    load = Load()
    await served.start()
    token = served.announced["administrator"]["token"]
    for _ in range(CYCLES):
        async with served.client(token) as client:
            writing = asyncio.create_task(load.run(client))
            await asyncio.wait_for(load.enough.wait(), 60)
            await served.kill()
            await writing
        await served.start()

    async with served.client(token) as client:
        # What was in flight when the server died is sent again under the same key: stored now, or then, but once.
        for key in sorted(load.unanswered):
            answer = await post(client, key)
            assert answer.status_code == 201
            load.acknowledged[key] = answer.json()["id"]
        last = await post(client, "the last one")
        after = {"LMS-After": last.headers["LMS-Position"]}
        found = await all_entries(client, after)
    expected = Counter(dict.fromkeys(load.acknowledged, 1) | {"the last one": 1})
    assert Counter(entry["note"] for entry in found) == expected
    assert {entry["note"]: entry["id"] for entry in found if entry["note"] in load.acknowledged} == load.acknowledged

    rows = await read_rows(served.data_dir)
    await run_lms("projections", "rebuild", "my_learning", data_dir=served.data_dir)
    assert await read_rows(served.data_dir) == rows
    await served.stop()
    await assert_dense(served.data_dir)


async def all_entries(client: httpx.AsyncClient, headers: dict[str, str]) -> list[dict]:
    """Everything the person logged, page by page."""
    entries: list[dict] = []
    cursor = None
    while True:
        query = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        response = await client.get("/v1/me/learning", params=query, headers=headers)
        assert response.status_code == 200, response.text
        entries += response.json()["items"]
        cursor = response.json()["next"]
        if cursor is None:
            return entries


async def read_rows(data_dir: Path) -> list[tuple]:
    """The rows of the read model, beside the running server."""
    async with embedded.start_or_attach(data_dir) as cluster:
        connection = await asyncpg.connect(cluster.owner_dsn())
        try:
            records = await connection.fetch("SELECT * FROM read.learning_entries_v1 ORDER BY entry_id")
        finally:
            await connection.close()
    return [tuple(record) for record in records]


async def assert_dense(data_dir: Path) -> None:
    """Positions run from 1 without a gap, and so do the versions of every stream."""
    async with embedded.start(data_dir) as cluster:
        connection = await asyncpg.connect(cluster.owner_dsn())
        try:
            gaps = await connection.fetchval(
                "SELECT count(*) FROM (SELECT position, row_number() OVER (ORDER BY position) AS n FROM lms.event) AS e"
                " WHERE position <> n"
            )
            uneven = await connection.fetchval(
                "SELECT count(*) FROM (SELECT stream_id FROM lms.event GROUP BY stream_id"
                " HAVING count(*) <> max(version) OR min(version) <> 1) AS s"
            )
        finally:
            await connection.close()
    assert (gaps, uneven) == (0, 0)
