"""Does every read model hold the same rows however the log was cut, so that a rebuild changes nothing?"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.domain.catalogue import event_types
from lms.projections import rebuild
from lms.projections.base import Projection
from lms.projections.catalogue import PROJECTIONS
from projections.engine import Engine
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
    history = Chance(9).history(LENGTH)
    rows, parked = await _outcome(connection, projection, history, range(LENGTH))
    assert (rows, parked) == await _outcome(connection, projection, history, ())
    assert any(rows.values())
    handled = [one for one in history if one.type in projection.topics()]
    assert len(parked) < len(handled)


def test_a_history_is_told_again_by_its_seed():
    assert Chance(3).history(80) == Chance(3).history(80)
    assert len({one.type for one in Chance(3).history(300)}) > 40


async def test_all_of_them_rebuilt_by_the_engine_hold_what_grew_with_the_log(engine: Engine):
    await engine.start(*PROJECTIONS, catalogue=event_types())
    await engine.all_at(0)
    head = 0
    for envelope in Chance(11).history(LENGTH):
        head = await engine.store(envelope)
    await engine.all_at(head)
    grown = await engine.everything()
    for projection in PROJECTIONS:
        assert await rebuild.request(engine.pool, projection)
    await engine.all_switched()
    assert await engine.everything() == grown
    assert sum(map(len, grown.values())) > LENGTH / 2
