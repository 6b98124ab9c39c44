"""What can be asked of a goal, and of whom?"""

from datetime import date
from decimal import Decimal
from typing import Any, assert_never
from uuid import UUID

import msgspec

from lms.domain.base import Actor, Command, Malformed, NotFound, Others
from lms.domain.goal import Goal
from lms.domain.goal_checks import check_metric
from lms.domain.goal_cycle import GoalCycle
from lms.domain.goal_parts import (
    AdjustedField,
    AdjustmentReason,
    Alignment,
    FinalValue,
    GoalOrigin,
    How,
    KeyResult,
    Level,
    NotYourGoal,
    Owner,
    Purpose,
    Setting,
    Status,
)
from lms.domain.process import Process
from lms.domain.team import Team
from lms.domain.terms import Visibility, check_count, check_not_in_future, check_text


class ProposeGoal(Command, frozen=True, kw_only=True):
    """A new goal; an individual one stands at once, the others wait for their meeting.

    ``home_team_id`` is the actor's own, which sees his individual goal when its visibility is ``team``.
    """

    goal_id: UUID
    level: Level
    title: str
    purpose: Purpose
    owner: Owner
    cycle_id: UUID | None = None
    origin: GoalOrigin = GoalOrigin.SELF
    visibility: Visibility | None = None
    home_team_id: UUID | None = None
    my_reason: str | None = None
    key_results: tuple[KeyResult, ...] = ()
    align: tuple[Alignment, ...] = ()


class AgreeOnGoal(Command, frozen=True, kw_only=True):
    """A meeting of those concerned set the goal."""

    on: date
    how: How
    participants_n: int
    contributor_kinds: tuple[str, ...] = ()


class DefineKeyResult(Command, frozen=True, kw_only=True):
    """Add a key result."""

    key_result: KeyResult


class AlignGoal(Command, frozen=True, kw_only=True):
    """Link the goal to a goal, a key result or an outcome metric."""

    alignment: Alignment


class UnalignGoal(Command, frozen=True, kw_only=True):
    """Take a link away."""

    link_id: UUID


class CheckIn(Command, frozen=True, kw_only=True):
    """Report how a key result stands."""

    check_in_id: UUID
    key_result_id: UUID
    value: Decimal | None = None
    observed_on: date
    confidence: int | None = None
    narrative: str | None = None
    blockers: str | None = None


class CorrectCheckIn(CheckIn, frozen=True, kw_only=True):
    """Replace what a check-in said."""


class AdjustGoal(Command, frozen=True, kw_only=True):
    """Change the goal on what was learned. Team and business-model goals are adjusted in a meeting."""

    field: AdjustedField
    key_result_id: UUID | None = None
    to: Setting
    on: date
    how: How | None = None
    participants_n: int | None = None
    reason: AdjustmentReason
    evidence: tuple[str, ...] = ()
    measured_ratio: Decimal | None = None
    note: str | None = None


class CloseGoal(Command, frozen=True, kw_only=True):
    """End the goal: achieved, not-achieved or abandoned (which wants a reason)."""

    result: Status
    on: date
    final_values: tuple[FinalValue, ...] = ()
    reason: str | None = None


class ReflectOnGoal(Command, frozen=True, kw_only=True):
    """Say what was learned from the goal."""

    expected: str | None = None
    happened: str | None = None
    learned: str
    next: str | None = None


class ChangeVisibility(Command, frozen=True, kw_only=True):
    """Show the goal to more or fewer people; ``home_team_id`` is the actor's own."""

    visibility: Visibility
    home_team_id: UUID | None = None


GoalCommand = (
    ProposeGoal
    | AgreeOnGoal
    | DefineKeyResult
    | AlignGoal
    | UnalignGoal
    | CheckIn
    | CorrectCheckIn
    | AdjustGoal
    | CloseGoal
    | ReflectOnGoal
    | ChangeVisibility
)


_FREE_TEXTS = ("my_reason", "narrative", "blockers", "note", "reason", "expected", "happened", "learned", "next")
"""Fields of commands that hold what people say: empty is not said."""


def handle(goal: Goal | None, command: GoalCommand, others: Others) -> Goal:  # noqa: C901, PLR0912 - a case per command
    """Decide what a command does to a goal."""
    for name in _FREE_TEXTS:
        check_text(getattr(command, name, None), f"/{name}")
    if isinstance(command, ProposeGoal):
        return _propose(command, others)
    if goal is None or not goal.is_shown_to(command.actor):
        raise NotFound(goal=goal.id if goal else None)
    _refuse_strangers(goal, command)
    match command:
        case AgreeOnGoal():
            _check_meeting(goal, command.how, command.participants_n, command.on, command.today)
            goal.agree(command.on, command.how, command.participants_n, command.contributor_kinds)
        case DefineKeyResult(key_result=key_result):
            goal.refuse_closed()
            goal.define_key_result(key_result, others)
        case AlignGoal(alignment=alignment, actor=actor):
            goal.refuse_closed()
            goal.align(alignment, others, actor)
        case UnalignGoal(link_id=link_id):
            goal.unalign(link_id)
        case CorrectCheckIn():
            goal.correct_check_in(Goal.CheckInCorrected(**_report(command)), command.today)
        case CheckIn():
            goal.check_in(Goal.ProgressCheckedIn(**_report(command)), command.today)
        case AdjustGoal():
            goal.adjust(_adjustment(goal, command))
        case CloseGoal():
            check_not_in_future(command.on, command.today, "/on")
            goal.close(_closing(command))
        case ReflectOnGoal(expected=expected, happened=happened, learned=learned, next=following):
            goal.record(Goal.ReflectedOn(expected=expected, happened=happened, learned=learned, next=following))
        case ChangeVisibility():
            _change_visibility(goal, command)
        case _:
            assert_never(command)
    return goal


