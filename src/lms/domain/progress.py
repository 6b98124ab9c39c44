"""How far is a goal, and how far should it be by now?

Pure figures, raw: clamped only where they are drawn. Every one is explained by its inputs, `FORMULAS` and `VERSION`.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Context, Decimal

import msgspec

from lms.domain.goal_parts import KeyResult, KeyResultKind
from lms.domain.terms import Direction

VERSION = 1
"""Of the formulas below: a change of one makes another version."""

FORMULAS = {
    "metric": "(value - baseline) / (target - baseline)",
    "milestone": "share done / target",
    "goal": "mean of the key results' ratios by weight; one that nobody reported counts where it began",
    "expected": "days since the baseline / days from the baseline to the due date, between 0 and 1",
}
"""What each figure is computed by."""

_DIGITS = Context(prec=12)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A key result with its latest value; None when nothing was reported or measured yet."""

    key_result: KeyResult
    value: Decimal | None


def ratio(key_result: KeyResult, value: Decimal) -> Decimal | None:
    """The share of the way that is done: 0 at the baseline, 1 at the target; monotone in the value.

    None where there is no way to go: the value should hold where it is, and no floor says what would be lost.
    """
    baseline = key_result.baseline
    if baseline is None or key_result.kind is KeyResultKind.MILESTONE:
        return _DIGITS.divide(value, key_result.target)
    holds = key_result.direction is Direction.HOLD and baseline.value == key_result.target
    start = key_result.floor if holds else baseline.value
    if start is None or start == key_result.target:
        return None
    return _DIGITS.divide(value - start, key_result.target - start)


def goal_ratio(standings: Iterable[Standing]) -> Decimal | None:
    """The weighted mean over key results; None while nothing was reported, or nothing has a ratio."""
    known = list(standings)
    if all(standing.value is None for standing in known):
        return None
    return _weighted_mean((standing.key_result.weight, _part(standing)) for standing in known)


def expected_ratio(key_result: KeyResult, set_on: date | None, today: date) -> Decimal | None:
    """Where a steady pace would be, between 0 and 1; None without a due date or a day to start from.

    The way begins where the baseline's window ends, and without baseline on the day the goal was set.
    """
    began = key_result.baseline.end if key_result.baseline else set_on
    if began is None or key_result.due_on is None:
        return None
    gone, whole = (today - began).days, (key_result.due_on - began).days
    if gone >= whole:
        return Decimal(1)
    return max(_DIGITS.divide(Decimal(gone), Decimal(whole)), Decimal(0))


def expected_goal_ratio(key_results: Iterable[KeyResult], set_on: date | None, today: date) -> Decimal | None:
    """The weighted mean of what each key result with a due date should have reached; None without any."""
    return _weighted_mean((one.weight, expected_ratio(one, set_on, today)) for one in key_results)


def _weighted_mean(parts: Iterable[tuple[Decimal, Decimal | None]]) -> Decimal | None:
    known = [(weight, part) for weight, part in parts if part is not None and weight > 0]
    if not known:
        return None
    total = sum((weight for weight, _ in known), Decimal())
    return _DIGITS.divide(sum((weight * part for weight, part in known), Decimal()), total)


def _part(standing: Standing) -> Decimal | None:
    if standing.value is not None:
        return ratio(standing.key_result, standing.value)
    baseline = standing.key_result.baseline
    return Decimal(0) if baseline is None else ratio(standing.key_result, baseline.value)
