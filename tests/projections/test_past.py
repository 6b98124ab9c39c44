from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from domain.improving import HANDOVER, IMPROVEMENT, LINK, REPEAT_PURCHASES
from lms.domain.improvement import Improvement
from lms.projections.contributions import CONTRIBUTIONS, Contributions
from lms.projections.improvements import IMPROVEMENTS, Improvements
from lms.projections.links import LINKS, Links
from lms.projections.outcome_timeline import METRICS, OUTCOMES, OutcomeTimeline
from lms.projections.past import Past, in_order
from lms.projections.process_performance import MEASUREMENTS, PROCESSES, ProcessPerformance
from projections.harness import applied
from projections.improving import ALL, CLAIM, REVISED, told


@pytest.fixture
async def connection(database) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database.app_dsn, server_settings={"role": "lms_application"})
    yield opened
    await opened.close()


def streams(story, *stream_ids):
    return in_order([[one for one in story.envelopes if one.stream_id == key] for key in reversed(stream_ids)])


@pytest.mark.parametrize(
    ("projection", "table", "key", "others"),
    [
        (ProcessPerformance(), PROCESSES, HANDOVER, ()),
        (ProcessPerformance(), MEASUREMENTS, REVISED, ()),
        (OutcomeTimeline(), METRICS, REPEAT_PURCHASES, ()),
        (OutcomeTimeline(), OUTCOMES, ALL, ()),
        (Improvements(), IMPROVEMENTS, IMPROVEMENT, ()),
        (Contributions(), CONTRIBUTIONS, CLAIM, ()),
        (Links(), LINKS, LINK, (HANDOVER,)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_the_present_is_what_the_past_leads_to(connection, projection, table, key, others):
    story = told()
    async with applied(connection, projection, story.envelopes):
        stored = await table.get(connection, story.organisation_id, key)
    assert stored is not None
    assert Past(projection, streams(story, key, *others)).row(table, key) == stored


def test_half_a_stream_tells_half_the_story():
    envelopes = streams(told(), IMPROVEMENT)
    row = Past(Improvements(), envelopes[:2]).row(IMPROVEMENTS, IMPROVEMENT)
    assert ([one.text for one in row.obstacles], row.results, row.version) == (["Two systems"], (), 2)


def test_what_is_dated_before_its_beginning_changes_nothing_yet():
    envelopes = [one for one in streams(told(), IMPROVEMENT) if not isinstance(one.data, Improvement.Opened)]
    assert Past(Improvements(), envelopes).row(IMPROVEMENTS, IMPROVEMENT) is None


def test_events_of_others_and_rows_of_others_are_no_concern():
    story = told()
    assert Past(Links(), streams(story, IMPROVEMENT)).row(LINKS, LINK) is None
    past = Past(ProcessPerformance(), streams(story, HANDOVER))
    assert past.row(PROCESSES, UUID(int=1)) is None
    assert past.row(PROCESSES, HANDOVER).improved[0].on == date(2026, 2, 1)
