"""Is the star schema whole, the same after a rebuild, and does it point at nobody?"""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lms import clock
from lms.domain.calendar import PeriodKind
from lms.domain.contributor import Contributor, ContributorKind
from lms.domain.goal import Goal
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    How,
    KeyResult,
    Level,
    LinkType,
    Owner,
    Setting,
)
from lms.domain.learning_entry import LearningKind
from lms.domain.measurement import Measurement
from lms.domain.process import Process
from lms.domain.team import Team
from lms.domain.team_learning import TeamLearning
from lms.domain.terms import Direction, Origin, Summary, Visibility
from lms.projections.bi.goals import ancestors
from lms.projections.bi.unit import Bi
from projections.harness import applied, check_cuts
from projections.test_line_of_sight import TODAY, Company, aligned, proposed

QUARTER = date(2026, 3, 31)


@pytest.fixture
def company() -> Company:
    return Company()


def measured(metric, value, month, **more):
    summary = Summary(value=Decimal(value), n=100, start=date(2026, month, 1), end=date(2026, month, 28))
    return Measurement.OutcomeMeasured(metric_id=metric, summary=summary, origin=Origin.SYSTEM, **more)


async def star(connection, company, table, columns="*"):
    async with applied(connection, Bi(), company.story.envelopes):
        return [dict(row) for row in await connection.fetch(f"SELECT {columns} FROM {table} AS t ORDER BY t::text")]


async def test_every_table_and_column_says_what_it_counts(connection, company):
    async with applied(connection, Bi(), company.story.envelopes):
        silent = await connection.fetch(
            """SELECT c.relname, a.attname FROM pg_class AS c
               JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
               WHERE c.relnamespace = 'bi_under_test'::regnamespace AND c.relkind = 'r'
                 AND col_description(c.oid, a.attnum) IS NULL AND a.attnum > 0
               UNION ALL SELECT relname, '' FROM pg_class
               WHERE relnamespace = 'bi_under_test'::regnamespace AND relkind = 'r' AND obj_description(oid) IS NULL"""
        )
        assert silent == []


async def test_every_table_has_an_organisation_a_policy_and_no_column_that_tools_cannot_read(connection, company):
    async with applied(connection, Bi(), company.story.envelopes):
        tables = await connection.fetch(
            """SELECT c.relname, c.relrowsecurity,
                   EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid) AS has_policy,
                   EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'organisation_key')
                       AS has_organisation
               FROM pg_class AS c WHERE relnamespace = 'bi_under_test'::regnamespace AND relkind = 'r'"""
        )
        assert len(tables) > 15
        assert all(one["relrowsecurity"] and one["has_policy"] and one["has_organisation"] for one in tables)
        types = await connection.fetch(
            """SELECT DISTINCT format_type(a.atttypid, NULL) AS type FROM pg_attribute AS a
               JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND a.attnum > 0
               WHERE c.relnamespace = 'bi_under_test'::regnamespace"""
        )
        allowed = {"bigint", "integer", "double precision", "text", "boolean", "date", "uuid"}
        assert {one["type"] for one in types} <= allowed


async def test_no_name_and_no_id_of_a_person_reaches_the_star(connection, company):
    company.improves()
    for person in company.people:
        company.learns(person, company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 3, 29))
    company.closes(PeriodKind.QUARTER, QUARTER)
    people = [str(person) for person in [company.mira, *company.people]]
    async with applied(connection, Bi(), company.story.envelopes):
        names = await connection.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'bi_under_test'::regnamespace"
        )
        for table in names:
            for row in await connection.fetch(f"SELECT t::text AS line FROM {table['name']} AS t"):
                assert not any(person in row["line"] for person in people)


async def test_a_chain_is_written_when_the_week_closes_and_stays_as_it_was(connection, company):
    company.improves()
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    rows = await star(connection, company, "fact_line_of_sight")
    chain = next(row for row in rows if row["improvement_key"] is not None)
    assert (chain["week_date_key"], chain["state"], chain["learning_grade"]) == (20260405, "asserted", 1)
    assert (chain["improvement_grade"], chain["outcome_grade"], chain["verdict"]) == (2, 0, "better")
    assert chain["team_key"] is not None
    bare = next(row for row in rows if row["improvement_key"] is None)
    assert (bare["state"], bare["missing"]) == ("broken", "no-learning")


