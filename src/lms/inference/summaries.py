"""What is the one summary of several measurements?"""

from collections.abc import Sequence
from decimal import Context, Decimal
from enum import StrEnum

import msgspec

from lms.domain.terms import Summary

_EXACT = Context(prec=40)
_SHOWN = Context(prec=12)


class Basis(StrEnum):
    """What counts as one observation behind a summary."""

    OBSERVATIONS = "observations"
    PERIODS = "periods"


class Pooled(msgspec.Struct, frozen=True):
    """One summary over all measurements, and what its ``n`` counts."""

    summary: Summary
    basis: Basis


def pool(measurements: Sequence[Summary]) -> Pooled | None:
    """The summary of all observations behind the measurements; None of none.

    When each says its n and spread (or is a single observation), the observations themselves are
    pooled: weighted mean, and the spread within and between the measurements. When one does not, the
    measurements are the observations: plain mean and spread of their values, n = how many there are.
    """
    if not measurements:
        return None
    start = min(one.start for one in measurements)
    end = max(one.end for one in measurements)
    known = all(one.n is not None and (one.spread is not None or one.n == 1) for one in measurements)
    if known or len(measurements) == 1:
        value, n, spread = _pool_observations(measurements)
        basis = Basis.OBSERVATIONS
    else:
        value, n, spread = _pool_periods([one.value for one in measurements])
        basis = Basis.PERIODS
    return Pooled(Summary(value=value, n=n, spread=spread, start=start, end=end), basis)


def _pool_observations(measurements: Sequence[Summary]) -> tuple[Decimal, int | None, Decimal | None]:
    if len(measurements) == 1:
        return measurements[0].value, measurements[0].n, measurements[0].spread
    sizes = [Decimal(one.n or 0) for one in measurements]
    total = sum(sizes, Decimal(0))
    weighted = sum((n * one.value for n, one in zip(sizes, measurements, strict=True)), Decimal(0))
    mean = _EXACT.divide(weighted, total)
    squares = Decimal(0)
    for n, one in zip(sizes, measurements, strict=True):
        within = (n - 1) * (one.spread or Decimal(0)) ** 2
        squares = _EXACT.add(squares, within + n * _EXACT.power(one.value - mean, 2))
    return rounded(mean), int(total), _spread(squares, int(total))


def _pool_periods(values: Sequence[Decimal]) -> tuple[Decimal, int, Decimal | None]:
    n = len(values)
    mean = _EXACT.divide(sum(values, Decimal(0)), Decimal(n))
    squares = sum((_EXACT.power(value - mean, 2) for value in values), Decimal(0))
    return rounded(mean), n, _spread(squares, n)


def _spread(squares: Decimal, n: int) -> Decimal | None:
    """The sample standard deviation from the sum of squared distances to the mean."""
    return rounded(_EXACT.sqrt(_EXACT.divide(squares, Decimal(n - 1)))) if n > 1 else None


def rounded(value: Decimal) -> Decimal:
    """The value with twelve significant digits: what a JSON number carries safely."""
    shown = _SHOWN.plus(value).normalize(_SHOWN)
    return shown.quantize(Decimal(1)) if shown == shown.to_integral_value() else shown
