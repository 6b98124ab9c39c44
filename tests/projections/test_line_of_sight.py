"""Does the line of sight show what an asker may see, from either end, and nothing of others' private learning?"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lms import clock
from lms.domain.base import Actor
from lms.domain.calendar import Calendar, PeriodKind
from lms.domain.competency import Competency
from lms.domain.contributor import Contributor, ContributorKind
from lms.domain.goal import Goal
from lms.domain.goal_parts import Alignment, How, Level, LinkType, Owner, Purpose
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import ExperimentOutcome, Result, Review, TargetCondition
from lms.domain.learning_entry import LearningEntry, LearningKind
from lms.domain.organisation import Organisation
from lms.domain.outcome_metric import Measures, OutcomeMetric
from lms.domain.process import Measure, OutcomeLink, Process
from lms.domain.skill_record import SkillRecord
from lms.domain.team import Team
from lms.domain.team_learning import TeamLearning
from lms.domain.terms import Direction, Origin, Summary, Visibility
from lms.inference.effects import compare
from lms.projections.chain_parts import EndKind, Missing, State
from lms.projections.graph_rows import LearningRow
from lms.projections.line_of_sight import Asker, LineOfSight, Question, teams_below
from projections.harness import Story, applied, check_cuts

TODAY = date(2026, 4, 10)
BEFORE = Summary(value=Decimal(20), n=40, spread=Decimal(2), start=date(2026, 1, 1), end=date(2026, 1, 31))
AFTER = Summary(value=Decimal(15), n=40, spread=Decimal(2), start=date(2026, 3, 1), end=date(2026, 3, 31))


class Company:
    """A story with a shop team of seven under a department, one improvement, its measure and its outcome."""

    def __init__(self) -> None:
        self.story = Story()
        self.org = self.story.organisation_id
        ids = iter(clock.uuid7() for _ in range(60))
        self.department, self.shop, self.mira, self.listening, self.closing = (next(ids) for _ in range(5))
        self.metric, self.other_metric, self.process, self.measure, self.link = (next(ids) for _ in range(5))
        self.improvement, self.goal, self.upper = (next(ids) for _ in range(3))
        self.people = [next(ids) for _ in range(12)]
        tell = self.story.happened
        tell(
            self.org, Organisation.Registered(name="Shop", time_zone="Europe/Amsterdam", currency="EUR", language="nl")
        )
        tell(self.department, Team.Formed(name="Sales", on=TODAY))
        tell(self.shop, Team.Formed(name="Shop one", parent_team_id=self.department, on=TODAY))
        for person in [self.mira, *self.people]:
            tell(person, Contributor.Registered(kind=ContributorKind.EMPLOYEE, name="n", on=TODAY))
            tell(self.shop, Team.MemberJoined(contributor_id=person, on=TODAY, home=True))
            tell(person, Contributor.HomeTeamChanged(team_id=self.shop, on=TODAY))
        for competency, label in ((self.listening, "luisteren"), (self.closing, "afsluiten")):
            tell(competency, Competency.Defined(labels={"nl": label, "en": "other"}))
        for metric, name in ((self.metric, "repeat purchases"), (self.other_metric, "complaints")):
            tell(
                metric,
                OutcomeMetric.Defined(
                    name=name, unit="ratio", direction=Direction.INCREASE, measures=Measures.CUSTOMER
                ),
            )
        measure = Measure(measure_id=self.measure, name="hand-over time", unit="minutes", direction=Direction.DECREASE)
        link = OutcomeLink(
            link_id=self.link,
            measure_id=self.measure,
            outcome_metric_id=self.metric,
            hypothesis="h",
            expected_lag_days=90,
        )
        tell(self.process, Process.Registered(name="hand-over", owner_team_id=self.shop))
        tell(self.process, Process.MeasureDefined(measure=measure), Process.OutcomeLinked(link=link))

    def improves(self, **more) -> None:
        """The team improves the process, using what it named, with a result."""
        review = Review(
            experiment_id=clock.uuid7(),
            on=TODAY,
            outcome=ExperimentOutcome.AS_EXPECTED,
            competencies_used=(self.listening,),
            claimed_by=self.people[0],
            confirmed_by=self.mira,
        )
        self.opens(**more)
        result = Result(
            measure_id=self.measure,
            before=BEFORE,
            after=AFTER,
            before_origin=Origin.SYSTEM,
            after_origin=Origin.SYSTEM,
            took_effect_on=date(2026, 2, 15),
            effect=compare(BEFORE, AFTER, Direction.DECREASE),
        )
        self.story.happened(
            self.improvement, Improvement.ExperimentReviewed(review=review), Improvement.ResultRecorded(result=result)
        )

    def opens(self, **more) -> None:
        """The team opens an improvement, and no more."""
        self.story.happened(
            self.improvement,
            Improvement.Opened(
                process_id=self.process,
                team_id=self.shop,
                on=date(2026, 1, 10),
                problem="hand-over takes long",
                target_condition=TargetCondition(measure_id=self.measure, value=Decimal(15)),
                competencies=(self.listening,),
                **more,
            ),
        )

    def learns(self, person: UUID, competency: UUID | None, on: date = date(2026, 2, 1), **more) -> UUID:
        """Somebody logs learning, private unless said otherwise."""
        entry = clock.uuid7()
        competencies = (competency,) if competency else ()
        event = LearningEntry.Logged(learner=person, learned_on=on, competencies=competencies, **more)
        self.story.happened(entry, event, actor=Actor(contributor_id=person))
        return entry

    def is_attested(self, person: UUID, on: date = date(2026, 2, 10)) -> tuple[UUID, UUID]:
        """Another attests somebody's listening; the record and the attestation."""
        record, attestation = clock.uuid7(), clock.uuid7()
        attested = SkillRecord.LevelAttested(
            person=person,
            competency_id=self.listening,
            attestation_id=attestation,
            request_id=clock.uuid7(),
            attester=self.mira,
            rank=2,
            basis=(clock.uuid7(),),
        )
        self.story.happened(record, attested)
        then = datetime.combine(on, time(12), UTC)
        self.story.envelopes[-1] = msgspec.structs.replace(self.story.envelopes[-1], effective_at=then)
        return record, attestation

    def asks(self, person: UUID | None = None) -> Asker:
        return Asker(
            organisation_id=self.org,
            asked_on=TODAY,
            contributor_id=person,
            teams=frozenset({self.shop}) if person else frozenset(),
        )

    def closes(self, kind: PeriodKind, ends_on: date, **more) -> None:
        closed = Calendar.PeriodClosed(kind=kind, ends_on=ends_on, **more)
        self.story.happened(clock.derived_id(self.org, kind), closed)

    async def chains(self, connection, person=None, **question):
        async with applied(connection, LineOfSight(), self.story.envelopes) as sight:
            found = await sight.chains(connection, self.asks(person), Question(**question), 100)
            return [chain for _, chain in found]


