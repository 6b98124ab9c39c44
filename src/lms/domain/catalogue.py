"""Which aggregates, events and decisions exist? Stored type names resolve here and nowhere else."""

from collections.abc import Callable
from typing import Any

from lms.domain import (
    calendar,
    contribution,
    contributor,
    goal_commands,
    goal_cycle,
    improvement_commands,
    link,
    measurement,
    organisation,
    outcome_metric,
    process,
    team_commands,
)
from lms.domain.base import Aggregate, Event, Others
from lms.domain.calendar import Calendar
from lms.domain.contribution import Contribution
from lms.domain.contributor import Contributor
from lms.domain.goal import Goal
from lms.domain.goal_cycle import GoalCycle
from lms.domain.improvement import Improvement
from lms.domain.link import Link
from lms.domain.measurement import Measurement
from lms.domain.organisation import Organisation
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.team import Team

Decide = Callable[[Any, Any, Others], Aggregate | tuple[Aggregate, ...]]

DECISIONS: dict[type[Aggregate], Decide] = {
    Calendar: calendar.handle,
    Contribution: contribution.handle,
    Contributor: contributor.handle,
    Goal: goal_commands.handle,
    GoalCycle: goal_cycle.handle,
    Improvement: improvement_commands.handle,
    Link: link.handle,
    Measurement: measurement.handle,
    Organisation: organisation.handle,
    OutcomeMetric: outcome_metric.handle,
    Process: process.handle,
    Team: team_commands.handle,
}
"""Each aggregate with the function that decides on it. A new aggregate is one line here."""


def event_types() -> dict[str, type[Event]]:
    """The stored name of each event with its class."""
    types: dict[str, type[Event]] = {}
    for aggregate in DECISIONS:
        for name, value in vars(aggregate).items():
            if name != "Event" and isinstance(value, type) and issubclass(value, Event):
                if value.TOPIC in types:
                    raise ValueError(f"two events are stored as {value.TOPIC}")
                types[value.TOPIC] = value
    return types


def aggregate_of(topic: str) -> type[Aggregate]:
    """The aggregate whose event is stored under this name."""
    return _OWNERS[topic]


_OWNERS = {
    value.TOPIC: aggregate
    for aggregate in DECISIONS
    for name, value in vars(aggregate).items()
    if name != "Event" and isinstance(value, type) and issubclass(value, Event)
}
