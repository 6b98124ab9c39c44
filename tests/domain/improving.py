"""A service team with a process, a metric and figures, for tests of improving."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from domain.world import ADMINISTRATOR, DAY, World
from lms.domain.base import Actor, Role
from lms.domain.competency import Competency, DefineCompetency
from lms.domain.contributor import Contributor, RegisterContributor
from lms.domain.effect import Effect, Verdict
from lms.domain.improvement import Improvement
from lms.domain.improvement_commands import OpenImprovement, RecordResult
from lms.domain.outcome_metric import DefineOutcomeMetric, Measures, OutcomeMetric
from lms.domain.process import Measure, OutcomeLink, Process, RegisterProcess
from lms.domain.terms import Direction, Origin, Summary

SERVICE, SALES = UUID(int=500), UUID(int=501)
HANDOVER, MINUTES, LINK = UUID(int=600), UUID(int=601), UUID(int=602)
REPEAT_PURCHASES = UUID(int=700)
IMPROVEMENT = UUID(int=800)
LISTENING = UUID(int=830)
MIRA, NOOR, OLAF = UUID(int=101), UUID(int=102), UUID(int=103)


def person(contributor_id=MIRA, *roles, teams=(SERVICE,)):
    return Actor(contributor_id=contributor_id, roles=(Role.EMPLOYEE, *roles), member_of=frozenset(teams))


MEMBER = {"actor": person(), "today": DAY}
COLLEAGUE = {"actor": person(NOOR), "today": DAY}
STRANGER = {"actor": person(OLAF, teams=(SALES,)), "today": DAY}
OWNER = {"actor": person(OLAF, Role.BUSINESS_OWNER, teams=()), "today": DAY}
GUEST = {"actor": Actor(contributor_id=OLAF, roles=(Role.GUEST,)), "today": DAY}

TIME = Measure(measure_id=MINUTES, name="Hand-over time", unit="minutes", direction=Direction.DECREASE)
BELIEF = OutcomeLink(
    link_id=LINK, measure_id=MINUTES, outcome_metric_id=REPEAT_PURCHASES, hypothesis="Faster help keeps customers"
)


def summary(value, start=date(2026, 1, 1), end=date(2026, 1, 31), n=40, spread=6):
    return Summary(value=Decimal(value), n=n, spread=Decimal(spread), start=start, end=end)


BEFORE = summary(30)
AFTER = summary(22, date(2026, 2, 1), date(2026, 2, 28))


def effect(low, high, verdict):
    middle = (Decimal(low) + Decimal(high)) / 2
    return Effect(
        verdict=verdict, difference=middle, low=Decimal(low), high=Decimal(high), method="welch", method_version=1
    )


BETTER = effect(-11, -5, Verdict.BETTER)
UNCLEAR = effect(-4, 1, Verdict.NO_CLEAR_CHANGE)
TOO_FEW = Effect(verdict=Verdict.INSUFFICIENT_DATA, method="welch", method_version=1)


def a_world():
    """A metric, and the service team's process with one measure that should move it."""
    world = World()
    world.send(
        Competency, LISTENING, DefineCompetency(**MEMBER, competency_id=LISTENING, labels={"en": "Active listening"})
    )
    for contributor_id in (MIRA, NOOR, OLAF):
        register = RegisterContributor(actor=ADMINISTRATOR, today=DAY, contributor_id=contributor_id, name="Somebody")
        world.send(Contributor, contributor_id, register)
    world.send(
        OutcomeMetric,
        REPEAT_PURCHASES,
        DefineOutcomeMetric(
            **OWNER,
            metric_id=REPEAT_PURCHASES,
            name="Repeat purchases",
            unit="ratio",
            direction=Direction.INCREASE,
            measures=Measures.CUSTOMER,
        ),
    )
    world.send(
        Process,
        HANDOVER,
        RegisterProcess(
            **MEMBER,
            process_id=HANDOVER,
            name="Hand-over",
            owner_team_id=SERVICE,
            measures=(TIME,),
            outcome_links=(BELIEF,),
        ),
    )
    return world


def opened(world, **changes):
    """The same with an improvement of the hand-over."""
    command = {**MEMBER, "improvement_id": IMPROVEMENT, "process_id": HANDOVER, "team_id": SERVICE}
    command |= {"on": date(2026, 1, 20), "problem": "Customers tell their story twice"}
    command |= changes
    return world.send(Improvement, command["improvement_id"], OpenImprovement(**command))


def record_result(world, found=BETTER, **changes):
    """Record a result with a given effect."""
    command = {**MEMBER, "measure_id": MINUTES, "before": BEFORE, "after": AFTER, "effect": found}
    command |= {"before_origin": Origin.SYSTEM, "after_origin": Origin.SYSTEM}
    return world.send(Improvement, IMPROVEMENT, RecordResult(**command | changes))
