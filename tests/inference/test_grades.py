from datetime import date
from decimal import Decimal

import msgspec
import pytest

from lms.domain.effect import Baseline, Comparison, Design, Effect, Verdict
from lms.domain.improvement_parts import Result
from lms.domain.terms import Origin, Summary
from lms.inference.grades import (
    grade_of_outcome_link,
    grade_of_result,
    grade_of_use,
    may_say,
    may_say_of_use,
)

BEFORE = Summary(value=Decimal(10), n=40, spread=Decimal(2), start=date(2026, 1, 1), end=date(2026, 2, 28))
AFTER = Summary(value=Decimal(7), n=40, spread=Decimal(2), start=date(2026, 3, 1), end=date(2026, 4, 30))
ELSEWHERE = Comparison(label="North", before=BEFORE, after=BEFORE)
EFFECT = Effect(
    verdict=Verdict.BETTER,
    difference=Decimal(-3),
    low=Decimal(-4),
    high=Decimal(-2),
    method="welch",
    method_version=1,
)


def result(**changes):
    plain = Result(
        measure_id="00000000-0000-0000-0000-000000000001",
        before=BEFORE,
        after=AFTER,
        before_origin=Origin.SYSTEM,
        after_origin=Origin.COUNTED,
        took_effect_on=AFTER.start,
        effect=EFFECT,
    )
    return msgspec.structs.replace(plain, **changes)


def test_an_improvement_without_result_is_expected_to_contribute():
    assert grade_of_result(None) == 0
    assert may_say(0) == "expected to contribute"


def test_before_and_after_from_figures_that_stood_before_is_grade_two():
    assert grade_of_result(result()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"before_origin": Origin.RECALLED},
        {"after_origin": Origin.RECALLED},
        {"baseline": Baseline.TRIGGER},
        {"baseline": Baseline.CHOSEN_AFTER},
        {"took_effect_on": date(2026, 2, 28)},
        {"took_effect_on": date(2026, 3, 2)},
        {"effect": Effect(verdict=Verdict.INSUFFICIENT_DATA, method="welch", method_version=1)},
    ],
    ids=[
        "recalled before",
        "recalled after",
        "the baseline raised the alarm",
        "chosen after",
        "in effect before the baseline ended",
        "in effect after the after-window began",
        "too few data",
    ],
)
@pytest.mark.parametrize("design", list(Design))
def test_caps_hold_every_design_at_reported(changes, design):
    strong = {"comparison": ELSEWHERE, "recorded_before": True, "design": design}
    assert grade_of_result(result(**strong, **changes)) == 1


def test_a_comparison_is_grade_three_and_chance_by_plan_grade_four():
    assert grade_of_result(result(design=Design.COMPARED, comparison=ELSEWHERE, recorded_before=True)) == 3
    for design in (Design.RANDOMISED, Design.STAGGERED):
        assert grade_of_result(result(design=design, comparison=ELSEWHERE, recorded_before=True)) == 4
        assert grade_of_result(result(design=design, comparison=ELSEWHERE)) == 3
        assert grade_of_result(result(design=design, recorded_before=True)) == 2


@pytest.mark.parametrize(("points", "grade"), [((8, 8), 3), ((8, 7), 2), ((7, 8), 2), ((None, None), 2)])
def test_an_interrupted_series_needs_eight_points_on_each_side(points, grade):
    effect = msgspec.structs.replace(EFFECT, points_before=points[0], points_after=points[1])
    assert grade_of_result(result(design=Design.INTERRUPTED_SERIES, effect=effect)) == grade


def test_use_of_a_skill_counts_as_learned_before_only_when_attested_and_confirmed_by_others():
    assert grade_of_use(reported=False, attested_before=True, confirmed=True) == 0
    assert grade_of_use(reported=True, attested_before=False, confirmed=True) == 1
    assert grade_of_use(reported=True, attested_before=True, confirmed=False) == 1
    assert grade_of_use(reported=True, attested_before=True, confirmed=True) == 2
    assert grade_of_use(reported=True, attested_before=True, confirmed=True, compared=True) == 3
    assert may_say_of_use(2) == "learned before and used in"


def test_a_link_to_an_outcome_is_asserted_until_something_speaks_for_it_and_an_alternative_is_recorded():
    assert grade_of_outcome_link(supported=False, alternatives_n=2, accepted=False, change_grade=None) == 0
    assert grade_of_outcome_link(supported=True, alternatives_n=0, accepted=False, change_grade=None) == 0
    assert grade_of_outcome_link(supported=True, alternatives_n=1, accepted=False, change_grade=2) == 1
    assert grade_of_outcome_link(supported=True, alternatives_n=1, accepted=True, change_grade=None) == 1
    assert grade_of_outcome_link(supported=True, alternatives_n=1, accepted=True, change_grade=2) == 2


def test_the_wording_never_says_more_than_grade_and_verdict_allow():
    assert may_say(1, Verdict.BETTER) == "people report a contribution"
    assert may_say(2, Verdict.BETTER) == "changed after"
    assert may_say(2, Verdict.NO_CLEAR_CHANGE) == "no clear change after"
    assert may_say(2, Verdict.WORSE) == "worse after"
    assert may_say(3, Verdict.BETTER) == "changed more than the comparison"
    assert may_say(4, Verdict.BETTER) == "effect estimate"
    assert {may_say(grade, Verdict.INSUFFICIENT_DATA) for grade in range(5)} == {"insufficient data"}
    assert may_say(3) == "people report a contribution"
    for grade in range(5):
        for verdict in (Verdict.WORSE, Verdict.NO_CLEAR_CHANGE):
            assert may_say(grade, verdict) not in {"changed after", "changed more than the comparison"}
