"""Does the demo tell one believable story, and tell it once?"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from lms.cli.demo.run import Cast, DemoTooSmall, load_demo
from lms.dispatch import Dispatch
from lms.domain.catalogue import event_types
from lms.eventlog.codec import Codec, Envelope
from lms.eventlog.keys import MemoryKeys
from lms.eventlog.master import MasterKey
from lms.eventlog.memory import MemoryLog
from lms.eventlog.subjects import Subjects

NOW = datetime(2026, 3, 11, 9, tzinfo=UTC)


class Killed(Exception):  # noqa: N818 - what happens to the process
    """The process ends in the middle."""


class World:
    """An empty installation, and as many processes over it as wanted."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self._subjects = Subjects(MasterKey(bytes(32)), MemoryKeys())
        self._codec = Codec(event_types(), self._subjects)

    def process(self) -> Dispatch:
        """A process that remembers nothing yet."""
        return Dispatch(self.log, self._codec, self._subjects)

    async def events(self) -> Sequence[Envelope]:
        """All that is in the log."""
        return [self._codec.decode(stored) for stored in await self.log.feed(0, 1_000_000)]


async def load(world: World, **changes: object) -> Cast:
    """The demo in its smallest size."""
    return await load_demo(world.process(), **{"people": 60, "months": 12, "seed": 3, "now": NOW, **changes})


async def test_a_second_call_tells_nothing() -> None:
    world = World()
    first = await load(world)
    head = await world.log.head()
    second = await load(world, now=datetime(2026, 3, 14, tzinfo=UTC))
    assert first.commands_n > 1000
    assert second.commands_n == 0
    assert await world.log.head() == head


async def test_a_history_broken_off_goes_on_where_it_ended_even_days_later() -> None:
    whole, broken = World(), World()
    await load(whole)

    def kill(done: int, all_n: int) -> None:
        if done > all_n * 0.4:
            raise Killed

    with pytest.raises(Killed):
        await load(broken, told=kill)
    cut = await broken.log.head()
    await load(broken, now=datetime(2026, 3, 20, tzinfo=UTC))
    assert 0 < cut < await whole.log.head()
    assert Counter((e.stream_id, e.type, e.version) for e in await broken.events()) == Counter(
        (e.stream_id, e.type, e.version) for e in await whole.events()
    )


async def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    names = []
    for seed in (3, 3, 4):
        cast = await load(World(), seed=seed)
        names.append((cast.manager.name, cast.employee.name, cast.organisation))
    assert names[0] == names[1] != names[2]


async def test_every_verdict_and_every_turn_of_a_goal_is_told() -> None:
    world = World()
    await load(world, months=18)
    events = await world.events()
    told = Counter(event.type for event in events)
    verdicts = {event.data.result.effect.verdict for event in events if event.type == "improvement.result-recorded"}
    assert verdicts == {"better", "no-clear-change", "worse"}
    turns = ("goal.adjusted", "goal.not-achieved", "goal.achieved", "commitment.declined", "contribution.accepted")
    assert all(told[turn] for turn in turns)
    assert told["process.improved"] < told["improvement.result-recorded"]


async def test_periods_close_in_order_and_no_learning_of_a_period_comes_after_its_closing() -> None:
    world = World()
    await load(world)
    closed = None
    for event in await world.events():
        if event.type == "period.closed":
            assert closed is None or event.data.ends_on >= closed
            closed = event.data.ends_on
        elif event.type == "learning.logged" and closed is not None:
            assert event.data.learned_on > closed


async def test_a_story_too_small_to_tell_is_refused() -> None:
    with pytest.raises(DemoTooSmall, match="at least 60 people and 12 months"):
        await load(World(), people=5)
