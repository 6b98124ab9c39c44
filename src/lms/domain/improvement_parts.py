"""Of what is an improvement made, and what can be refused about it?"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

from lms.domain.base import Forbidden, Personal, RuleBroken
from lms.domain.effect import Baseline, Comparison, Design, Effect
from lms.domain.terms import Origin, Summary


class ExperimentOutcome(StrEnum):
    """How an experiment ended against what was expected of it."""

    AS_EXPECTED = "as-expected"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"


class ObstacleState(StrEnum):
    """What became of an obstacle; several may stand at once."""

    NAMED = "named"
    EVIDENCED = "evidenced"
    RULED_OUT = "ruled-out"
    CLEARED = "cleared"


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From a day to a day, both included."""

    start: date
    end: date


class TargetCondition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The value a measure should have by a day."""

    measure_id: UUID
    value: Decimal
    by: date | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What will be tried, what is expected of it, and when it is looked at.

    ``recorded_on`` is the day the plan came in: a design counts as planned before from then on, whatever it says.
    """

    experiment_id: UUID
    hypothesis: str
    measure_id: UUID | None = None
    expected_value: Decimal | None = None
    obstacle_id: UUID | None = None
    design: Design = Design.BEFORE_AFTER
    planned_on: date
    recorded_on: date | None = None
    review_on: date | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an experiment showed, over how many observations."""

    on: date
    observed: Decimal | None = None
    n: int | None = None


class Review(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an experiment taught, and which competencies it used.

    ``confirmed_by``: another than the claimant, once he has said so himself; ``asked``: who was asked to say so.
    """

    experiment_id: UUID
    on: date
    learned: Personal | None = None
    outcome: ExperimentOutcome
    competencies_used: tuple[UUID, ...] = ()
    claimed_by: UUID | None = None
    asked: UUID | None = None
    confirmed_by: UUID | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Before and after on one measure, how they were come by, and what their comparison found.

    ``before_origin`` and ``after_origin`` are the weakest of the measurements behind the summaries;
    ``took_effect_on`` is the day from which work ran the new way; ``recorded_before`` says that the
    design stood in a plan before the after-window began.
    """

    measure_id: UUID
    before: Summary
    after: Summary
    before_origin: Origin
    after_origin: Origin
    baseline: Baseline = Baseline.STANDING
    took_effect_on: date
    design: Design = Design.BEFORE_AFTER
    recorded_before: bool = False
    comparison: Comparison | None = None
    effect: Effect


class ImprovementExists(RuleBroken):
    """The improvement is open already."""


class ImprovementIsReverted(RuleBroken):
    """The improvement was taken back."""


class ExperimentHasNotRun(RuleBroken):
    """The experiment has not run yet: say first what was observed."""


class ExperimentIsNotReviewed(RuleBroken):
    """The experiment is not reviewed yet: nobody has claimed that a competency was used."""


class ExperimentIsOver(RuleBroken):
    """The experiment was run or reviewed already."""


class ConfirmedByClaimant(RuleBroken):
    """The use of a competency is confirmed by another than who claims it."""


class UseIsConfirmed(RuleBroken):
    """The use of the competencies was confirmed already."""


class NoResultYet(RuleBroken):
    """The improvement has no result yet."""


class NotAdopted(RuleBroken):
    """The improvement is not adopted: there is nothing to sustain yet."""


class AlreadyAdopted(RuleBroken):
    """The improvement is adopted already."""


class ObstacleIsSettled(RuleBroken):
    """The obstacle was cleared or ruled out already."""


class NotYourTeam(Forbidden):
    """Only members and leads of the improvement's team may do this."""