@pytest.fixture
def company() -> Company:
    return Company()


async def test_team_learning_with_a_reviewed_use_and_a_result_makes_a_chain_for_everybody(connection, company):
    held = TeamLearning.Held(team_id=company.shop, what="w", on=date(2026, 2, 1), competencies=(company.listening,))
    company.story.happened(clock.uuid7(), held)
    company.improves()
    chain = (await company.chains(connection, competency_id=company.listening))[0]
    assert [link.grade for link in chain.links] == [1, 2, 0]
    assert (chain.state, chain.missing, chain.team) == (State.ASSERTED, (), company.shop)
    assert chain.source.label == "luisteren"
    assert chain.links[0].observed_lag_days == 28


async def test_somebody_s_private_learning_counts_for_himself_and_shows_to_nobody_else(connection, company):
    company.opens()
    company.learns(company.mira, company.listening)
    own = (await company.chains(connection, company.mira, competency_id=company.listening))[0]
    others = (await company.chains(connection, company.people[0], competency_id=company.listening))[0]
    assert (own.missing, own.links[0].n) == ((), 1)
    assert others.missing == (Missing.NO_LEARNING,)


@pytest.mark.parametrize("visibility", [Visibility.TEAM, Visibility.ORGANISATION])
async def test_learning_that_is_shown_counts_for_who_may_see_it(connection, company, visibility):
    company.opens()
    company.learns(company.mira, company.listening, visibility=visibility)
    colleague = (await company.chains(connection, company.people[0], competency_id=company.listening))[0]
    anybody = (await company.chains(connection, competency_id=company.listening))[0]
    assert colleague.missing == ()
    assert (anybody.missing == ()) is (visibility is Visibility.ORGANISATION)


