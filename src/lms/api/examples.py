"""What would a body of each kind look like, whole and ready to be sent?"""

from typing import Any

from msgspec import inspect

from lms.api.contribution_bodies import NewContribution
from lms.api.goal_bodies import (
    Adjustment,
    Agreement,
    BatchedCheckIn,
    Invitations,
    NewAlignment,
    NewCheckIn,
    NewGoal,
)
from lms.api.improvement_bodies import ResultBody
from lms.api.learning import LearningChange, NewLearning
from lms.api.outcome_metrics import OutcomeMeasured
from lms.api.process_bodies import NewProcess, ProcessMeasured
from lms.api.teams import Members

AN_ID = "0199d3a0-7c1e-7a52-8f4e-3b6a9c2d1e0f"
A_DAY = "2026-03-02"

WHOLE: dict[type, dict[str, Any]] = {
    NewLearning: {"note": "Asking first what a caller tried saves both of us ten minutes"},
    NewGoal: {
        "level": "team",
        "title": "We know our buyers",
        "purpose": {"statement": "More buyers come back within a year"},
        "key_results": [
            {"title": "Repeat purchases", "unit": "ratio", "baseline": 0.31, "target": 0.36, "due_on": "2026-12-31"}
        ],
        "invite": "team",
    },
    Agreement: {"on": A_DAY, "how": "meeting", "participants_n": 7},
    NewAlignment: {
        "to": {"outcome_metric_id": AN_ID},
        "link_type": "contributes-to",
        "hypothesis": "Whoever is heard comes back",
        "expected_lag_days": 90,
        "weight": 0.5,
    },
    Invitations: {"invite": "team", "until": "2026-12-31"},
    NewCheckIn: {
        "key_result_id": AN_ID,
        "value": 34.5,
        "observed_on": A_DAY,
        "confidence": 7,
        "narrative": "Two shops ask every buyer now",
    },
    OutcomeMeasured: {
        "value": 0.36,
        "n": 5120,
        "start": "2026-02-01",
        "end": "2026-02-28",
        "origin": "system",
        "source": "orders",
    },
    ResultBody: {
        "measure_id": AN_ID,
        "before": {"start": "2026-01-01", "end": "2026-01-31"},
        "after": {"start": "2026-03-01", "end": "2026-03-31"},
    },
    Adjustment: {
        "field": "target",
        "key_result_id": AN_ID,
        "to": 0.34,
        "reason": "learned",
        "on": A_DAY,
        "how": "meeting",
        "participants_n": 7,
        "note": "Half of the buyers move house within the year",
    },
    NewContribution: {
        "from": {"kind": "improvement", "id": AN_ID},
        "to": {"outcome_metric_id": AN_ID},
        "mechanism": "Who is helped at once comes back",
        "window": {"start": "2026-02-01", "end": "2026-02-28"},
    },
    LearningChange: {"note": "Asking what a caller tried saves ten minutes, also by mail", "minutes": 20},
    Members: {"contributor_id": AN_ID, "home": True},
    NewProcess: {
        "name": "Hand-over to the service desk",
        "value_stream": "After sales",
        "measures": [{"name": "Hand-over time", "unit": "minutes", "direction": "decrease"}],
        "outcome_links": [
            {"outcome_metric_id": AN_ID, "hypothesis": "Who is helped at once comes back", "expected_lag_days": 90}
        ],
    },
}
"""Bodies of which the parts alone would not tell the usual use."""


_PLAIN: dict[type[inspect.Type], Any] = {
    inspect.UUIDType: AN_ID,
    inspect.DateType: A_DAY,
    inspect.StrType: "Who is called back within the hour buys again",
    inspect.BoolType: True,
}
"""Values of the types that are no numbers."""

BATCHED: dict[str, type] = {
    "/v1/check-ins:batch": BatchedCheckIn,
    "/v1/goals:batch": NewGoal,
    "/v1/me/learning:batch": NewLearning,
    "/v1/outcome-metrics/{metric_id}/measurements:batch": OutcomeMeasured,
    "/v1/processes/{process_id}/measurements:batch": ProcessMeasured,
}
"""What the items of each batch are."""


def example_of(body: type) -> dict[str, Any]:
    """A body with its required fields and those that have an example of their own, as JSON values."""
    if body in WHOLE:
        return WHOLE[body]
    declared = inspect.type_info(body)
    if not isinstance(declared, inspect.StructType):
        raise TypeError(f"{body} is no body")
    return {field.encode_name: _value(field.type) for field in declared.fields if field.required or _given(field.type)}


def _given(declared: inspect.Type) -> list[Any]:
    """The examples that a field's declaration gives."""
    extra = declared.extra_json_schema if isinstance(declared, inspect.Metadata) else None
    found: list[Any] = (extra or {}).get("examples", [])
    return found


def _value(declared: inspect.Type) -> Any:  # noqa: PLR0911 - one line per kind of type
    if given := _given(declared):
        return given[0]
    match declared:
        case inspect.Metadata(type=inner):
            return _value(inner)
        case inspect.UnionType(types):
            return _value(next(one for one in types if not isinstance(one, inspect.NoneType)))
        case inspect.StructType(cls):
            return example_of(cls)
        case inspect.EnumType(cls):
            return next(iter(cls)).value
        case inspect.LiteralType(values):
            return values[0]
        case inspect.VarTupleType(item) | inspect.ListType(item):
            return [_value(item)]
        case inspect.DictType(_, value):
            return {"en": _value(value)}
        case _:
            return _PLAIN.get(type(declared), 1)
