"""Which aggregates, events and decisions exist? Stored type names resolve here and nowhere else."""

from collections.abc import Callable
from typing import Any

from lms.domain import (
    calendar,
    commitment,
    competency,
    competency_framework,
    contribution,
    contributor,
    goal_commands,
    goal_cycle,
    improvement_commands,
    learning_entry,
    link,
    measurement,
    organisation,
    outcome_metric,
    process,
    proficiency_scale,
    skill_commands,
    team_commands,
    team_learning,
)
from lms.domain.base import Aggregate, Event, Others
from lms.domain.calendar import Calendar
from lms.domain.commitment import Commitment
from lms.domain.competency import Competency
from lms.domain.competency_framework import CompetencyFramework
from lms.domain.contribution import Contribution
from lms.domain.contributor import Contributor
from lms.domain.goal import Goal
from lms.domain.goal_cycle import GoalCycle
from lms.domain.improvement import Improvement
from lms.domain.learning_entry import LearningEntry
from lms.domain.link import Link
from lms.domain.measurement import Measurement
from lms.domain.organisation import Organisation
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.proficiency_scale import ProficiencyScale
from lms.domain.skill_record import SkillRecord
from lms.domain.team import Team
from lms.domain.team_learning import TeamLearning

Decide = Callable[[Any, Any, Others], Aggregate | tuple[Aggregate, ...]]

DECISIONS: dict[type[Aggregate], Decide] = {
    Calendar: calendar.handle,
    Commitment: commitment.handle,
    Competency: competency.handle,
    CompetencyFramework: competency_framework.handle,
    Contribution: contribution.handle,
    Contributor: contributor.handle,
    Goal: goal_commands.handle,
    GoalCycle: goal_cycle.handle,
    Improvement: improvement_commands.handle,
    LearningEntry: learning_entry.handle,
    Link: link.handle,
    Measurement: measurement.handle,
    Organisation: organisation.handle,
    OutcomeMetric: outcome_metric.handle,
    Process: process.handle,
    ProficiencyScale: proficiency_scale.handle,
    SkillRecord: skill_commands.handle,
    Team: team_commands.handle,
    TeamLearning: team_learning.handle,
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
