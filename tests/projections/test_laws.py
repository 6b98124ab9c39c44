"""Does every read model hold the same rows however the log was cut, so that a rebuild changes nothing?"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.domain.catalogue import event_types
from lms.projections import rebuild
from lms.projections.base import Projection
from lms.projections.catalogue import PROJECTIONS
from projections.engine import Engine, until
from projections.harness import applied, apply_or_park, tables
from projections.histories import Chance

LENGTH = 240

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda projection: projection.NAME)


async def _outcome(connection, projection: Projection, history, cuts):
    """All rows, and what parked."""
    async with applied(connection, projection, ()):
        parked = await apply_or_park(connection, projection, history, cuts)
        return await tables(connection), parked


@every_projection
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, LENGTH), max_size=40))
async def test_rows_do_not_depend_on_where_batches_end(connection, projection: Projection, seed: int, cuts: list[int]):
    history = Chance(seed).history(LENGTH)
    whole = await _outcome(connection, projection, history, ())
    assert await _outcome(connection, projection, history, cuts) == whole


@every_projection
async def test_event_by_event_gives_the_same_rows_and_there_are_some(connection, projection: Projection):
    history = Chance(7).history(LENGTH)
    rows, parked = await _outcome(connection, projection, history, range(LENGTH))
    assert (rows, parked) == await _outcome(connection, projection, history, ())
    assert any(rows.values())
    handled = [one for one in history if one.type in projection.topics()]
    assert len(parked) < len(handled)


def test_a_history_is_told_again_by_its_seed():
    assert Chance(3).history(80) == Chance(3).history(80)
    assert len({one.type for one in Chance(3).history(300)}) > 40


async def test_all_of_them_rebuilt_by_the_engine_hold_what_grew_with_the_log(engine: Engine):
    catalogue = event_types()
    await engine.start(*PROJECTIONS, catalogue=catalogue)
    await _at_head(engine, 0)
    head = 0
    for envelope in Chance(11).history(LENGTH):
        head = await engine.store(envelope)
    await _at_head(engine, head)
    grown = await _everything(engine)
    for projection in PROJECTIONS:
        assert await rebuild.request(engine.pool, projection)
    await until(lambda: _nothing_is_built(engine), "all are switched")
    assert await _everything(engine) == grown
    assert sum(map(len, grown.values())) > LENGTH / 2


async def _at_head(engine: Engine, head: int) -> None:
    await until(lambda: _all_at(engine, head), f"all projections at {head}", 60)


async def _all_at(engine: Engine, head: int) -> bool:
    live = await engine.pool.fetch("SELECT position FROM lms.projection WHERE slot = 'live'")
    return len(live) == len(PROJECTIONS) and all(one["position"] >= head for one in live)


async def _nothing_is_built(engine: Engine) -> bool:
    return not await engine.pool.fetchval("SELECT count(*) FROM lms.projection WHERE slot = 'next'")


async def _everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The rows of every live table, and what parked."""
    names = sorted(
        {table for build in await engine.pool.fetch("SELECT tables FROM lms.projection") for table in build[0]}
    )
    found = {
        name: [dict(row) for row in await engine.pool.fetch(f"SELECT * FROM {name} AS t ORDER BY t::text")]
        for name in names
    }
    parked = await engine.pool.fetch("SELECT name, position, key FROM lms.parked ORDER BY 1, 2")
    return {**found, "parked": [dict(row) for row in parked]}
