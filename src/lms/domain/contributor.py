"""Who contributes, in which capacity, and where is each person's home?"""

import re
from datetime import date
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from eventsourcing.domain import event

from lms.domain.administration import NotAdministrator, administers, check_administrator
from lms.domain.base import Actor, Aggregate, Command, Malformed, NotFound, Others, Personal, RuleBroken
from lms.domain.terms import check_not_in_future, check_text

_ROLE_BAND = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_EMAIL = 254


class ContributorKind(StrEnum):
    """Inside or outside: customers and partners contribute and learn too."""

    EMPLOYEE = "employee"
    CUSTOMER = "customer"
    PARTNER = "partner"


class ContributorIsRegistered(RuleBroken):
    """This contributor is registered already."""


class ContributorIsInactive(RuleBroken):
    """This contributor has left or was forgotten."""


class Contributor(Aggregate):
    """One person. From the day of `Deactivated` or `Forgotten` he counts in no team."""

    TOPIC = "contributor"

    class Registered(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A person takes part. ``role_band`` is a coarse group for figures, such as ``store-staff``."""

        TOPIC = "contributor.registered"
        DATED_BY = "on"
        kind: ContributorKind
        role_band: str | None = None
        name: Personal
        email: Personal | None = None
        on: date

    class HomeTeamChanged(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person counts in this team, or in none: written with the team's own event, so that there is one home."""

        TOPIC = "contributor.home-team-changed"
        DATED_BY = "on"
        team_id: UUID | None = None
        on: date

    class Deactivated(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person has left; what he showed stays."""

        TOPIC = "contributor.deactivated"
        DATED_BY = "on"
        on: date

    class Forgotten(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The person's key was destroyed: every text about him is gone."""

        TOPIC = "contributor.forgotten"
        DATED_BY = "on"
        on: date

    def key_owner(self, event: Aggregate.Event, field: str, author: UUID | None) -> UUID | None:  # noqa: ARG002
        """Name and e-mail are sealed under the key of the person they are about."""
        return self.id

    @property
    def is_active(self) -> bool:
        """Tell whether the person still takes part."""
        return self.left_on is None

    def may_be_forgotten_by(self, actor: Actor) -> bool:
        """Tell whether the actor may ask for it: the person himself, and an administrator."""
        return administers(actor) or actor.is_contributor(self.id)

    def move_home(self, team_id: UUID | None, on: date) -> None:
        """Count in another team, or in none."""
        if team_id != self.home_team_id:
            self.record(Contributor.HomeTeamChanged(team_id=team_id, on=on))

    def refuse_inactive(self) -> None:
        """Refuse to go on with a person who left."""
        if not self.is_active:
            raise ContributorIsInactive(contributor_id=self.id)

    @event(Registered)
    def _registered(self, kind: ContributorKind, role_band: str | None, on: date) -> None:
        self.kind, self.role_band, self.registered_on = kind, role_band, on
        self.home_team_id: UUID | None = None
        self.left_on: date | None = None
        self.is_forgotten = False

    @event(HomeTeamChanged)
    def _home_team_changed(self, team_id: UUID | None) -> None:
        self.home_team_id = team_id

    @event(Deactivated)
    def _deactivated(self, on: date) -> None:
        self.left_on = on

    @event(Forgotten)
    def _forgotten(self, on: date) -> None:
        self.left_on = self.left_on or on
        self.is_forgotten = True


class RegisterContributor(Command, frozen=True, kw_only=True):
    """A person takes part from a day on, today unless said otherwise."""

    contributor_id: UUID
    kind: ContributorKind = ContributorKind.EMPLOYEE
    role_band: str | None = None
    name: str
    email: str | None = None
    on: date | None = None


class DeactivateContributor(Command, frozen=True, kw_only=True):
    """The person has left."""

    on: date


class ForgetContributor(Command, frozen=True, kw_only=True):
    """Everything that tells who the person was goes. The caller destroys the key once this is stored."""


def handle(
    contributor: Contributor | None,
    command: RegisterContributor | DeactivateContributor | ForgetContributor,
    others: Others,  # noqa: ARG001 - all decisions have this form
) -> Contributor:
    """Decide what a command does to a contributor."""
    if isinstance(command, RegisterContributor):
        return _register(contributor, command)
    if contributor is None:
        raise NotFound(kind="contributor")
    match command:
        case DeactivateContributor(on=on):
            check_administrator(command.actor)
            contributor.refuse_inactive()
            check_not_in_future(on, command.today, "/on")
            contributor.record(Contributor.Deactivated(on=on))
        case ForgetContributor():
            if not contributor.may_be_forgotten_by(command.actor):
                raise NotAdministrator
            if not contributor.is_forgotten:
                contributor.record(Contributor.Forgotten(on=command.today))
        case _:
            assert_never(command)
    return contributor


def _register(contributor: Contributor | None, command: RegisterContributor) -> Contributor:
    check_administrator(command.actor)
    if contributor is not None:
        raise ContributorIsRegistered(contributor_id=contributor.id)
    check_text(command.name, "/name", limit=200)
    if command.email is not None:
        check_email(command.email, "/email")
    if command.role_band is not None and (len(command.role_band) > 60 or not _ROLE_BAND.fullmatch(command.role_band)):
        raise Malformed(pointer="/role_band", detail="a short word in kebab-case, such as store-staff")
    on = command.on or command.today
    check_not_in_future(on, command.today, "/on")
    registered = Contributor.blank(command.contributor_id)
    registered.record(
        Contributor.Registered(
            kind=command.kind,
            role_band=command.role_band,
            name=command.name.strip(),
            email=command.email.strip() if command.email is not None else None,
            on=on,
        )
    )
    return registered


def check_email(email: str, pointer: str) -> None:
    """Refuse what cannot be an address; whether it reaches anybody is not known here."""
    local, _, host = email.strip().rpartition("@")
    if not local or not host or len(email) > _LONGEST_EMAIL or any(sign.isspace() for sign in email.strip()):
        raise Malformed(pointer=pointer, detail="not an e-mail address")