async def test_private_learning_of_five_stands_for_others_once_the_week_is_closed(connection, company):
    company.opens()
    for person in company.people[:4]:
        company.learns(person, company.listening)
    company.closes(PeriodKind.WEEK, date(2026, 3, 29))
    company.learns(company.people[4], company.listening)
    assert (await company.chains(connection, competency_id=company.listening))[0].missing == (Missing.NO_LEARNING,)
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    chain = (await company.chains(connection, competency_id=company.listening))[0]
    assert chain.missing == ()
    assert (chain.links[0].n, chain.links[0].evidence_for_n) == (None, 0)


async def test_learning_outside_the_year_before_the_after_window_does_not_count(connection, company):
    company.improves()
    company.learns(company.mira, company.listening, on=AFTER.start + timedelta(days=1))
    company.learns(company.mira, company.listening, on=AFTER.start - timedelta(days=366))
    chain = (await company.chains(connection, company.mira, competency_id=company.listening))[0]
    assert chain.links[0].n is None


@pytest.mark.parametrize("people_n", [1, 2, 3, 4, 5])
async def test_attestations_lift_the_use_for_others_only_when_five_people_stand_behind_them(
    connection, company, people_n
):
    for person in company.people[:people_n]:
        company.is_attested(person)
    company.improves()
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    chain = (await company.chains(connection, competency_id=company.listening))[0]
    colleagues = (await company.chains(connection, company.people[11], competency_id=company.listening))[0]
    assert colleagues.links == chain.links
    assert (chain.links[0].grade, chain.links[0].may_say) == (
        (2, "learned before and used in") if people_n == 5 else (1, "people report a contribution")
    )


@pytest.mark.parametrize("people_n", [4, 5])
async def test_where_nobody_reports_a_use_attestations_of_fewer_than_five_leave_the_chain_broken(
    connection, company, people_n
):
    for person in company.people[:people_n]:
        company.is_attested(person)
    company.opens()
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    chain = (await company.chains(connection, competency_id=company.listening))[0]
    assert chain.missing == ((Missing.NO_LEARNING,) if people_n < 5 else ())


async def test_a_person_s_own_attestation_counts_for_himself_at_once(connection, company):
    company.is_attested(company.people[0])
    company.improves()
    grades = [
        (await company.chains(connection, person, competency_id=company.listening))[0].links[0].grade
        for person in company.people[:2]
    ]
    assert grades == [2, 1]


@pytest.mark.parametrize(("on", "grade"), [(date(2025, 2, 20), 1), (date(2025, 3, 2), 2), (date(2026, 3, 1), 1)])
async def test_an_attestation_counts_in_the_year_before_the_after_window(connection, company, on, grade):
    company.is_attested(company.people[0], on)
    company.improves()
    chain = (await company.chains(connection, company.people[0], competency_id=company.listening))[0]
    assert chain.links[0].grade == grade


async def test_who_left_the_team_after_its_improvement_still_learned_for_it_and_who_came_after_did_not(
    connection, company
):
    left, came, other = company.people[0], clock.uuid7(), clock.uuid7()
    tell = company.story.happened
    tell(other, Team.Formed(name="Other", on=TODAY))
    tell(came, Contributor.Registered(kind=ContributorKind.EMPLOYEE, name="n", on=TODAY))
    tell(other, Team.MemberJoined(contributor_id=came, on=date(2025, 1, 1), home=True))
    tell(company.shop, Team.MemberJoined(contributor_id=came, on=TODAY, home=False))
    tell(company.shop, Team.MemberLeft(contributor_id=left, on=TODAY))
    company.improves()
    for person in (left, came):
        company.learns(person, company.listening)
    found = [
        (await company.chains(connection, person, competency_id=company.listening))[0].learned.entries_n
        for person in (left, came)
    ]
    assert found == [1, 0]


async def test_who_left_the_team_before_its_improvement_did_not_learn_for_it(connection, company):
    company.story.happened(company.shop, Team.MemberLeft(contributor_id=company.people[0], on=date(2026, 1, 9)))
    company.improves()
    company.learns(company.people[0], company.listening)
    chain = (await company.chains(connection, company.people[0], competency_id=company.listening))[0]
    assert chain.learned.entries_n == 0


async def test_an_attestation_that_was_withdrawn_counts_no_more(connection, company):
    record, attestation = company.is_attested(company.people[0])
    company.story.happened(record, SkillRecord.AttestationWithdrawn(attestation_id=attestation))
    company.improves()
    chain = (await company.chains(connection, company.people[0], competency_id=company.listening))[0]
    assert chain.links[0].grade == 1


