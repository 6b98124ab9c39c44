"""Which wording does the evidence of a link allow? The table of domain.md, section 6.

Grades: 0 expected, named, asserted; 1 reported, recalled or chosen after; 2 before-after, or learned before and used;
3 compared; 4 randomised or staggered by a plan. A grade is the highest that the evidence carries, under these caps:
too few data, recalled figures, a baseline chosen afterwards or that itself raised the alarm (regression to the mean),
and windows that the change cuts through all cap at 1.
"""

from datetime import date

from lms.domain.contribution import Change
from lms.domain.effect import Baseline, Comparison, Design, Effect, Verdict
from lms.domain.improvement_parts import Result
from lms.domain.terms import Origin, Summary
from lms.inference.effects import ENOUGH_POINTS

EXPECTED, REPORTED, BEFORE_AFTER, COMPARED, ESTIMATED = range(5)

_MAY_SAY: dict[tuple[int, Verdict], str] = {
    (BEFORE_AFTER, Verdict.BETTER): "changed after",
    (BEFORE_AFTER, Verdict.NO_CLEAR_CHANGE): "no clear change after",
    (BEFORE_AFTER, Verdict.WORSE): "worse after",
    (COMPARED, Verdict.BETTER): "changed more than the comparison",
    (COMPARED, Verdict.NO_CLEAR_CHANGE): "no clear change against the comparison",
    (COMPARED, Verdict.WORSE): "worse than the comparison",
    (ESTIMATED, Verdict.BETTER): "effect estimate",
    (ESTIMATED, Verdict.NO_CLEAR_CHANGE): "effect estimate: no clear change",
    (ESTIMATED, Verdict.WORSE): "effect estimate: worse",
}

_MAY_SAY_OF_USE = (
    "expected to contribute",
    "people report a contribution",
    "learned before and used in",
    "changed more than the comparison",
)


def may_say(grade: int, verdict: Verdict | None = None) -> str:
    """The sentence that the evidence of a measured link allows, never more."""
    if verdict is Verdict.INSUFFICIENT_DATA:
        return "insufficient data"
    if grade <= EXPECTED:
        return "expected to contribute"
    if grade == REPORTED or verdict is None:
        return "people report a contribution"
    return _MAY_SAY[grade, verdict]


def may_say_of_use(grade: int) -> str:
    """The sentence for learning or a skill that went into an improvement."""
    return _MAY_SAY_OF_USE[grade]


def grade_of_result(result: Result | None) -> int:
    """The grade of improvement -> process measure."""
    if result is None:
        return EXPECTED
    return grade_of_change(
        before=result.before,
        after=result.after,
        origins=(result.before_origin, result.after_origin),
        baseline=result.baseline,
        took_effect_on=result.took_effect_on,
        design=result.design,
        recorded_before=result.recorded_before,
        comparison=result.comparison,
        effect=result.effect,
    )


def grade_of_change(
    *,
    before: Summary,
    after: Summary,
    origins: tuple[Origin, Origin],
    baseline: Baseline = Baseline.STANDING,
    took_effect_on: date,
    design: Design,
    recorded_before: bool = False,
    comparison: Comparison | None = None,
    effect: Effect,
) -> int:
    """The grade of a measured change, 1 to 4."""
    clean = (
        effect.verdict is not Verdict.INSUFFICIENT_DATA
        and Origin.RECALLED not in origins
        and baseline is Baseline.STANDING
        and before.end < took_effect_on <= after.start
    )
    if not clean:
        return REPORTED
    if design is Design.INTERRUPTED_SERIES:
        points = (effect.points_before or 0, effect.points_after or 0)
        return COMPARED if min(points) >= ENOUGH_POINTS else BEFORE_AFTER
    if comparison is None or not design.needs_comparison:
        return BEFORE_AFTER
    return ESTIMATED if design is not Design.COMPARED and recorded_before else COMPARED


def grade_of_contribution(change: Change, took_effect_on: date | None) -> int:
    """The grade of the change that a contribution rests on, 1 to 4.

    ``took_effect_on``: of the improvement that is said to have contributed; else what contributed did with the window.
    """
    return grade_of_change(
        before=change.before,
        after=change.after,
        origins=(change.before_origin, change.after_origin),
        took_effect_on=took_effect_on or change.took_effect_on or change.after.start,
        design=change.design,
        recorded_before=change.recorded_before,
        comparison=change.comparison,
        effect=change.effect,
    )


def grade_of_use(*, reported: bool, attested_before: bool, confirmed: bool, compared: bool = False) -> int:
    """The grade of learning or skill -> improvement.

    ``reported``: a review names the competency; ``attested_before``: another attested it before the after-window;
    ``confirmed``: another than the claimant confirmed the use; ``compared``: with teams without it.
    """
    if not reported:
        return EXPECTED
    if not (attested_before and confirmed):
        return REPORTED
    return COMPARED if compared else BEFORE_AFTER


def grade_of_outcome_link(*, supported: bool, alternatives_n: int, accepted: bool, change_grade: int | None) -> int:
    """The grade of process measure -> outcome metric.

    ``supported``: something speaks for it; ``change_grade``: of the metric's change, by `grade_of_change`, which
    counts only over an accepted contribution.
    """
    if accepted:
        return REPORTED if change_grade is None else change_grade
    return REPORTED if supported and alternatives_n > 0 else EXPECTED
