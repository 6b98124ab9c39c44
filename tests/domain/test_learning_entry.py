from datetime import timedelta
from uuid import UUID

import pytest

from domain.world import DAY, SOMEBODY, World
from lms.domain.base import SYSTEM, Actor, ActorKind, Malformed, NotFound, Role
from lms.domain.competency import Competency, DefineCompetency
from lms.domain.goal import Goal
from lms.domain.goal_commands import ProposeGoal
from lms.domain.goal_parts import Level, Owner, Purpose
from lms.domain.learning_entry import (
    CorrectLearning,
    EntryField,
    EntryIsWithdrawn,
    EntrySaysNothing,
    LearningEntry,
    LearningKind,
    LogLearning,
    WithdrawLearning,
)
from lms.domain.team_learning import HoldTeamLearning, NotYourTeam, TeamLearning, TeamLearningExists
from lms.domain.terms import Visibility

ENTRY = UUID(int=600)
LISTENING = UUID(int=500)
MY_GOAL = UUID(int=610)
ANOTHER = Actor(contributor_id=UUID(int=4), roles=(Role.EMPLOYEE,))
TEAM = UUID(int=70)
MEMBER = Actor(contributor_id=UUID(int=5), roles=(Role.EMPLOYEE,), member_of=frozenset({TEAM}))
MOVED_ON = DAY + timedelta(days=1)


def log(**changed):
    return LogLearning(
        **{"actor": SOMEBODY, "today": DAY, "entry_id": ENTRY, "note": "asked before I answered"} | changed
    )


def correct(**changed):
    return CorrectLearning(**{"actor": SOMEBODY, "today": MOVED_ON} | changed)


def started():
    """A world with a competency and a private goal of somebody."""
    world = World()
    world.send(
        Competency,
        LISTENING,
        DefineCompetency(actor=SOMEBODY, today=DAY, competency_id=LISTENING, labels={"en": "listening"}),
    )
    world.send(
        Goal,
        MY_GOAL,
        ProposeGoal(
            actor=SOMEBODY,
            today=DAY,
            goal_id=MY_GOAL,
            level=Level.INDIVIDUAL,
            title="Listen better",
            purpose=Purpose(statement="fewer misunderstandings"),
            owner=Owner(contributor_id=SOMEBODY.contributor_id),
        ),
    )
    return world


def logged(**changed):
    world = started()
    world.send(LearningEntry, ENTRY, log(**changed))
    return world


def test_a_note_is_enough():
    world = logged()
    assert world.told == [
        LearningEntry.Logged(learner=SOMEBODY.contributor_id, learned_on=DAY, note="asked before I answered")
    ]
    assert world.told[0].kind is LearningKind.ON_THE_JOB
    assert world.told[0].visibility is Visibility.PRIVATE


@pytest.mark.parametrize("facts", [{"competencies": (LISTENING,)}, {"goal_id": MY_GOAL}])
def test_a_competency_or_a_goal_alone_is_enough(facts):
    world = logged(note=None, **facts)
    assert len(world.told) == 1