async def test_both_ends_narrow_the_question(connection, company):
    company.improves()
    company.learns(company.mira, company.closing)
    everything = await company.chains(connection, company.mira)
    kinds = [(chain.source and chain.source.kind, chain.to and chain.to.id, chain.missing) for chain in everything]
    assert kinds == [
        (EndKind.COMPETENCY, company.metric, ()),
        (EndKind.COMPETENCY, None, (Missing.NO_OUTCOME,)),
        (None, company.other_metric, (Missing.NO_LEARNING,)),
    ]
    to_metric = await company.chains(connection, company.mira, outcome_metric_id=company.metric)
    assert [chain.to.id for chain in to_metric] == [company.metric]
    from_closing = await company.chains(connection, company.mira, competency_id=company.closing)
    assert [chain.source.id for chain in from_closing] == [company.closing]
    assert await company.chains(connection, company.mira, teams=frozenset({clock.uuid7()})) == []


def aligned(**to):
    return Goal.Aligned(
        alignment=Alignment(link_id=clock.uuid7(), link_type=LinkType.CONTRIBUTES_TO, hypothesis="h", **to)
    )


def proposed(level, owner, visibility=Visibility.ORGANISATION, **purpose):
    return Goal.Proposed(
        level=level,
        title="t",
        purpose=Purpose(statement="s", **purpose),
        owner=owner,
        visibility=visibility,
    )


async def test_learning_for_a_goal_follows_its_plan_to_the_outcome(connection, company):
    tell = company.story.happened
    tell(company.upper, proposed(Level.BUSINESS_MODEL, Owner(), outcome_metric_id=company.metric))
    tell(company.goal, proposed(Level.INDIVIDUAL, Owner(contributor_id=company.mira), Visibility.PRIVATE))
    tell(company.goal, Goal.Set(on=TODAY, how=How.OWN), aligned(to_goal_id=company.upper))
    company.learns(company.mira, None, goal_id=company.goal)
    (chain,) = await company.chains(connection, company.mira, goal_id=company.goal)
    assert [link.to.id for link in chain.links] == [company.upper, company.metric]
    assert chain.state is State.ASSERTED
    assert await company.chains(connection, company.people[0], goal_id=company.goal) == []


async def test_a_goal_shown_to_the_team_stays_with_the_team_it_was_shown_to_when_its_owner_moves(connection, company):
    tell, new, colleague = company.story.happened, clock.uuid7(), clock.uuid7()
    shown = proposed(Level.INDIVIDUAL, Owner(contributor_id=company.mira), Visibility.TEAM)
    tell(company.goal, msgspec.structs.replace(shown, home_team_id=company.shop), Goal.Set(on=TODAY, how=How.OWN))
    tell(new, Team.Formed(name="New", on=TODAY))
    tell(company.mira, Contributor.HomeTeamChanged(team_id=new, on=TODAY))
    company.learns(company.mira, None, goal_id=company.goal)
    asking = {
        "colleague of then": company.asks(company.people[0]),
        "colleague of now": Asker(
            organisation_id=company.org, asked_on=TODAY, contributor_id=colleague, teams=frozenset({new})
        ),
        "himself": company.asks(company.mira),
    }
    async with applied(connection, LineOfSight(), company.story.envelopes) as sight:
        question = Question(goal_id=company.goal)
        found = {who: await sight.chains(connection, asker, question, 10) for who, asker in asking.items()}
    assert {who: len(chains) for who, chains in found.items()} == {
        "colleague of then": 1,
        "colleague of now": 0,
        "himself": 1,
    }


async def test_a_goal_with_the_process_in_its_purpose_links_its_measures_to_the_metric(connection, company):
    company.improves()
    company.story.happened(
        company.goal,
        proposed(Level.TEAM, Owner(team_id=company.shop), process_id=company.process),
        aligned(to_outcome_metric_id=company.other_metric),
    )
    chains = await company.chains(connection, competency_id=company.listening)
    assert {chain.to.id for chain in chains} == {company.metric, company.other_metric}


