from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest

from domain.improving import (
    BELIEF,
    GUEST,
    HANDOVER,
    LINK,
    MEMBER,
    MINUTES,
    OWNER,
    REPEAT_PURCHASES,
    SALES,
    SERVICE,
    STRANGER,
    TIME,
    a_world,
)
from domain.world import ADMINISTRATOR, DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.outcome_metric import (
    DefineOutcomeMetric,
    Measures,
    MetricExists,
    NotYoursToMeasure,
    OutcomeMetric,
)
from lms.domain.process import (
    AlreadyLinked,
    DefineHandOff,
    DefineMeasure,
    HandOff,
    LinkOutcome,
    MeasureExists,
    NotYourProcess,
    Process,
    ProcessExists,
    RegisterProcess,
    UnlinkOutcome,
)
from lms.domain.team import Team
from lms.domain.team_commands import FormTeam
from lms.domain.terms import Direction

NEW = UUID(int=650)


@pytest.fixture
def world():
    return a_world()


def test_a_team_registers_its_process_with_measures_and_links_at_once(world):
    assert world.told == [
        Process.Registered(name="Hand-over", owner_team_id=SERVICE),
        Process.MeasureDefined(measure=TIME),
        Process.OutcomeLinked(link=BELIEF),
    ]
    assert world.streams[HANDOVER].links == {LINK: BELIEF}


def test_a_process_is_registered_once(world):
    with pytest.raises(ProcessExists):
        world.send(
            Process, HANDOVER, RegisterProcess(**MEMBER, process_id=HANDOVER, name="Again", owner_team_id=SERVICE)
        )


def test_a_stranger_registers_no_process_for_a_team(world):
    with pytest.raises(NotYourProcess):
        world.send(Process, NEW, RegisterProcess(**STRANGER, process_id=NEW, name="Mine", owner_team_id=SERVICE))


def test_who_is_not_of_the_team_names_one_that_there_is(world):
    command = RegisterProcess(**OWNER, process_id=NEW, name="Returns", owner_team_id=SALES)
    with pytest.raises(NotFound):
        world.send(Process, NEW, command)
    world.send(Team, SALES, FormTeam(actor=ADMINISTRATOR, today=DAY, team_id=SALES, name="Sales"))
    assert world.send(Process, NEW, command).owner_team_id == SALES


def test_a_business_owner_adds_a_measure_and_a_stranger_does_not(world):
    other = msgspec.structs.replace(TIME, measure_id=NEW, name="Waiting time")
    with pytest.raises(NotYourProcess):
        world.send(Process, HANDOVER, DefineMeasure(**STRANGER, measure=other))
    assert NEW in world.send(Process, HANDOVER, DefineMeasure(**OWNER, measure=other)).measures


def test_a_process_does_not_exist_for_a_guest(world):
    with pytest.raises(NotFound):
        world.send(Process, HANDOVER, DefineMeasure(**GUEST, measure=TIME))
    with pytest.raises(NotFound):
        world.send(Process, NEW, DefineMeasure(**MEMBER, measure=TIME))


def test_a_measure_is_defined_once_in_a_known_unit(world):
    with pytest.raises(MeasureExists):
        world.send(Process, HANDOVER, DefineMeasure(**MEMBER, measure=TIME))
    odd = msgspec.structs.replace(TIME, measure_id=NEW, unit="parsecs")
    with pytest.raises(Malformed):
        world.send(Process, HANDOVER, DefineMeasure(**MEMBER, measure=odd))


def test_work_passes_from_one_to_another(world):
    hand_off = HandOff(hand_off_id=NEW, from_step="Intake", to_step="Desk", artefact="Case")
    process = world.send(Process, HANDOVER, DefineHandOff(**MEMBER, hand_off=hand_off))
    assert process.hand_offs == (hand_off,)
    assert msgspec.to_builtins(hand_off)["from"] == "Intake"
    empty = msgspec.structs.replace(hand_off, to_step=" ")
    with pytest.raises(Malformed) as refused:
        world.send(Process, HANDOVER, DefineHandOff(**MEMBER, hand_off=empty))
    assert refused.value.facts["pointer"] == "/to"


@dataclass
class Wrong:
    change: dict
    refusal: type


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong({"link_id": NEW}, AlreadyLinked),
        Wrong({"link_id": NEW, "measure_id": NEW}, NotFound),
        Wrong({"link_id": NEW, "outcome_metric_id": NEW}, NotFound),
        Wrong({"link_id": NEW, "hypothesis": " "}, Malformed),
        Wrong({"link_id": NEW, "expected_lag_days": -1}, Malformed),
    ],
    ids=["linked already", "no such measure", "no such metric", "no hypothesis", "an effect before its cause"],
)
def test_a_link_joins_what_there_is_once_and_says_why(world, wrong):
    with pytest.raises(wrong.refusal):
        world.send(Process, HANDOVER, LinkOutcome(**MEMBER, link=msgspec.structs.replace(BELIEF, **wrong.change)))


def test_a_belief_that_was_given_up_can_be_held_again(world):
    world.send(Process, HANDOVER, UnlinkOutcome(**MEMBER, link_id=LINK))
    assert world.told == [Process.OutcomeUnlinked(link_id=LINK)]
    with pytest.raises(NotFound):
        world.send(Process, HANDOVER, UnlinkOutcome(**MEMBER, link_id=LINK))
    again = msgspec.structs.replace(BELIEF, link_id=NEW, expected_lag_days=90)
    assert list(world.send(Process, HANDOVER, LinkOutcome(**MEMBER, link=again)).links) == [NEW]


def test_a_link_is_conditional_on_its_metric(world):
    world.send(Process, HANDOVER, UnlinkOutcome(**MEMBER, link_id=LINK))
    world.send(Process, HANDOVER, LinkOutcome(**MEMBER, link=BELIEF))
    assert world.read == {REPEAT_PURCHASES: 1}


def define(by, **changes):
    facts = {"metric_id": NEW, "name": "Returns", "unit": "ratio", "direction": Direction.DECREASE}
    return DefineOutcomeMetric(**by, **facts | {"measures": Measures.CUSTOMER} | changes)


def test_an_outcome_metric_is_defined_by_the_business_once(world):
    with pytest.raises(NotYoursToMeasure):
        world.send(OutcomeMetric, NEW, define(MEMBER))
    with pytest.raises(Malformed):
        world.send(OutcomeMetric, NEW, define(OWNER, unit="parsecs"))
    assert world.send(OutcomeMetric, NEW, define(OWNER)).measures is Measures.CUSTOMER
    with pytest.raises(MetricExists):
        world.send(OutcomeMetric, NEW, define(OWNER))


def test_the_process_knows_its_own_measures_only(world):
    assert world.streams[HANDOVER].measure(MINUTES) == TIME
    with pytest.raises(NotFound):
        world.streams[HANDOVER].measure(NEW)
