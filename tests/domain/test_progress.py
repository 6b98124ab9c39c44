from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.goals import milestone, share
from lms.domain.goal_parts import KeyResult
from lms.domain.progress import Standing, expected_goal_ratio, expected_ratio, goal_ratio, ratio
from lms.domain.terms import Direction, Summary

END = date(2026, 3, 31)
numbers = st.decimals(min_value=-(10**14), max_value=10**14, places=1)


def metric(baseline, target, **changes):
    window = {"start": date(2025, 12, 1), "end": date(2025, 12, 31)}
    direction = Direction.INCREASE if target > baseline else Direction.DECREASE
    facts = {"key_result_id": UUID(int=1), "unit": "percent", "direction": direction, "due_on": END, **changes}
    return KeyResult(baseline=Summary(value=Decimal(baseline), **window), target=Decimal(target), **facts)


def standing(key_result, value):
    return Standing(key_result=key_result, value=None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("key_result", "value", "expected"),
    [
        (metric(31, 36), "31", "0"),
        (metric(31, 36), "33.5", "0.5"),
        (metric(31, 36), "36", "1"),
        (metric(31, 36), "41", "2"),
        (metric(31, 36), "26", "-1"),
        (metric(20, 10), "12", "0.8"),
        (milestone(), "0.25", "0.25"),
        (milestone(target=Decimal("0.5")), "0.25", "0.5"),
    ],
)
def test_progress_is_the_share_of_the_way_from_baseline_to_target(key_result, value, expected):
    assert ratio(key_result, Decimal(value)) == Decimal(expected)


def test_what_should_hold_is_measured_from_the_floor_that_must_not_be_reached():
    held = metric(95, 95, direction=Direction.HOLD, floor=Decimal(90))
    assert ratio(held, Decimal(95)) == 1
    assert ratio(held, Decimal(90)) == 0
    assert ratio(metric(95, 95, direction=Direction.HOLD), Decimal(95)) is None


@given(baseline=numbers, target=numbers, one=numbers, other=numbers)
def test_progress_is_monotone_in_the_measured_value(baseline, target, one, other):
    assume(baseline != target)
    low, high = sorted((one, other))
    key_result = metric(baseline, target)
    if target > baseline:
        assert ratio(key_result, low) <= ratio(key_result, high)
    else:
        assert ratio(key_result, low) >= ratio(key_result, high)


@given(baseline=numbers, target=numbers, value=numbers)
def test_a_ratio_always_fits_a_json_number(baseline, target, value):
    assume(baseline != target)
    assert len(ratio(metric(baseline, target), value).as_tuple().digits) <= 15


def test_a_goals_ratio_is_the_weighted_mean_of_its_key_results():
    heavy, light = metric(0, 10, weight=Decimal("0.75")), milestone(weight=Decimal("0.25"))
    assert goal_ratio([standing(heavy, "10"), standing(light, "0.2")]) == Decimal("0.8")


def test_a_key_result_that_nobody_reported_counts_where_it_began():
    assert goal_ratio([standing(metric(0, 10), "10"), standing(metric(0, 10), None)]) == Decimal("0.5")
    assert goal_ratio([standing(metric(0, 10), "10"), standing(milestone(), None)]) == Decimal("0.5")


@pytest.mark.parametrize(
    "standings",
    [
        [],
        [standing(share(), None)],
        [standing(metric(95, 95, direction=Direction.HOLD), "95")],
        [standing(metric(0, 10, weight=Decimal(0)), "5")],
    ],
)
def test_a_goal_has_no_ratio_while_nothing_says_one(standings):
    assert goal_ratio(standings) is None


@given(
    values=st.lists(st.tuples(st.decimals(0, 1, places=2), st.decimals("0.1", 1, places=1)), min_size=1, max_size=6),
    which=st.integers(0, 5),
    more=st.decimals(0, 1, places=2),
)
def test_more_of_one_key_result_is_never_less_of_the_goal(values, which, more):
    def of(pairs):
        return goal_ratio(standing(metric(0, 1, weight=weight), value) for value, weight in pairs)

    index = which % len(values)
    raised = [(value + more if n == index else value, weight) for n, (value, weight) in enumerate(values)]
    assert of(raised) >= of(values)


def test_the_expected_ratio_runs_straight_from_baseline_to_due_date():
    way = (END - date(2025, 12, 31)).days
    assert expected_ratio(metric(0, 10), None, date(2025, 12, 1)) == 0
    assert expected_ratio(metric(0, 10), None, date(2025, 12, 31) + timedelta(way // 2)) == Decimal("0.5")
    assert expected_ratio(metric(0, 10), None, END + timedelta(1)) == 1


def test_without_a_baseline_the_way_begins_on_the_day_the_goal_was_set():
    due = milestone(due_on=END)
    assert expected_ratio(due, END - timedelta(10), END - timedelta(5)) == Decimal("0.5")
    assert expected_ratio(due, END, END) == 1
    assert expected_ratio(due, None, END) is None
    assert expected_ratio(milestone(), END, END) is None


def test_a_goals_expected_ratio_leaves_out_what_has_no_due_date():
    assert expected_goal_ratio([metric(0, 10), milestone()], None, END) == 1
    assert expected_goal_ratio([milestone()], None, END) is None
