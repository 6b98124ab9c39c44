from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lms.domain.base import Actor, Role, Sealed
from lms.domain.commitment import Commitment, CommitmentStatus
from lms.domain.goal import Goal
from lms.domain.goal_cycle import GoalCycle
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    How,
    KeyResult,
    Level,
    LinkType,
    Owner,
    Purpose,
    Setting,
    Status,
)
from lms.domain.measurement import Measurement
from lms.domain.outcome_metric import Measures, OutcomeMetric
from lms.domain.process import Measure, Process
from lms.domain.terms import Direction, Origin, Summary, Visibility
from lms.projections.alignment_tree import AlignmentTree
from lms.projections.commitments import Commitments
from lms.projections.goals import Goals
from projections.harness import Story, applied, check_cuts

DAY = date(2026, 3, 2)
SALES, SERVICE = UUID(int=1000), UUID(int=1001)
CYCLE, METRIC, MEASURE = UUID(int=1500), UUID(int=1700), UUID(int=1701)
TOP, TEAM, MINE, ALONE = UUID(int=2000), UUID(int=2001), UUID(int=2002), UUID(int=2003)
SHARE, DONE = UUID(int=3000), UUID(int=3001)
INVITATION = UUID(int=6000)

MIRA = Actor(contributor_id=UUID(int=100), roles=(Role.EMPLOYEE,), member_of=frozenset({SALES}))
NOOR = Actor(contributor_id=UUID(int=101), roles=(Role.EMPLOYEE,), leads=frozenset({SALES}))
OMAR = Actor(contributor_id=UUID(int=102), roles=(Role.EMPLOYEE,), member_of=frozenset({SERVICE}))
BOSS = Actor(contributor_id=UUID(int=103), roles=(Role.EMPLOYEE, Role.BUSINESS_OWNER))
GUEST = Actor(contributor_id=UUID(int=104), roles=(Role.GUEST,))


@pytest.fixture
async def connection(database) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_dsn)
    yield connection
    await connection.close()


def summary(value, end=date(2025, 12, 31)):
    return Summary(value=Decimal(value), start=end - timedelta(27), end=end)


def sealed(of):
    return Sealed(of=of.contributor_id, box="dGl0bGU=", context="a|b")


def proposed(level, title="Know our buyers", *, by=NOOR, owner=None, visibility=Visibility.ORGANISATION, **changes):
    purpose = changes.pop("purpose", Purpose(statement="More come back"))
    owners = {
        Level.INDIVIDUAL: Owner(contributor_id=by.contributor_id),
        Level.TEAM: Owner(team_id=SALES),
        Level.BUSINESS_MODEL: Owner(),
    }
    return Goal.Proposed(
        level=level,
        title=title,
        purpose=purpose,
        owner=owner or owners[level],
        proposer=by.contributor_id,
        visibility=visibility,
        **changes,
    )


def key_result(key_result_id=SHARE, **changes):
    facts = {"unit": "percent", "baseline": summary("31"), "target": Decimal(36), "due_on": date(2026, 3, 31)}
    return Goal.KeyResultDefined(key_result=KeyResult(key_result_id=key_result_id, **{**facts, **changes}))


def was_set(on=DAY):
    return Goal.Set(on=on, how=How.MEETING, participants_n=5)


def aligned(to_goal_id=None, number=1, link_type=LinkType.CONTRIBUTES_TO, **to):
    link = Alignment(
        link_id=UUID(int=4000 + number), to_goal_id=to_goal_id, link_type=link_type, hypothesis="Because", **to
    )
    return Goal.Aligned(alignment=link)


def checked_in(value, on, number=1, **changes):
    facts = {"check_in_id": UUID(int=5000 + number), "key_result_id": SHARE, "observed_on": on, **changes}
    return Goal.ProgressCheckedIn(value=None if value is None else Decimal(value), **facts)


def measured(value, end, number=1, segment=None, metric_id=METRIC):
    facts = {"metric_id": metric_id, "summary": summary(value, end), "segment": segment, "origin": Origin.SYSTEM}
    return UUID(int=9000 + number), Measurement.OutcomeMeasured(**facts)