def _propose(command: ProposeGoal, others: Others) -> Goal:
    check_text(command.title, "/title", limit=300)
    check_text(str(command.purpose.statement), "/purpose/statement")
    individual = command.level is Level.INDIVIDUAL
    _check_owner(command.level, command.owner, command.actor)
    _check_references(command, others)
    visibility = command.visibility or (Visibility.PRIVATE if individual else Visibility.ORGANISATION)
    goal = Goal.blank(command.goal_id)
    goal.record(
        Goal.Proposed(
            level=command.level,
            title=command.title,
            purpose=command.purpose,
            owner=command.owner,
            proposer=command.actor.contributor_id,
            cycle_id=command.cycle_id,
            origin=command.origin,
            visibility=visibility,
            home_team_id=_team_to_show_to(command.level, visibility, command.home_team_id),
            my_reason=command.my_reason,
        )
    )
    for index, key_result in enumerate(command.key_results):
        goal.define_key_result(key_result, others, f"/key_results/{index}")
    for index, alignment in enumerate(command.align):
        goal.align(alignment, others, command.actor, f"/align/{index}")
    if individual:
        goal.agree(command.today, How.OWN, None, (command.actor.kind,))
    return goal


def _check_references(command: ProposeGoal, others: Others) -> None:
    """Refuse what is not there. Only an outcome metric has a rule of its own (invariant 13)."""
    if command.owner.team_id is not None:
        others.get(Team, command.owner.team_id).refuse_disbanded()
    if command.cycle_id is not None:
        others.get(GoalCycle, command.cycle_id)
    if command.purpose.process_id is not None:
        others.get(Process, command.purpose.process_id)
    if command.purpose.outcome_metric_id is not None:
        check_metric(command.purpose.outcome_metric_id, others)


def _change_visibility(goal: Goal, command: ChangeVisibility) -> None:
    home_team_id = _team_to_show_to(goal.level, command.visibility, command.home_team_id)
    if (command.visibility, home_team_id) != (goal.visibility, goal.home_team_id):
        goal.record(Goal.VisibilityChanged(visibility=command.visibility, home_team_id=home_team_id))


def _team_to_show_to(level: Level, visibility: Visibility, home_team_id: UUID | None) -> UUID | None:
    """The home team that an individual goal is shown to; a team's goal knows its team."""
    if visibility is not Visibility.TEAM or level is Level.TEAM:
        return None
    if level is Level.BUSINESS_MODEL:
        raise Malformed(pointer="/visibility", detail="a business-model goal has no team to show it to")
    if home_team_id is None:
        raise Malformed(pointer="/visibility", detail="you have no home team to show it to")
    return home_team_id


def _check_owner(level: Level, owner: Owner, actor: Actor) -> None:
    if level is Level.INDIVIDUAL:
        if owner.contributor_id is None or not actor.is_contributor(owner.contributor_id):
            raise Malformed(pointer="/owner", detail="an individual goal belongs to its proposer")
    elif level is Level.TEAM:
        if owner.team_id is None or owner.contributor_id is not None:
            raise Malformed(pointer="/owner", detail="a team goal belongs to a team")
    elif owner != Owner():
        raise Malformed(pointer="/owner", detail="a business-model goal belongs to the organisation")


def _refuse_strangers(goal: Goal, command: GoalCommand) -> None:
    actor = command.actor
    match command:
        case CheckIn() | CorrectCheckIn():
            allowed = goal.may_report(actor)
        case DefineKeyResult() | AlignGoal() | UnalignGoal():
            allowed = goal.may_shape(actor)
        case ReflectOnGoal():
            allowed = goal.may_report(actor)
        case _:
            allowed = goal.may_decide(actor)
    if not allowed:
        raise NotYourGoal(goal_id=goal.id)


def _check_meeting(goal: Goal, how: How | None, participants_n: int | None, on: date, today: date) -> None:
    check_not_in_future(on, today, "/on")
    if goal.level is Level.INDIVIDUAL:
        return
    if how is not How.MEETING:
        raise Malformed(pointer="/how", detail="goals of a team or the business model are agreed in a meeting")
    if participants_n is None or participants_n < 1:
        raise Malformed(pointer="/participants_n", detail="say how many took part")
    check_count(participants_n, "/participants_n")


def _adjustment(goal: Goal, command: AdjustGoal) -> Goal.Adjusted:
    _check_meeting(goal, command.how, command.participants_n, command.on, command.today)
    return Goal.Adjusted(
        field=command.field,
        key_result_id=command.key_result_id,
        to=command.to,
        on=command.on,
        how=How.OWN if goal.level is Level.INDIVIDUAL else How.MEETING,
        participants_n=command.participants_n,
        reason=command.reason,
        evidence=command.evidence,
        measured_ratio=command.measured_ratio,
        note=command.note,
    )


def _closing(command: CloseGoal) -> Goal.Achieved | Goal.NotAchieved | Goal.Abandoned:
    match command.result:
        case Status.ACHIEVED:
            return Goal.Achieved(on=command.on, final_values=command.final_values, reason=command.reason)
        case Status.NOT_ACHIEVED:
            return Goal.NotAchieved(on=command.on, final_values=command.final_values, reason=command.reason)
        case Status.ABANDONED:
            if command.reason is None:
                raise Malformed(pointer="/reason", detail="say why the goal is given up")
            return Goal.Abandoned(on=command.on, final_values=command.final_values, reason=command.reason)
        case _:
            raise Malformed(pointer="/result", detail="one of achieved, not-achieved, abandoned")


def _report(command: CheckIn) -> dict[str, Any]:
    fields = msgspec.structs.asdict(command)
    return {name: fields[name] for name in Goal.ProgressCheckedIn.__struct_fields__}
