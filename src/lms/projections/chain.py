"""Which chains lead from learning to outcomes, how far does each carry, and what does it lack?

Pure: facts in, chains out. A chain begins where learning and an improvement share something (a competency, a goal, a
need), runs over the improvement and its measure to an outcome metric; or it is a plan: from a goal along alignments.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

from lms.domain.goal_parts import Status
from lms.domain.improvement_parts import Review
from lms.inference.grades import BEFORE_AFTER, REPORTED
from lms.projections.chain_links import goal_end, goal_link, measure_link, outcome_link, plan_link, use_link
from lms.projections.chain_parts import (
    NOTHING_LEARNED,
    Chain,
    ChainLink,
    End,
    EndKind,
    Facts,
    Learned,
    Missing,
    State,
    Weakest,
)
from lms.projections.graph_rows import GoalRow, ImprovementRow, MeasureRow, MetricRow, OutcomeLinkRow

LEARNED_WITHIN_DAYS = 365
"""Learning counts for an improvement when it is dated at most this long before the after-window."""

LIVE_CADENCES = 2
"""A path is live when its lower end had learning or a check-in within so many cadences."""


def learning_window(improvement: ImprovementRow) -> tuple[date, date | None]:
    """From when until when learning counts for an improvement: a year before it is measured, or is opened."""
    if improvement.used_on is None:
        return improvement.opened_on - timedelta(days=LEARNED_WITHIN_DAYS), None
    return improvement.used_on - timedelta(days=LEARNED_WITHIN_DAYS), improvement.used_on


def improvement_chains(improvement: ImprovementRow, facts: Facts) -> Iterator[Chain]:
    """Every chain over an improvement: from each competency it names, and from goal and needs that had learning."""
    starts = _starts(improvement, facts)
    measures = _measures(improvement, facts)
    for start in starts:
        learned = _learned(improvement, start, facts)
        if not measures:
            yield _improvement_chain(improvement, start, learned, None, None, facts)
        for measure in measures:
            links = facts.outcome_links.get(measure.measure_id, ())
            for link in links or (None,):
                yield _improvement_chain(improvement, start, learned, measure, link, facts)


def _measures(improvement: ImprovementRow, facts: Facts) -> list[MeasureRow]:
    """The measures the improvement moves; of several that nobody chose yet, those that lead to an outcome."""
    known = [facts.measures[one] for one in improvement.measure_ids if one in facts.measures]
    if improvement.results or len(known) <= 1:
        return known
    return [one for one in known if one.measure_id in facts.outcome_links]


def _starts(improvement: ImprovementRow, facts: Facts) -> list[End | None]:
    starts: list[End | None] = [End(EndKind.COMPETENCY, one, facts.labels.get(one)) for one in improvement.competencies]
    shared = [End(EndKind.NEED, one, None) for one in improvement.need_ids]
    goal = facts.goals.get(improvement.goal_id) if improvement.goal_id else None
    if goal is not None:
        shared.append(End(EndKind.GOAL, goal.goal_id, goal.title))
    starts += [one for one in shared if not improvement.competencies or _learned(improvement, one, facts).stands]
    return starts or [None]


def _learned(improvement: ImprovementRow, start: End | None, facts: Facts) -> Learned:
    return facts.learned.get((improvement.improvement_id, start.id), NOTHING_LEARNED) if start else NOTHING_LEARNED


def _improvement_chain(
    improvement: ImprovementRow,
    start: End | None,
    learned: Learned,
    measure: MeasureRow | None,
    outcome: OutcomeLinkRow | None,
    facts: Facts,
) -> Chain:
    here = End(EndKind.IMPROVEMENT, improvement.improvement_id, improvement.problem)
    links: list[ChainLink] = []
    reviews = _reviews_of(improvement, start)
    stands = start is not None and (learned.stands or bool(reviews))
    if start is not None and stands:
        links.append(use_link(improvement, start, here, learned, reviews, measure, facts))
    end: End | None = None
    if measure is not None:
        links.append(measure_link(improvement, here, measure))
    if measure is not None and outcome is not None:
        metric = facts.metrics[outcome.outcome_metric_id]
        end = End(EndKind.OUTCOME_METRIC, metric.outcome_metric_id, metric.name)
        links.append(outcome_link(improvement, measure, outcome, metric, facts))
    missing = tuple(
        what for what, lacks in ((Missing.NO_LEARNING, not stands), (Missing.NO_OUTCOME, end is None)) if lacks
    )
    goal = facts.goals.get(improvement.goal_id) if improvement.goal_id else None
    active = (goal is None or goal.status is Status.ACTIVE) and not improvement.reverted
    fresh = _is_fresh([learned.last_on, goal.checked_in_on if goal else None], facts)
    return _chain(start, end, links, missing, improvement.team_id, live=active and fresh, learned=learned)


def _reviews_of(improvement: ImprovementRow, start: End | None) -> list[Review]:
    """The reviews that report a use: of the competency, or of any where learning shares a goal or a need."""
    if start is None:
        return []
    any_will_do = start.kind is not EndKind.COMPETENCY
    return [
        one
        for one in improvement.reviews
        if start.id in one.competencies_used or (any_will_do and one.competencies_used)
    ]


def goal_chain(path: tuple[GoalRow, ...], end: OutcomeLinkRow | None, learned: Learned, facts: Facts) -> Chain:
    """The plan along goals: each aligned to the next, the last to an outcome metric (None: to none)."""
    links = [goal_link(lower, upper, facts) for lower, upper in pairwise(path)]
    metric = facts.metrics[end.outcome_metric_id] if end else None
    last = End(EndKind.OUTCOME_METRIC, metric.outcome_metric_id, metric.name) if metric else None
    if end is not None and last is not None:
        links.append(plan_link(goal_end(path[-1]), last, end.link_id, end.expected_lag_days, facts))
    missing = tuple(
        what for what, lacks in ((Missing.NO_LEARNING, not learned.stands), (Missing.NO_OUTCOME, end is None)) if lacks
    )
    active = all(goal.status is Status.ACTIVE for goal in path)
    fresh = _is_fresh([learned.last_on, path[0].checked_in_on], facts)
    return _chain(
        goal_end(path[0]),
        last,
        links,
        missing,
        path[0].owner_team_id,
        live=active and fresh,
        learned=learned,
    )


def loose_chain(competency: End, team_id: UUID | None, learned: Learned) -> Chain:
    """Learning that no improvement of the team takes up."""
    return _chain(competency, None, [], (Missing.NO_OUTCOME,), team_id, live=False, learned=learned)


def outcome_chains(
    metric: MetricRow, measures: Iterable[tuple[MeasureRow, OutcomeLinkRow]], facts: Facts
) -> Iterator[Chain]:
    """An outcome that no improvement reaches: one broken chain per measure that should move it, or a bare one."""
    end = End(EndKind.OUTCOME_METRIC, metric.outcome_metric_id, metric.name)
    links = [
        plan_link(
            End(EndKind.PROCESS_MEASURE, measure.measure_id, measure.name),
            end,
            link.link_id,
            link.expected_lag_days,
            facts,
        )
        for measure, link in measures
    ]
    for parts in [[one] for one in links] or [[]]:
        yield _chain(None, end, parts, (Missing.NO_LEARNING,), None, live=False)


def _chain(
    source: End | None,
    to: End | None,
    links: list[ChainLink],
    missing: tuple[Missing, ...],
    team: UUID | None,
    *,
    live: bool,
    learned: Learned = NOTHING_LEARNED,
) -> Chain:
    weakest = min(range(len(links)), key=lambda index: links[index].grade, default=None)
    return Chain(
        source=source,
        to=to,
        links=tuple(links),
        weakest=None if weakest is None else Weakest(weakest, links[weakest].grade, links[weakest].may_say),
        state=_state(links, missing),
        missing=missing,
        live=live and not missing,
        team=team,
        learned=learned,
    )


def _state(links: list[ChainLink], missing: tuple[Missing, ...]) -> State:
    if missing:
        return State.BROKEN
    lowest = min(link.grade for link in links)
    if lowest >= BEFORE_AFTER:
        return State.EVIDENCED
    return State.REPORTED if lowest >= REPORTED else State.ASSERTED


def _is_fresh(days: Iterable[date | None], facts: Facts) -> bool:
    since = facts.asked_on - timedelta(days=LIVE_CADENCES * facts.cadence_days)
    return any(day is not None and since <= day <= facts.asked_on for day in days)