def story():
    """A private goal under a team goal under one of the business model, and a team goal that leads nowhere."""
    told = Story()
    told.happened(
        METRIC,
        OutcomeMetric.Defined(
            name="Repeat purchases", unit="percent", direction=Direction.INCREASE, measures=Measures.CUSTOMER
        ),
    )
    told.happened(CYCLE, GoalCycle.Opened(name="Q1", starts_on=date(2026, 1, 1), ends_on=DAY, check_in_every_days=14))
    told.happened(TOP, proposed(Level.BUSINESS_MODEL, by=BOSS), was_set(), aligned(to_outcome_metric_id=METRIC))
    told.happened(TEAM, proposed(Level.TEAM, cycle_id=CYCLE), key_result(), was_set(), aligned(TOP, 2))
    own = proposed(Level.INDIVIDUAL, sealed(MIRA), by=MIRA, visibility=Visibility.PRIVATE)
    told.happened(MINE, own, was_set(), aligned(TEAM, 3))
    told.happened(ALONE, proposed(Level.TEAM, owner=Owner(team_id=SERVICE), by=OMAR))
    return told


async def ids(goals, connection, told, reader, limit=10, **filters):
    return [row.goal_id for row in await goals.page(connection, told.organisation_id, reader, limit, **filters)]


async def test_goals_are_listed_the_latest_first_and_in_pages(connection):
    told = story()
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert await ids(goals, connection, told, MIRA) == [ALONE, MINE, TEAM, TOP]
        first = await goals.page(connection, told.organisation_id, MIRA, 2)
        assert await ids(goals, connection, told, MIRA, before=first[-1].position) == [TEAM, TOP]


async def test_a_private_goal_is_absent_from_everybody_elses_lists(connection):
    told = story()
    async with applied(connection, Goals(), told.envelopes) as goals:
        for reader in (NOOR, OMAR, BOSS):
            assert await ids(goals, connection, told, reader) == [ALONE, TEAM, TOP]
            assert await goals.find(connection, told.organisation_id, reader, [MINE]) == {}
        assert await ids(goals, connection, told, GUEST) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"level": Level.TEAM}, [ALONE, TEAM]),
        ({"status": Status.PROPOSED}, [ALONE]),
        ({"cycle_id": CYCLE}, [TEAM]),
        ({"team_id": SERVICE}, [ALONE]),
        ({"team_id": SERVICE, "level": Level.INDIVIDUAL}, []),
    ],
)
async def test_lists_are_narrowed(connection, filters, expected):
    told = story()
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert await ids(goals, connection, told, BOSS, **filters) == expected


async def test_another_organisation_sees_nothing(connection):
    told, elsewhere = story(), UUID(int=99)
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert await goals.page(connection, elsewhere, BOSS, 10) == []
        assert await goals.find(connection, elsewhere, BOSS, [TEAM]) == {}
        assert await goals.mine(connection, elsewhere, MIRA.contributor_id, [], 10) == []
        assert await goals.goal_of_key_result(connection, elsewhere, SHARE) is None
    async with applied(connection, AlignmentTree(), told.envelopes) as tree:
        assert (await tree.tree(connection, elsewhere, BOSS, TOP, 5, 10)).nodes == []
        assert await tree.unlinked(connection, elsewhere, BOSS, 10) == []


async def test_rows_see_what_the_domain_sees(connection):
    """The rule is written twice, for a goal and for rows: every combination says the same."""
    told, goals_told = Story(), {}
    cases = product(Level, Visibility, (False, True), (False, True), (False, True))
    for number, (level, visibility, is_set, invited, released) in enumerate(cases):
        goal_id = UUID(int=20_000 + number)
        if (level, visibility) == (Level.BUSINESS_MODEL, Visibility.TEAM):
            continue
        home = SALES if (level, visibility) == (Level.INDIVIDUAL, Visibility.TEAM) else None
        events = [proposed(level, by=MIRA, visibility=visibility, home_team_id=home), *[was_set()] * is_set]
        told.happened(goal_id, *events)
        goal = Goal.blank(goal_id)
        for one in events:
            goal.evolve(one)
        goals_told[goal_id] = (goal, invited and not released)
        answers = {"goal_id": goal_id, "contributor_id": GUEST.contributor_id}
        if invited:
            told.happened(UUID(int=30_000 + number), Commitment.Invited(**answers), Commitment.Made(**answers))
        if invited and released:
            told.happened(UUID(int=30_000 + number), Commitment.Released(**answers))
    for projection in (Goals(), AlignmentTree()):
        async with applied(connection, projection, told.envelopes):
            for reader in (MIRA, NOOR, OMAR, BOSS, GUEST):
                expected = {
                    goal_id
                    for goal_id, (goal, invited) in goals_told.items()
                    if goal.is_shown_to(reader)
                    or (invited and reader is GUEST and goal.visibility is not Visibility.PRIVATE)
                }
                if isinstance(projection, Goals):
                    rows = await projection.page(connection, told.organisation_id, reader, 500)
                else:
                    rows = (await projection.tree(connection, told.organisation_id, reader, None, 0, 500)).nodes
                assert {row.goal_id for row in rows} == expected


