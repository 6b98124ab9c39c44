"""What did a team learn together?"""

from datetime import date
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import Aggregate, Command, Forbidden, Malformed, Others, Personal, RuleBroken
from lms.domain.competency import check_competencies
from lms.domain.goal import Goal
from lms.domain.terms import check_count, check_not_in_future, check_text


class TeamLearningExists(RuleBroken):
    """This team learning is recorded already."""


class NotYourTeam(Forbidden):
    """Only the team's members and its lead say what the team learned."""


class TeamLearning(Aggregate):
    """One occasion at which a team learned together, as the team states it; it names no person."""

    TOPIC = "team-learning"

    class Held(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The team learned together."""

        TOPIC = "team-learning.held"
        DATED_BY = "on"
        team_id: UUID
        what: Personal
        on: date
        participants_n: int | None = None
        goal_id: UUID | None = None
        competencies: tuple[UUID, ...] = ()

    def key_owner(self, event: Aggregate.Event, field: str, author: UUID | None) -> UUID | None:  # noqa: ARG002
        """A team's statement is open inside the organisation: not sealed."""
        return None

    @event(Held)
    def _held(self, team_id: UUID, on: date) -> None:
        self.team_id, self.on = team_id, on


class HoldTeamLearning(Command, frozen=True, kw_only=True):
    """Record what the team learned together."""

    team_learning_id: UUID
    team_id: UUID
    what: str
    on: date | None = None
    participants_n: int | None = None
    goal_id: UUID | None = None
    competencies: tuple[UUID, ...] = ()


def handle(learning: TeamLearning | None, command: HoldTeamLearning, others: Others) -> TeamLearning:
    """Decide whether a team's learning is recorded."""
    actor = command.actor
    if command.team_id not in actor.member_of | actor.leads:
        raise NotYourTeam(team_id=command.team_id)
    if learning is not None:
        raise TeamLearningExists(team_learning_id=learning.id)
    check_text(command.what, "/what")
    on = command.on or command.today
    check_not_in_future(on, command.today, "/on")
    check_count(command.participants_n, "/participants_n")
    check_competencies(command.competencies, others)
    if command.goal_id is not None:
        goal = others.find(Goal, command.goal_id)
        if goal is None or not goal.is_shown_to(actor):
            raise Malformed(pointer="/goal_id", detail="there is no such goal, or it is not shown to you")
    held = TeamLearning.blank(command.team_learning_id)
    held.record(
        TeamLearning.Held(
            team_id=command.team_id,
            what=command.what,
            on=on,
            participants_n=command.participants_n,
            goal_id=command.goal_id,
            competencies=command.competencies,
        )
    )
    return held
