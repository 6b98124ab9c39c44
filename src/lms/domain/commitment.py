"""Who makes a goal his own? People commit, they are not assigned (invariant 3).

A stream per goal and person. To everybody but the person, declined and unanswered look alike: an invitation to who
declined changes nothing and is answered as one to who has not answered yet.
"""

from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import Aggregate, Command, Forbidden, Malformed, NotFound, Others, Personal, Role, RuleBroken
from lms.domain.contributor import Contributor
from lms.domain.goal import Goal
from lms.domain.terms import Visibility, check_text


class CommitmentStatus(StrEnum):
    """Where a commitment is in its life."""

    INVITED = "invited"
    MADE = "made"
    DECLINED = "declined"
    RELEASED = "released"


class GuestsInviteNobody(Forbidden):
    """A guest may commit himself; he invites nobody else."""


class PrivateGoalsInviteNobody(RuleBroken):
    """A private goal is shown to nobody: show it to more people before you invite them."""


class AlreadyCommitted(RuleBroken):
    """You have committed to this goal already."""


class AlreadyDeclined(RuleBroken):
    """You have declined already."""


class NotCommitted(RuleBroken):
    """You have not committed to this goal."""


class Commitment(Aggregate):
    """One person's answer to one goal, the person's alone until he shows it."""

    TOPIC = "commitment"

    class Invited(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person was invited to the goal, by the actor."""

        TOPIC = "commitment.invited"
        goal_id: UUID
        contributor_id: UUID
        until: date | None = None

    class Made(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person committed to the goal."""

        TOPIC = "commitment.made"
        goal_id: UUID
        contributor_id: UUID
        until: date | None = None
        visibility: Visibility = Visibility.PRIVATE
        my_reason: Personal | None = None

    class Declined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person said no; nobody else sees it."""

        TOPIC = "commitment.declined"
        goal_id: UUID
        contributor_id: UUID
        my_reason: Personal | None = None

    class Released(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person no longer commits."""

        TOPIC = "commitment.released"
        goal_id: UUID
        contributor_id: UUID
        my_reason: Personal | None = None

    @event(Invited)
    def _invited(self, goal_id: UUID, contributor_id: UUID, until: date | None) -> None:
        self.goal_id, self.contributor_id, self.until = goal_id, contributor_id, until
        self.status = CommitmentStatus.INVITED

    @event(Made)
    def _made(self, until: date | None) -> None:
        self.status, self.until = CommitmentStatus.MADE, until

    @event(Declined)
    def _declined(self) -> None:
        self.status = CommitmentStatus.DECLINED

    @event(Released)
    def _released(self) -> None:
        self.status = CommitmentStatus.RELEASED


class InviteToGoal(Command, frozen=True, kw_only=True):
    """Invite a person to a goal; inviting oneself is the way to commit unasked. ``until`` is the last day."""

    commitment_id: UUID
    goal_id: UUID
    contributor_id: UUID
    until: date | None = None


class Commit(Command, frozen=True, kw_only=True):
    """Make the goal one's own, until a day or its end. Shown to nobody unless the person wants it."""

    until: date | None = None
    visibility: Visibility = Visibility.PRIVATE
    my_reason: str | None = None


class Decline(Command, frozen=True, kw_only=True):
    """Say no."""

    my_reason: str | None = None


class Release(Command, frozen=True, kw_only=True):
    """No longer commit."""

    my_reason: str | None = None


CommitmentCommand = InviteToGoal | Commit | Decline | Release


def handle(commitment: Commitment | None, command: CommitmentCommand, others: Others) -> Commitment:
    """Decide what a command does to a commitment."""
    if isinstance(command, InviteToGoal):
        return _invite(commitment, command, others)
    if commitment is None:
        raise NotFound(commitment=None)
    if not command.actor.is_contributor(commitment.contributor_id):
        # Whoever else asks learns nothing about it, not even that it is there.
        raise NotFound(commitment=commitment.id)
    check_text(command.my_reason, "/my_reason")
    match command:
        case Commit():
            _commit(commitment, command, others)
        case Decline(my_reason=my_reason):
            _refuse_unless_open(commitment)
            commitment.record(
                Commitment.Declined(
                    goal_id=commitment.goal_id, contributor_id=commitment.contributor_id, my_reason=my_reason
                )
            )
        case Release(my_reason=my_reason):
            if commitment.status is not CommitmentStatus.MADE:
                raise NotCommitted(commitment_id=commitment.id)
            commitment.record(
                Commitment.Released(
                    goal_id=commitment.goal_id, contributor_id=commitment.contributor_id, my_reason=my_reason
                )
            )
        case _:
            assert_never(command)
    return commitment


def _invite(commitment: Commitment | None, command: InviteToGoal, others: Others) -> Commitment:
    actor = command.actor
    goal = others.get(Goal, command.goal_id)
    if not goal.is_shown_to(actor):
        raise NotFound(goal=command.goal_id)
    goal.refuse_closed()
    himself = actor.is_contributor(command.contributor_id)
    if not himself and actor.has(Role.GUEST):
        raise GuestsInviteNobody(goal_id=goal.id)
    if not himself and goal.visibility is Visibility.PRIVATE:
        raise PrivateGoalsInviteNobody(goal_id=goal.id)
    others.get(Contributor, command.contributor_id).refuse_inactive()
    _check_until(command.until, command.today)
    if commitment is not None and commitment.status is not CommitmentStatus.RELEASED:
        return commitment
    invited = commitment or Commitment.blank(command.commitment_id)
    invited.record(
        Commitment.Invited(goal_id=command.goal_id, contributor_id=command.contributor_id, until=command.until)
    )
    return invited


def _commit(commitment: Commitment, command: Commit, others: Others) -> None:
    if commitment.status is CommitmentStatus.MADE:
        raise AlreadyCommitted(commitment_id=commitment.id)
    goal = others.get(Goal, commitment.goal_id)
    invited = commitment.status is not CommitmentStatus.RELEASED and goal.visibility is not Visibility.PRIVATE
    if not invited and not goal.is_shown_to(command.actor):
        raise NotFound(commitment=commitment.id)
    goal.refuse_closed()
    _check_until(command.until, command.today)
    commitment.record(
        Commitment.Made(
            goal_id=commitment.goal_id,
            contributor_id=commitment.contributor_id,
            until=command.until or commitment.until,
            visibility=command.visibility,
            my_reason=command.my_reason,
        )
    )


def _refuse_unless_open(commitment: Commitment) -> None:
    if commitment.status is CommitmentStatus.MADE:
        raise AlreadyCommitted(commitment_id=commitment.id)
    if commitment.status is CommitmentStatus.DECLINED:
        raise AlreadyDeclined(commitment_id=commitment.id)


def _check_until(until: date | None, today: date) -> None:
    if until is not None and until < today:
        raise Malformed(pointer="/until", detail=f"{until} is over")