async def test_a_goal_follows_its_owner_when_he_shows_it_and_takes_it_back(connection):
    told = story()
    shown = Goal.VisibilityChanged(visibility=Visibility.TEAM, home_team_id=SALES)
    told.happened(MINE, shown)
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert MINE in await ids(goals, connection, told, NOOR)
        assert MINE not in await ids(goals, connection, told, OMAR)
    told.happened(MINE, Goal.VisibilityChanged(visibility=Visibility.PRIVATE))
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert MINE not in await ids(goals, connection, told, NOOR)
    async with applied(connection, AlignmentTree(), told.envelopes) as tree:
        assert MINE not in (await tree.tree(connection, told.organisation_id, NOOR, TOP, 5, 10)).depths


async def test_titles_of_individual_goals_stay_sealed(connection):
    told = story()
    async with applied(connection, Goals(), told.envelopes) as goals:
        assert (await goals.find(connection, told.organisation_id, MIRA, [MINE]))[MINE].title == sealed(MIRA)


class TestValues:
    async def standing(self, connection, told):
        async with applied(connection, Goals(), told.envelopes) as goals:
            return (await goals.standings(connection, [TEAM]))[TEAM][0]

    async def test_the_value_observed_last_counts_whenever_it_was_reported(self, connection):
        told = story()
        told.happened(TEAM, checked_in("34", date(2026, 3, 1), 1, confidence=8))
        told.happened(TEAM, checked_in("32", date(2026, 2, 1), 2, confidence=3))
        found = await self.standing(connection, told)
        assert (found.value, found.observed_on, found.confidence) == (Decimal(34), date(2026, 3, 1), 8)

    async def test_of_one_day_the_later_report_counts_and_its_correction_stays_in_its_place(self, connection):
        told = story()
        told.happened(TEAM, checked_in("34", DAY, 1))
        told.happened(TEAM, checked_in("35", DAY, 2))
        first = {"check_in_id": UUID(int=5001), "key_result_id": SHARE, "observed_on": DAY}
        told.happened(TEAM, Goal.CheckInCorrected(**first, value=Decimal(33)))
        assert (await self.standing(connection, told)).value == Decimal(35)

    async def test_nothing_reported_is_no_value(self, connection):
        found = await self.standing(connection, story())
        assert (found.value, found.observed_on, found.confidence) == (None, None, None)

    async def test_measurements_feed_a_key_result_whether_they_came_before_or_after(self, connection):
        told = story()
        fed = key_result(DONE, metric_id=METRIC)
        told.happened(*measured("33", date(2026, 1, 31)))
        told.happened(TEAM, fed)
        told.happened(*measured("34", date(2026, 2, 28), 2))
        told.happened(*measured("12", date(2026, 2, 28), 3, segment="stores"))
        told.happened(*measured("99", date(2026, 2, 28), 4, metric_id=UUID(int=9)))
        told.happened(TEAM, checked_in(None, DAY, key_result_id=DONE, confidence=6))
        async with applied(connection, Goals(), told.envelopes) as goals:
            found = (await goals.standings(connection, [TEAM]))[TEAM][1]
        assert (found.value, found.observed_on, found.confidence) == (Decimal(34), date(2026, 2, 28), 6)

    async def test_a_revised_measurement_counts_as_revised(self, connection):
        told = story()
        told.happened(TEAM, key_result(DONE, measure_id=MEASURE))
        facts = {"process_id": UUID(int=1), "measure_id": MEASURE, "origin": Origin.COUNTED}
        stream = UUID(int=9001)
        told.happened(stream, Measurement.ProcessMeasured(**facts, summary=summary("30", DAY)))
        told.happened(stream, Measurement.ProcessRevised(**facts, summary=summary("29", DAY)))
        async with applied(connection, Goals(), told.envelopes) as goals:
            assert (await goals.standings(connection, [TEAM]))[TEAM][1].value == Decimal(29)

    async def test_adjustments_change_what_the_goal_is_measured_by(self, connection):
        told = story()
        facts = {"on": DAY, "how": How.MEETING, "reason": AdjustmentReason.LEARNED}
        for field, to in (
            (AdjustedField.TARGET, Setting(number=Decimal(34))),
            (AdjustedField.DUE_ON, Setting(day=date(2026, 6, 30))),
        ):
            told.happened(TEAM, Goal.Adjusted(**facts, field=field, key_result_id=SHARE, to=to))
        told.happened(TEAM, Goal.Adjusted(**facts, field=AdjustedField.TITLE, to=Setting(text="Ask first")))
        told.happened(TEAM, Goal.Adjusted(**facts, field=AdjustedField.PURPOSE, to=Setting(text="They stay")))
        found = (await self.standing(connection, told)).key_result
        assert (found.target, found.due_on) == (Decimal(34), date(2026, 6, 30))
        async with applied(connection, Goals(), told.envelopes) as goals:
            row = (await goals.find(connection, told.organisation_id, NOOR, [TEAM]))[TEAM]
            assert (row.title, row.statement, row.version) == ("Ask first", "They stay", 8)
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            root = (await tree.tree(connection, told.organisation_id, NOOR, TEAM, 1, 10)).nodes[0]
            assert root.title == "Ask first"


