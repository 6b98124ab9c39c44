"""Do read models follow the log exactly once, whoever dies, and whatever an event does to them?"""

import asyncio
import time

import asyncpg
import pytest

from lms import clock
from lms.projections import keeper as keeping
from lms.projections import parked
from lms.projections.base import Projection, Touches, on
from lms.projections.checkpoints import Checkpoints
from lms.projections.registry import Build, Slot, retired
from projections.engine import NEWER_CATALOGUE, Engine, Tallies, Tally, totals, until


async def test_a_new_projection_is_built_switched_and_kept_at_the_head(engine: Engine):
    stream = clock.uuid7()
    await engine.append(stream, Tally.Added(n=2), Tally.Ignored(), Tally.Added(n=3))
    await engine.start(Tallies())
    await engine.reached(3)
    assert totals({stream}, await engine.rows()) == {stream: (5, 2)}
    await engine.reached(await engine.append(stream, Tally.Added(n=10)))
    assert totals({stream}, await engine.rows()) == {stream: (15, 3)}
