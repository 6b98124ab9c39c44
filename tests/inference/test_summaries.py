from datetime import date, timedelta
from decimal import Decimal
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.domain.terms import Summary
from lms.inference.summaries import Basis, pool, rounded

DAY = date(2026, 3, 2)
values = st.decimals(min_value=-1000, max_value=1000, places=2)


def summary(value, n=None, spread=None, on=DAY, days=1):
    spread = None if spread is None else Decimal(str(spread))
    return Summary(value=Decimal(str(value)), n=n, spread=spread, start=on, end=on + timedelta(days=days - 1))


def summarised(observations, on=DAY):
    spread = stdev(map(float, observations)) if len(observations) > 1 else None
    return summary(fmean(map(float, observations)), len(observations), spread, on)


def test_nothing_pools_to_nothing():
    assert pool([]) is None


def test_one_measurement_stays_what_it_is():
    alone = summary("0.36", n=5120)
    assert pool([alone]).summary == alone


@given(st.lists(st.lists(values, min_size=1, max_size=6), min_size=2, max_size=5))
def test_pooled_summaries_say_what_all_observations_together_say(groups):
    together = [value for group in groups for value in group]
    pooled = pool([summarised(group, DAY + timedelta(days=day)) for day, group in enumerate(groups)])
    assert pooled.basis is Basis.OBSERVATIONS
    assert pooled.summary.n == len(together)
    assert float(pooled.summary.value) == pytest.approx(fmean(map(float, together)), rel=1e-6, abs=1e-6)
    assert float(pooled.summary.spread) == pytest.approx(stdev(map(float, together)), rel=1e-6, abs=1e-5)


def test_the_pooled_window_runs_from_the_first_day_to_the_last():
    pooled = pool([summary(3, 5, 1, DAY + timedelta(days=30), days=7), summary(2, 5, 1, DAY, days=7)])
    assert (pooled.summary.start, pooled.summary.end) == (DAY, DAY + timedelta(days=36))


def test_without_spread_each_period_counts_as_one_observation():
    rates = ["0.30", "0.32", "0.31", "0.35"]
    months = [summary(rate, n=5000, on=DAY + timedelta(days=30 * m)) for m, rate in enumerate(rates)]
    pooled = pool(months)
    assert pooled.basis is Basis.PERIODS
    assert pooled.summary.n == 4
    assert pooled.summary.value == Decimal("0.32")
    assert float(pooled.summary.spread) == pytest.approx(stdev(map(float, rates)))


def test_single_observations_need_no_spread_of_their_own():
    pooled = pool([summary(value, n=1) for value in (1, 2, 3, 4)])
    assert pooled.basis is Basis.OBSERVATIONS
    assert (pooled.summary.n, pooled.summary.value) == (4, Decimal("2.5"))


def test_numbers_are_shown_with_twelve_digits_and_whole_ones_without_a_fraction():
    assert rounded(Decimal(1) / Decimal(3)) == Decimal("0.333333333333")
    assert str(rounded(Decimal("1200.000"))) == "1200"
