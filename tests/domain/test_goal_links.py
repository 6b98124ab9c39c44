from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.goals import (
    BOSS,
    CALLS_EACH,
    LINK,
    MINE,
    MIRA,
    NOOR,
    OMAR,
    OURS,
    RENEWAL,
    REPEAT,
    SHARE,
    agreed,
    align,
    furnished,
    link,
    mine,
    ours,
    renewal,
    share,
)
from domain.world import DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.goal import Goal
from lms.domain.goal_commands import CloseGoal, UnalignGoal
from lms.domain.goal_parts import (
    AlreadyAligned,
    GoalIsClosed,
    Level,
    LinkRunsDownward,
    LinkToItself,
    LinkType,
    NotYourGoal,
    PersonVolumeIsNoGoal,
    RingOfLinks,
    Status,
)
from lms.domain.terms import Visibility


@pytest.fixture
def world():
    """A goal of each level."""
    world = furnished()
    for proposal in (mine(), ours(), renewal()):
        agreed(world, proposal)
    return world


def test_a_goal_is_linked_upward_and_the_level_it_reached_is_kept(world):
    goal = align(world, MIRA, MINE, link(OURS))
    assert goal.alignments[LINK].to_level is Level.TEAM
    assert world.read == {OURS: 2}


def test_a_goal_serves_several_goals_and_one_of_them_in_several_ways(world):
    align(world, MIRA, MINE, link(OURS))
    align(world, MIRA, MINE, link(RENEWAL, link_id=UUID(int=4001)))
    goal = align(world, MIRA, MINE, link(OURS, LinkType.SUPPORTS, link_id=UUID(int=4002)))
    assert len(goal.alignments) == 3
    with pytest.raises(AlreadyAligned):
        align(world, MIRA, MINE, link(OURS, link_id=UUID(int=4003)))


def test_a_proposed_goal_is_aligned_too(world):
    world.send(Goal, UUID(int=2100), ours(OMAR, goal_id=UUID(int=2100), align=(link(RENEWAL),)))
    assert world.told[-1].alignment.to_goal_id == RENEWAL


def test_links_do_not_run_downward(world):
    with pytest.raises(LinkRunsDownward):
        align(world, BOSS, RENEWAL, link(OURS))


def test_a_link_to_what_is_not_shown_is_a_link_to_nothing(world):
    with pytest.raises(NotFound):
        align(world, NOOR, OURS, link(MINE))
    with pytest.raises(NotFound):
        align(world, NOOR, OURS, link(UUID(int=9)))
    agreed(world, ours(goal_id=UUID(int=2100), visibility=Visibility.TEAM))
    agreed(world, mine(OMAR, goal_id=UUID(int=2101)))
    with pytest.raises(NotFound):
        align(world, OMAR, UUID(int=2101), link(UUID(int=2100)))


def test_a_link_to_a_key_result_is_a_link_to_its_goal(world):
    top = agreed(world, renewal(goal_id=UUID(int=2100), key_results=(share(),)))
    goal = align(world, NOOR, OURS, link(top.id, to_key_result_id=SHARE))
    assert goal.alignments[LINK].to_goal_id == top.id
    with pytest.raises(NotFound):
        align(world, NOOR, OURS, link(top.id, to_key_result_id=UUID(int=9), link_id=UUID(int=4001)))


def test_a_link_to_an_outcome_metric_must_not_count_what_each_person_does(world):
    assert align(world, NOOR, OURS, link(to_outcome_metric_id=REPEAT)).alignments[LINK].to_level is None
    with pytest.raises(PersonVolumeIsNoGoal):
        align(world, NOOR, OURS, link(to_outcome_metric_id=CALLS_EACH, link_id=UUID(int=4001)))


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"hypothesis": ""}, "/hypothesis"),
        ({"weight": Decimal(2)}, "/weight"),
        ({"expected_lag_days": -1}, "/expected_lag_days"),
    ],
)
def test_a_link_has_a_hypothesis_and_sound_figures(world, facts, where):
    with pytest.raises(Malformed) as refused:
        align(world, NOOR, OURS, link(RENEWAL, **facts))
    assert refused.value.facts["pointer"] == where


