"""Who and what do the tests of goals talk about?"""

from datetime import date
from decimal import Decimal
from uuid import UUID

from domain.world import ADMINISTRATOR, DAY, World
from lms.domain.base import Actor, ActorKind, Role
from lms.domain.contributor import Contributor, ContributorKind, RegisterContributor
from lms.domain.goal import Goal
from lms.domain.goal_commands import AgreeOnGoal, AlignGoal, ProposeGoal
from lms.domain.goal_cycle import GoalCycle, OpenGoalCycle
from lms.domain.goal_parts import Alignment, How, KeyResult, KeyResultKind, Level, LinkType, Owner, Purpose
from lms.domain.outcome_metric import DefineOutcomeMetric, Measures, OutcomeMetric
from lms.domain.process import Process, RegisterProcess
from lms.domain.team import Team
from lms.domain.team_commands import FormTeam
from lms.domain.terms import Direction, Summary

SALES, SERVICE = UUID(int=1000), UUID(int=1001)
CYCLE, HAND_OVER = UUID(int=1500), UUID(int=1600)
REPEAT, CALLS_EACH = UUID(int=1700), UUID(int=1701)
MINE, OURS, RENEWAL = UUID(int=2000), UUID(int=2001), UUID(int=2002)
LINK = UUID(int=4000)
DONE, SHARE, FED = UUID(int=3000), UUID(int=3001), UUID(int=3002)

MIRA = Actor(contributor_id=UUID(int=100), roles=(Role.EMPLOYEE,), member_of=frozenset({SALES}))
NOOR = Actor(contributor_id=UUID(int=101), roles=(Role.EMPLOYEE,), leads=frozenset({SALES}))
OMAR = Actor(contributor_id=UUID(int=102), roles=(Role.EMPLOYEE,), member_of=frozenset({SERVICE}))
BOSS = Actor(contributor_id=UUID(int=103), roles=(Role.EMPLOYEE, Role.BUSINESS_OWNER))
GUEST = Actor(contributor_id=UUID(int=104), kind=ActorKind.CUSTOMER, roles=(Role.GUEST,))


def furnished() -> World:
    """People, two teams, a cycle, a process and two metrics; no goal yet."""
    world = World()
    admin = {"actor": ADMINISTRATOR, "today": DAY}
    for actor in (MIRA, NOOR, OMAR, BOSS, GUEST):
        kind = ContributorKind(actor.kind)
        person = actor.contributor_id
        world.send(Contributor, person, RegisterContributor(**admin, contributor_id=person, name="Somebody", kind=kind))
    for team_id, name in ((SALES, "Sales"), (SERVICE, "Service")):
        world.send(Team, team_id, FormTeam(**admin, team_id=team_id, name=name))
    quarter = {"cycle_id": CYCLE, "name": "Q1", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 3, 31)}
    world.send(GoalCycle, CYCLE, OpenGoalCycle(**admin, **quarter))
    register = RegisterProcess(**admin, process_id=HAND_OVER, name="Hand-over", owner_team_id=SERVICE)
    world.send(Process, HAND_OVER, register)
    for metric_id, measures in ((REPEAT, Measures.CUSTOMER), (CALLS_EACH, Measures.PERSON_VOLUME)):
        figure = {"metric_id": metric_id, "name": "Figure", "unit": "percent", "direction": Direction.INCREASE}
        world.send(OutcomeMetric, metric_id, DefineOutcomeMetric(**admin, **figure, measures=measures))
    return world


def baseline(value="31", on=date(2025, 12, 31)):
    return Summary(value=Decimal(value), start=date(2025, 12, 1), end=on)


def share(key_result_id=SHARE, **changes):
    """From 31 to 36 percent."""
    facts = {"unit": "percent", "baseline": baseline(), "target": Decimal(36), "due_on": date(2026, 3, 31)}
    return KeyResult(key_result_id=key_result_id, **{**facts, **changes})


def milestone(**changes):
    facts = {"key_result_id": DONE, "kind": KeyResultKind.MILESTONE, "target": Decimal(1)}
    return KeyResult(**{**facts, **changes})


def mine(actor=MIRA, goal_id=MINE, **changes):
    facts = {"level": Level.INDIVIDUAL, "title": "Listen first", "owner": Owner(contributor_id=actor.contributor_id)}
    return _proposal(actor, goal_id, facts, changes)


def ours(actor=NOOR, goal_id=OURS, team_id=SALES, **changes):
    facts = {"level": Level.TEAM, "title": "Know our buyers", "owner": Owner(team_id=team_id)}
    return _proposal(actor, goal_id, facts, changes)


def renewal(actor=BOSS, goal_id=RENEWAL, **changes):
    facts = {"level": Level.BUSINESS_MODEL, "title": "Buyers for life", "owner": Owner()}
    return _proposal(actor, goal_id, facts, changes)


def _proposal(actor, goal_id, facts, changes):
    purpose = Purpose(statement="More buyers come back")
    return ProposeGoal(actor=actor, today=DAY, goal_id=goal_id, **{"purpose": purpose, **facts, **changes})


def agreed(world, proposal):
    """Propose the goal and, when it needs one, hold the meeting."""
    goal = world.send(Goal, proposal.goal_id, proposal)
    if goal.level is Level.INDIVIDUAL:
        return goal
    meeting = AgreeOnGoal(actor=proposal.actor, today=DAY, on=DAY, how=How.MEETING, participants_n=5)
    return world.send(Goal, proposal.goal_id, meeting)


def link(to_goal_id=None, link_type=LinkType.CONTRIBUTES_TO, link_id=LINK, **facts):
    hypothesis = facts.pop("hypothesis", "Who is heard comes back")
    return Alignment(link_id=link_id, to_goal_id=to_goal_id, link_type=link_type, hypothesis=hypothesis, **facts)


def align(world, actor, goal_id, alignment):
    return world.send(Goal, goal_id, AlignGoal(actor=actor, today=DAY, alignment=alignment))
