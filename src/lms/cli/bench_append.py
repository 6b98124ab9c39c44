"""How many commands a second does the event log store durably?"""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

from lms import clock
from lms.cli.bench_report import CheckerFailed, machine, report
from lms.eventlog.log import Append, NewEvent, Write
from lms.eventlog.postgres import PostgresLog

_METADATA = b'{"actor":{"contributor_id":"0199a0f4-7c00-7000-8000-000000000001","roles":["employee"]}}'
_DATA = b'{"kind":"on-the-job","learned_on":"2026-03-02","note":"A hand-over goes faster with a list by the bed"}'
_WARM_UP = 2_000
_PAGE = 5_000


async def bench_append(
    dsn: str,
    *,
    commands: int = 100_000,
    in_flight: int = 64,
    runs: int = 3,
    role: str | None = "lms_application",
    on_run: Callable[[int, float], None] = lambda _run, _commits_per_s: None,
) -> dict[str, Any]:
    """Append single events of about 200 bytes to new streams, ``in_flight`` at a time, to a migrated, idle database.

    The figure is the median of the runs, in commits per second; ``on_run`` hears of each. After each run a checker
    reads the log: positions are dense, each acknowledged command stands where its answer said. Raises CheckerFailed.
    """
    log = await PostgresLog.connect(dsn, role=role)
    try:
        await _run(log, _appends(_WARM_UP), in_flight)
        rates = []
        for run in range(1, runs + 1):
            rates.append(await _run(log, _appends(commands), in_flight))
            on_run(run, rates[-1])
        metrics = log.metrics
        figures = {
            "commands_per_batch": round(metrics.commands / metrics.batches, 1),
            "lock_wait_us_per_batch": round(metrics.lock_wait_s / metrics.batches * 1e6),
            "commit_us_per_batch": round(metrics.commit_s / metrics.batches * 1e6),
        }
        size = len(_METADATA) + len(_DATA)
        return report(
            "commits_per_s",
            rates,
            await machine(dsn),
            figures,
            in_flight=in_flight,
            commands=commands,
            bytes_per_event=size,
        )
    finally:
        await log.close()


def _appends(count: int) -> list[Append]:
    organisation_id = clock.uuid7()
    events = (NewEvent("learning.logged", 1, _METADATA, _DATA),)
    return [Append(organisation_id, clock.uuid7(), (Write(clock.uuid7(), 0, events),)) for _ in range(count)]


async def _run(log: PostgresLog, appends: list[Append], in_flight: int) -> float:
    """Commits per second."""
    before = await log.head()
    positions: dict[int, Append] = {}
    waiting = iter(appends)

    async def client() -> None:
        for append in waiting:
            positions[(await log.append(append)).position] = append

    gc.collect()
    gc.freeze()  # the commands were made before: they are not the log's garbage
    try:
        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(in_flight)))
        took_s = time.perf_counter() - started
    finally:
        gc.unfreeze()
    await _check(log, before, positions)
    return len(appends) / took_s


async def _check(log: PostgresLog, before: int, positions: dict[int, Append]) -> None:
    after = before
    while page := await log.feed(after, _PAGE):
        for event in page:
            acknowledged = positions.pop(event.position, None)
            if acknowledged is None or acknowledged.command_id != event.command_id or event.version != 1:
                raise CheckerFailed(f"position {event.position} holds what nobody was told")
        after = page[-1].position
    if positions:
        raise CheckerFailed(f"{len(positions)} acknowledged commands are not in the log")
