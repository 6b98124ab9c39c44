"""What does a new installation start with, so that the first minutes need no ceremony?"""

import calendar
from datetime import date
from typing import Any
from uuid import UUID, uuid5

import msgspec

from lms.domain.base import SYSTEM, Aggregate, Command
from lms.domain.contributor import Contributor, RegisterContributor
from lms.domain.goal_cycle import GoalCycle, OpenGoalCycle
from lms.domain.organisation import Organisation, RegisterOrganisation
from lms.domain.proficiency_scale import DEFAULT_SCALE, DefineScale, ProficiencyScale


class Step(msgspec.Struct, frozen=True):
    """One command of the founding, in order. ``name`` makes its command id: the same for every retry."""

    name: str
    kind: type[Aggregate]
    stream_id: UUID
    command: Command


class Founding(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says about a new organisation; the rest are defaults."""

    organisation_id: UUID
    name: str
    time_zone: str = "UTC"
    currency: str = "EUR"
    language: str = "en"
    administrator_name: str = "Administrator"
    administrator_email: str | None = None

    @property
    def administrator_id(self) -> UUID:
        """The first contributor: the same for every retry of this founding."""
        return uuid5(self.organisation_id, "administrator")


def found_organisation(founding: Founding, today: date) -> tuple[Step, ...]:
    """The commands that make an organisation ready, to be sent as the system, in this order.

    Itself, its administrator, an open quarter with weekly check-ins and the four-step scale; the rule by which
    levels are learned is published with the program. ``today`` is the date in the organisation's time zone.
    """
    organisation_id = founding.organisation_id
    cycle_id, scale_id = (uuid5(organisation_id, name) for name in ("first-cycle", DEFAULT_SCALE))
    quarter, starts_on, ends_on = quarter_of(today)
    system: dict[str, Any] = {"actor": SYSTEM, "today": today}
    register = RegisterOrganisation(
        **system,
        organisation_id=organisation_id,
        name=founding.name,
        time_zone=founding.time_zone,
        currency=founding.currency,
        language=founding.language,
    )
    administrator = RegisterContributor(
        **system,
        contributor_id=founding.administrator_id,
        name=founding.administrator_name,
        email=founding.administrator_email,
    )
    cycle = OpenGoalCycle(**system, cycle_id=cycle_id, name=quarter, starts_on=starts_on, ends_on=ends_on)
    scale = DefineScale(**system, scale_id=scale_id, name="Proficiency")
    return (
        Step("organisation", Organisation, organisation_id, register),
        Step("administrator", Contributor, founding.administrator_id, administrator),
        Step("first-cycle", GoalCycle, cycle_id, cycle),
        Step("scale", ProficiencyScale, scale_id, scale),
    )


def quarter_of(day: date) -> tuple[str, date, date]:
    """The name, first and last day of the calendar quarter around a day."""
    number = (day.month + 2) // 3
    last_month = 3 * number
    first = date(day.year, last_month - 2, 1)
    last = date(day.year, last_month, calendar.monthrange(day.year, last_month)[1])
    return f"{day.year} Q{number}", first, last
