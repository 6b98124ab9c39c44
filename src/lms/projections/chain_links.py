"""On which evidence does a link stand, and what may be said of it?"""

from uuid import UUID

import msgspec

from lms.domain.contribution import CauseKind, Standing
from lms.domain.effect import Effect, Verdict
from lms.domain.improvement_parts import Result, Review
from lms.domain.terms import Direction
from lms.inference.effects import recomputed
from lms.inference.grades import (
    COMPARED,
    REPORTED,
    grade_of_contribution,
    grade_of_outcome_link,
    grade_of_result,
    grade_of_use,
    may_say,
    may_say_of_use,
)
from lms.projections.chain_parts import ChainLink, End, EndKind, Facts, Interval, Learned
from lms.projections.graph_rows import (
    ContributionRow,
    GoalRow,
    ImprovementRow,
    MeasureRow,
    MetricRow,
    OutcomeLinkRow,
    SupportRow,
)


def use_link(
    improvement: ImprovementRow,
    start: End,
    here: End,
    learned: Learned,
    reviews: list[Review],
    measure: MeasureRow | None,
    facts: Facts,
) -> ChainLink:
    """Learning or skill -> improvement."""
    compared = _compared_skill(start, measure, facts)
    grade = grade_of_use(
        reported=bool(reviews),
        attested_before=learned.attested_before,
        confirmed=any(one.confirmed_by is not None and one.confirmed_by != one.claimed_by for one in reviews),
        compared=compared is not None,
    )
    sentence = may_say_of_use(grade)
    effect = None
    if grade >= COMPARED and compared is not None and compared.change is not None and measure is not None:
        effect = compared.change.effect
        sentence = may_say(grade, effect.verdict)
    lag = (improvement.used_on - learned.first_on).days if improvement.used_on and learned.first_on else None
    return ChainLink(
        source=start,
        to=here,
        grade=grade,
        may_say=sentence,
        verdict=effect.verdict if effect else None,
        evidence_for_n=learned.entries_n + len(reviews),
        observed_lag_days=lag,
        n=learned.entries_n or None,
        interval=_interval(effect, measure.unit) if effect and measure else None,
    )


def _compared_skill(start: End, measure: MeasureRow | None, facts: Facts) -> ContributionRow | None:
    """The accepted contribution of a skill to this measure, compared with teams without it."""
    for one in facts.contributions.get(start.id, ()):
        if (
            measure is not None
            and one.cause_kind is CauseKind.SKILL
            and one.measure_id == measure.measure_id
            and one.standing is Standing.ACCEPTED
            and one.change is not None
            and one.change.design.needs_comparison
            and grade_of_contribution(one.change, None) >= COMPARED
        ):
            return one
    return None


def measure_link(improvement: ImprovementRow, here: End, measure: MeasureRow) -> ChainLink:
    """Improvement -> process measure."""
    there = End(EndKind.PROCESS_MEASURE, measure.measure_id, measure.name)
    result = next((one for one in improvement.results if one.measure_id == measure.measure_id), None)
    if result is None:
        return ChainLink(source=here, to=there, grade=0, may_say=may_say(0))
    result = by_todays_method(result, measure.direction)
    grade, effect = grade_of_result(result), result.effect
    return ChainLink(
        source=here,
        to=there,
        grade=grade,
        may_say=may_say(grade, effect.verdict),
        verdict=effect.verdict,
        evidence_for_n=int(effect.verdict is Verdict.BETTER),
        evidence_against_n=int(effect.verdict is Verdict.WORSE),
        observed_lag_days=(result.after.start - improvement.opened_on).days,
        n=_observations(result.before.n, result.after.n),
        interval=_interval(effect, measure.unit),
    )


def by_todays_method(result: Result, direction: Direction) -> Result:
    """The result with its effect found anew, where the stored summaries suffice for it."""
    effect = recomputed(result.design, result.before, result.after, direction, result.comparison, result.effect)
    return msgspec.structs.replace(result, effect=effect)