class TestDue:
    async def due(self, connection, told, reader, today):
        async with applied(connection, Goals(), told.envelopes) as goals:
            return await goals.due(connection, told.organisation_id, reader, today, 10)

    async def test_who_answers_for_a_goal_is_asked_when_the_cadence_is_over(self, connection):
        told = story()
        assert await self.due(connection, told, NOOR, DAY + timedelta(13)) == []
        (due,) = await self.due(connection, told, NOOR, DAY + timedelta(14))
        assert (due.goal_id, due.key_result_id, due.due_on) == (TEAM, SHARE, DAY + timedelta(14))
        assert due.goal_title == "Know our buyers"

    async def test_others_are_not_asked(self, connection):
        for reader in (MIRA, OMAR, BOSS, GUEST):
            assert await self.due(connection, story(), reader, DAY + timedelta(99)) == []

    async def test_a_check_in_moves_the_day(self, connection):
        told = story()
        told.happened(TEAM, checked_in("33", DAY + timedelta(10)))
        assert await self.due(connection, told, NOOR, DAY + timedelta(23)) == []

    async def test_what_measurements_feed_and_what_is_closed_wants_no_check_in(self, connection):
        told = story()
        told.happened(MINE, key_result(DONE, metric_id=METRIC))
        told.happened(TEAM, Goal.Achieved(on=DAY))
        for reader in (MIRA, NOOR):
            assert await self.due(connection, told, reader, DAY + timedelta(99)) == []


class TestTree:
    async def test_what_serves_a_goal_comes_level_by_level(self, connection):
        told = story()
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, MIRA, TOP, 5, 10)
            assert found.depths == {TOP: 0, TEAM: 1, MINE: 2}
            assert {(edge.goal_id, edge.to_goal_id) for edge in found.edges} == {(TEAM, TOP), (MINE, TEAM)}
            assert not found.truncated
            flat = await tree.tree(connection, told.organisation_id, MIRA, TOP, 1, 10)
            assert flat.depths == {TOP: 0, TEAM: 1}

    async def test_an_outcome_metric_is_a_root_too(self, connection):
        told = story()
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, NOOR, METRIC, 5, 10)
            assert [metric.name for metric in found.metrics] == ["Repeat purchases"]
            assert found.depths == {TOP: 0, TEAM: 1}
            assert METRIC in {edge.to_outcome_metric_id for edge in found.edges}

    async def test_without_a_root_it_starts_at_what_serves_nothing_else(self, connection):
        told = story()
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, MIRA, None, 5, 10)
            assert found.depths == {TOP: 0, ALONE: 0, TEAM: 1, MINE: 2}

    async def test_too_much_is_cut_and_says_so(self, connection):
        told = story()
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, MIRA, TOP, 5, 2)
            assert (len(found.nodes), found.truncated) == (2, True)

    async def test_what_is_reached_only_over_a_hidden_goal_is_not_there(self, connection):
        told = story()
        told.happened(TEAM, Goal.VisibilityChanged(visibility=Visibility.PRIVATE))
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, MIRA, TOP, 5, 10)
            assert (found.depths, found.edges) == ({TOP: 0}, [])
            assert (await tree.tree(connection, told.organisation_id, OMAR, TEAM, 5, 10)).nodes == []
            top = await tree.tree(connection, told.organisation_id, MIRA, None, 0, 10)
            assert MINE in top.depths

    async def test_rings_of_support_end(self, connection):
        told = story()
        told.happened(TOP, aligned(TEAM, 9, LinkType.SUPPORTS))
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.tree(connection, told.organisation_id, NOOR, TOP, 50, 10)
            assert found.depths == {TOP: 0, TEAM: 1}
            assert len(found.edges) == 2