async def test_private_learning_makes_a_chain_of_a_unit_only_when_five_stand_behind_it(connection, company):
    company.opens()
    for person in company.people[:4]:
        company.learns(person, company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 3, 29))
    company.learns(company.people[4], company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    rows = await star(connection, company, "fact_line_of_sight")
    first, second = [row for row in rows if row["improvement_key"] is not None]
    assert (first["missing"], first["suppressed"], first["team_key"] is None) == ("no-learning", True, False)
    assert (second["missing"], second["suppressed"], second["team_key"]) == (None, False, first["team_key"])
    assert second["unit_key"] is not None


async def test_what_fewer_than_five_people_show_to_everybody_is_in_no_published_chain(connection, company):
    company.opens()
    for person in company.people[:4]:
        company.learns(person, company.listening, visibility=Visibility.PUBLIC)
    company.learns(company.mira, company.closing, visibility=Visibility.ORGANISATION)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    rows = await star(connection, company, "fact_line_of_sight")
    assert {row["missing"] for row in rows} == {"no-learning"}
    assert all(row["team_key"] is not None for row in rows if row["improvement_key"] is not None)


async def test_learning_is_counted_by_unit_when_the_quarter_closes(connection, company):
    company.opens()
    for person in company.people[:6]:
        company.learns(person, company.listening, kind=LearningKind.PEER)
    for person in company.people[:7]:
        company.learns(person, company.closing, kind=LearningKind.COURSE, goal_id=company.goal)
    company.learns(company.mira, company.closing, on=date(2025, 12, 31))
    company.closes(PeriodKind.QUARTER, QUARTER)
    rows = await star(connection, company, "fact_learning", "kind, entries_n, people_n, entries_with_goal_n, "
                      "entries_with_path_n, suppressed")  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [("course", 7, 7, 7, 0, False), ("peer", 6, 6, 0, 6, False)]
    competencies = await star(
        connection, company, "fact_learning_competency JOIN dim_competency USING (competency_key)",
        "label, entries_n, entries_weighted, people_n",
    )  # fmt: skip
    assert {tuple(row.values()) for row in competencies} == {("luisteren", 6, 6.0, 6), ("afsluiten", 7, 7.0, 7)}


async def test_a_kind_that_few_people_logged_is_merged_and_fewer_than_five_are_withheld(connection, company):
    company.learns(company.mira, company.listening, kind=LearningKind.PEER)
    company.learns(company.people[0], company.listening, kind=LearningKind.READING)
    company.closes(PeriodKind.QUARTER, QUARTER)
    (row,) = await star(connection, company, "fact_learning", "kind, entries_n, people_n, suppressed")
    assert tuple(row.values()) == ("(other)", None, None, True)


async def test_late_entries_of_fewer_than_five_people_wait_and_of_five_come_as_a_revision(connection, company):
    for person in company.people[:6]:
        company.learns(person, company.listening)
    company.closes(PeriodKind.QUARTER, QUARTER)
    for person in company.people[:4]:
        company.learns(person, company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    figures = "entries_n, people_n, revision"
    (row,) = await star(connection, company, "fact_learning", figures)
    assert tuple(row.values()) == (6, 6, 0)
    company.learns(company.people[8], company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 4, 12))
    (row,) = await star(connection, company, "fact_learning", figures)
    assert tuple(row.values()) == (11, 7, 1)
    (row,) = await star(connection, company, "fact_learning_competency", figures)
    assert tuple(row.values()) == (11, 7, 1)


async def test_learning_brought_in_from_before_is_counted_when_the_next_week_closes_and_once(connection, company):
    for person in company.people[:6]:
        company.learns(person, company.listening, on=date(2024, 5, 3))
        company.learns(person, company.listening, on=date(2025, 2, 3))
        company.learns(person, company.listening, on=date(2014, 2, 3))
    company.closes(PeriodKind.WEEK, date(2026, 2, 1))
    company.closes(PeriodKind.WEEK, date(2026, 2, 8))
    figures = "quarter_date_key, entries_n, people_n, revision"
    rows = await star(connection, company, "fact_learning", figures)
    assert [tuple(row.values()) for row in rows] == [(20240630, 6, 6, 0), (20250331, 6, 6, 0)]
    for person in company.people[:5]:
        company.learns(person, company.listening, on=date(2024, 5, 3))
    company.closes(PeriodKind.QUARTER, QUARTER)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    rows = await star(connection, company, "fact_learning", figures)
    assert [tuple(row.values()) for row in rows] == [(20240630, 11, 6, 1), (20250331, 6, 6, 0)]
    units = await star(connection, company, "dim_unit", "valid_to, is_current")
    assert [row["valid_to"] for row in units if row["is_current"]] == [date(2026, 6, 30)]


@pytest.mark.parametrize("kinds", [(PeriodKind.WEEK, PeriodKind.QUARTER), (PeriodKind.QUARTER, PeriodKind.WEEK)])
async def test_a_quarter_is_counted_once_whatever_else_closes_first(connection, company, kinds):
    for person in company.people[:6]:
        company.learns(person, company.listening)
    for kind in kinds:
        company.closes(kind, {PeriodKind.WEEK: date(2026, 4, 5), PeriodKind.QUARTER: QUARTER}[kind])
    (row,) = await star(connection, company, "fact_learning", "entries_n, revision")
    assert tuple(row.values()) == (6, 0)


async def test_headcount_is_written_when_the_month_closes(connection, company):
    company.closes(PeriodKind.MONTH, QUARTER)
    (row,) = await star(
        connection, company, "fact_headcount JOIN dim_unit USING (unit_key)", "members_n, teams_n, name"
    )
    assert tuple(row.values()) == (13, 2, "Sales, Shop one")


async def test_units_are_fixed_for_a_quarter_and_a_team_formed_since_joins_its_parent_s(connection, company):
    tell = company.story.happened
    company.closes(PeriodKind.WEEK, date(2026, 2, 1))
    young = clock.uuid7()
    tell(young, Team.Formed(name="Young", parent_team_id=company.shop, on=TODAY))
    company.closes(PeriodKind.WEEK, date(2026, 2, 8))
    rows = await star(connection, company, "bridge_unit_team JOIN dim_team USING (team_key)", "unit_key, name")
    assert {row["name"] for row in rows} == {"Sales", "Shop one", "Young"}
    assert len({row["unit_key"] for row in rows}) == 1


@pytest.mark.parametrize(("least", "units_n"), [(10, 1), (5, 2), (2, 2)])
async def test_the_closing_says_how_large_a_unit_is_and_never_under_five(connection, company, least, units_n):
    other = clock.uuid7()
    company.story.happened(other, Team.Formed(name="Other", parent_team_id=company.department, on=TODAY))
    for person in company.people[:5]:
        company.story.happened(person, Contributor.HomeTeamChanged(team_id=other, on=TODAY))
    company.closes(PeriodKind.WEEK, date(2026, 2, 1), min_group_size=least)
    company.closes(PeriodKind.WEEK, date(2026, 2, 8), min_group_size=50)
    assert len(await star(connection, company, "dim_unit")) == units_n


async def test_of_an_organisation_smaller_than_a_unit_no_figure_is_told(connection, company):
    company.improves()
    for person in company.people[:8]:
        company.learns(person, company.listening)
        company.learns(person, company.closing)
        company.is_attested(person)
    ends = {"min_group_size": 14}
    company.closes(PeriodKind.MONTH, QUARTER, **ends)
    company.closes(PeriodKind.QUARTER, QUARTER, **ends)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5), **ends)
    (row,) = await star(connection, company, "fact_learning", "kind, entries_n, people_n, suppressed")
    assert tuple(row.values()) == ("(other)", None, None, True)
    (row,) = await star(connection, company, "fact_learning_competency", "entries_n, people_n, suppressed")
    assert tuple(row.values()) == (None, None, True)
    (row,) = await star(connection, company, "fact_headcount", "members_n, suppressed")
    assert tuple(row.values()) == (None, True)
    chains = await star(connection, company, "fact_line_of_sight")
    assert {(row["competency_key"] is None, row["learning_grade"]) for row in chains} == {(False, 1), (True, None)}


