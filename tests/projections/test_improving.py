from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.improving import AFTER, BEFORE, HANDOVER, IMPROVEMENT, LINK, MINUTES, REPEAT_PURCHASES, SERVICE, summary
from lms.domain.contribution import Contribution, Standing
from lms.domain.effect import Verdict
from lms.domain.improvement_parts import ObstacleState, Window
from lms.domain.process import Process
from lms.domain.terms import Origin
from lms.projections.contributions import Contributions
from lms.projections.improvements import Improvements
from lms.projections.links import Links
from lms.projections.outcome_timeline import OutcomeTimeline
from lms.projections.process_performance import ProcessPerformance
from projections.harness import applied, check_cuts
from projections.improving import (
    ALL,
    ALTERNATIVE,
    CLAIM,
    EVIDENCE,
    GOAL,
    GOAL_LINK,
    MEASURED,
    OBSTACLE,
    PIECE,
    REFERENCE,
    RESULT,
    REVISED,
    RIVAL,
    WEB,
    outcome,
    stated,
    told,
)

NOBODY = UUID(int=1)


@pytest.fixture
async def connection(database) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database.app_dsn, server_settings={"role": "lms_application"})
    yield opened
    await opened.close()


@pytest.mark.parametrize("kind", [ProcessPerformance, OutcomeTimeline, Improvements, Contributions, Links])
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cuts=[])
@given(cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=6))
async def test_the_rows_are_the_same_however_the_log_is_cut(connection, kind, cuts):
    await check_cuts(connection, kind(), told().envelopes, cuts)


async def test_a_process_shows_its_parts_and_that_it_improved(connection):
    story = told()
    async with applied(connection, ProcessPerformance(), story.envelopes) as performance:
        process = await performance.process(connection, story.organisation_id, HANDOVER)
        assert (process.name, process.owner_team_id, process.version) == ("Hand-over", SERVICE, 5)
        assert [measure.measure_id for measure in process.measures] == [MINUTES]
        assert [hand_off.from_step for hand_off in process.hand_offs] == ["Intake"]
        assert [link.link_id for link in process.outcome_links] == [LINK]
        assert [one.improvement_id for one in process.improved] == [IMPROVEMENT]
        assert await performance.process(connection, NOBODY, HANDOVER) is None
        assert await performance.process_of(connection, story.organisation_id, MINUTES) == process
        assert await performance.process_of(connection, story.organisation_id, NOBODY) is None


async def test_a_link_that_was_given_up_is_no_longer_of_the_process(connection):
    story = told()
    story.happened(HANDOVER, Process.OutcomeUnlinked(link_id=LINK))
    async with applied(connection, ProcessPerformance(), story.envelopes) as performance:
        process = await performance.process(connection, story.organisation_id, HANDOVER)
        assert process.outcome_links == ()
    async with applied(connection, Links(), story.envelopes) as links:
        assert await links.link(connection, story.organisation_id, LINK) is None


async def test_processes_are_listed_by_page_and_team(connection):
    story = told()
    other = UUID(int=HANDOVER.int + 1)
    story.happened(other, Process.Registered(name="Returns", owner_team_id=NOBODY))
    async with applied(connection, ProcessPerformance(), story.envelopes) as performance:
        mine = story.organisation_id
        assert [one.name for one in await performance.processes(connection, mine, 9)] == ["Hand-over", "Returns"]
        assert [one.name for one in await performance.processes(connection, mine, 9, HANDOVER)] == ["Returns"]
        of_team = await performance.processes(connection, mine, 9, team_id=SERVICE)
        assert [one.name for one in of_team] == ["Hand-over"]
        assert await performance.processes(connection, NOBODY, 9) == []


async def test_a_measurement_is_shown_as_last_revised(connection):
    story = told()
    async with applied(connection, ProcessPerformance(), story.envelopes) as performance:
        revised = await performance.measurement(connection, story.organisation_id, REVISED)
        assert (revised.value, revised.origin, revised.revision, revised.version) == (21, Origin.COUNTED, 1, 2)
        assert revised.summary == summary(21, AFTER.start, AFTER.end)
        process = await performance.process(connection, story.organisation_id, HANDOVER)
        latest = await performance.latest(connection, process)
        assert latest == {MINUTES: revised}


