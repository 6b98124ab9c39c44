from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.world import ADMINISTRATOR, DAY, SOMEBODY, World
from lms.domain.administration import NotAdministrator
from lms.domain.base import Actor, Malformed, NotFound
from lms.domain.contributor import Contributor, ContributorIsInactive, DeactivateContributor, RegisterContributor
from lms.domain.team import (
    HomeIsElsewhere,
    NewMember,
    NotAMember,
    NotYourTeam,
    RingOfTeams,
    Team,
    TeamHasMembers,
    TeamIsDisbanded,
)
from lms.domain.team_commands import (
    AddMembers,
    AppointLead,
    DisbandTeam,
    FormTeam,
    MoveTeam,
    RemoveMember,
    RenameTeam,
    SetDistance,
)

SALES, SERVICE, STORES = UUID(int=1000), UUID(int=1001), UUID(int=1002)
MIRA, NOOR = UUID(int=100), UUID(int=101)
ADMIN = {"actor": ADMINISTRATOR, "today": DAY}


@pytest.fixture
def world():
    """Sales with stores under it, and service; Mira and Noor belong nowhere yet."""
    world = World()
    for person in (MIRA, NOOR):
        world.send(Contributor, person, RegisterContributor(**ADMIN, contributor_id=person, name="Somebody"))
    world.send(Team, SALES, FormTeam(**ADMIN, team_id=SALES, name="Sales"))
    world.send(Team, SERVICE, FormTeam(**ADMIN, team_id=SERVICE, name="Service"))
    world.send(Team, STORES, FormTeam(**ADMIN, team_id=STORES, name="Stores", parent_team_id=SALES))
    return world


def lead_of(*teams):
    return {"actor": Actor(contributor_id=UUID(int=3), leads=frozenset(teams)), "today": DAY}


def join(world, team_id, person, home=None, by=ADMIN):
    return world.send(Team, team_id, AddMembers(**by, members=(NewMember(contributor_id=person, home=home),)))


def test_an_administrator_forms_a_team_at_the_top_or_under_another(world):
    assert world.told == [Team.Formed(name="Stores", parent_team_id=SALES, on=DAY)]
    assert world.streams[SALES].parent_team_id is None


def test_a_team_is_formed_with_what_is_known_already(world):
    form = FormTeam(
        **ADMIN,
        team_id=UUID(int=9),
        name="Web shop",
        lead=MIRA,
        distance=0,
        members=(NewMember(contributor_id=MIRA), NewMember(contributor_id=NOOR, home=False)),
    )
    team = world.send(Team, UUID(int=9), form)
    assert (team.lead, team.distance, team.members) == (MIRA, 0, {MIRA: True, NOOR: False})
    assert world.streams[MIRA].home_team_id == UUID(int=9)
    assert world.streams[NOOR].home_team_id is None


def test_nobody_else_forms_teams():
    with pytest.raises(NotAdministrator):
        World().send(Team, SALES, FormTeam(actor=SOMEBODY, today=DAY, team_id=SALES, name="Sales"))


def test_a_team_is_formed_once_and_needs_a_name_and_a_day_that_has_come(world):
    for wrong in (
        FormTeam(**ADMIN, team_id=SALES, name="Sales"),
        FormTeam(**ADMIN, team_id=UUID(int=9), name=" "),
        FormTeam(**ADMIN, team_id=UUID(int=9), name="Later", on=date(2026, 3, 3)),
    ):
        with pytest.raises(Malformed):
            world.send(Team, wrong.team_id, wrong)


def test_a_team_is_not_formed_under_one_that_is_unknown_or_disbanded(world):
    with pytest.raises(NotFound):
        world.send(Team, UUID(int=9), FormTeam(**ADMIN, team_id=UUID(int=9), name="New", parent_team_id=UUID(int=8)))
    world.send(Team, SERVICE, DisbandTeam(**ADMIN))
    with pytest.raises(TeamIsDisbanded):
        world.send(Team, UUID(int=9), FormTeam(**ADMIN, team_id=UUID(int=9), name="New", parent_team_id=SERVICE))


def test_a_team_moves_under_another_and_back_to_the_top(world):
    assert world.send(Team, STORES, MoveTeam(**ADMIN, parent_team_id=SERVICE)).parent_team_id == SERVICE
    assert world.send(Team, STORES, MoveTeam(**ADMIN)).parent_team_id is None
    world.send(Team, STORES, MoveTeam(**ADMIN))
    assert world.told == []


