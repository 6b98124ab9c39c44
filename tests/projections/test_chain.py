"""What may be said of each link of a chain, and how far does a chain carry?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from lms.domain.contribution import CauseKind, Change, Standing
from lms.domain.effect import Baseline, Comparison, Design, Effect, Verdict
from lms.domain.goal_parts import Level, LinkType, Status
from lms.domain.improvement_parts import ExperimentOutcome, Result, Review
from lms.domain.terms import Direction, Origin, Summary, Visibility
from lms.projections.chain import goal_chain, improvement_chains, learning_window, loose_chain, outcome_chains
from lms.projections.chain_parts import End, EndKind, Facts, Learned, Missing, State
from lms.projections.graph_rows import (
    AlignmentRow,
    ContributionRow,
    GoalRow,
    ImprovementRow,
    MeasureRow,
    MetricRow,
    OutcomeLinkRow,
    SupportRow,
)

ORG, TEAM, MIRA, JONAS = (UUID(int=n) for n in range(1, 5))
LISTENING, CLOSING, MEASURE, METRIC, IMPROVEMENT, LINK, GOAL, UPPER = (UUID(int=n) for n in range(11, 19))
ASKED = date(2026, 4, 10)


def summary(value, start, end, n=40, spread="2"):
    return Summary(value=Decimal(value), n=n, spread=Decimal(spread) if spread else None, start=start, end=end)


BEFORE = summary("20", date(2026, 1, 1), date(2026, 1, 31))
AFTER = summary("15", date(2026, 3, 1), date(2026, 3, 31))
BETTER = Effect(
    verdict=Verdict.BETTER, difference=Decimal(-5), low=Decimal(-6), high=Decimal(-4), method="welch", method_version=1
)


def result(**changes):
    made = Result(
        measure_id=MEASURE,
        before=BEFORE,
        after=AFTER,
        before_origin=Origin.SYSTEM,
        after_origin=Origin.SYSTEM,
        took_effect_on=date(2026, 2, 15),
        effect=BETTER,
    )
    return msgspec.structs.replace(made, **changes)


def review(**changes):
    made = Review(
        experiment_id=UUID(int=90),
        on=date(2026, 3, 20),
        outcome=ExperimentOutcome.AS_EXPECTED,
        competencies_used=(LISTENING,),
        claimed_by=MIRA,
        confirmed_by=JONAS,
    )
    return msgspec.structs.replace(made, **changes)


def improvement(**changes):
    made = ImprovementRow(
        improvement_id=IMPROVEMENT,
        organisation_id=ORG,
        process_id=UUID(int=50),
        team_id=TEAM,
        problem="hand-over takes long",
        opened_on=date(2026, 1, 10),
        goal_id=None,
        need_ids=(),
        competencies=(LISTENING,),
        measure_ids=(MEASURE,),
        reviews=(review(),),
        results=(result(),),
        used_on=AFTER.start,
    )
    return msgspec.structs.replace(made, **changes)


def goal(goal_id=GOAL, **changes):
    made = GoalRow(
        goal_id=goal_id,
        organisation_id=ORG,
        level=Level.TEAM,
        title="better conversations",
        owner_contributor_id=None,
        owner_team_id=TEAM,
        visibility=Visibility.ORGANISATION,
        status=Status.ACTIVE,
        process_id=None,
        outcome_metric_id=None,
        checked_in_on=date(2026, 4, 2),
    )
    return msgspec.structs.replace(made, **changes)


def contribution(**changes):
    change = Change(
        before=summary("0.30", date(2026, 1, 1), date(2026, 1, 31), 500, "0.1"),
        after=summary("0.36", date(2026, 3, 15), date(2026, 4, 5), 500, "0.1"),
        before_origin=Origin.SYSTEM,
        after_origin=Origin.SYSTEM,
        effect=Effect(
            verdict=Verdict.BETTER,
            difference=Decimal("0.06"),
            low=Decimal("0.05"),
            high=Decimal("0.07"),
            method="welch",
            method_version=1,
        ),
    )
    made = ContributionRow(
        contribution_id=UUID(int=70),
        organisation_id=ORG,
        cause_kind=CauseKind.IMPROVEMENT,
        cause_id=IMPROVEMENT,
        outcome_metric_id=METRIC,
        measure_id=None,
        standing=Standing.ACCEPTED,
        change=change,
        supports_n=1,
        alternatives_n=1,
    )
    return msgspec.structs.replace(made, **changes)


LEARNED = Learned(entries_n=3, first_on=date(2025, 11, 1), last_on=date(2026, 4, 5), attested_before=True)


def facts(**changes):
    made = Facts(
        asked_on=ASKED,
        cadence_days=7,
        labels={LISTENING: "active listening", CLOSING: "closing"},
        measures={
            MEASURE: MeasureRow(
                measure_id=MEASURE,
                organisation_id=ORG,
                process_id=UUID(int=50),
                name="hand-over time",
                unit="minutes",
                direction=Direction.DECREASE,
            )
        },
        outcome_links={
            MEASURE: (
                OutcomeLinkRow(
                    link_id=LINK,
                    organisation_id=ORG,
                    measure_id=MEASURE,
                    outcome_metric_id=METRIC,
                    expected_lag_days=90,
                ),
            )
        },
        metrics={
            METRIC: MetricRow(
                outcome_metric_id=METRIC,
                organisation_id=ORG,
                name="repeat purchases",
                unit="ratio",
            )
        },
        contributions={IMPROVEMENT: (contribution(),)},
        learned={(IMPROVEMENT, LISTENING): LEARNED},
    )
    return msgspec.structs.replace(made, **changes)


def only_chain(one=None, known=None):
    (chain,) = improvement_chains(one or improvement(), known or facts())
    return chain


def use_link(one=None, known=None):
    return only_chain(one, known).links[0]


def measure_link(one=None, known=None):
    return next(link for link in only_chain(one, known).links if link.to.kind is EndKind.PROCESS_MEASURE)


def outcome_link(one=None, known=None):
    return only_chain(one, known).links[-1]


def test_a_whole_chain_names_both_ends_of_every_link():
    chain = only_chain()
    assert [(link.source.kind, link.to.kind) for link in chain.links] == [
        (EndKind.COMPETENCY, EndKind.IMPROVEMENT),
        (EndKind.IMPROVEMENT, EndKind.PROCESS_MEASURE),
        (EndKind.PROCESS_MEASURE, EndKind.OUTCOME_METRIC),
    ]
    assert [link.to.label for link in chain.links] == ["hand-over takes long", "hand-over time", "repeat purchases"]
    assert (chain.source.id, chain.to.id, chain.team) == (LISTENING, METRIC, TEAM)


def test_learning_that_an_improvement_only_names_is_expected_to_contribute():
    link = use_link(improvement(reviews=()))
    assert (link.grade, link.may_say) == (0, "expected to contribute")


def test_learning_that_a_review_reports_is_reported():
    known = facts(learned={(IMPROVEMENT, LISTENING): msgspec.structs.replace(LEARNED, attested_before=False)})
    link = use_link(known=known)
    assert (link.grade, link.may_say) == (1, "people report a contribution")


def test_a_use_that_only_its_claimant_tells_of_stays_reported_though_the_skill_was_attested():
    assert use_link(improvement(reviews=(review(confirmed_by=None),))).grade == 1


def test_a_skill_attested_before_whose_use_another_confirmed_was_learned_before_and_used_in():
    link = use_link()
    assert (link.grade, link.may_say) == (2, "learned before and used in")


def test_a_skill_compared_with_teams_without_it_is_grade_three():
    change = contribution().change
    elsewhere = Comparison(label="teams without it", before=change.before, after=change.after)
    change = msgspec.structs.replace(change, design=Design.COMPARED, comparison=elsewhere)
    skill = contribution(
        cause_kind=CauseKind.SKILL, cause_id=LISTENING, outcome_metric_id=None, measure_id=MEASURE, change=change
    )
    link = use_link(known=facts(contributions={LISTENING: (skill,), IMPROVEMENT: (contribution(),)}))
    assert (link.grade, link.may_say) == (3, "changed more than the comparison")


def test_an_improvement_without_result_is_expected_to_move_its_measure():
    link = measure_link(improvement(results=(), used_on=None))
    assert (link.grade, link.may_say, link.interval) == (0, "expected to contribute", None)


def test_an_improvement_that_names_no_measure_is_expected_to_move_those_of_its_process_that_lead_somewhere():
    other = UUID(int=99)
    named = improvement(results=(), used_on=None, measure_ids=(MEASURE, other))
    known = facts()
    measures = {**known.measures, other: msgspec.structs.replace(known.measures[MEASURE], measure_id=other)}
    chain = only_chain(named, msgspec.structs.replace(known, measures=measures))
    assert [link.to.id for link in chain.links[1:]] == [MEASURE, METRIC]


@pytest.mark.parametrize(
    "changes",
    [
        {"before_origin": Origin.RECALLED},
        {"baseline": Baseline.CHOSEN_AFTER},
        {"baseline": Baseline.TRIGGER},
        {"took_effect_on": date(2026, 1, 20)},
    ],
    ids=["recalled", "chosen after", "the period that raised the alarm", "the change cuts the baseline"],
)
def test_a_weak_baseline_caps_the_result_at_reported(changes):
    link = measure_link(improvement(results=(result(**changes),)))
    assert (link.grade, link.may_say) == (1, "people report a contribution")


def test_a_result_before_and_after_changed_after_with_its_interval_n_unit_and_lag():
    link = measure_link()
    assert (link.grade, link.may_say, link.n, link.observed_lag_days) == (2, "changed after", 80, 50)
    assert link.interval.unit == "minutes"
    assert link.interval.low < link.interval.difference < link.interval.high < 0


def test_an_interval_that_crosses_zero_is_no_clear_change_and_no_evidence_for_it():
    after = summary("19.9", AFTER.start, AFTER.end)
    link = measure_link(improvement(results=(result(after=after),)))
    assert (link.grade, link.may_say, link.evidence_for_n) == (2, "no clear change after", 0)


def test_a_change_to_the_bad_side_is_worse_after_and_counts_against():
    link = measure_link(improvement(results=(result(after=summary("25", AFTER.start, AFTER.end)),)))
    assert (link.may_say, link.evidence_against_n) == ("worse after", 1)


def test_too_few_observations_are_insufficient_data():
    link = measure_link(improvement(results=(result(after=summary("15", AFTER.start, AFTER.end, n=3)),)))
    assert (link.may_say, link.interval) == ("insufficient data", None)


def test_a_result_beside_a_comparison_changed_more_than_the_comparison():
    others = Comparison(label="other shops", before=BEFORE, after=summary("20", AFTER.start, AFTER.end))
    link = measure_link(improvement(results=(result(design=Design.COMPARED, comparison=others),)))
    assert (link.grade, link.may_say) == (3, "changed more than the comparison")


def test_eight_points_on_each_side_of_an_interrupted_series_are_grade_three():
    effect = msgspec.structs.replace(BETTER, points_before=8, points_after=8)
    series = result(design=Design.INTERRUPTED_SERIES, effect=effect)
    assert measure_link(improvement(results=(series,))).grade == 3


def test_a_randomised_design_recorded_before_gives_an_effect_estimate():
    others = Comparison(label="control", before=BEFORE, after=summary("20", AFTER.start, AFTER.end))
    tried = result(design=Design.RANDOMISED, comparison=others, recorded_before=True)
    link = measure_link(improvement(results=(tried,)))
    assert (link.grade, link.may_say) == (4, "effect estimate")


def test_a_link_to_an_outcome_without_evidence_is_asserted():
    link = outcome_link(known=facts(contributions={}))
    assert (link.grade, link.may_say, link.expected_lag_days) == (0, "expected to contribute", 90)


def test_evidence_without_an_alternative_explanation_does_not_lift_it():
    support = {LINK: SupportRow(link_id=LINK, organisation_id=ORG, supports_n=2)}
    assert outcome_link(known=facts(contributions={}, support=support)).grade == 0


def test_evidence_with_an_alternative_recorded_is_reported():
    support = {LINK: SupportRow(link_id=LINK, organisation_id=ORG, supports_n=2, weakens_n=1, alternatives_n=1)}
    link = outcome_link(known=facts(contributions={}, support=support))
    assert (link.grade, link.evidence_for_n, link.evidence_against_n, link.alternatives_n) == (1, 2, 1, 1)


def test_an_accepted_contribution_lets_the_outcome_be_said_to_have_changed_after():
    link = outcome_link()
    assert (link.grade, link.may_say, link.n, link.interval.unit) == (2, "changed after", 1000, "ratio")
    assert link.observed_lag_days == 14


@pytest.mark.parametrize("standing", [Standing.REJECTED, Standing.WITHDRAWN])
def test_a_contribution_that_does_not_stand_says_nothing(standing):
    assert outcome_link(known=facts(contributions={IMPROVEMENT: (contribution(standing=standing),)})).grade == 0


def test_a_chain_whose_every_link_is_at_least_before_and_after_is_evidenced():
    chain = only_chain()
    assert (chain.state, chain.missing) == (State.EVIDENCED, ())


def test_the_weakest_link_is_named_and_decides_the_state():
    chain = only_chain(known=facts(contributions={}))
    assert (chain.state, chain.weakest.link, chain.weakest.may_say) == (State.ASSERTED, 2, "expected to contribute")
    reported = only_chain(improvement(reviews=(review(confirmed_by=None),)))
    assert (reported.state, reported.weakest.link) == (State.REPORTED, 0)


def test_without_learning_a_chain_is_broken_at_its_lower_end():
    chain = only_chain(improvement(reviews=()), facts(learned={}))
    assert (chain.state, chain.missing, chain.live) == (State.BROKEN, (Missing.NO_LEARNING,), False)
    assert chain.links[0].source.kind is EndKind.IMPROVEMENT


def test_without_a_link_to_an_outcome_a_chain_is_broken_at_its_upper_end():
    chain = only_chain(known=facts(outcome_links={}))
    assert (chain.state, chain.missing, chain.to) == (State.BROKEN, (Missing.NO_OUTCOME,), None)


def test_learning_that_only_a_crowd_has_stands_without_a_count():
    chain = only_chain(improvement(reviews=()), facts(learned={(IMPROVEMENT, LISTENING): Learned(crowd=True)}))
    assert chain.missing == ()
    assert (chain.links[0].n, chain.links[0].evidence_for_n) == (None, 0)


def test_each_competency_an_improvement_names_begins_a_chain_of_its_own():
    chains = list(improvement_chains(improvement(competencies=(LISTENING, CLOSING)), facts()))
    assert [(chain.source.id, chain.state) for chain in chains] == [
        (LISTENING, State.EVIDENCED),
        (CLOSING, State.BROKEN),
    ]


def test_a_shared_goal_begins_a_chain_when_somebody_learned_for_it():
    named = improvement(goal_id=GOAL)
    known = facts(goals={GOAL: goal()})
    assert [chain.source.kind for chain in improvement_chains(named, known)] == [EndKind.COMPETENCY]
    learned = {**known.learned, (IMPROVEMENT, GOAL): Learned(entries_n=1, last_on=date(2026, 4, 1))}
    chains = list(improvement_chains(named, msgspec.structs.replace(known, learned=learned)))
    assert [chain.source.kind for chain in chains] == [EndKind.COMPETENCY, EndKind.GOAL]


def test_learning_counts_for_a_year_before_the_after_window_and_not_after_it_began():
    assert learning_window(improvement()) == (date(2025, 3, 1), date(2026, 3, 1))
    assert learning_window(improvement(used_on=None)) == (date(2025, 1, 10), None)


def test_a_chain_is_live_while_its_lower_end_was_touched_within_two_cadences():
    assert only_chain().live
    old = {(IMPROVEMENT, LISTENING): msgspec.structs.replace(LEARNED, last_on=date(2026, 3, 26))}
    assert not only_chain(known=facts(learned=old)).live
    assert only_chain(known=facts(learned=old, cadence_days=14)).live


def test_a_chain_is_not_live_when_its_goal_is_closed_or_the_improvement_was_taken_back():
    closed = facts(goals={GOAL: goal(status=Status.ABANDONED)})
    assert not only_chain(improvement(goal_id=GOAL), closed).live
    assert not only_chain(improvement(reverted=True)).live


def test_a_plan_along_goals_to_a_metric_is_asserted_when_somebody_learned_for_it():
    upper = goal(UPPER, level=Level.BUSINESS_MODEL, owner_team_id=None)
    up = AlignmentRow(
        link_id=LINK,
        organisation_id=ORG,
        goal_id=GOAL,
        to_goal_id=UPPER,
        to_outcome_metric_id=None,
        link_type=LinkType.CONTRIBUTES_TO,
        weight=None,
        expected_lag_days=30,
    )
    end = OutcomeLinkRow(
        link_id=UPPER, organisation_id=ORG, measure_id=UPPER, outcome_metric_id=METRIC, expected_lag_days=None
    )
    known = facts(goals={GOAL: goal(), UPPER: upper}, alignments={GOAL: (up,)})
    chain = goal_chain((goal(), upper), end, LEARNED, known)
    assert (chain.state, chain.live) == (State.ASSERTED, True)
    assert [link.may_say for link in chain.links] == ["expected to contribute"] * 2
    assert goal_chain((goal(), upper), end, Learned(), known).missing == (Missing.NO_LEARNING,)
    assert goal_chain((goal(),), None, LEARNED, known).missing == (Missing.NO_OUTCOME,)


def test_learning_that_nothing_takes_up_and_an_outcome_that_nothing_reaches_are_broken():
    loose = loose_chain(End(EndKind.COMPETENCY, LISTENING, "active listening"), TEAM, Learned(entries_n=2))
    assert (loose.state, loose.missing, loose.weakest, loose.learned.entries_n) == (
        State.BROKEN,
        (Missing.NO_OUTCOME,),
        None,
        2,
    )
    known = facts()
    (bare,) = outcome_chains(known.metrics[METRIC], [], known)
    (linked,) = outcome_chains(
        known.metrics[METRIC], [(known.measures[MEASURE], known.outcome_links[MEASURE][0])], known
    )
    assert (bare.links, bare.missing) == ((), (Missing.NO_LEARNING,))
    assert linked.links[0].source.id == MEASURE