async def test_measurements_come_in_the_order_of_their_days_and_within_a_window_only_whole_ones(connection):
    story = told()
    async with applied(connection, ProcessPerformance(), story.envelopes) as performance:
        mine = story.organisation_id
        rows = await performance.measurements(connection, mine, HANDOVER, 9)
        assert [row.measurement_id for row in rows] == [MEASURED, REVISED]
        later = await performance.measurements(
            connection, mine, HANDOVER, 9, measure_id=MINUTES, after=(rows[0].ends_on, MEASURED)
        )
        assert [row.measurement_id for row in later] == [REVISED]
        assert await performance.measurements(connection, mine, HANDOVER, 9, measure_id=NOBODY) == []
        january = await performance.within(connection, mine, MINUTES, BEFORE.start, BEFORE.end)
        assert [row.measurement_id for row in january] == [MEASURED]
        assert await performance.within(connection, mine, MINUTES, date(2026, 1, 2), BEFORE.end) == []


async def test_a_metric_has_a_timeline_by_segment_with_the_latest_revision(connection):
    story = told()
    async with applied(connection, OutcomeTimeline(), story.envelopes) as timeline:
        mine = story.organisation_id
        metric = await timeline.metric(connection, mine, REPEAT_PURCHASES)
        assert (metric.name, metric.measures.value) == ("Repeat purchases", "customer")
        assert [one.outcome_metric_id for one in await timeline.metrics(connection, mine, 9)] == [REPEAT_PURCHASES]
        assert await timeline.metrics(connection, mine, 9, REPEAT_PURCHASES) == []
        rows = await timeline.measurements(connection, mine, REPEAT_PURCHASES, 9)
        assert {row.measurement_id: (row.value, row.revision) for row in rows} == {
            WEB: (Decimal("0.31"), 0),
            ALL: (Decimal("0.35"), 1),
        }
        web = await timeline.measurements(connection, mine, REPEAT_PURCHASES, 9, segment="web")
        assert [row.measurement_id for row in web] == [WEB]
        after = await timeline.measurements(connection, mine, REPEAT_PURCHASES, 9, after=(rows[0].ends_on, WEB))
        assert [row.measurement_id for row in after] == [ALL]
        assert (await timeline.measurement(connection, mine, ALL)).summary.n == 5120


async def test_the_whole_is_what_was_measured_whole_else_all_segments_together(connection):
    story = told()
    for number, segment in enumerate(("web", "shop")):
        story.happened(UUID(int=410 + number), outcome(summary("0.3", AFTER.start, AFTER.end), segment))
    async with applied(connection, OutcomeTimeline(), story.envelopes) as timeline:

        async def within(window, segment=None):
            rows = await timeline.within(
                connection, story.organisation_id, REPEAT_PURCHASES, window.start, window.end, segment
            )
            return [row.measurement_id for row in rows]

        assert await within(BEFORE) == [ALL]
        assert await within(BEFORE, "web") == [WEB]
        assert await within(AFTER) == [UUID(int=410), UUID(int=411)]


async def test_an_improvement_is_told_from_problem_to_sustained_gain(connection):
    story = told()
    async with applied(connection, Improvements(), story.envelopes) as improvements:
        row = await improvements.improvement(connection, story.organisation_id, IMPROVEMENT)
        states = {one.obstacle_id: (one.state, one.note) for one in row.obstacles}
        assert states == {
            OBSTACLE: (ObstacleState.CLEARED, None),
            PIECE: (ObstacleState.RULED_OUT, REFERENCE),
        }
        (experiment,) = row.experiments
        assert (experiment.run.observed, experiment.review.learned) == (24, REFERENCE)
        assert row.results == (RESULT,)
        assert (row.adopted_on, row.standard_ref) == (date(2026, 3, 1), REFERENCE)
        assert [(check.days_after, check.holds) for check in row.checks] == [(30, True)]
        assert (row.reverted_on, row.version) == (date(2026, 4, 1), 14)