def test_a_team_does_not_move_under_itself(world):
    with pytest.raises(RingOfTeams):
        world.send(Team, SALES, MoveTeam(**ADMIN, parent_team_id=STORES))
    with pytest.raises(RingOfTeams):
        world.send(Team, SALES, MoveTeam(**ADMIN, parent_team_id=SALES))


def test_a_move_depends_on_every_team_above_its_new_place(world):
    world.send(Team, SERVICE, MoveTeam(**ADMIN, parent_team_id=STORES))
    assert world.read == {STORES: 1, SALES: 1}


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_whatever_moves_are_asked_for_the_teams_stay_a_tree(moves):
    world = World()
    teams = [UUID(int=1 + n) for n in range(8)]
    for team_id in teams:
        world.send(Team, team_id, FormTeam(**ADMIN, team_id=team_id, name="Team"))
    for child, parent in moves:
        try:
            world.send(Team, teams[child], MoveTeam(**ADMIN, parent_team_id=teams[parent]))
        except RingOfTeams:
            continue
    for team_id in teams:
        above, steps = world.streams[team_id].parent_team_id, 0
        while above is not None:
            above, steps = world.streams[above].parent_team_id, steps + 1
            assert steps < len(teams)


def test_the_first_team_of_a_person_is_his_home_and_a_second_is_not(world):
    join(world, SALES, MIRA)
    assert world.told == [
        Team.MemberJoined(contributor_id=MIRA, on=DAY, home=True),
        Contributor.HomeTeamChanged(team_id=SALES, on=DAY),
    ]
    join(world, SERVICE, MIRA)
    assert world.told == [Team.MemberJoined(contributor_id=MIRA, on=DAY, home=False)]


def test_a_person_joins_twice_without_effect(world):
    join(world, SALES, MIRA)
    join(world, SALES, MIRA)
    assert world.told == []


def test_an_administrator_moves_a_persons_home(world):
    join(world, SALES, MIRA)
    join(world, SERVICE, MIRA, home=True)
    assert world.streams[SALES].members == {}
    assert world.streams[SERVICE].members == {MIRA: True}
    assert world.streams[MIRA].home_team_id == SERVICE


def test_a_lead_takes_nobody_from_a_team_he_does_not_lead(world):
    join(world, SALES, MIRA)
    with pytest.raises(HomeIsElsewhere):
        join(world, SERVICE, MIRA, home=True, by=lead_of(SERVICE))
    join(world, SERVICE, MIRA, home=True, by=lead_of(SERVICE, SALES))
    assert world.streams[MIRA].home_team_id == SERVICE


def test_a_home_may_stop_being_one(world):
    join(world, SALES, MIRA)
    join(world, SALES, MIRA, home=False)
    assert world.streams[SALES].members == {MIRA: False}
    assert world.streams[MIRA].home_team_id is None


def test_a_person_has_one_home_at_most_whatever_is_asked_for(world):
    for team_id, home in [(SALES, None), (SERVICE, True), (SALES, True), (STORES, False), (STORES, True)]:
        join(world, team_id, MIRA, home)
        homes = [team for team in (SALES, SERVICE, STORES) if world.streams[team].members.get(MIRA)]
        assert homes == [world.streams[MIRA].home_team_id]


def test_several_people_join_at_once_or_none(world):
    both = tuple(NewMember(contributor_id=person) for person in (MIRA, NOOR))
    stranger = NewMember(contributor_id=UUID(int=999))
    with pytest.raises(NotFound):
        world.send(Team, SALES, AddMembers(**ADMIN, members=(*both, stranger)))
    assert world.streams[SALES].members == {}
    assert world.send(Team, SALES, AddMembers(**ADMIN, members=both)).members == {MIRA: True, NOOR: True}


def test_a_list_of_members_is_neither_empty_nor_names_somebody_twice(world):
    for members in ((), (NewMember(contributor_id=MIRA), NewMember(contributor_id=MIRA))):
        with pytest.raises(Malformed):
            world.send(Team, SALES, AddMembers(**ADMIN, members=members))


def test_who_left_joins_no_team_and_leads_none(world):
    world.send(Contributor, MIRA, DeactivateContributor(**ADMIN, on=DAY))
    with pytest.raises(ContributorIsInactive):
        join(world, SALES, MIRA)
    with pytest.raises(ContributorIsInactive):
        world.send(Team, SALES, AppointLead(**ADMIN, contributor_id=MIRA))