@pytest.mark.parametrize(("with_goal_n", "told"), [(0, 0), (1, None), (4, None), (5, 5), (6, None), (10, 10)])
async def test_a_part_of_the_entries_is_told_only_when_people_enough_stand_behind_it_and_behind_the_rest(
    connection, company, with_goal_n, told
):
    for person in company.people[:with_goal_n]:
        company.learns(person, company.closing, goal_id=company.goal)
    for person in company.people[with_goal_n:10]:
        company.learns(person, company.closing)
    company.closes(PeriodKind.QUARTER, QUARTER)
    (row,) = await star(connection, company, "fact_learning", "entries_n, entries_with_goal_n, suppressed")
    assert tuple(row.values()) == (10, told, False)


@pytest.mark.parametrize(
    ("ends", "learned_on", "with_path_n"),
    [
        ((), date(2026, 2, 1), 0),
        ((Goal.Set(on=TODAY, how=How.MEETING, participants_n=3),), date(2026, 2, 1), 6),
        ((Goal.Set(on=TODAY, how=How.MEETING, participants_n=3),), date(2026, 3, 2), 0),
        ((Goal.Abandoned(on=TODAY, reason="r"),), date(2026, 2, 1), 0),
    ],
)
async def test_entries_have_a_path_where_the_line_of_sight_has_a_chain(
    connection, company, ends, learned_on, with_path_n
):
    company.story.happened(company.process, Process.OutcomeUnlinked(link_id=company.link))
    if ends:
        purpose = {"process_id": company.process, "outcome_metric_id": company.metric}
        company.story.happened(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop), **purpose), *ends)
    company.improves()
    for person in company.people[:6]:
        company.learns(person, company.listening, on=learned_on)
    company.closes(PeriodKind.QUARTER, QUARTER)
    (row,) = await star(connection, company, "fact_learning", "entries_n, entries_with_path_n")
    assert tuple(row.values()) == (6, with_path_n)
    chains = await company.chains(connection, company.people[0], outcome_metric_id=company.metric)
    assert any(chain.learned.entries_n for chain in chains) is (with_path_n > 0)


