from datetime import timedelta
from uuid import UUID

import pytest

from domain.goals import BOSS, GUEST, MINE, MIRA, NOOR, OMAR, OURS, agreed, furnished, mine, ours
from domain.world import ADMINISTRATOR, DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.commitment import (
    AlreadyCommitted,
    AlreadyDeclined,
    Commit,
    Commitment,
    CommitmentStatus,
    Decline,
    GuestsInviteNobody,
    InviteToGoal,
    NotCommitted,
    PrivateGoalsInviteNobody,
    Release,
)
from lms.domain.contributor import Contributor, ContributorIsInactive, DeactivateContributor
from lms.domain.goal import Goal
from lms.domain.goal_commands import ChangeVisibility, CloseGoal
from lms.domain.goal_parts import GoalIsClosed, Status
from lms.domain.terms import Visibility

COMMITMENT = UUID(int=6000)


@pytest.fixture
def world():
    """A team goal that everybody inside sees, and Mira's own private one."""
    world = furnished()
    agreed(world, ours())
    agreed(world, mine())
    return world


def invite(world, by, whom=MIRA, goal_id=OURS, **changes):
    facts = {"commitment_id": COMMITMENT, "goal_id": goal_id, "contributor_id": whom.contributor_id, **changes}
    return world.send(Commitment, COMMITMENT, InviteToGoal(actor=by, today=DAY, **facts))


def send(world, command, actor=MIRA, **facts):
    return world.send(Commitment, COMMITMENT, command(actor=actor, today=DAY, **facts))


def test_whoever_sees_a_goal_invites_to_it(world):
    assert invite(world, OMAR).status is CommitmentStatus.INVITED
    assert world.told == [Commitment.Invited(goal_id=OURS, contributor_id=MIRA.contributor_id)]


def test_to_a_goal_that_is_not_shown_nobody_invites(world):
    with pytest.raises(NotFound):
        invite(world, NOOR, goal_id=MINE)
    with pytest.raises(NotFound):
        invite(world, GUEST)
    with pytest.raises(NotFound):
        invite(world, NOOR, goal_id=UUID(int=9))


def test_to_a_private_goal_the_owner_invites_only_himself(world):
    with pytest.raises(PrivateGoalsInviteNobody):
        invite(world, MIRA, whom=OMAR, goal_id=MINE)
    assert invite(world, MIRA, whom=MIRA, goal_id=MINE).status is CommitmentStatus.INVITED


def test_a_guest_commits_himself_to_a_public_goal_and_invites_nobody_else(world):
    world.send(Goal, OURS, ChangeVisibility(actor=NOOR, today=DAY, visibility=Visibility.PUBLIC))
    with pytest.raises(GuestsInviteNobody):
        invite(world, GUEST)
    invite(world, GUEST, whom=GUEST)
    assert send(world, Commit, GUEST).status is CommitmentStatus.MADE


def test_an_invited_guest_commits_to_a_goal_that_guests_do_not_see(world):
    invite(world, NOOR, whom=GUEST)
    assert send(world, Commit, GUEST).status is CommitmentStatus.MADE


def test_only_who_takes_part_is_invited(world):
    person = OMAR.contributor_id
    world.send(Contributor, person, DeactivateContributor(actor=ADMINISTRATOR, today=DAY, on=DAY))
    with pytest.raises(ContributorIsInactive):
        invite(world, NOOR, whom=OMAR)
    with pytest.raises(NotFound):
        invite(world, NOOR, contributor_id=UUID(int=9))


def test_the_person_commits_and_keeps_it_to_himself_unless_he_shows_it(world):
    invite(world, NOOR, until=DAY + timedelta(30))
    send(world, Commit, my_reason="I want to")
    assert world.told == [
        Commitment.Made(
            goal_id=OURS, contributor_id=MIRA.contributor_id, until=DAY + timedelta(30), my_reason="I want to"
        )
    ]
    assert world.told[0].visibility is Visibility.PRIVATE


def test_his_own_last_day_counts(world):
    invite(world, NOOR, until=DAY + timedelta(30))
    assert send(world, Commit, until=DAY + timedelta(7)).until == DAY + timedelta(7)


@pytest.mark.parametrize("command", [Commit, Decline, Release])
@pytest.mark.parametrize("actor", [NOOR, BOSS, ADMINISTRATOR], ids=["lead", "business owner", "administrator"])
def test_nobody_else_commits_declines_or_releases(world, command, actor):
    invite(world, NOOR)
    with pytest.raises(NotFound):
        send(world, command, actor)
    assert world.streams[COMMITMENT].status is CommitmentStatus.INVITED


@pytest.mark.parametrize("command", [Commit, Decline, Release])
def test_without_invitation_there_is_nothing_to_answer(world, command):
    with pytest.raises(NotFound):
        send(world, command)


def test_a_member_declines_and_nobody_else_sees_it(world):
    invite(world, NOOR)
    unanswered = (invite(world, NOOR).version, world.told)
    send(world, Decline, my_reason="No time")
    invite(world, NOOR)
    assert unanswered[1] == world.told == []


def test_who_declined_may_think_again(world):
    invite(world, NOOR)
    send(world, Decline)
    with pytest.raises(AlreadyDeclined):
        send(world, Decline)
    assert send(world, Commit).status is CommitmentStatus.MADE


def test_who_committed_releases_himself_and_may_be_invited_anew(world):
    invite(world, NOOR)
    with pytest.raises(NotCommitted):
        send(world, Release)
    send(world, Commit)
    for command in (Commit, Decline):
        with pytest.raises(AlreadyCommitted):
            send(world, command)
    assert send(world, Release).status is CommitmentStatus.RELEASED
    assert invite(world, NOOR).status is CommitmentStatus.INVITED


def test_who_released_himself_declines_or_commits_again_to_what_he_sees(world):
    invite(world, NOOR)
    send(world, Commit)
    send(world, Release)
    send(world, Commit)
    send(world, Release)
    assert send(world, Decline).status is CommitmentStatus.DECLINED


def test_an_invitation_ends_when_its_goal_turns_private(world):
    invite(world, NOOR)
    world.send(Goal, OURS, ChangeVisibility(actor=NOOR, today=DAY, visibility=Visibility.PRIVATE))
    with pytest.raises(NotFound):
        send(world, Commit)


def test_nobody_commits_to_a_closed_goal_but_everybody_may_leave_it(world):
    invite(world, NOOR)
    send(world, Commit)
    world.send(Goal, OURS, CloseGoal(actor=NOOR, today=DAY, result=Status.ACHIEVED, on=DAY))
    assert send(world, Release).status is CommitmentStatus.RELEASED
    with pytest.raises(GoalIsClosed):
        send(world, Commit)
    with pytest.raises(GoalIsClosed):
        invite(world, NOOR)


def test_a_last_day_is_not_over(world):
    with pytest.raises(Malformed):
        invite(world, NOOR, until=DAY - timedelta(1))
    invite(world, NOOR)
    with pytest.raises(Malformed):
        send(world, Commit, until=DAY - timedelta(1))


def test_a_reason_is_said_or_left_out(world):
    invite(world, NOOR)
    with pytest.raises(Malformed):
        send(world, Commit, my_reason=" ")