def test_a_lead_adds_members_to_his_own_team_and_to_those_under_it(world):
    join(world, SALES, MIRA, by=lead_of(SALES))
    add = AddMembers(**lead_of(SALES), above=frozenset({SALES}), members=(NewMember(contributor_id=NOOR),))
    world.send(Team, STORES, add)
    assert world.streams[STORES].members == {NOOR: True}
    with pytest.raises(NotYourTeam):
        join(world, SERVICE, MIRA, by=lead_of(SALES))


def test_a_member_leaves_and_has_no_home_any_more(world):
    join(world, SALES, MIRA)
    world.send(Team, SALES, RemoveMember(**ADMIN, contributor_id=MIRA))
    assert world.told == [
        Team.MemberLeft(contributor_id=MIRA, on=DAY),
        Contributor.HomeTeamChanged(team_id=None, on=DAY),
    ]


def test_a_guest_member_leaves_and_keeps_his_home(world):
    join(world, SALES, MIRA)
    join(world, SERVICE, MIRA)
    world.send(Team, SERVICE, RemoveMember(**ADMIN, contributor_id=MIRA))
    assert world.told == [Team.MemberLeft(contributor_id=MIRA, on=DAY)]
    with pytest.raises(NotAMember):
        world.send(Team, SERVICE, RemoveMember(**ADMIN, contributor_id=MIRA))


def test_the_lead_is_appointed_by_who_leads_above_not_by_himself(world):
    appoint = {"above": frozenset({SALES}), "contributor_id": MIRA}
    with pytest.raises(NotYourTeam):
        world.send(Team, STORES, AppointLead(**lead_of(STORES), **appoint))
    assert world.send(Team, STORES, AppointLead(**lead_of(SALES), **appoint)).lead == MIRA
    world.send(Team, STORES, AppointLead(**lead_of(SALES), **appoint))
    assert world.told == []
    assert world.send(Team, STORES, AppointLead(**ADMIN)).lead is None


def test_a_lead_reshapes_the_tree_neither_by_moving_nor_by_disbanding(world):
    for command in (MoveTeam(**lead_of(SALES)), DisbandTeam(**lead_of(SALES))):
        with pytest.raises(NotYourTeam):
            world.send(Team, SALES, command)


def test_a_team_says_how_far_it_is_from_the_customer(world):
    world.send(Team, SALES, SetDistance(**lead_of(SALES), steps=0))
    assert world.told == [Team.DistanceSet(steps=0, on=DAY)]
    world.send(Team, SALES, SetDistance(**ADMIN, steps=0))
    assert world.told == []
    with pytest.raises(Malformed):
        world.send(Team, SALES, SetDistance(**ADMIN, steps=21))


def test_a_team_is_renamed(world):
    assert world.send(Team, SALES, RenameTeam(**ADMIN, name=" Stores and web ")).name == "Stores and web"
    world.send(Team, SALES, RenameTeam(**ADMIN, name="Stores and web"))
    assert world.told == []


def test_a_team_with_members_or_sub_teams_is_not_disbanded(world):
    with pytest.raises(TeamHasMembers):
        world.send(Team, SALES, DisbandTeam(**ADMIN, sub_teams=(STORES,)))
    join(world, STORES, MIRA)
    with pytest.raises(TeamHasMembers):
        world.send(Team, STORES, DisbandTeam(**ADMIN))
    world.send(Team, STORES, RemoveMember(**ADMIN, contributor_id=MIRA))
    world.send(Team, STORES, DisbandTeam(**ADMIN))
    assert world.send(Team, SALES, DisbandTeam(**ADMIN, sub_teams=(STORES, UUID(int=9)))).disbanded_on == DAY


def test_a_team_whose_members_all_left_may_be_disbanded(world):
    join(world, SERVICE, MIRA)
    world.send(Contributor, MIRA, DeactivateContributor(**ADMIN, on=DAY))
    assert world.send(Team, SERVICE, DisbandTeam(**ADMIN)).disbanded_on == DAY


def test_nothing_happens_to_a_team_that_is_no_more_or_never_was(world):
    world.send(Team, SERVICE, DisbandTeam(**ADMIN))
    with pytest.raises(TeamIsDisbanded):
        join(world, SERVICE, MIRA)
    with pytest.raises(NotFound):
        join(world, UUID(int=9), MIRA)
