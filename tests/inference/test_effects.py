from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lms.domain.effect import Comparison, Design, Effect, Verdict
from lms.domain.terms import Direction, Summary
from lms.inference.effects import (
    Point,
    compare,
    compare_series,
    compare_with,
    difference_in_differences,
    recomputed,
    segmented,
    welch,
)
from lms.inference.summaries import Basis

BEFORE, AFTER = date(2026, 1, 1), date(2026, 4, 1)
STUDENTS_SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)
"""Hours of sleep gained under two drugs: Student (1908), after Cushny and Peebles (1905); R's data set `sleep`."""

numbers = st.floats(min_value=-1e4, max_value=1e4)
spreads = st.floats(min_value=0.01, max_value=1e3)
sizes = st.integers(min_value=5, max_value=10_000)


def summary(value, n, spread, start):
    spread = None if spread is None else Decimal(repr(float(spread)))
    return Summary(value=Decimal(repr(float(value))), n=n, spread=spread, start=start, end=start + timedelta(days=59))


def of(observations, start):
    return summary(np.mean(observations), len(observations), np.std(observations, ddof=1), start)


def test_the_interval_is_the_published_one_for_students_sleep_data():
    """R documentation of t.test, Welch: 95 percent confidence interval -3.3654832 0.2054832 for drug 1 minus drug 2."""
    first, second = STUDENTS_SLEEP
    found = welch(of(first, BEFORE), of(second, AFTER))
    assert found.difference == pytest.approx(1.58)
    assert found.low == pytest.approx(-0.2054832, abs=5e-8)
    assert found.high == pytest.approx(3.3654832, abs=5e-8)


def test_an_interval_that_crosses_zero_is_no_clear_change():
    first, second = STUDENTS_SLEEP
    found = compare(of(first, BEFORE), of(second, AFTER), Direction.INCREASE)
    assert found.verdict is Verdict.NO_CLEAR_CHANGE
    assert (found.method, found.method_version) == ("welch", 1)


@given(numbers, sizes, spreads, numbers, sizes, spreads)
def test_the_interval_is_that_of_scipy(mean_1, n_1, spread_1, mean_2, n_2, spread_2):
    found = welch(summary(mean_1, n_1, spread_1, BEFORE), summary(mean_2, n_2, spread_2, AFTER))
    reference = stats.ttest_ind_from_stats(mean_2, spread_2, n_2, mean_1, spread_1, n_1, equal_var=False)
    error = np.sqrt(spread_1**2 / n_1 + spread_2**2 / n_2)
    reach = stats.t.ppf(0.975, reference.df if hasattr(reference, "df") else _freedom(spread_1, n_1, spread_2, n_2))
    assert found.difference == pytest.approx(mean_2 - mean_1, abs=1e-9)
    assert found.low == pytest.approx(mean_2 - mean_1 - reach * error, rel=1e-9, abs=1e-9)
    assert found.high == pytest.approx(mean_2 - mean_1 + reach * error, rel=1e-9, abs=1e-9)
    excludes_zero = found.low > 0 or found.high < 0
    if abs(reference.pvalue - 0.05) > 1e-9:
        assert excludes_zero == (reference.pvalue < 0.05)


def _freedom(spread_1, n_1, spread_2, n_2):
    one, two = spread_1**2 / n_1, spread_2**2 / n_2
    return (one + two) ** 2 / (one**2 / (n_1 - 1) + two**2 / (n_2 - 1))


@given(numbers, numbers, spreads, sizes)
def test_the_verdict_turns_with_the_direction(before, after, spread, n):
    sides = summary(before, n, spread, BEFORE), summary(after, n, spread, AFTER)
    up, down = compare(*sides, Direction.INCREASE).verdict, compare(*sides, Direction.DECREASE).verdict
    mirror = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    assert down is mirror.get(up, Verdict.NO_CLEAR_CHANGE)
    assert compare(*sides, Direction.HOLD).verdict in {Verdict.WORSE, Verdict.NO_CLEAR_CHANGE}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (summary(10, 4, 1, BEFORE), summary(5, 40, 1, AFTER)),
        (summary(10, 40, 1, BEFORE), summary(5, 40, None, AFTER)),
        (summary(10, None, 1, BEFORE), summary(5, 40, 1, AFTER)),
        (summary(10, 40, 1, BEFORE), summary(5, 40, 1, BEFORE + timedelta(days=59))),
    ],
    ids=["four observations", "no spread", "no n", "windows overlap"],
)
def test_too_little_on_a_side_is_insufficient_data_whatever_the_difference(before, after):
    found = compare(before, after, Direction.DECREASE)
    assert found.verdict is Verdict.INSUFFICIENT_DATA
    assert found.difference is found.low is found.high is None