class TestUnlinked:
    async def unlinked(self, connection, told, reader=BOSS, **filters):
        async with applied(connection, AlignmentTree(), told.envelopes) as tree:
            found = await tree.unlinked(connection, told.organisation_id, reader, 10, **filters)
            among = await tree.unlinked_among(connection, told.organisation_id, [TOP, TEAM, MINE, ALONE])
            assert set(found) <= among
            return found

    async def test_what_leads_to_a_metric_over_others_is_linked(self, connection):
        assert await self.unlinked(connection, story(), MIRA) == [ALONE]

    async def test_it_is_unlinked_again_when_a_link_on_the_way_is_taken_away(self, connection):
        told = story()
        told.happened(TEAM, Goal.Unaligned(link_id=UUID(int=4002)))
        assert await self.unlinked(connection, told, MIRA) == [ALONE, MINE, TEAM]

    async def test_a_closed_goal_leads_nowhere_and_is_not_listed(self, connection):
        told = story()
        told.happened(TEAM, Goal.Achieved(on=DAY))
        assert await self.unlinked(connection, told, MIRA) == [ALONE, MINE]

    @pytest.mark.parametrize(
        "purpose",
        [Purpose(statement="So", process_id=UUID(int=1)), Purpose(statement="So", outcome_metric_id=METRIC)],
    )
    async def test_a_purpose_that_names_a_process_or_metric_is_a_path(self, connection, purpose):
        told = story()
        told.happened(UUID(int=2100), proposed(Level.TEAM, purpose=purpose))
        assert UUID(int=2100) not in await self.unlinked(connection, told)

    async def test_a_key_result_that_measurements_feed_is_a_path(self, connection):
        told = story()
        told.happened(ALONE, key_result(DONE, metric_id=METRIC))
        assert await self.unlinked(connection, told) == []

    async def test_private_goals_are_not_listed_for_others(self, connection):
        told = story()
        told.happened(TEAM, Goal.Unaligned(link_id=UUID(int=4002)))
        assert await self.unlinked(connection, told, NOOR) == [ALONE, TEAM]

    async def test_lists_are_narrowed_and_paged(self, connection):
        told = story()
        told.happened(TEAM, Goal.Unaligned(link_id=UUID(int=4002)))
        assert await self.unlinked(connection, told, level=Level.TEAM, status=Status.ACTIVE) == [TEAM]
        assert await self.unlinked(connection, told, team_id=SERVICE) == [ALONE]
        assert await self.unlinked(connection, told, cycle_id=CYCLE, before=1) == []