def outcome_link(
    improvement: ImprovementRow, measure: MeasureRow, link: OutcomeLinkRow, metric: MetricRow, facts: Facts
) -> ChainLink:
    """Process measure -> outcome metric."""
    support = facts.support.get(link.link_id)
    stated = [
        one
        for one in facts.contributions.get(improvement.improvement_id, ())
        if one.outcome_metric_id == metric.outcome_metric_id
        and one.standing not in {Standing.REJECTED, Standing.WITHDRAWN}
    ]
    accepted = [one for one in stated if one.standing is Standing.ACCEPTED]
    best = max(accepted, key=lambda one: (_change_grade(one, improvement) or 0, one.contribution_id), default=None)
    counted: list[SupportRow | ContributionRow] = [*stated, *([support] if support else [])]
    alternatives = sum(one.alternatives_n for one in counted)
    supports = sum(one.supports_n for one in counted)
    grade = grade_of_outcome_link(
        supported=supports > 0,
        alternatives_n=alternatives,
        accepted=best is not None,
        change_grade=_change_grade(best, improvement) if best else None,
    )
    change = best.change if best and grade > REPORTED else None
    result = next((one for one in improvement.results if one.measure_id == measure.measure_id), None)
    lag = (change.after.start - result.after.start).days if change and result else None
    return ChainLink(
        source=End(EndKind.PROCESS_MEASURE, measure.measure_id, measure.name),
        to=End(EndKind.OUTCOME_METRIC, metric.outcome_metric_id, metric.name),
        grade=grade,
        may_say=may_say(grade, change.effect.verdict if change else None),
        verdict=change.effect.verdict if change else None,
        evidence_for_n=supports,
        evidence_against_n=sum(one.weakens_n for one in counted),
        alternatives_n=alternatives,
        expected_lag_days=link.expected_lag_days,
        observed_lag_days=lag,
        n=_observations(change.before.n, change.after.n) if change else None,
        interval=_interval(change.effect, metric.unit) if change else None,
        link_id=link.link_id,
    )


def _change_grade(contribution: ContributionRow, improvement: ImprovementRow) -> int | None:
    """The grade of the metric's change; the change took effect when the improvement did."""
    change = contribution.change
    if change is None:
        return None
    return grade_of_contribution(change, min((one.took_effect_on for one in improvement.results), default=None))


def goal_link(lower: GoalRow, upper: GoalRow, facts: Facts) -> ChainLink:
    """Goal -> goal, by its alignment."""
    link = next(one for one in facts.alignments[lower.goal_id] if one.to_goal_id == upper.goal_id)
    return plan_link(goal_end(lower), goal_end(upper), link.link_id, link.expected_lag_days, facts)


def plan_link(source: End, to: End, link_id: UUID, lag: int | None, facts: Facts) -> ChainLink:
    """A link that so far is only meant: it may be supported, it is not measured."""
    support = facts.support.get(link_id)
    grade = grade_of_outcome_link(
        supported=bool(support and support.supports_n),
        alternatives_n=support.alternatives_n if support else 0,
        accepted=False,
        change_grade=None,
    )
    return ChainLink(
        source=source,
        to=to,
        grade=grade,
        may_say=may_say(grade),
        evidence_for_n=support.supports_n if support else 0,
        evidence_against_n=support.weakens_n if support else 0,
        alternatives_n=support.alternatives_n if support else 0,
        expected_lag_days=lag,
        link_id=link_id,
    )


def goal_end(goal: GoalRow) -> End:
    """A goal as the end of a link."""
    return End(EndKind.GOAL, goal.goal_id, goal.title)


def _interval(effect: Effect, unit: str) -> Interval | None:
    if effect.difference is None or effect.low is None or effect.high is None:
        return None
    return Interval(effect.difference, effect.low, effect.high, effect.confidence, unit)


def _observations(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else before + after
