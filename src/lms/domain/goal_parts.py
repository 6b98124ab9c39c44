"""Of what is a goal made, and what can be refused about it?"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from lms.domain.base import Forbidden, Personal, RuleBroken
from lms.domain.terms import Direction, Summary


class Level(StrEnum):
    """Individual: I can do my work. Team: we do it together. Business model: what we do is renewed."""

    INDIVIDUAL = "individual"
    TEAM = "team"
    BUSINESS_MODEL = "business-model"

    @property
    def height(self) -> int:
        """0 for individual, 1 for team, 2 for business model: links run sideways or upward."""
        return list(Level).index(self)


class Status(StrEnum):
    """Where a goal is in its life."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    ACHIEVED = "achieved"
    NOT_ACHIEVED = "not-achieved"
    ABANDONED = "abandoned"


class KeyResultKind(StrEnum):
    """Metric: a value between baseline and target. Milestone: the share that is done, 0 to 1."""

    METRIC = "metric"
    MILESTONE = "milestone"


class LinkType(StrEnum):
    """How a goal serves another: only ``contributes-to`` must stay without rings."""

    CONTRIBUTES_TO = "contributes-to"
    SUPPORTS = "supports"
    INFLUENCES = "influences"


class GoalOrigin(StrEnum):
    """What made somebody propose the goal."""

    SELF = "self"
    INVITATION = "invitation"
    INSIGHT = "insight"
    DRIFT = "drift"


class How(StrEnum):
    """How a goal was set or adjusted."""

    OWN = "own"
    MEETING = "meeting"


class AdjustmentReason(StrEnum):
    """Why a goal was adjusted; with evidence it counts as health, not failure."""

    LEARNED = "learned"
    MARKET = "market"
    CAPACITY = "capacity"
    MEASURE_WRONG = "measure-wrong"
    AMBITION = "ambition"


class AdjustedField(StrEnum):
    """What an adjustment changes; ``target`` and ``due-on`` belong to a key result."""

    TITLE = "title"
    PURPOSE = "purpose"
    TARGET = "target"
    DUE_ON = "due-on"


class Purpose(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a goal is for, and the process or outcome metric it means to move."""

    statement: Personal
    outcome_metric_id: UUID | None = None
    process_id: UUID | None = None


class Owner(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of contributor, team, or (both absent) the organisation."""

    contributor_id: UUID | None = None
    team_id: UUID | None = None


class Setting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an adjusted field was or becomes: a target's number, a due day, or the text of title or purpose."""

    number: Decimal | None = None
    day: date | None = None
    text: Personal | None = None


class KeyResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one will see that the goal is reached. ``weight`` lies in [0, 1]."""

    key_result_id: UUID
    title: Personal | None = None
    kind: KeyResultKind = KeyResultKind.METRIC
    metric_id: UUID | None = None
    measure_id: UUID | None = None
    unit: str | None = None
    direction: Direction = Direction.INCREASE
    baseline: Summary | None = None
    floor: Decimal | None = None
    target: Decimal
    stretch: Decimal | None = None
    due_on: date | None = None
    weight: Decimal = Decimal(1)

    @property
    def is_fed(self) -> bool:
        """Tell whether measurements of a metric or measure give its value."""
        return self.metric_id is not None or self.measure_id is not None

    def adjusted(self, to: Setting) -> "KeyResult":
        """The key result with another target or due date."""
        return msgspec.structs.replace(
            self,
            target=self.target if to.number is None else to.number,
            due_on=self.due_on if to.day is None else to.day,
        )


class Alignment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One link upward or sideways. A link to a key result is a link to its goal; ``to_level`` is that goal's."""

    link_id: UUID
    to_goal_id: UUID | None = None
    to_level: Level | None = None
    to_key_result_id: UUID | None = None
    to_outcome_metric_id: UUID | None = None
    link_type: LinkType
    weight: Decimal | None = None
    hypothesis: Personal
    expected_lag_days: int | None = None

    def is_same_link(self, other: "Alignment") -> bool:
        """Tell whether both say the same of the same target."""

        def said(link: Alignment) -> tuple[UUID | LinkType | None, ...]:
            return link.to_goal_id, link.to_key_result_id, link.to_outcome_metric_id, link.link_type

        return said(self) == said(other)


class FinalValue(msgspec.Struct, frozen=True, kw_only=True):
    """Where a key result stood when its goal was closed."""

    key_result_id: UUID
    value: Decimal


class GoalIsClosed(RuleBroken):
    """The goal is closed."""


class GoalIsSet(RuleBroken):
    """The goal is set already."""


class GoalIsNotSet(RuleBroken):
    """The goal is only proposed: agree on it first."""


class LinkRunsDownward(RuleBroken):
    """Links run to the same level or upward."""


class RingOfLinks(RuleBroken):
    """The goal would contribute to itself."""


class LinkToItself(RuleBroken):
    """A goal is no end for its own links."""


class AlreadyAligned(RuleBroken):
    """The goal has this link already."""


class TargetEqualsBaseline(RuleBroken):
    """A target that equals its baseline asks for nothing, unless the direction is hold."""


class ValueComesFromMeasurements(RuleBroken):
    """This key result takes its value from the measurements of its metric or measure."""


class NotYourGoal(Forbidden):
    """Only the goal's owner, its team's lead or the business owner may do this."""


class PersonVolumeIsNoGoal(RuleBroken):
    """How much each person does is no goal: choose a metric of customers, processes or finance."""
