from datetime import date
from uuid import UUID

import pytest

from domain.world import ADMINISTRATOR, DAY, SOMEBODY, World
from lms.domain.administration import NotAdministrator
from lms.domain.base import Actor, Malformed, NotFound
from lms.domain.contributor import (
    Contributor,
    ContributorIsInactive,
    ContributorIsRegistered,
    ContributorKind,
    DeactivateContributor,
    ForgetContributor,
    RegisterContributor,
)

MIRA = UUID(int=100)


def register(**changed):
    facts = {
        "actor": ADMINISTRATOR,
        "today": DAY,
        "contributor_id": MIRA,
        "name": "Mira Jansen",
        "email": "mira@example.org",
    }
    return RegisterContributor(**facts | changed)


def registered(**changed):
    world = World()
    world.send(Contributor, MIRA, register(**changed))
    return world


def test_an_administrator_registers_a_person():
    world = registered(kind=ContributorKind.CUSTOMER, role_band="store-staff", name=" Mira Jansen ")
    assert world.told == [
        Contributor.Registered(
            kind=ContributorKind.CUSTOMER,
            role_band="store-staff",
            name="Mira Jansen",
            email="mira@example.org",
            on=DAY,
        )
    ]


def test_nobody_else_registers_people():
    with pytest.raises(NotAdministrator):
        registered(actor=SOMEBODY)


def test_a_person_is_registered_once():
    with pytest.raises(ContributorIsRegistered):
        registered().send(Contributor, MIRA, register())


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"email": "mira"}, "/email"),
        ({"email": "@example.org"}, "/email"),
        ({"email": "mi ra@example.org"}, "/email"),
        ({"email": "m" * 250 + "@example.org"}, "/email"),
        ({"role_band": "Store staff"}, "/role_band"),
        ({"role_band": "a" * 61}, "/role_band"),
        ({"on": date(2026, 3, 3)}, "/on"),
    ],
)
def test_a_person_that_makes_no_sense_is_refused(changed, pointer):
    with pytest.raises(Malformed) as refused:
        registered(**changed)
    assert refused.value.facts["pointer"] == pointer


def test_name_and_email_are_sealed_under_the_key_of_the_person_they_are_about():
    world = registered(email=None)
    person = world.streams[MIRA]
    author = ADMINISTRATOR.contributor_id
    assert {person.key_owner(world.told[0], field, author) for field in ("name", "email")} == {MIRA}


def test_who_left_cannot_leave_again():
    world = registered()
    leave = DeactivateContributor(actor=ADMINISTRATOR, today=DAY, on=DAY)
    assert not world.send(Contributor, MIRA, leave).is_active
    with pytest.raises(ContributorIsInactive):
        world.send(Contributor, MIRA, leave)


def test_somebody_unknown_cannot_leave_and_nobody_leaves_in_the_future():
    leave = DeactivateContributor(actor=ADMINISTRATOR, today=DAY, on=date(2026, 3, 3))
    with pytest.raises(NotFound):
        World().send(Contributor, MIRA, leave)
    with pytest.raises(Malformed):
        registered().send(Contributor, MIRA, leave)


def test_a_person_may_ask_to_be_forgotten_and_it_happens_once():
    world = registered()
    forget = ForgetContributor(actor=Actor(contributor_id=MIRA), today=DAY)
    person = world.send(Contributor, MIRA, forget)
    assert world.told == [Contributor.Forgotten(on=DAY)]
    assert person.is_forgotten
    assert not person.is_active
    world.send(Contributor, MIRA, forget)
    assert world.told == []


def test_who_left_may_still_be_forgotten():
    world = registered()
    world.send(Contributor, MIRA, DeactivateContributor(actor=ADMINISTRATOR, today=DAY, on=date(2026, 3, 1)))
    person = world.send(Contributor, MIRA, ForgetContributor(actor=ADMINISTRATOR, today=DAY))
    assert person.is_forgotten
    assert person.left_on == date(2026, 3, 1)


def test_nobody_has_another_forgotten():
    with pytest.raises(NotAdministrator):
        registered().send(Contributor, MIRA, ForgetContributor(actor=SOMEBODY, today=DAY))
