"""In which period do goals run, and how often is progress checked in?"""

from datetime import date
from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.administration import administers
from lms.domain.base import Aggregate, Command, Forbidden, Malformed, NotFound, Others, Role, RuleBroken
from lms.domain.terms import check_not_in_future, check_text

_LONGEST_DAYS = 3 * 366
_RAREST_CHECK_IN_DAYS = 92


class GoalCycleIsClosed(RuleBroken):
    """The goal cycle is closed already."""


class NotYourCycle(Forbidden):
    """Only an administrator or a business owner opens and closes goal cycles."""


class GoalCycle(Aggregate):
    """One period of goals, such as a quarter, with the cadence of its check-ins."""

    TOPIC = "goal-cycle"

    class Opened(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Goals may be set for this period, both days included."""

        TOPIC = "goal-cycle.opened"
        name: str
        starts_on: date
        ends_on: date
        check_in_every_days: int

    class Closed(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The period is over."""

        TOPIC = "goal-cycle.closed"
        DATED_BY = "on"
        on: date

    @event(Opened)
    def _opened(self, name: str, starts_on: date, ends_on: date, check_in_every_days: int) -> None:
        self.name, self.starts_on, self.ends_on = name, starts_on, ends_on
        self.check_in_every_days = check_in_every_days
        self.closed_on: date | None = None

    @event(Closed)
    def _closed(self, on: date) -> None:
        self.closed_on = on


class OpenGoalCycle(Command, frozen=True, kw_only=True):
    """A new period, both days included; weekly check-ins unless said otherwise."""

    cycle_id: UUID
    name: str
    starts_on: date
    ends_on: date
    check_in_every_days: int = 7


class CloseGoalCycle(Command, frozen=True, kw_only=True):
    """End a period."""

    on: date


def handle(cycle: GoalCycle | None, command: OpenGoalCycle | CloseGoalCycle, others: Others) -> GoalCycle:  # noqa: ARG001 - all decisions have this form
    """Decide what a command does to a goal cycle."""
    if not administers(command.actor) and not command.actor.has(Role.BUSINESS_OWNER):
        raise NotYourCycle
    match command:
        case OpenGoalCycle():
            return _open(command)
        case CloseGoalCycle(on=on, today=today):
            if cycle is None:
                raise NotFound(kind="goal-cycle")
            if cycle.closed_on is not None:
                raise GoalCycleIsClosed(cycle_id=cycle.id)
            check_not_in_future(on, today, "/on")
            cycle.record(GoalCycle.Closed(on=on))
            return cycle
        case _:
            assert_never(command)


def _open(command: OpenGoalCycle) -> GoalCycle:
    check_text(command.name, "/name", limit=200)
    days = (command.ends_on - command.starts_on).days + 1
    if days < 1:
        raise Malformed(pointer="/ends_on", detail="the cycle ends before it starts")
    if days > _LONGEST_DAYS:
        raise Malformed(pointer="/ends_on", detail="a cycle lasts at most three years")
    if not 1 <= command.check_in_every_days <= _RAREST_CHECK_IN_DAYS:
        raise Malformed(pointer="/check_in_every_days", detail=f"from 1 to {_RAREST_CHECK_IN_DAYS} days")
    cycle = GoalCycle.blank(command.cycle_id)
    cycle.record(
        GoalCycle.Opened(
            name=command.name.strip(),
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            check_in_every_days=command.check_in_every_days,
        )
    )
    return cycle
