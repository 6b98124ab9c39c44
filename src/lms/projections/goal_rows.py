"""Which rows does the read model of goals keep?"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import msgspec

from lms.domain.base import Personal
from lms.domain.goal import Goal
from lms.domain.goal_parts import GoalOrigin, KeyResult, Level, LinkType, Status
from lms.domain.terms import Direction, Visibility
from lms.projections.base import Table

ENDS = {
    Goal.Achieved.TOPIC: Status.ACHIEVED,
    Goal.NotAchieved.TOPIC: Status.NOT_ACHIEVED,
    Goal.Abandoned.TOPIC: Status.ABANDONED,
}
"""The status after each event that closes a goal."""


class GoalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One goal; its texts are sealed where they are somebody's. ``position`` is where it was proposed."""

    goal_id: UUID
    organisation_id: UUID
    position: int
    version: int
    level: Level
    title: Personal
    statement: Personal
    outcome_metric_id: UUID | None
    process_id: UUID | None
    owner_contributor_id: UUID | None
    owner_team_id: UUID | None
    proposer: UUID | None
    cycle_id: UUID | None
    origin: GoalOrigin
    visibility: Visibility
    shown_to_team: UUID | None
    status: Status
    set_on: date | None
    closed_on: date | None


class KeyResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key result as it stands after adjustments; ``feed`` is the metric or measure that gives its value."""

    key_result_id: UUID
    organisation_id: UUID
    goal_id: UUID
    position: int
    feed: UUID | None
    key_result: KeyResult


class CheckInRow(msgspec.Struct, frozen=True, kw_only=True):
    """One check-in as last corrected; ``position`` is where it was first reported."""

    check_in_id: UUID
    organisation_id: UUID
    goal_id: UUID
    key_result_id: UUID
    position: int
    value: Decimal | None
    observed_on: date
    confidence: int | None
    narrative: Personal | None
    blockers: Personal | None


class MeasuredRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value over all segments as last revised; ``feed`` is its metric or measure."""

    measurement_id: UUID
    organisation_id: UUID
    feed: UUID
    position: int
    value: Decimal
    ends_on: date


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome metric or process measure, as far as a key result that it feeds needs to know."""

    feed: UUID
    organisation_id: UUID
    unit: str
    direction: Direction


class LinkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One standing link of a goal."""

    link_id: UUID
    organisation_id: UUID
    goal_id: UUID
    position: int
    to_goal_id: UUID | None
    to_key_result_id: UUID | None
    to_outcome_metric_id: UUID | None
    link_type: LinkType
    weight: Decimal | None
    hypothesis: Personal
    expected_lag_days: int | None


class InvitedRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who sees a goal because he was invited to it; who declined keeps sight of it."""

    goal_id: UUID
    contributor_id: UUID


class CadenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """How often a cycle wants check-ins."""

    cycle_id: UUID
    every_days: int


GOALS = Table("goals_v1", GoalRow, key="goal_id")
KEY_RESULTS = Table("goal_key_results_v1", KeyResultRow, key="key_result_id")
CHECK_INS = Table("goal_check_ins_v1", CheckInRow, key="check_in_id")
FEEDS = Table("goal_feeds_v1", FeedRow, key="feed")
MEASURED = Table("goal_measured_v1", MeasuredRow, key="measurement_id")
LINKS = Table("goal_links_v1", LinkRow, key="link_id")
INVITED = Table("goal_invited_v1", InvitedRow, key=("goal_id", "contributor_id"))
CADENCES = Table("goal_cadences_v1", CadenceRow, key="cycle_id")


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """A key result with where it stands: the value that counts and the last confidence."""

    goal_id: UUID
    key_result: KeyResult
    value: Decimal | None
    observed_on: date | None
    confidence: int | None


After: TypeAlias = tuple[date, UUID] | None
"""The day and id of the last one seen, where a list goes on."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A key result that wants a check-in since ``due_on``."""

    goal_id: UUID
    key_result_id: UUID
    goal_title: Personal
    title: Personal | None
    due_on: date


def adjusting(event: Goal.Adjusted) -> Callable[[KeyResultRow | None], KeyResultRow | None]:
    """The key result with another target or due date."""

    def adjust(row: KeyResultRow | None) -> KeyResultRow | None:
        if row is None:
            return None
        return msgspec.structs.replace(row, key_result=row.key_result.adjusted(event.to))

    return adjust


def showing(version: int, event: Goal.VisibilityChanged) -> Callable[[GoalRow | None], GoalRow | None]:
    """The goal as shown to more or fewer people."""

    def show(row: GoalRow | None) -> GoalRow | None:
        if row is None:
            return None
        team = row.owner_team_id or event.home_team_id
        return msgspec.structs.replace(row, version=version, visibility=event.visibility, shown_to_team=team)

    return show
