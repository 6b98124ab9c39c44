"""What did a comparison of before and after find, and may it be called better?"""

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from lms.domain.base import Malformed
from lms.domain.terms import Direction, Origin, Summary, check_text, check_window

ENOUGH_OBSERVATIONS = 5
"""Fewer observations on a side say nothing (invariant 9)."""


class Verdict(StrEnum):
    """What a comparison says: only ``better`` makes an improved process."""

    BETTER = "better"
    WORSE = "worse"
    NO_CLEAR_CHANGE = "no-clear-change"
    INSUFFICIENT_DATA = "insufficient-data"


class Design(StrEnum):
    """How before and after were compared; the grade of the link depends on it."""

    BEFORE_AFTER = "before-after"
    COMPARED = "compared"
    INTERRUPTED_SERIES = "interrupted-series"
    RANDOMISED = "randomised"
    STAGGERED = "staggered"

    @property
    def needs_comparison(self) -> bool:
        """Tell whether the design stands on others that did not change."""
        return self in {Design.COMPARED, Design.RANDOMISED, Design.STAGGERED}


class Baseline(StrEnum):
    """How the baseline was come by: one chosen afterwards or that raised the alarm proves little."""

    STANDING = "standing"
    TRIGGER = "trigger"
    CHOSEN_AFTER = "chosen-after"


class Comparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same measure where nothing was changed, over the same two windows."""

    label: str
    before: Summary
    after: Summary


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The difference after minus before in the measure's unit, with its interval, verdict and method.

    ``points_before`` and ``points_after`` count the stored measurements of an interrupted series.
    Difference and interval are absent when the verdict is insufficient-data.
    """

    verdict: Verdict
    difference: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    confidence: Decimal = Decimal("0.95")
    method: str
    method_version: int
    points_before: int | None = None
    points_after: int | None = None


def is_comparable(before: Summary, after: Summary) -> bool:
    """Tell whether both sides have observations and spread enough and windows that do not overlap."""
    enough = all(
        side.n is not None and side.n >= ENOUGH_OBSERVATIONS and side.spread is not None for side in (before, after)
    )
    return enough and before.end < after.start


def judge(direction: Direction, low: Decimal, high: Decimal) -> Verdict:
    """Say what an interval of the difference means; where the value should hold, leaving it is worse."""
    if low <= 0 <= high:
        return Verdict.NO_CLEAR_CHANGE
    good_way = Direction.INCREASE if low > 0 else Direction.DECREASE
    return Verdict.BETTER if direction is good_way else Verdict.WORSE


def is_better(effect: Effect, before: Summary, after: Summary, direction: Direction) -> bool:
    """Tell whether invariant 9 holds for this effect; what the verdict claims must stand in the figures.

    Raises Malformed for a verdict that its own figures contradict.
    """
    if effect.verdict is Verdict.INSUFFICIENT_DATA:
        return False
    if effect.low is None or effect.high is None or not is_comparable(before, after):
        raise Malformed(pointer="/effect", detail="a verdict needs comparable sides and an interval")
    if judge(direction, effect.low, effect.high) is not effect.verdict:
        raise Malformed(pointer="/effect", detail=f"the interval does not say {effect.verdict}")
    return effect.verdict is Verdict.BETTER


def gain(before: Decimal, after: Decimal, direction: Direction) -> Decimal:
    """The change on the good side; negative when it went the wrong way."""
    return before - after if direction is Direction.DECREASE else after - before


def check_sides(before: Summary, after: Summary, today: date, pointer: str = "") -> None:
    """Refuse sides whose numbers cannot be, or a before that starts after the after."""
    check_window(before, today, f"{pointer}/before")
    check_window(after, today, f"{pointer}/after")
    if before.start > after.start:
        raise Malformed(pointer=f"{pointer}/after/start", detail="after comes before before")


def check_comparison(design: Design, comparison: Comparison | None, today: date) -> None:
    """Refuse a design that lacks what it compares with, or a comparison whose numbers cannot be."""
    if comparison is not None:
        check_text(comparison.label, "/comparison/label", limit=300)
        check_sides(comparison.before, comparison.after, today, "/comparison")
    elif design.needs_comparison:
        raise Malformed(pointer="/comparison", detail=f"the design {design} compares with others")


def weakest_origin(origins: tuple[Origin, ...]) -> Origin:
    """The origin that bounds what may be said of pooled measurements; nothing known counts as recalled."""
    for origin in (Origin.RECALLED, Origin.COUNTED):
        if origin in origins:
            return origin
    return Origin.SYSTEM if origins else Origin.RECALLED
