"""From which catalogue do competencies come, and whom does one thank for it?"""

from uuid import UUID

from eventsourcing.domain import event

from lms.domain.base import ActorKind, Aggregate, Command, Forbidden, Others, Role, RuleBroken
from lms.domain.terms import check_text


class FrameworkExists(RuleBroken):
    """This competency framework is defined already."""


class NotYourFramework(Forbidden):
    """Only an administrator or a business owner brings in a framework."""


class CompetencyFramework(Aggregate):
    """A catalogue of competencies, the organisation's own or a published one such as ESCO."""

    TOPIC = "competency-framework"

    class Defined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The framework is in use. ``acknowledgement`` is what its publisher asks to be shown."""

        TOPIC = "competency-framework.defined"
        name: str
        publisher: str | None = None
        edition: str | None = None
        uri: str | None = None
        acknowledgement: str | None = None

    @event(Defined)
    def _defined(self, name: str) -> None:
        self.name = name


class DefineFramework(Command, frozen=True, kw_only=True):
    """Bring in a framework."""

    framework_id: UUID
    name: str
    publisher: str | None = None
    edition: str | None = None
    uri: str | None = None
    acknowledgement: str | None = None


def handle(framework: CompetencyFramework | None, command: DefineFramework, others: Others) -> CompetencyFramework:  # noqa: ARG001 - all decisions have this form
    """Decide whether a framework comes into use."""
    actor = command.actor
    if actor.kind is not ActorKind.SYSTEM and not actor.has(Role.ADMINISTRATOR, Role.BUSINESS_OWNER):
        raise NotYourFramework
    if framework is not None:
        raise FrameworkExists(framework_id=framework.id)
    check_text(command.name, "/name", limit=300)
    check_text(command.publisher, "/publisher", limit=300)
    check_text(command.edition, "/edition", limit=100)
    check_text(command.uri, "/uri", limit=1_000)
    check_text(command.acknowledgement, "/acknowledgement", limit=2_000)
    defined = CompetencyFramework.blank(command.framework_id)
    defined.record(
        CompetencyFramework.Defined(
            name=command.name.strip(),
            publisher=command.publisher,
            edition=command.edition,
            uri=command.uri,
            acknowledgement=command.acknowledgement,
        )
    )
    return defined
