"""Are events applied exactly once while projectors are killed, frozen and thawed under load?"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chaos.serving import clean_environment, lms
from databases import Database
from lms.projections import rebuild
from lms.projections.catalogue import PROJECTIONS
from lms.projections.leases import LEASE_S
from projections.engine import Engine, until
from projections.histories import Chance

EVENTS = 400
TAKEOVER_S = 5.0


class Projectors:
    """`lms projector` processes over one database."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.database = database
        self.directory = directory
        self.running: list[asyncio.subprocess.Process] = []

    async def start(self) -> None:
        with (self.directory / "projector.log").open("ab") as log:
            self.running.append(
                await asyncio.create_subprocess_exec(
                    *lms("projector", data_dir=self.directory),
                    stdout=log,
                    stderr=log,
                    env=clean_environment()
                    | {
                        "LMS_DATABASE_URL": self.database.app_dsn,
                        "LMS_MIGRATION_DATABASE_URL": self.database.owner_dsn,
                    },
                    start_new_session=True,
                )
            )

    async def kill(self) -> None:
        """End the oldest as a power failure would."""
        process = self.running.pop(0)
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            assert await asyncio.wait_for(process.wait(), 30) == 0
        self.running = []


@pytest.fixture
async def projectors(database: Database, tmp_path: Path) -> AsyncIterator[Projectors]:
    found = Projectors(database, tmp_path)
    yield found
    for process in found.running:
        process.kill()
        await process.wait()


async def _owners(engine: Engine) -> set:
    return {one["owner"] for one in await engine.pool.fetch("SELECT owner FROM lms.projection")}


async def _is_shared(engine: Engine) -> bool:
    owners = await _owners(engine)
    return len(owners) == 2 and None not in owners


async def _is_kept_by_one_other_than(engine: Engine, before: set) -> bool:
    """Tell whether one process of those before keeps all that was shared."""
    owners = await _owners(engine)
    return len(owners) == 1 and owners < before


@pytest.mark.chaos
async def test_no_event_is_missed_or_applied_twice_whoever_is_killed_or_frozen(engine: Engine, projectors: Projectors):
    await projectors.start()
    await projectors.start()
    history = iter(Chance(5).history(EVENTS))

    async def load(n: int) -> int:
        head = 0
        for _, envelope in zip(range(n), history, strict=False):
            head = await engine.store(envelope)
        return head

    await engine.all_at(0)
    await load(EVENTS // 4)
    await until(lambda: _is_shared(engine), "both keep some")
    before = await _owners(engine)
    await projectors.kill()
    killed = time.monotonic()
    await load(EVENTS // 4)
    await until(lambda: _is_kept_by_one_other_than(engine, before), "one keeps all")
    assert time.monotonic() - killed < TAKEOVER_S + LEASE_S

    await projectors.start()
    await until(lambda: _is_shared(engine), "both keep some again")
    before = await _owners(engine)
    frozen = projectors.running[0]
    frozen.send_signal(signal.SIGSTOP)
    await load(EVENTS // 4)
    await until(lambda: _is_kept_by_one_other_than(engine, before), "one keeps all again")
    frozen.send_signal(signal.SIGCONT)
    head = await load(EVENTS)
    await engine.all_at(head)

    grown = await engine.everything()
    for projection in PROJECTIONS:
        await rebuild.request(engine.pool, projection)
    await engine.all_switched()
    assert await engine.everything() == grown
    await projectors.stop()
