"""What does somebody send about a goal?"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from lms.api.bodies import Body
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    GoalOrigin,
    How,
    KeyResultKind,
    Level,
    LinkType,
    Status,
)
from lms.domain.terms import Direction, Visibility


class PurposeSent(Body, frozen=True, kw_only=True):
    """What the goal is for, and the process or outcome metric it means to move."""

    statement: Annotated[str, msgspec.Meta(examples=["More buyers come back within a year"])]
    outcome_metric_id: UUID | None = None
    process_id: UUID | None = None


class OwnerSent(Body, frozen=True, kw_only=True):
    """A team; or, of an individual goal, the caller himself."""

    team_id: UUID | None = None
    contributor_id: UUID | None = None


class BaselineSent(Body, frozen=True, kw_only=True):
    """Where it began: a value, with the number of observations and the days where they are known."""

    value: Annotated[Decimal, msgspec.Meta(examples=[0.31])]
    n: int | None = None
    spread: Decimal | None = None
    start: date
    end: date


class NewKeyResult(Body, frozen=True, kw_only=True):
    """How one will see that the goal is reached.

    ``metric_id`` or ``measure_id`` names an outcome metric or process measure whose measurements give the value; unit
    and direction then follow from it. A milestone's value is the share done, its target 1 unless said otherwise.
    """

    kind: KeyResultKind = KeyResultKind.METRIC
    title: Annotated[str | None, msgspec.Meta(examples=["Repeat purchases"])] = None
    metric_id: UUID | None = None
    measure_id: UUID | None = None
    unit: Annotated[str | None, msgspec.Meta(examples=["ratio"])] = None
    direction: Direction | None = None
    baseline: Annotated[
        Decimal | BaselineSent | None, msgspec.Meta(description="A value as of today, or a summary", examples=[0.31])
    ] = None
    floor: Decimal | None = None
    target: Annotated[Decimal | None, msgspec.Meta(examples=[0.36])] = None
    stretch: Decimal | None = None
    due_on: date | None = None
    weight: Annotated[Decimal | None, msgspec.Meta(description="From 0 to 1; 1 unless said otherwise")] = None


class Target(Body, frozen=True, kw_only=True):
    """Exactly one of a goal, a key result and an outcome metric."""

    goal_id: UUID | None = None
    key_result_id: UUID | None = None
    outcome_metric_id: UUID | None = None


class NewAlignment(Body, frozen=True, kw_only=True):
    """A link upward or sideways, and why it should hold."""

    to: Target
    link_type: LinkType = LinkType.CONTRIBUTES_TO
    hypothesis: Annotated[str, msgspec.Meta(examples=["Whoever is heard comes back"])]
    expected_lag_days: Annotated[int | None, msgspec.Meta(examples=[90])] = None
    weight: Decimal | None = None


Invited = Annotated[
    Literal["team"] | tuple[UUID, ...],
    msgspec.Meta(description="`team`: the members of the owning team, or of one's home team; or contributors' ids"),
]


class NewGoal(Body, frozen=True, kw_only=True):
    """A goal of a person, a team or the organisation. An individual goal stands at once and is private."""

    level: Level
    title: Annotated[str, msgspec.Meta(examples=["We know our buyers"])]
    purpose: PurposeSent
    owner: OwnerSent | None = None
    cycle_id: UUID | None = None
    origin: GoalOrigin = GoalOrigin.SELF
    visibility: Visibility | None = None
    key_results: tuple[NewKeyResult, ...] = ()
    align: tuple[NewAlignment, ...] = ()
    invite: Invited | None = None
    my_reason: str | None = None


class Agreement(Body, frozen=True, kw_only=True):
    """The meeting that set the goal."""

    on: date
    how: How
    participants_n: Annotated[int, msgspec.Meta(examples=[7])]
    contributor_kinds: tuple[str, ...] = ()


class Invitations(Body, frozen=True, kw_only=True):
    """Who is invited to commit, and until which day the commitment would last. Oneself: to commit unasked."""

    invite: Invited
    until: date | None = None


class NewCheckIn(Body, frozen=True, kw_only=True):
    """How a key result stands. ``value`` is left out where measurements give it."""

    key_result_id: UUID
    value: Annotated[Decimal | None, msgspec.Meta(examples=[34.5])] = None
    observed_on: date | None = None
    confidence: Annotated[int | None, msgspec.Meta(description="0 to 10", examples=[7])] = None
    narrative: str | None = None
    blockers: str | None = None


class BatchedCheckIn(NewCheckIn, frozen=True, kw_only=True):
    """A check-in of any goal; without ``goal_id`` the goal that the key result belongs to."""

    goal_id: UUID | None = None


class CheckInCorrection(Body, frozen=True, kw_only=True):
    """All that the check-in should have said; the day stays unless another is given."""

    value: Annotated[Decimal | None, msgspec.Meta(examples=[33.5])] = None
    observed_on: date | None = None
    confidence: int | None = None
    narrative: str | None = None
    blockers: str | None = None


class Adjustment(Body, frozen=True, kw_only=True):
    """What changes, to what, and what was learned. Teams and the organisation adjust in a meeting."""

    field: AdjustedField
    key_result_id: UUID | None = None
    to: Annotated[
        int | float | str,
        msgspec.Meta(description="A target's number, a due date, or the text of title or purpose", examples=[0.34]),
    ]
    reason: AdjustmentReason
    on: date | None = None
    how: How | None = None
    participants_n: int | None = None
    evidence: tuple[str, ...] = ()
    note: str | None = None


class Closing(Body, frozen=True, kw_only=True):
    """How the goal ended; whoever gives it up says why."""

    result: Annotated[Status, msgspec.Meta(description="achieved, not-achieved or abandoned", examples=["achieved"])]
    on: date | None = None
    reason: str | None = None


class Reflection(Body, frozen=True, kw_only=True):
    """What was expected, what happened, what was learned, what comes next."""

    learned: Annotated[str, msgspec.Meta(examples=["Asking first sells more than answering fast"])]
    expected: str | None = None
    happened: str | None = None
    next: str | None = None


class Showing(Body, frozen=True, kw_only=True):
    """To whom the goal is shown."""

    visibility: Visibility


class CommitmentSent(Body, frozen=True, kw_only=True):
    """Until when, shown to whom (nobody unless said otherwise), and why, for oneself."""

    until: date | None = None
    visibility: Visibility = Visibility.PRIVATE
    my_reason: str | None = None


class CommitmentEnded(Body, frozen=True, kw_only=True):
    """Why, for oneself alone."""

    my_reason: str | None = None