def test_others_do_not_align_a_goal(world):
    with pytest.raises(NotYourGoal):
        align(world, MIRA, OURS, link(RENEWAL))


def test_closed_goals_are_linked_neither_way(world):
    world.send(Goal, OURS, CloseGoal(actor=NOOR, today=DAY, result=Status.ACHIEVED, on=DAY))
    with pytest.raises(GoalIsClosed):
        align(world, MIRA, MINE, link(OURS))
    with pytest.raises(GoalIsClosed):
        align(world, NOOR, OURS, link(RENEWAL))


def test_a_link_is_taken_away_once(world):
    align(world, MIRA, MINE, link(OURS))
    assert world.send(Goal, MINE, UnalignGoal(actor=MIRA, today=DAY, link_id=LINK)).alignments == {}
    with pytest.raises(NotFound):
        world.send(Goal, MINE, UnalignGoal(actor=MIRA, today=DAY, link_id=LINK))


def test_a_goal_is_no_end_for_its_own_links(world):
    with pytest.raises(LinkToItself):
        align(world, NOOR, OURS, link(OURS, LinkType.SUPPORTS))


class TestRings:
    @pytest.fixture
    def chain(self):
        """Team goals 0 <- 1 <- 2 <- 3: each contributes to the one before."""
        world = furnished()
        ids = [UUID(int=7000 + n) for n in range(4)]
        for n, goal_id in enumerate(ids):
            agreed(world, ours(goal_id=goal_id))
            if n:
                align(world, NOOR, goal_id, link(ids[n - 1]))
        return world, ids

    def test_a_goal_never_contributes_to_itself_over_others(self, chain):
        world, ids = chain
        with pytest.raises(RingOfLinks):
            align(world, NOOR, ids[0], link(ids[3]))

    def test_what_was_read_on_the_way_up_becomes_a_condition(self, chain):
        world, ids = chain
        agreed(world, ours(goal_id=OURS))
        align(world, NOOR, OURS, link(ids[3]))
        assert set(world.read) == set(ids)

    def test_goals_above_the_own_level_are_not_read(self, chain):
        world, ids = chain
        agreed(world, renewal())
        align(world, NOOR, ids[0], link(RENEWAL))
        agreed(world, ours(goal_id=OURS))
        align(world, NOOR, OURS, link(ids[0]))
        assert set(world.read) == {ids[0]}

    @pytest.mark.parametrize("link_type", [LinkType.SUPPORTS, LinkType.INFLUENCES])
    def test_goals_may_support_and_influence_one_another_in_rings(self, chain, link_type):
        world, ids = chain
        assert align(world, NOOR, ids[0], link(ids[3], link_type)).alignments

    def test_a_ring_that_was_opened_can_be_closed_elsewhere(self, chain):
        world, ids = chain
        world.send(Goal, ids[1], UnalignGoal(actor=NOOR, today=DAY, link_id=LINK))
        assert align(world, NOOR, ids[0], link(ids[3])).alignments

    @given(edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30))
    def test_whatever_is_linked_in_whatever_order_there_is_no_ring(self, edges):
        world = furnished()
        ids = [UUID(int=7000 + n) for n in range(6)]
        for goal_id in ids:
            agreed(world, ours(goal_id=goal_id))
        accepted = set()
        for n, (low, high) in enumerate(edges):
            try:
                align(world, NOOR, ids[low], link(ids[high], link_id=UUID(int=8000 + n)))
            except (RingOfLinks, LinkToItself, AlreadyAligned):
                assert low == high or (low, high) in accepted or _reaches(accepted, high, low)
            else:
                accepted.add((low, high))
        assert not any(_reaches(accepted, goal, goal) for goal in range(6))


def _reaches(edges, start, end):
    seen, frontier = set(), {start}
    while frontier:
        frontier = {high for low, high in edges if low in frontier} - seen
        seen |= frontier
    return end in seen
