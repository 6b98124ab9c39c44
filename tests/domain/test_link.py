from uuid import UUID

import pytest

from domain.improving import GUEST, HANDOVER, LINK, MEMBER, STRANGER, a_world
from lms.domain.base import Malformed, NotFound
from lms.domain.goal import Goal
from lms.domain.goal_parts import Alignment, Level, LinkType, Owner, Purpose
from lms.domain.link import AttachEvidence, Link, RecordAlternative
from lms.domain.process import Process, UnlinkOutcome
from lms.domain.support import Alternative, Evidence, Plausibility, Stance
from lms.domain.terms import Visibility

GOAL, GOAL_LINK, PIECE = UUID(int=301), UUID(int=302), UUID(int=303)
EVIDENCE = Evidence(evidence_id=PIECE, stance=Stance.SUPPORTS, ref="Survey of 80 callers")
ALTERNATIVE = Alternative(alternative_id=PIECE, text="A quiet month", plausibility=Plausibility.HIGH)


@pytest.fixture
def world():
    world = a_world()
    goal = Goal.blank(GOAL)
    goal.record(
        Goal.Proposed(
            level=Level.TEAM,
            title="Faster",
            purpose=Purpose(statement="Keep customers"),
            owner=Owner(team_id=UUID(int=501)),
            visibility=Visibility.TEAM,
        )
    )
    alignment = Alignment(link_id=GOAL_LINK, to_goal_id=UUID(int=1), link_type=LinkType.SUPPORTS, hypothesis="It helps")
    goal.record(Goal.Aligned(alignment=alignment))
    world.streams[GOAL] = goal.snapshot()
    return world


def attach(by, link_id=LINK, **owner):
    return AttachEvidence(**by, link_id=link_id, evidence=EVIDENCE, **owner or {"process_id": HANDOVER})


def test_anyone_inside_says_what_speaks_for_a_link_and_what_else_could_explain_it(world):
    world.send(Link, LINK, attach(STRANGER))
    assert world.told == [Link.EvidenceAttached(link_id=LINK, evidence=EVIDENCE)]
    world.send(Link, LINK, RecordAlternative(**MEMBER, link_id=LINK, process_id=HANDOVER, alternative=ALTERNATIVE))
    assert world.told == [Link.AlternativeRecorded(link_id=LINK, alternative=ALTERNATIVE)]
    assert world.streams[LINK].version == 2
    assert world.read == {HANDOVER: 3}


def test_a_link_that_does_not_stand_gathers_nothing(world):
    for wrong in (
        attach(MEMBER, UUID(int=1)),
        attach(MEMBER, process_id=UUID(int=1)),
        attach(MEMBER, GOAL_LINK, goal_id=UUID(int=1)),
        AttachEvidence(**MEMBER, link_id=LINK, evidence=EVIDENCE),
        attach(GUEST),
    ):
        with pytest.raises(NotFound):
            world.send(Link, wrong.link_id, wrong)
    world.send(Process, HANDOVER, UnlinkOutcome(**MEMBER, link_id=LINK))
    with pytest.raises(NotFound):
        world.send(Link, LINK, attach(MEMBER))


def test_the_link_of_a_goal_is_known_to_whom_the_goal_is_shown(world):
    world.send(Link, GOAL_LINK, attach(STRANGER, GOAL_LINK, goal_id=GOAL))
    assert len(world.told) == 1
    with pytest.raises(NotFound):
        world.send(Link, GOAL_LINK, attach(MEMBER, GOAL_LINK, goal_id=GOAL))


def test_evidence_and_alternatives_say_something(world):
    nothing = Evidence(evidence_id=PIECE, stance=Stance.WEAKENS, ref=" ")
    with pytest.raises(Malformed):
        world.send(Link, LINK, AttachEvidence(**MEMBER, link_id=LINK, process_id=HANDOVER, evidence=nothing))
    empty = Alternative(alternative_id=PIECE, text="")
    with pytest.raises(Malformed):
        world.send(Link, LINK, RecordAlternative(**MEMBER, link_id=LINK, process_id=HANDOVER, alternative=empty))
