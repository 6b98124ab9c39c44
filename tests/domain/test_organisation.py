from datetime import date
from uuid import UUID

import pytest

from domain.world import ADMINISTRATOR, DAY, SOMEBODY, World
from lms.domain.base import SYSTEM, Malformed, NotFound, Role
from lms.domain.contributor import Contributor
from lms.domain.founding import Founding, found_organisation, quarter_of
from lms.domain.goal_cycle import CloseGoalCycle, GoalCycle, GoalCycleIsClosed, NotYourCycle, OpenGoalCycle
from lms.domain.organisation import NotTheOperator, Organisation, OrganisationIsRegistered, RegisterOrganisation
from lms.domain.proficiency_scale import ProficiencyScale

ORGANISATION = UUID(int=10)
CYCLE = UUID(int=20)


def register(**changed):
    facts = {"actor": SYSTEM, "today": DAY, "organisation_id": ORGANISATION, "name": "Veldkamp"} | changed
    return RegisterOrganisation(**facts)


def open_cycle(**changed):
    facts = {
        "actor": ADMINISTRATOR,
        "today": DAY,
        "cycle_id": CYCLE,
        "name": "Spring",
        "starts_on": DAY,
        "ends_on": date(2026, 5, 31),
    }
    return OpenGoalCycle(**facts | changed)


def test_an_organisation_has_a_name_time_zone_currency_and_language():
    world = World()
    organisation = world.send(
        Organisation,
        ORGANISATION,
        register(name=" Veldkamp ", time_zone="Europe/Amsterdam", currency="EUR", language="nl-NL"),
    )
    assert world.told == [
        Organisation.Registered(name="Veldkamp", time_zone="Europe/Amsterdam", currency="EUR", language="nl-NL")
    ]
    assert organisation.time_zone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Europe/Atlantis"), ("currency", "XXX"), ("language", "Dutch"), ("name", "  ")],
)
def test_a_setting_that_nobody_knows_is_refused_with_a_pointer_to_it(field, value):
    with pytest.raises(Malformed) as refused:
        World().send(Organisation, ORGANISATION, register(**{field: value}))
    assert refused.value.facts["pointer"] == f"/{field}"


def test_an_organisation_is_registered_once():
    world = World()
    world.send(Organisation, ORGANISATION, register())
    with pytest.raises(OrganisationIsRegistered):
        world.send(Organisation, ORGANISATION, register())


def test_not_even_an_administrator_adds_an_organisation():
    with pytest.raises(NotTheOperator):
        World().send(Organisation, ORGANISATION, register(actor=ADMINISTRATOR))


def test_a_new_installation_has_an_administrator_an_open_quarter_with_weekly_check_ins_and_a_scale():
    world = World()
    founding = Founding(organisation_id=ORGANISATION, name="Veldkamp", administrator_email="ada@example.org")
    steps = found_organisation(founding, DAY)
    for step in steps:
        world.send(step.kind, step.stream_id, step.command)
    administrator = world.streams[founding.administrator_id]
    assert isinstance(administrator, Contributor)
    assert administrator.is_active
    (cycle,) = (one for one in world.streams.values() if isinstance(one, GoalCycle))
    assert (cycle.name, cycle.starts_on, cycle.ends_on) == ("2026 Q1", date(2026, 1, 1), date(2026, 3, 31))
    assert cycle.check_in_every_days == 7
    assert cycle.closed_on is None
    (scale,) = (one for one in world.streams.values() if isinstance(one, ProficiencyScale))
    assert [step.label for step in scale.levels] == ["knows", "with help", "alone", "teaches"]


def test_a_founding_that_is_tried_again_names_the_same_streams():
    founding = Founding(organisation_id=ORGANISATION, name="Veldkamp")
    first, second = (found_organisation(founding, DAY) for _ in range(2))
    assert [step.stream_id for step in first] == [step.stream_id for step in second]
    assert len({step.name for step in first}) == len(first)


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2026, 1, 1), ("2026 Q1", date(2026, 1, 1), date(2026, 3, 31))),
        (date(2026, 6, 30), ("2026 Q2", date(2026, 4, 1), date(2026, 6, 30))),
        (date(2027, 12, 31), ("2027 Q4", date(2027, 10, 1), date(2027, 12, 31))),
    ],
)
def test_a_quarter_has_three_whole_months(day, quarter):
    assert quarter_of(day) == quarter


def test_a_business_owner_opens_a_cycle_and_others_do_not():
    world = World()
    owner = type(SOMEBODY)(contributor_id=UUID(int=3), roles=(Role.BUSINESS_OWNER,))
    world.send(GoalCycle, CYCLE, open_cycle(actor=owner))
    assert world.told == [
        GoalCycle.Opened(name="Spring", starts_on=DAY, ends_on=date(2026, 5, 31), check_in_every_days=7)
    ]
    with pytest.raises(NotYourCycle):
        world.send(GoalCycle, UUID(int=21), open_cycle(actor=SOMEBODY))


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"ends_on": date(2026, 3, 1)}, "/ends_on"),
        ({"ends_on": date(2036, 3, 1)}, "/ends_on"),
        ({"check_in_every_days": 0}, "/check_in_every_days"),
        ({"check_in_every_days": 93}, "/check_in_every_days"),
        ({"name": ""}, "/name"),
    ],
)
def test_a_cycle_that_makes_no_sense_is_refused(changed, pointer):
    with pytest.raises(Malformed) as refused:
        World().send(GoalCycle, CYCLE, open_cycle(**changed))
    assert refused.value.facts["pointer"] == pointer


def test_a_cycle_is_closed_once():
    world = World()
    world.send(GoalCycle, CYCLE, open_cycle())
    close = CloseGoalCycle(actor=ADMINISTRATOR, today=DAY, on=DAY)
    assert world.send(GoalCycle, CYCLE, close).closed_on == DAY
    with pytest.raises(GoalCycleIsClosed):
        world.send(GoalCycle, CYCLE, close)


def test_a_cycle_that_does_not_exist_cannot_be_closed_nor_one_in_the_future():
    world = World()
    with pytest.raises(NotFound):
        world.send(GoalCycle, CYCLE, CloseGoalCycle(actor=ADMINISTRATOR, today=DAY, on=DAY))
    world.send(GoalCycle, CYCLE, open_cycle())
    with pytest.raises(Malformed):
        world.send(GoalCycle, CYCLE, CloseGoalCycle(actor=ADMINISTRATOR, today=DAY, on=date(2026, 3, 3)))