async def test_measurements_keep_every_revision_and_name_the_latest(connection, company):
    one, other = clock.uuid7(), clock.uuid7()
    tell = company.story.happened
    tell(one, measured(company.metric, "0.30", 1, segment="north"))
    tell(other, measured(company.metric, "0.31", 2))
    summary = Summary(value=Decimal("0.33"), start=date(2026, 1, 1), end=date(2026, 1, 28))
    revised = Measurement.OutcomeRevised(
        metric_id=company.metric, summary=summary, segment="north", origin=Origin.COUNTED, revision=1
    )
    tell(one, revised)
    rows = await star(
        connection, company, "fact_outcome_measure LEFT JOIN dim_segment USING (segment_key)",
        "value, revision, is_latest, name, end_date_key",
    )  # fmt: skip
    assert {tuple(row.values()) for row in rows} == {
        (0.30, 0, False, "north", 20260128),
        (0.31, 0, True, None, 20260228),
        (0.33, 1, True, "north", 20260128),
    }


async def test_an_improvement_is_one_row_that_fills_up(connection, company):
    company.improves()
    (row,) = await star(connection, company, "fact_improvement")
    assert (row["opened_date_key"], row["result_date_key"], row["reviewed_date_key"]) == (20260110, 20260331, 20260410)
    assert (row["before_value"], row["after_value"], row["difference"]) == (20.0, 15.0, -5.0)
    assert (row["grade"], row["verdict"]) == (2, "better")
    assert row["interval_low"] < -5 < row["interval_high"] < 0


async def test_a_goal_keeps_its_versions_and_a_person_s_own_goal_is_not_there(connection, company):
    tell = company.story.happened
    tell(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop)))
    tell(company.goal, Goal.Set(on=TODAY, how=How.MEETING, participants_n=3))
    renamed = Goal.Adjusted(
        field=AdjustedField.TITLE, to=Setting(text="u"), on=TODAY, how=How.MEETING, reason=AdjustmentReason.LEARNED
    )
    tell(company.goal, renamed)
    tell(company.upper, proposed(Level.INDIVIDUAL, Owner(contributor_id=company.mira), Visibility.ORGANISATION))
    rows = await star(connection, company, "dim_goal", "goal_key, title, status, is_current")
    versions = sorted(rows, key=lambda row: row["goal_key"])
    assert [(row["title"], row["status"], row["is_current"]) for row in versions] == [
        ("t", "proposed", False),
        ("t", "active", False),
        ("u", "active", True),
    ]


def key_result(**more):
    defined = KeyResult(
        key_result_id=clock.uuid7(),
        title="k",
        unit="minutes",
        direction=Direction.DECREASE,
        baseline=Summary(value=Decimal(20), start=date(2026, 1, 1), end=date(2026, 1, 31)),
        target=Decimal(15),
    )
    return msgspec.structs.replace(defined, **more)


