"""In which time zone, currency and language does an organisation work?"""

import re
from uuid import UUID
from zoneinfo import available_timezones

from eventsourcing.domain import event

from lms.domain.base import ActorKind, Aggregate, Command, Forbidden, Malformed, Others, RuleBroken
from lms.domain.terms import CURRENCIES, check_text

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")


class OrganisationIsRegistered(RuleBroken):
    """The organisation is registered already."""


class NotTheOperator(Forbidden):
    """Organisations are added by who operates the installation."""


class Organisation(Aggregate):
    """One organisation; the id of its stream is the ``organisation_id`` of every envelope."""

    TOPIC = "organisation"

    class Registered(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The organisation exists. ``time_zone`` is an IANA name, ``currency`` ISO 4217, ``language`` BCP 47."""

        TOPIC = "organisation.registered"
        name: str
        time_zone: str
        currency: str
        language: str

    @event(Registered)
    def _registered(self, name: str, time_zone: str, currency: str, language: str) -> None:
        self.name, self.time_zone, self.currency, self.language = name, time_zone, currency, language


class RegisterOrganisation(Command, frozen=True, kw_only=True):
    """A new organisation on this installation."""

    organisation_id: UUID
    name: str
    time_zone: str = "UTC"
    currency: str = "EUR"
    language: str = "en"


def handle(organisation: Organisation | None, command: RegisterOrganisation, others: Others) -> Organisation:  # noqa: ARG001 - all decisions have this form
    """Decide whether an organisation comes to be."""
    if command.actor.kind is not ActorKind.SYSTEM:
        raise NotTheOperator
    if organisation is not None:
        raise OrganisationIsRegistered(organisation_id=organisation.id)
    check_text(command.name, "/name", limit=200)
    if command.time_zone not in available_timezones():
        raise Malformed(pointer="/time_zone", detail="not an IANA time zone, such as Europe/Amsterdam")
    if command.currency not in CURRENCIES:
        raise Malformed(pointer="/currency", detail="not an ISO 4217 code, such as EUR")
    if not _LANGUAGE.fullmatch(command.language):
        raise Malformed(pointer="/language", detail="not a language tag, such as nl or pt-BR")
    registered = Organisation.blank(command.organisation_id)
    registered.record(
        Organisation.Registered(
            name=command.name.strip(),
            time_zone=command.time_zone,
            currency=command.currency,
            language=command.language,
        )
    )
    return registered