async def test_an_entry_leads_to_the_outcomes_of_the_improvements_and_goals_it_shares_something_with(
    connection, company
):
    company.opens()
    company.story.happened(
        company.goal,
        proposed(Level.TEAM, Owner(team_id=company.shop)),
        Goal.Set(on=TODAY, how=How.MEETING, participants_n=3),
        aligned(to_outcome_metric_id=company.other_metric),
    )
    entry = LearningRow(
        entry_id=clock.uuid7(),
        organisation_id=company.org,
        learner=company.mira,
        learned_on=TODAY,
        kind=LearningKind.ON_THE_JOB,
        competencies=(company.listening,),
        goal_id=company.goal,
        need_ids=(),
        visibility=Visibility.PRIVATE,
    )
    async with applied(connection, LineOfSight(), company.story.envelopes) as sight:
        found = await sight.leads_to(connection, company.asks(company.mira), entry)
    assert {(one.label, one.via.kind, one.may_say) for one in found} == {
        ("repeat purchases", EndKind.IMPROVEMENT, "expected to contribute"),
        ("complaints", EndKind.GOAL, "expected to contribute"),
    }


async def test_who_learns_for_a_goal_after_its_improvement_still_learns_for_the_outcome(connection, company):
    company.improves(goal_id=company.goal)
    company.story.happened(
        company.goal,
        proposed(Level.TEAM, Owner(team_id=company.shop), process_id=company.process),
        Goal.Set(on=TODAY, how=How.MEETING, participants_n=3),
        aligned(to_outcome_metric_id=company.metric),
    )
    entry = LearningRow(
        entry_id=clock.uuid7(),
        organisation_id=company.org,
        learner=company.mira,
        learned_on=TODAY,
        kind=LearningKind.ON_THE_JOB,
        competencies=(),
        goal_id=company.goal,
        need_ids=(),
        visibility=Visibility.PRIVATE,
    )
    async with applied(connection, LineOfSight(), company.story.envelopes) as sight:
        found = await sight.leads_to(connection, company.asks(company.mira), entry)
    assert [(one.label, one.via.kind) for one in found] == [("repeat purchases", EndKind.GOAL)]


async def test_an_entry_after_the_after_window_is_expected_to_contribute_from_now_on(connection, company):
    company.improves()
    entry = LearningRow(
        entry_id=clock.uuid7(),
        organisation_id=company.org,
        learner=company.mira,
        learned_on=TODAY,
        kind=LearningKind.ON_THE_JOB,
        competencies=(company.listening,),
        goal_id=None,
        need_ids=(),
        visibility=Visibility.PRIVATE,
    )
    async with applied(connection, LineOfSight(), company.story.envelopes) as sight:
        found = await sight.leads_to(connection, company.asks(company.mira), entry)
    assert [(one.label, one.via.id, one.may_say) for one in found] == [
        ("repeat purchases", company.improvement, "expected to contribute")
    ]


async def test_pages_show_every_chain_once_and_in_order(connection, company):
    company.improves()
    for competency in (company.closing, clock.uuid7()):
        company.learns(company.mira, competency)
    company.story.happened(company.improvement, Improvement.ObstacleNamed(obstacle_id=clock.uuid7(), text="t"))
    async with applied(connection, LineOfSight(), company.story.envelopes) as sight:
        asker = company.asks(company.mira)
        whole = await sight.chains(connection, asker, Question(), 100)
        paged, after = [], None
        while page := await sight.chains(connection, asker, Question(), 1, after):
            paged += page
            after = page[-1][0]
    assert paged == whole
    assert len(whole) == 4


async def test_a_team_s_question_covers_the_teams_below_it(connection, company):
    async with applied(connection, LineOfSight(), company.story.envelopes):
        below = await teams_below(connection, company.org, [company.department])
    assert below == {company.department, company.shop}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cuts=[])
@given(cuts=st.lists(st.integers(1, 80), max_size=6))
async def test_the_tables_are_the_same_however_the_log_is_cut(connection, cuts):
    company = Company()
    for person in company.people[:6]:
        company.learns(person, company.listening)
    company.opens()
    company.closes(PeriodKind.WEEK, date(2026, 3, 29))
    entry = company.learns(company.mira, company.closing, goal_id=company.goal)
    company.story.happened(entry, LearningEntry.Corrected(learned_on=TODAY, competencies=()))
    company.story.happened(entry, LearningEntry.Withdrawn(learned_on=TODAY))
    company.story.happened(company.shop, Team.LeadAppointed(contributor_id=company.mira, on=TODAY))
    company.story.happened(company.shop, Team.LeadAppointed(contributor_id=company.people[0], on=TODAY))
    company.story.happened(company.shop, Team.MemberLeft(contributor_id=company.mira, on=TODAY))
    company.closes(PeriodKind.QUARTER, date(2026, 3, 31))
    company.closes(PeriodKind.WEEK, date(2026, 4, 5))
    await check_cuts(connection, LineOfSight(), company.story.envelopes, cuts)