async def test_a_goal_s_life_is_one_row_and_each_check_in_another(connection, company):
    tell, defined = company.story.happened, key_result()
    tell(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop)), Goal.KeyResultDefined(key_result=defined))
    tell(company.goal, Goal.Set(on=date(2026, 1, 6), how=How.MEETING, participants_n=3))
    reported = {"check_in_id": clock.uuid7(), "key_result_id": defined.key_result_id}
    tell(
        company.goal, Goal.ProgressCheckedIn(**reported, value=Decimal(18), observed_on=date(2026, 2, 1), confidence=6)
    )
    tell(company.goal, Goal.CheckInCorrected(**reported, value=Decimal(17), observed_on=date(2026, 2, 1)))
    harder = Goal.Adjusted(
        field=AdjustedField.TARGET,
        key_result_id=defined.key_result_id,
        to=Setting(number=Decimal(12)),
        on=date(2026, 2, 10),
        how=How.MEETING,
        reason=AdjustmentReason.AMBITION,
    )
    tell(company.goal, harder, Goal.Achieved(on=date(2026, 3, 6)))
    (life,) = await star(connection, company, "fact_goal_lifecycle")
    assert (life["set_date_key"], life["first_checkin_date_key"], life["closed_date_key"]) == (
        20260106,
        20260201,
        20260306,
    )
    assert (life["days_open"], life["adjustments_n"], life["result"], life["how"]) == (59, 1, "achieved", "meeting")
    checkins = await star(connection, company, "fact_checkin", "value, confidence, is_correction")
    assert sorted(tuple(row.values()) for row in checkins) == [(17.0, None, True), (18.0, 6, False)]
    results = await star(connection, company, "dim_key_result", "target, is_current, title")
    assert sorted(tuple(row.values()) for row in results) == [(12.0, True, "k"), (15.0, False, "k")]


GOAL_TABLES = (
    "dim_goal",
    "dim_key_result",
    "bridge_goal_ancestry",
    "fact_checkin",
    "fact_goal_lifecycle",
    "fact_line_of_sight",
    "fact_improvement",
)


def checked_in(key_result_id, on=date(2026, 2, 1)):
    return Goal.ProgressCheckedIn(
        check_in_id=clock.uuid7(), key_result_id=key_result_id, value=Decimal(18), observed_on=on, confidence=6
    )


async def told_of_goals(connection, company, cuts=()):
    """The rows of every table that may point to a goal."""
    async with applied(connection, Bi(), company.story.envelopes, cuts):
        told = {
            name: [dict(row) for row in await connection.fetch(f"SELECT * FROM {name} AS t ORDER BY t::text")]
            for name in GOAL_TABLES
        }
    of_goals = [row for row in told.pop("fact_line_of_sight") if row["goal_key"] is not None]
    served = [row["goal_key"] for row in told.pop("fact_improvement")]
    return {**told, "chains": of_goals, "served": served}


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.TEAM])
@pytest.mark.parametrize("hidden_later", [False, True])
async def test_a_goal_that_not_everybody_may_see_has_no_row_and_nothing_points_to_it(
    connection, company, visibility, hidden_later
):
    tell, defined = company.story.happened, key_result()
    first = Visibility.ORGANISATION if hidden_later else visibility
    tell(company.upper, proposed(Level.BUSINESS_MODEL, Owner(), visibility, outcome_metric_id=company.metric))
    tell(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop), first, outcome_metric_id=company.metric))
    tell(company.goal, aligned(to_goal_id=company.upper), Goal.KeyResultDefined(key_result=defined))
    tell(company.goal, Goal.Set(on=date(2026, 1, 6), how=How.MEETING, participants_n=3))
    company.opens(goal_id=company.goal)
    tell(company.goal, checked_in(defined.key_result_id))
    held = TeamLearning.Held(team_id=company.shop, what="w", on=date(2026, 2, 1), goal_id=company.goal)
    tell(clock.uuid7(), held)
    company.closes(PeriodKind.WEEK, date(2026, 2, 8))
    if hidden_later:
        tell(company.goal, Goal.VisibilityChanged(visibility=visibility))
    tell(company.goal, checked_in(defined.key_result_id), Goal.Achieved(on=date(2026, 3, 6)))
    told = await told_of_goals(connection, company)
    assert told.pop("served") == [None]
    assert not any(told.values())


