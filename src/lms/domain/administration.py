"""Who runs the organisation: who may register people, form teams and open cycles?"""

from lms.domain.base import Actor, ActorKind, Forbidden, Role


class NotAdministrator(Forbidden):
    """Only an administrator may do this."""


def administers(actor: Actor) -> bool:
    """Tell whether the actor is an administrator, or the system itself (set-up, imports by the operator)."""
    return actor.kind is ActorKind.SYSTEM or actor.has(Role.ADMINISTRATOR)


def check_administrator(actor: Actor) -> None:
    """Refuse everybody else."""
    if not administers(actor):
        raise NotAdministrator