class TestCommitments:
    def answered(self, *events):
        told = Story()
        facts = {"goal_id": TEAM, "contributor_id": MIRA.contributor_id}
        told.happened(INVITATION, Commitment.Invited(**facts, until=DAY), actor=NOOR)
        for event in events:
            told.happened(INVITATION, event(**facts) if isinstance(event, type) else event, actor=MIRA)
        return told

    def made(self, visibility):
        facts = {"goal_id": TEAM, "contributor_id": MIRA.contributor_id, "visibility": visibility}
        return Commitment.Made(**facts, my_reason=sealed(MIRA))

    async def test_a_person_sees_his_own(self, connection):
        told = self.answered(self.made(Visibility.PRIVATE))
        async with applied(connection, Commitments(), told.envelopes) as commitments:
            me = MIRA.contributor_id
            (row,) = await commitments.mine(connection, told.organisation_id, me, 10)
            assert (row.status, row.my_reason, row.version) == (CommitmentStatus.MADE, sealed(MIRA), 2)
            assert row.invited_by == NOOR.contributor_id
            assert await commitments.committed_goals(connection, told.organisation_id, me) == [TEAM]
            assert await commitments.one_of_mine(connection, told.organisation_id, me, INVITATION) == row
            noor = NOOR.contributor_id
            assert await commitments.one_of_mine(connection, told.organisation_id, noor, INVITATION) is None
            assert await commitments.mine(connection, told.organisation_id, noor, 10) == []
            invited = CommitmentStatus.INVITED
            assert await commitments.mine(connection, told.organisation_id, me, 10, status=invited) == []

    @pytest.mark.parametrize(
        ("visibility", "seen_by"),
        [
            (Visibility.PRIVATE, {"mira"}),
            (Visibility.TEAM, {"mira", "noor"}),
            (Visibility.ORGANISATION, {"mira", "noor", "omar"}),
            (Visibility.PUBLIC, {"mira", "noor", "omar", "guest"}),
        ],
    )
    async def test_others_see_who_committed_only_when_he_shows_it(self, connection, visibility, seen_by):
        told = self.answered(self.made(visibility))
        people = {"mira": MIRA, "noor": NOOR, "omar": OMAR, "guest": GUEST}
        team = [MIRA.contributor_id, NOOR.contributor_id]
        async with applied(connection, Commitments(), told.envelopes) as commitments:
            sees = set()
            for name, reader in people.items():
                team_of = team if reader in {MIRA, NOOR} else []
                if await commitments.shown_on(connection, told.organisation_id, reader, team_of, TEAM, 10):
                    sees.add(name)
            assert sees == seen_by

    @pytest.mark.parametrize("answers", [(), (Commitment.Declined,), (Commitment.Made, Commitment.Released)])
    async def test_declined_and_unanswered_look_alike_to_others(self, connection, answers):
        told = self.answered(*answers)
        async with applied(connection, Commitments(), told.envelopes) as commitments:
            for reader in (NOOR, OMAR, BOSS):
                team = [MIRA.contributor_id]
                assert await commitments.shown_on(connection, told.organisation_id, reader, team, TEAM, 10) == []

    async def test_who_released_himself_is_invited_anew(self, connection):
        told = self.answered(Commitment.Made, Commitment.Released, Commitment.Invited)
        async with applied(connection, Commitments(), told.envelopes) as commitments:
            (row,) = await commitments.mine(connection, told.organisation_id, MIRA.contributor_id, 10)
            assert (row.status, row.position) == (CommitmentStatus.INVITED, 1)


def long_story():
    told = story()
    told.happened(TEAM, checked_in("33", DAY, 1), checked_in("34", DAY, 2))
    first = {"check_in_id": UUID(int=5001), "key_result_id": SHARE, "observed_on": DAY}
    told.happened(TEAM, Goal.CheckInCorrected(**first, value=Decimal(32), confidence=5))
    adjusted = {"field": AdjustedField.TARGET, "key_result_id": SHARE, "to": Setting(number=Decimal(34))}
    told.happened(TEAM, Goal.Adjusted(**adjusted, on=DAY, how=How.MEETING, reason=AdjustmentReason.MARKET))
    answers = {"goal_id": TEAM, "contributor_id": GUEST.contributor_id}
    told.happened(INVITATION, Commitment.Invited(**answers))
    told.happened(INVITATION, Commitment.Made(**answers), Commitment.Released(**answers))
    told.happened(INVITATION, Commitment.Invited(**answers), Commitment.Declined(**answers))
    told.happened(*measured("33", date(2026, 1, 31)))
    told.happened(MINE, Goal.VisibilityChanged(visibility=Visibility.TEAM, home_team_id=SALES))
    told.happened(MINE, Goal.Unaligned(link_id=UUID(int=4003)), aligned(TOP, 4))
    told.happened(ALONE, Goal.Abandoned(on=DAY, reason="Done elsewhere"), Goal.ReflectedOn(learned="Ask"))
    return told


@pytest.mark.parametrize("projection", [Goals(), AlignmentTree(), Commitments()], ids=lambda one: one.NAME)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
@example(cuts=[])
@given(cuts=st.lists(st.integers(0, 40), max_size=5))
async def test_the_rows_are_the_same_however_the_log_is_cut(connection, projection, cuts):
    await check_cuts(connection, projection, long_story().envelopes, cuts)


async def test_a_feed_tells_its_unit_and_which_way_is_better(connection):
    told = story()
    measure = Measure(measure_id=MEASURE, name="Minutes", unit="minutes", direction=Direction.DECREASE)
    told.happened(UUID(int=1), Process.MeasureDefined(measure=measure))
    async with applied(connection, Goals(), told.envelopes) as goals:
        found = await goals.feed(connection, told.organisation_id, METRIC)
        assert (found.unit, found.direction) == ("percent", Direction.INCREASE)
        assert (await goals.feed(connection, told.organisation_id, MEASURE)).unit == "minutes"
        assert await goals.feed(connection, UUID(int=99), METRIC) is None