def test_an_entry_that_says_nothing_is_refused():
    with pytest.raises(EntrySaysNothing):
        logged(note=None, minutes=30)


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"note": "  "}, "/note"),
        ({"learned_on": DAY + timedelta(days=1)}, "/learned_on"),
        ({"minutes": 0}, "/minutes"),
        ({"minutes": 60_001}, "/minutes"),
        ({"rating": 6}, "/rating"),
        ({"activity": "a course"}, "/activity"),
        ({"competencies": (UUID(int=501),)}, "/competencies/0"),
        ({"goal_id": UUID(int=611)}, "/goal_id"),
        ({"need_ids": (UUID(int=620),)}, "/need_ids"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(facts, pointer):
    with pytest.raises(Malformed) as refused:
        logged(**facts)
    assert refused.value.facts["pointer"] == pointer


def test_learning_is_not_linked_to_a_goal_that_is_not_shown():
    with pytest.raises(Malformed) as refused:
        logged(actor=ANOTHER, goal_id=MY_GOAL)
    assert refused.value.facts["pointer"] == "/goal_id"


def test_nobody_logs_for_another():
    world = logged(learner=ANOTHER.contributor_id)
    assert world.told[0].learner == SOMEBODY.contributor_id


def test_an_import_logs_for_the_learner_and_sees_what_he_sees():
    world = logged(actor=SYSTEM, learner=SOMEBODY.contributor_id, goal_id=MY_GOAL)
    entry = world.streams[ENTRY]
    assert world.told[0].learner == SOMEBODY.contributor_id
    assert entry.key_owner(world.told[0], "note", None) == SOMEBODY.contributor_id


def test_learning_is_somebodys():
    with pytest.raises(Malformed):
        logged(actor=Actor(kind=ActorKind.SYSTEM))


def test_the_learner_corrects_what_he_said_and_the_rest_stays():
    world = logged(competencies=(LISTENING,), goal_id=MY_GOAL)
    entry = world.send(LearningEntry, ENTRY, correct(minutes=45))
    assert world.told == [LearningEntry.Corrected(learned_on=DAY, minutes=45)]
    assert (entry.competencies, entry.goal_id, entry.minutes) == ((LISTENING,), MY_GOAL, 45)


def test_a_correction_takes_the_day_it_corrects_or_the_day_it_gives():
    world = logged()
    entry = world.send(LearningEntry, ENTRY, correct(learned_on=DAY - timedelta(days=3)))
    assert entry.learned_on == DAY - timedelta(days=3)


def test_the_learner_takes_a_part_out_again():
    world = logged(competencies=(LISTENING,), goal_id=MY_GOAL)
    entry = world.send(LearningEntry, ENTRY, correct(cleared=(EntryField.GOAL_ID, EntryField.NOTE)))
    assert (entry.goal_id, entry.note) == (None, None)
    entry = world.send(LearningEntry, ENTRY, correct(note="it worked", competencies=()))
    assert (entry.note, entry.competencies) == ("it worked", ())


def test_the_last_thing_an_entry_says_is_not_taken_out():
    world = logged()
    with pytest.raises(EntrySaysNothing):
        world.send(LearningEntry, ENTRY, correct(cleared=(EntryField.NOTE,)))


def test_a_correction_says_something_and_does_not_contradict_itself():
    world = logged()
    with pytest.raises(Malformed):
        world.send(LearningEntry, ENTRY, correct())
    with pytest.raises(Malformed) as refused:
        world.send(LearningEntry, ENTRY, correct(minutes=5, cleared=(EntryField.MINUTES,)))
    assert refused.value.facts["pointer"] == "/minutes"
    with pytest.raises(Malformed) as refused:
        world.send(LearningEntry, ENTRY, correct(need_ids=(UUID(int=620),)))
    assert refused.value.facts["pointer"] == "/need_ids"


def test_a_correction_may_name_another_goal_of_his():
    world = logged()
    assert world.send(LearningEntry, ENTRY, correct(goal_id=MY_GOAL)).goal_id == MY_GOAL


def test_a_withdrawn_entry_is_changed_no_more():
    world = logged()
    world.send(LearningEntry, ENTRY, WithdrawLearning(actor=SOMEBODY, today=MOVED_ON))
    assert world.told == [LearningEntry.Withdrawn(learned_on=DAY)]
    with pytest.raises(EntryIsWithdrawn):
        world.send(LearningEntry, ENTRY, correct(minutes=5))


def test_for_others_the_entry_does_not_exist():
    world = logged()
    with pytest.raises(NotFound):
        world.send(LearningEntry, ENTRY, WithdrawLearning(actor=ANOTHER, today=DAY))
    with pytest.raises(NotFound):
        World().send(LearningEntry, ENTRY, WithdrawLearning(actor=ANOTHER, today=DAY))


def hold(**changed):
    facts = {
        "actor": MEMBER,
        "today": DAY,
        "team_learning_id": ENTRY,
        "team_id": TEAM,
        "what": "how hand-overs go wrong",
    }
    return HoldTeamLearning(**facts | changed)


def test_a_team_says_what_it_learned_together():
    world = started()
    held = world.send(TeamLearning, ENTRY, hold(participants_n=6, competencies=(LISTENING,)))
    assert world.told == [
        TeamLearning.Held(
            team_id=TEAM, what="how hand-overs go wrong", on=DAY, participants_n=6, competencies=(LISTENING,)
        )
    ]
    assert held.key_owner(world.told[0], "what", MEMBER.contributor_id) is None
    with pytest.raises(TeamLearningExists):
        world.send(TeamLearning, ENTRY, hold())


def test_a_stranger_does_not_speak_for_a_team():
    with pytest.raises(NotYourTeam):
        World().send(TeamLearning, ENTRY, hold(actor=ANOTHER))


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"what": ""}, "/what"),
        ({"on": DAY + timedelta(days=1)}, "/on"),
        ({"participants_n": 0}, "/participants_n"),
        ({"goal_id": MY_GOAL}, "/goal_id"),
        ({"competencies": (UUID(int=1),)}, "/competencies/0"),
    ],
)
def test_a_team_learning_that_makes_no_sense_is_refused(facts, pointer):
    with pytest.raises(Malformed) as refused:
        started().send(TeamLearning, ENTRY, hold(**facts))
    assert refused.value.facts["pointer"] == pointer


def test_a_team_learning_may_serve_a_goal_the_team_sees():
    lead = Actor(contributor_id=SOMEBODY.contributor_id, roles=(Role.EMPLOYEE,), leads=frozenset({TEAM}))
    world = started()
    world.send(TeamLearning, ENTRY, hold(actor=lead, goal_id=MY_GOAL))
    assert world.told[0].goal_id == MY_GOAL