async def test_improvements_are_listed_by_page_team_and_process(connection):
    story = told()
    async with applied(connection, Improvements(), story.envelopes) as improvements:
        mine = story.organisation_id
        assert len(await improvements.improvements(connection, mine, 9, team_id=SERVICE, process_id=HANDOVER)) == 1
        assert await improvements.improvements(connection, mine, 9, IMPROVEMENT) == []
        assert await improvements.improvements(connection, mine, 9, team_id=NOBODY) == []
        assert await improvements.improvements(connection, mine, 9, process_id=NOBODY) == []


async def test_what_users_see_of_a_result_is_found_anew(connection):
    story = told()
    async with applied(connection, Improvements(), story.envelopes) as improvements:
        row = await improvements.improvement(connection, story.organisation_id, IMPROVEMENT)
        (finding,) = await improvements.findings(connection, story.organisation_id, row.results)
        assert (finding.measure, finding.unit, finding.grade) == ("Hand-over time", "minutes", 2)
        assert (finding.effect.verdict, finding.may_say) == (Verdict.BETTER, "changed after")
        assert finding.effect.difference == -8
        assert finding.effect.low != RESULT.effect.low
        assert await improvements.findings(connection, NOBODY, row.results) == []


async def test_a_contribution_shows_what_speaks_for_it_and_where_it_stands(connection):
    story = told()
    async with applied(connection, Contributions(), story.envelopes) as contributions:
        mine = story.organisation_id
        claim = await contributions.contribution(connection, mine, CLAIM)
        assert (claim.standing, claim.evidence, claim.alternatives) == (
            Standing.ACCEPTED,
            (EVIDENCE,),
            (ALTERNATIVE,),
        )
        assert claim.share.low == Decimal("0.7")
        rows = await contributions.contributions(connection, mine, 9, figure=REPEAT_PURCHASES)
        assert [row.standing.value for row in rows] == ["accepted", "accepted", "rejected", "withdrawn"]
        assert len(await contributions.contributions(connection, mine, 9, CLAIM)) == 3
        assert await contributions.contributions(connection, mine, 9, figure=NOBODY) == []


async def test_accepted_shares_of_one_change_above_the_whole_are_flagged_and_not_normalised(connection):
    story = told()
    elsewhere, later = UUID(int=910), UUID(int=911)
    march = Window(start=date(2026, 3, 1), end=date(2026, 3, 31))
    for claim, event in ((elsewhere, stated("0.9", figure=NOBODY)), (later, stated("0.9", window=march))):
        story.happened(claim, event, Contribution.Accepted())
    async with applied(connection, Contributions(), story.envelopes) as contributions:
        mine, claims = story.organisation_id, [CLAIM, RIVAL, elsewhere, later, UUID(int=902)]
        assert await contributions.over_claimed(connection, mine, claims) == {CLAIM, RIVAL}
        assert (await contributions.contribution(connection, mine, RIVAL)).share.low == Decimal("0.4")
        assert await contributions.over_claimed(connection, NOBODY, claims) == set()


async def test_a_link_knows_whose_it_is_and_what_was_gathered_behind_it(connection):
    story = told()
    async with applied(connection, Links(), story.envelopes) as links:
        link = await links.link(connection, story.organisation_id, LINK)
        assert (link.process_id, link.measure_id, link.goal_id) == (HANDOVER, MINUTES, None)
        assert (link.evidence, link.alternatives, link.version) == ((EVIDENCE,), (ALTERNATIVE,), 2)
        of_goal = await links.link(connection, story.organisation_id, GOAL_LINK)
        assert (of_goal.goal_id, of_goal.to_outcome_metric_id) == (GOAL, REPEAT_PURCHASES)
        assert await links.link(connection, NOBODY, LINK) is None
