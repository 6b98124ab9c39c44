"""Which numbers and references may a goal carry?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Malformed, Others
from lms.domain.goal_parts import (
    AdjustedField,
    Alignment,
    KeyResult,
    KeyResultKind,
    PersonVolumeIsNoGoal,
    Setting,
    TargetEqualsBaseline,
    ValueComesFromMeasurements,
)
from lms.domain.outcome_metric import Measures, OutcomeMetric
from lms.domain.terms import Direction, check_count, check_lag, check_not_in_future, check_text, check_unit


def check_metric(metric_id: UUID, others: Others) -> OutcomeMetric:
    """The metric, which must not count what each person does (invariant 13)."""
    metric = others.get(OutcomeMetric, metric_id)
    if metric.measures is Measures.PERSON_VOLUME:
        raise PersonVolumeIsNoGoal(outcome_metric_id=metric_id)
    return metric


def check_key_result(key_result: KeyResult, goal_id: UUID, others: Others, pointer: str) -> None:
    """Refuse a key result without unit, baseline or a target that asks for something (invariant 2)."""
    check_text(None if key_result.title is None else str(key_result.title), f"{pointer}/title", limit=300)
    if not 0 <= key_result.weight <= 1:
        raise Malformed(pointer=f"{pointer}/weight", detail="weights lie between 0 and 1")
    if key_result.kind is KeyResultKind.MILESTONE:
        if key_result.is_fed:
            raise Malformed(pointer=f"{pointer}/kind", detail="a milestone's value is the share that people report")
    else:
        _check_metric_key_result(key_result, others, pointer)
    check_target(key_result, goal_id, f"{pointer}/target")


def _check_metric_key_result(key_result: KeyResult, others: Others, pointer: str) -> None:
    if key_result.unit is None:
        raise Malformed(pointer=f"{pointer}/unit", detail="a metric key result has a unit")
    check_unit(key_result.unit, f"{pointer}/unit")
    if key_result.baseline is None:
        raise Malformed(pointer=f"{pointer}/baseline", detail="a metric key result has a baseline")
    if key_result.baseline.start > key_result.baseline.end:
        raise Malformed(pointer=f"{pointer}/baseline/end", detail="the window ends before it starts")
    check_count(key_result.baseline.n, f"{pointer}/baseline/n")
    if key_result.metric_id is None:
        return
    if key_result.measure_id is not None:
        raise Malformed(pointer=f"{pointer}/measure_id", detail="one metric or one measure feeds a key result")
    metric = check_metric(key_result.metric_id, others)
    if metric.unit != key_result.unit:
        raise Malformed(pointer=f"{pointer}/unit", detail=f"the metric is in {metric.unit}; units are never converted")


def check_target(key_result: KeyResult, goal_id: UUID, pointer: str) -> None:
    """Refuse a target that asks for nothing, or runs against the direction, or a share above 1."""
    if key_result.kind is KeyResultKind.MILESTONE:
        if not 0 < key_result.target <= 1:
            raise Malformed(pointer=pointer, detail="a milestone's target is a share done, at most 1")
        return
    if key_result.baseline is None or key_result.direction is Direction.HOLD:
        return
    rise = key_result.target - key_result.baseline.value
    if rise == 0:
        raise TargetEqualsBaseline(goal_id=goal_id)
    if (rise > 0) is not (key_result.direction is Direction.INCREASE):
        raise Malformed(
            pointer=pointer, detail=f"the direction is to {key_result.direction}: the target runs against it"
        )


def setting_before(key_result: KeyResult, field: AdjustedField, to: Setting, goal_id: UUID) -> Setting:
    """What an adjusted target or due date was; refuses a new one that cannot be."""
    if field is AdjustedField.DUE_ON:
        if to.day is None:
            raise Malformed(pointer="/to", detail="a due date is a date, such as 2026-03-31")
        return Setting(day=key_result.due_on)
    if to.number is None:
        raise Malformed(pointer="/to", detail="a target is a number")
    check_target(msgspec.structs.replace(key_result, target=to.number), goal_id, "/to")
    return Setting(number=key_result.target)


def check_alignment(alignment: Alignment, others: Others, pointer: str) -> None:
    """Refuse a link without hypothesis, out of bounds, or to a metric that no goal may have."""
    check_text(str(alignment.hypothesis), f"{pointer}/hypothesis")
    if alignment.weight is not None and not 0 <= alignment.weight <= 1:
        raise Malformed(pointer=f"{pointer}/weight", detail="weights lie between 0 and 1")
    check_lag(alignment.expected_lag_days, f"{pointer}/expected_lag_days")
    if alignment.to_outcome_metric_id is not None:
        check_metric(alignment.to_outcome_metric_id, others)


def check_report(
    key_result: KeyResult, value: Decimal | None, confidence: int | None, observed_on: date, today: date
) -> None:
    """Refuse a day to come, a value where measurements feed the key result, and none where they do not."""
    check_not_in_future(observed_on, today, "/observed_on")
    if confidence is not None and not 0 <= confidence <= 10:
        raise Malformed(pointer="/confidence", detail="confidence lies between 0 and 10")
    if key_result.is_fed:
        if value is not None:
            raise ValueComesFromMeasurements(key_result_id=key_result.key_result_id)
    elif value is None:
        raise Malformed(pointer="/value", detail="this key result has no measurements: say its value")
    elif key_result.kind is KeyResultKind.MILESTONE and not 0 <= value <= 1:
        raise Malformed(pointer="/value", detail="the share that is done lies between 0 and 1")
