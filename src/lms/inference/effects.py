"""Did it change, by how much, and how sure is that?

Every method gives the 95 % interval of a difference. The verdict follows from the interval alone (`effect.judge`).
A change of a method raises its version: stored effects say by which they were found, read models find them anew.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from math import sqrt
from typing import Any

import msgspec

from lms.domain.effect import Comparison, Design, Effect, Verdict, is_comparable, judge
from lms.domain.terms import Direction, Summary
from lms.inference.summaries import Basis, rounded

CONFIDENCE = Decimal("0.95")
ENOUGH_POINTS = 8
"""Points that an interrupted series needs on each side (domain.md, section 6)."""

WELCH = "welch"
DIFFERENCE_IN_DIFFERENCES = "welch-difference-in-differences"
SEGMENTED = "segmented-regression"
VERSIONS = {WELCH: 1, DIFFERENCE_IN_DIFFERENCES: 1, SEGMENTED: 1}


class Interval(msgspec.Struct, frozen=True):
    """A difference and the bounds that hold it with the given confidence."""

    difference: float
    low: float
    high: float


class Point(msgspec.Struct, frozen=True):
    """One stored value of a series at the middle of its window."""

    at: date
    value: Decimal


def welch(before: Summary, after: Summary, confidence: Decimal = CONFIDENCE) -> Interval:
    """The interval of mean after minus mean before, their spreads being unequal (Welch, Satterthwaite)."""
    return _linear([(1.0, after), (-1.0, before)], confidence)


def difference_in_differences(
    before: Summary, after: Summary, comparison: Comparison, confidence: Decimal = CONFIDENCE
) -> Interval:
    """The interval of the change here minus the change where nothing was done."""
    terms = [(1.0, after), (-1.0, before), (-1.0, comparison.after), (1.0, comparison.before)]
    return _linear(terms, confidence)


def segmented(before: Sequence[Point], after: Sequence[Point], confidence: Decimal = CONFIDENCE) -> Interval:
    """The mean distance of the later points from the earlier trend carried on (interrupted time series).

    Level and slope may both change; errors may be uneven and correlated with their neighbours (Newey-West, one lag),
    bounds by Student's t with n - 4 degrees of freedom.
    """
    import numpy as np  # noqa: PLC0415 - loaded when a series is judged
    import statsmodels.api as sm  # noqa: PLC0415 - the same

    points = [*before, *after]
    change = min(point.at for point in after)
    time = np.array([float((point.at - change).days) for point in points])
    later = np.array([0.0] * len(before) + [1.0] * len(after))
    design = np.column_stack([np.ones(len(points)), time, later, later * time])
    fit = sm.OLS(np.array([float(point.value) for point in points]), design).fit()
    robust = fit.get_robustcov_results(cov_type="HAC", maxlags=1, use_correction=True, use_t=True)
    contrast = np.array([0.0, 0.0, 1.0, float(time[len(before) :].mean())])
    found: Any = robust.t_test(contrast)
    low, high = found.conf_int(alpha=float(1 - confidence))[0]
    return Interval(float(np.asarray(found.effect)[0]), float(low), float(high))


def compare(before: Summary, after: Summary, direction: Direction, basis: Basis = Basis.OBSERVATIONS) -> Effect:
    """What before and after say: insufficient-data when a side has too little or the windows overlap."""
    method = WELCH if basis is Basis.OBSERVATIONS else f"{WELCH}-of-{basis}"
    if not is_comparable(before, after):
        return _insufficient(method, WELCH)
    return _effect(welch(before, after), direction, method, WELCH)


def compare_with(before: Summary, after: Summary, comparison: Comparison, direction: Direction) -> Effect:
    """What the change says against the change elsewhere."""
    method = DIFFERENCE_IN_DIFFERENCES
    if not (is_comparable(before, after) and is_comparable(comparison.before, comparison.after)):
        return _insufficient(method, method)
    return _effect(difference_in_differences(before, after, comparison), direction, method, method)


def compare_series(
    before: Summary, after: Summary, points: tuple[Sequence[Point], Sequence[Point]], direction: Direction
) -> Effect:
    """What a series of stored values says, the trend before being carried on."""
    earlier, later = points
    found = _insufficient(SEGMENTED, SEGMENTED)
    days = [len({point.at for point in side}) for side in points]
    if is_comparable(before, after) and min(days) >= ENOUGH_POINTS:
        found = _effect(segmented(earlier, later), direction, SEGMENTED, SEGMENTED)
    return msgspec.structs.replace(found, points_before=len(earlier), points_after=len(later))


def recomputed(
    design: Design,
    before: Summary,
    after: Summary,
    direction: Direction,
    comparison: Comparison | None,
    fact: Effect,
) -> Effect:
    """The effect by today's method where the summaries suffice for it; else the stored fact.

    Read models show this, so that a better method reaches also what was recorded before it.
    """
    if design.needs_comparison and comparison is not None:
        return compare_with(before, after, comparison, direction)
    if design is Design.BEFORE_AFTER:
        basis = Basis.PERIODS if fact.method.endswith(Basis.PERIODS) else Basis.OBSERVATIONS
        return compare(before, after, direction, basis)
    return fact


def _linear(terms: Sequence[tuple[float, Summary]], confidence: Decimal) -> Interval:
    """The interval of a sum of independent means, each with a sign."""
    from scipy.special import stdtrit  # noqa: PLC0415 - loaded when an interval is asked for

    difference = sum(sign * float(side.value) for sign, side in terms)
    parts = [(float(side.spread or 0) ** 2 / (side.n or 1), (side.n or 1) - 1) for _, side in terms]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        return Interval(difference, difference, difference)
    freedom = variance**2 / sum(part**2 / n for part, n in parts)
    reach = float(stdtrit(freedom, 0.5 + float(confidence) / 2)) * sqrt(variance)
    return Interval(difference, difference - reach, difference + reach)


def _effect(interval: Interval, direction: Direction, method: str, family: str) -> Effect:
    low, high = _decimal(interval.low), _decimal(interval.high)
    return Effect(
        verdict=judge(direction, low, high),
        difference=_decimal(interval.difference),
        low=low,
        high=high,
        confidence=CONFIDENCE,
        method=method,
        method_version=VERSIONS[family],
    )


def _insufficient(method: str, family: str) -> Effect:
    return Effect(verdict=Verdict.INSUFFICIENT_DATA, method=method, method_version=VERSIONS[family])


def _decimal(value: float) -> Decimal:
    return rounded(Decimal(repr(value)))