def test_values_that_never_vary_have_an_interval_of_no_width():
    found = welch(summary(10, 6, 0, BEFORE), summary(8, 6, 0, AFTER))
    assert found.low == found.high == -2


def test_what_changed_everywhere_did_not_change_more_than_the_comparison():
    before, after = summary(100, 50, 8, BEFORE), summary(80, 50, 8, AFTER)
    elsewhere = Comparison(label="North", before=summary(102, 50, 8, BEFORE), after=summary(81, 50, 8, AFTER))
    assert compare(before, after, Direction.DECREASE).verdict is Verdict.BETTER
    assert compare_with(before, after, elsewhere, Direction.DECREASE).verdict is Verdict.NO_CLEAR_CHANGE


def test_a_comparison_with_too_few_of_its_own_is_insufficient_data():
    before, after = summary(100, 50, 8, BEFORE), summary(80, 50, 8, AFTER)
    elsewhere = Comparison(label="North", before=summary(102, 3, 8, BEFORE), after=after)
    assert compare_with(before, after, elsewhere, Direction.DECREASE).verdict is Verdict.INSUFFICIENT_DATA


def test_the_difference_in_differences_covers_the_truth_as_often_as_it_says():
    chance = np.random.default_rng(7)
    hits = 0
    for _ in range(400):
        draw = [chance.normal(mean, sd, n) for mean, sd, n in ((10, 2, 12), (13, 3, 9), (20, 1, 15), (21, 4, 8))]
        before, after, there_before, there_after = (
            of(one, start) for one, start in zip(draw, (BEFORE, AFTER, BEFORE, AFTER), strict=True)
        )
        elsewhere = Comparison(label="North", before=there_before, after=there_after)
        found = difference_in_differences(before, after, elsewhere)
        hits += found.low <= 2 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def points(start, values):
    return [Point(start + timedelta(days=7 * week), Decimal(repr(float(v)))) for week, v in enumerate(values)]


def test_a_series_that_only_goes_on_as_before_has_not_changed():
    noise = np.random.default_rng(3).normal(0, 1, 24)
    trend = 100 - 2 * np.arange(24) + noise
    series = points(BEFORE, trend)
    sides = of(trend[:12], BEFORE), of(trend[12:], AFTER)
    assert compare(*sides, Direction.DECREASE).verdict is Verdict.BETTER
    found = compare_series(*sides, (series[:12], series[12:]), Direction.DECREASE)
    assert found.verdict is Verdict.NO_CLEAR_CHANGE
    assert (found.points_before, found.points_after) == (12, 12)


def test_a_step_in_a_series_is_found_with_its_size():
    noise = np.random.default_rng(4).normal(0, 1, 24)
    stepped = 100 + noise - 15 * (np.arange(24) >= 12)
    series = points(BEFORE, stepped)
    found = segmented(series[:12], series[12:])
    assert found.low < -15 < found.high < -10


def test_seven_points_on_a_side_are_no_series():
    values = np.arange(15.0)
    series = points(BEFORE, values)
    found = compare_series(of(values[:7], BEFORE), of(values[7:], AFTER), (series[:7], series[7:]), Direction.INCREASE)
    assert found.verdict is Verdict.INSUFFICIENT_DATA


def test_eight_values_of_one_day_are_no_series_either():
    values = np.arange(16.0)
    later = points(AFTER, values[8:])
    same_day = [Point(BEFORE, point.value) for point in points(BEFORE, values[:8])]
    found = compare_series(of(values[:8], BEFORE), of(values[8:], AFTER), (same_day, later), Direction.INCREASE)
    assert found.verdict is Verdict.INSUFFICIENT_DATA


def test_read_models_find_the_effect_anew_and_keep_the_fact_where_summaries_do_not_suffice():
    before, after = summary(100, 50, 8, BEFORE), summary(80, 50, 8, AFTER)
    old = Effect(verdict=Verdict.WORSE, method="by-eye", method_version=0)
    elsewhere = Comparison(label="North", before=before, after=after)
    anew = recomputed(Design.BEFORE_AFTER, before, after, Direction.DECREASE, None, old)
    assert anew == compare(before, after, Direction.DECREASE)
    against = recomputed(Design.COMPARED, before, after, Direction.DECREASE, elsewhere, old)
    assert against == compare_with(before, after, elsewhere, Direction.DECREASE)
    assert recomputed(Design.INTERRUPTED_SERIES, before, after, Direction.DECREASE, None, old) is old


def test_a_recomputed_effect_keeps_saying_what_it_counted():
    before, after = summary(100, 50, 8, BEFORE), summary(80, 50, 8, AFTER)
    fact = compare(before, after, Direction.DECREASE, Basis.PERIODS)
    assert fact.method == "welch-of-periods"
    assert recomputed(Design.BEFORE_AFTER, before, after, Direction.DECREASE, None, fact) == fact