async def test_a_goal_that_comes_to_be_shown_begins_with_that_day(connection, company):
    tell, defined = company.story.happened, key_result()
    tell(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop), Visibility.TEAM))
    tell(company.goal, Goal.KeyResultDefined(key_result=defined), checked_in(defined.key_result_id))
    tell(company.goal, Goal.Set(on=date(2026, 1, 6), how=How.MEETING, participants_n=3))
    tell(company.goal, Goal.VisibilityChanged(visibility=Visibility.ORGANISATION))
    tell(company.goal, checked_in(defined.key_result_id, date(2026, 2, 9)))
    tell(company.goal, Goal.VisibilityChanged(visibility=Visibility.PRIVATE))
    tell(company.goal, Goal.VisibilityChanged(visibility=Visibility.PUBLIC), Goal.Achieved(on=date(2026, 3, 6)))
    told = await told_of_goals(connection, company)
    assert [(row["title"], row["status"]) for row in told["dim_goal"]] == [("t", "active"), ("t", "achieved")]
    assert [row["title"] for row in told["dim_key_result"]] == ["k"]
    assert (told["fact_checkin"], told["fact_goal_lifecycle"][0]["result"]) == ([], "achieved")
    assert await told_of_goals(connection, company, range(len(company.story.envelopes))) == told


async def test_the_bridge_joins_every_goal_with_all_above_it(connection, company):
    tell, top = company.story.happened, clock.uuid7()
    for goal, level in ((company.goal, Level.TEAM), (company.upper, Level.TEAM), (top, Level.BUSINESS_MODEL)):
        tell(goal, proposed(level, Owner(team_id=company.shop if level is Level.TEAM else None)))
    tell(company.goal, aligned(to_goal_id=company.upper), aligned(to_goal_id=top))
    tell(company.upper, aligned(to_goal_id=top))
    tell(top, Goal.Set(on=TODAY, how=How.MEETING, participants_n=3))
    rows = await star(connection, company, "bridge_goal_ancestry", "depth, path_weight, link_type")
    assert sorted((row["depth"], row["path_weight"]) for row in rows) == [
        (0, 1.0),
        (0, 1.0),
        (0, 1.0),
        (1, 0.5),
        (1, 1.0),
        (1, 1.0),
    ]


def test_the_weight_of_a_path_shares_missing_weights_equally():
    low, middle, top = (clock.uuid7() for _ in range(3))

    def link(goal, to, weight=None):
        from lms.projections.graph_rows import AlignmentRow

        return AlignmentRow(
            link_id=clock.uuid7(),
            organisation_id=low,
            goal_id=goal,
            to_goal_id=to,
            to_outcome_metric_id=None,
            link_type=LinkType.CONTRIBUTES_TO,
            weight=weight,
            expected_lag_days=None,
        )

    found = ancestors(low, [link(low, middle, Decimal("0.4")), link(low, top), link(middle, top, Decimal("0.5"))])
    assert (found[top].depth, found[top].weight) == (1, Decimal("0.80"))
    assert (found[middle].depth, found[low].weight) == (1, 1)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cuts=[])
@given(cuts=st.lists(st.integers(1, 120), max_size=8))
async def test_the_whole_unit_is_the_same_however_the_log_is_cut(connection, cuts):
    company = Company()
    tell = company.story.happened
    one = clock.uuid7()
    tell(one, measured(company.metric, "0.30", 1, segment="north"), measured(company.metric, "0.30", 1))
    for person in company.people[:6]:
        company.learns(person, company.listening)
    tell(company.goal, proposed(Level.TEAM, Owner(team_id=company.shop)))
    tell(company.upper, proposed(Level.BUSINESS_MODEL, Owner(), outcome_metric_id=company.metric))
    company.closes(PeriodKind.WEEK, date(2026, 2, 1))
    tell(company.shop, Team.Renamed(name="Shop 1", on=TODAY), Team.DistanceSet(steps=1, on=TODAY))
    company.improves()
    link = Goal.Aligned(
        alignment=Alignment(link_id=one, link_type=LinkType.CONTRIBUTES_TO, hypothesis="h", to_goal_id=company.upper)
    )
    tell(company.goal, Goal.VisibilityChanged(visibility=Visibility.TEAM))
    tell(company.goal, Goal.KeyResultDefined(key_result=key_result()))
    tell(company.goal, Goal.VisibilityChanged(visibility=Visibility.ORGANISATION))
    tell(company.goal, link, Goal.Set(on=TODAY, how=How.MEETING, participants_n=3))
    late = clock.uuid7()
    tell(late, Contributor.Registered(kind=ContributorKind.CUSTOMER, name="n", on=TODAY))
    company.closes(PeriodKind.WEEK, date(2026, 3, 29))
    tell(company.goal, Goal.Unaligned(link_id=one))
    company.closes(PeriodKind.MONTH, QUARTER)
    company.closes(PeriodKind.QUARTER, QUARTER)
    for person in company.people[:6]:
        company.learns(person, company.closing)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    await check_cuts(connection, Bi(), company.story.envelopes, cuts)
