"""How well can somebody do something: which steps are there between knowing and teaching?"""

from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from lms.domain.base import ActorKind, Aggregate, Command, Forbidden, Malformed, Others, Role, RuleBroken
from lms.domain.terms import check_text

MOST_STEPS = 20

DEFAULT_SCALE = "proficiency-scale:default"
"""The name of the organisation's own scale within the organisation."""


class ScaleStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step; a higher rank is more."""

    rank: int
    label: str
    descriptor: str | None = None


FOUR_STEPS = (
    ScaleStep(rank=1, label="knows", descriptor="can say what it is and why it matters"),
    ScaleStep(rank=2, label="with help", descriptor="does it with somebody beside him"),
    ScaleStep(rank=3, label="alone", descriptor="does it well without help"),
    ScaleStep(rank=4, label="teaches", descriptor="helps others to do it well"),
)
"""The steps of a new organisation's scale."""


class ScaleExists(RuleBroken):
    """This proficiency scale is defined already."""


class NotYourScale(Forbidden):
    """Only an administrator or a business owner defines a scale."""


class ProficiencyScale(Aggregate):
    """The steps in which levels of skill are told. A defined scale never changes: levels refer to it."""

    TOPIC = "proficiency-scale"

    @staticmethod
    def default_id(organisation_id: UUID) -> UUID:
        """The id of the organisation's own scale, which counts where a competency names no other."""
        return uuid5(organisation_id, DEFAULT_SCALE)

    class Defined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The scale exists; steps in the order of their ranks."""

        TOPIC = "proficiency-scale.defined"
        name: str
        levels: tuple[ScaleStep, ...]

    @event(Defined)
    def _defined(self, name: str, levels: tuple[ScaleStep, ...]) -> None:
        self.name, self.levels = name, levels


class DefineScale(Command, frozen=True, kw_only=True):
    """A new scale."""

    scale_id: UUID
    name: str
    levels: tuple[ScaleStep, ...] = FOUR_STEPS


def handle(scale: ProficiencyScale | None, command: DefineScale, others: Others) -> ProficiencyScale:  # noqa: ARG001 - all decisions have this form
    """Decide whether a scale comes to be."""
    actor = command.actor
    if actor.kind is not ActorKind.SYSTEM and not actor.has(Role.ADMINISTRATOR, Role.BUSINESS_OWNER):
        raise NotYourScale
    if scale is not None:
        raise ScaleExists(scale_id=scale.id)
    check_text(command.name, "/name", limit=200)
    if not 1 <= len(command.levels) <= MOST_STEPS:
        raise Malformed(pointer="/levels", detail=f"a scale has 1 to {MOST_STEPS} steps")
    for index, step in enumerate(command.levels):
        check_text(step.label, f"/levels/{index}/label", limit=100)
        check_text(step.descriptor, f"/levels/{index}/descriptor", limit=1_000)
        if step.rank < 1 or any(other.rank == step.rank for other in command.levels[:index]):
            raise Malformed(pointer=f"/levels/{index}/rank", detail="ranks are 1 or more, each once")
    defined = ProficiencyScale.blank(command.scale_id)
    levels = tuple(sorted(command.levels, key=lambda step: step.rank))
    defined.record(ProficiencyScale.Defined(name=command.name.strip(), levels=levels))
    return defined
