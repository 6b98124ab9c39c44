"""What is said to have moved a figure, on which evidence, and who accepts that?"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import (
    Actor,
    Aggregate,
    Command,
    Forbidden,
    Malformed,
    NotFound,
    Others,
    Personal,
    Role,
    RuleBroken,
)
from lms.domain.competency import Competency
from lms.domain.effect import Comparison, Design, Effect, check_comparison, check_sides, is_better
from lms.domain.improvement import Improvement
from lms.domain.improvement_parts import Window
from lms.domain.learning_entry import LearningEntry
from lms.domain.link import check_reference
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.support import Alternative, Evidence, Stance
from lms.domain.team_learning import TeamLearning
from lms.domain.terms import Direction, Origin, Summary, check_not_in_future, check_text


class CauseKind(StrEnum):
    """What is said to have contributed: a competency, a learning entry or an improvement."""

    SKILL = "skill"
    LEARNING = "learning"
    IMPROVEMENT = "improvement"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What contributed: a skill by its competency, learning by a team's or one's own entry, an improvement."""

    kind: CauseKind
    id: UUID


class Moved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The figure that moved: an outcome metric, or a measure of a process."""

    outcome_metric_id: UUID | None = None
    process_id: UUID | None = None
    measure_id: UUID | None = None


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the change it explains, from low to high, both between 0 and 1."""

    low: Decimal
    high: Decimal


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the figure moved over the window, compared with before.

    ``took_effect_on``: where the window begins. ``recorded_before``: the design stood in a plan of the improvement that
    is said to have contributed, before the after-window began.
    """

    before: Summary
    after: Summary
    before_origin: Origin
    after_origin: Origin
    took_effect_on: date | None = None
    design: Design = Design.BEFORE_AFTER
    recorded_before: bool = False
    comparison: Comparison | None = None
    effect: Effect


class Standing(StrEnum):
    """Where a contribution stands."""

    STATED = "stated"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ContributionExists(RuleBroken):
    """The contribution is stated already."""


class ContributionIsSettled(RuleBroken):
    """The contribution was accepted, rejected or withdrawn already."""


class NeedsEvidenceAndAlternative(RuleBroken):
    """A contribution is accepted with one supporting evidence and one alternative explanation at least."""


class AcceptedByWhoStatedIt(RuleBroken):
    """A contribution is accepted or rejected by another than who stated it."""


class NotYourContribution(Forbidden):
    """Only who stated the contribution withdraws it."""


class Contribution(Aggregate):
    """A claim that something moved a figure, open to evidence and alternatives."""

    TOPIC = "contribution"

    class Stated(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Somebody says that a cause moved a figure, and how; ``change`` is what the figures show of it."""

        TOPIC = "contribution.stated"
        cause: Cause = msgspec.field(name="from")
        moved: Moved = msgspec.field(name="to")
        mechanism: str
        window: Window
        share: Share | None = None
        change: Change | None = None
        stated_by: UUID | None = None

    class EvidenceAttached(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Something speaks for it or against it."""

        TOPIC = "contribution.evidence-attached"
        evidence: Evidence

    class AlternativeRecorded(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Something else could explain the change."""

        TOPIC = "contribution.alternative-recorded"
        alternative: Alternative

    class Accepted(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Another than who stated it holds it for true so far."""

        TOPIC = "contribution.accepted"
        accepted_by: UUID | None = None

    class Rejected(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Another than who stated it does not."""

        TOPIC = "contribution.rejected"
        reason: Personal

    class Withdrawn(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Who stated it took it back."""

        TOPIC = "contribution.withdrawn"
        reason: Personal | None = None

    @property
    def is_settled(self) -> bool:
        """Tell whether it was accepted, rejected or withdrawn."""
        return self.standing is not Standing.STATED

    def accept(self, acceptor: UUID | None) -> None:
        """Hold it for true so far (invariant 10)."""
        if acceptor is None or acceptor == self.stated_by:
            raise AcceptedByWhoStatedIt(contribution_id=self.id)
        if not self.supporting_n or not self.alternatives_n:
            raise NeedsEvidenceAndAlternative(
                contribution_id=self.id, supporting_n=self.supporting_n, alternatives_n=self.alternatives_n
            )
        self.record(Contribution.Accepted(accepted_by=acceptor))

    def reject(self, rejecter: UUID | None, reason: str) -> None:
        """Do not hold it for true."""
        check_text(reason, "/reason")
        if rejecter is None or rejecter == self.stated_by:
            raise AcceptedByWhoStatedIt(contribution_id=self.id)
        self.record(Contribution.Rejected(reason=reason))

    def withdraw(self, author: UUID | None, reason: str | None) -> None:
        """Take it back."""
        check_text(reason, "/reason")
        if author is None or author != self.stated_by:
            raise NotYourContribution(contribution_id=self.id)
        self.record(Contribution.Withdrawn(reason=reason))

    @event(Stated)
    def _stated(
        self,
        cause: Cause,
        moved: Moved,
        mechanism: str,
        window: Window,
        share: Share | None,
        change: Change | None,
        stated_by: UUID | None,
    ) -> None:
        self.cause, self.moved, self.mechanism, self.window = cause, moved, mechanism, window
        self.share, self.change, self.stated_by = share, change, stated_by
        self.standing = Standing.STATED
        self.supporting_n = 0
        self.weakening_n = 0
        self.alternatives_n = 0

    @event(EvidenceAttached)
    def _evidence_attached(self, evidence: Evidence) -> None:
        if evidence.stance is Stance.SUPPORTS:
            self.supporting_n += 1
        else:
            self.weakening_n += 1

    @event(AlternativeRecorded)
    def _alternative_recorded(self) -> None:
        self.alternatives_n += 1

    @event(Accepted)
    def _accepted(self) -> None:
        self.standing = Standing.ACCEPTED

    @event(Rejected)
    def _rejected(self) -> None:
        self.standing = Standing.REJECTED

    @event(Withdrawn)
    def _withdrawn(self) -> None:
        self.standing = Standing.WITHDRAWN


class StateContribution(Command, frozen=True, kw_only=True):
    """Say that a cause moved a figure, and how."""

    contribution_id: UUID
    cause: Cause
    moved: Moved
    mechanism: str
    window: Window
    share: Share | None = None
    change: Change | None = None


class SupportContribution(Command, frozen=True, kw_only=True):
    """Say what speaks for it or against it."""

    evidence: Evidence


class OfferAlternative(Command, frozen=True, kw_only=True):
    """Say what else could explain the change."""

    alternative: Alternative


class AcceptContribution(Command, frozen=True, kw_only=True):
    """Hold it for true so far."""


class RejectContribution(Command, frozen=True, kw_only=True):
    """Do not."""

    reason: str


class WithdrawContribution(Command, frozen=True, kw_only=True):
    """Take it back."""

    reason: str | None = None


ContributionCommand = (
    StateContribution
    | SupportContribution
    | OfferAlternative
    | AcceptContribution
    | RejectContribution
    | WithdrawContribution
)


def handle(contribution: Contribution | None, command: ContributionCommand, others: Others) -> Contribution:
    """Decide what a command does to a contribution."""
    if isinstance(command, StateContribution):
        return _state(contribution, command, others)
    if contribution is None or command.actor.has(Role.GUEST):
        raise NotFound(contribution=contribution.id if contribution else None)
    if contribution.is_settled:
        raise ContributionIsSettled(contribution_id=contribution.id, standing=contribution.standing.value)
    actor_id = command.actor.contributor_id
    match command:
        case SupportContribution(evidence=evidence):
            check_reference(evidence.ref)
            contribution.record(Contribution.EvidenceAttached(evidence=evidence))
        case OfferAlternative(alternative=alternative):
            check_text(alternative.text, "/text")
            contribution.record(Contribution.AlternativeRecorded(alternative=alternative))
        case AcceptContribution():
            contribution.accept(actor_id)
        case RejectContribution(reason=reason):
            contribution.reject(actor_id, reason)
        case WithdrawContribution(reason=reason):
            contribution.withdraw(actor_id, reason)
        case _:
            assert_never(command)
    return contribution


def _state(contribution: Contribution | None, command: StateContribution, others: Others) -> Contribution:
    if contribution is not None:
        raise ContributionExists(contribution_id=contribution.id)
    check_text(command.mechanism, "/mechanism")
    if command.window.start > command.window.end:
        raise Malformed(pointer="/window/end", detail="the window ends before it starts")
    check_not_in_future(command.window.start, command.today, "/window/start")
    share = command.share
    if share is not None and not 0 <= share.low <= share.high <= 1:
        raise Malformed(pointer="/share", detail="a share runs from low to high between 0 and 1")
    direction = _direction(command.moved, others)
    _check_cause(command.cause, command.actor, others)
    change = command.change and _checked(command.change, command, direction, others)
    stated = Contribution.blank(command.contribution_id)
    stated.record(
        Contribution.Stated(
            cause=command.cause,
            moved=command.moved,
            mechanism=command.mechanism,
            window=command.window,
            share=share,
            change=change,
            stated_by=command.actor.contributor_id,
        )
    )
    return stated


def _checked(change: Change, command: StateContribution, direction: Direction, others: Others) -> Change:
    """The change with what is known of its cause. Refuses figures that cannot be, or do not say what it says."""
    check_sides(change.before, change.after, command.today)
    check_comparison(change.design, change.comparison, command.today)
    is_better(change.effect, change.before, change.after, direction)
    planned = command.cause.kind is CauseKind.IMPROVEMENT and others.get(Improvement, command.cause.id).was_planned(
        change.design, change.after.start
    )
    return msgspec.structs.replace(change, took_effect_on=command.window.start, recorded_before=planned)


def _check_cause(cause: Cause, actor: Actor, others: Others) -> None:
    """Refuse a cause that does not exist, or somebody else's learning that is not shown."""
    match cause.kind:
        case CauseKind.SKILL:
            others.get(Competency, cause.id)
        case CauseKind.IMPROVEMENT:
            others.get(Improvement, cause.id)
        case _:
            entry = others.find(LearningEntry, cause.id)
            is_own = entry is not None and actor.is_contributor(entry.learner)
            if not is_own and others.find(TeamLearning, cause.id) is None:
                raise NotFound(learning=cause.id)


def _direction(moved: Moved, others: Others) -> Direction:
    """Which way is better for the figure that moved; there is exactly one figure."""
    if moved.outcome_metric_id is not None and moved.process_id is None and moved.measure_id is None:
        return others.get(OutcomeMetric, moved.outcome_metric_id).direction
    if moved.outcome_metric_id is None and moved.process_id is not None and moved.measure_id is not None:
        return others.get(Process, moved.process_id).measure(moved.measure_id).direction
    raise Malformed(pointer="/to", detail="either an outcome metric, or a process with its measure")
