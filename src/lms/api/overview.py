"""What should a manager look at first?"""

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from lms.api.answers import Answer, found
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Who
from lms.api.line_of_sight import asker
from lms.domain.base import Malformed
from lms.projections.line_of_sight import LineOfSight, teams_below
from lms.projections.overview import LearningWithoutOutcome, OutcomeWithoutLearning, overview

_sight = LineOfSight()


class OverviewShown(msgspec.Struct, frozen=True, kw_only=True):
    """Where the line of sight is broken, at either end; nothing waits while no capability needs are recorded."""

    outcomes_without_learning: list[OutcomeWithoutLearning]
    learning_without_outcome: list[LearningWithoutOutcome]
    waiting: list[str]


@get("/v1/overview", summary="What should a manager look at first?", tags=["line of sight"])
async def manager_overview(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    lead: Annotated[
        str | None, QueryParameter(description="`me`: the teams the caller leads, and those below; else all teams")
    ] = None,
) -> Answer[OverviewShown]:
    """Show which outcomes no learning reaches, and which learning reaches no outcome, by competency."""
    refuse_guests(who)
    if lead not in {None, "me"}:
        raise Malformed(pointer="/lead", detail="me, or nothing for the whole organisation")
    teams = await teams_below(connection, who.organisation_id, who.actor.leads) if lead else None
    seen = await overview(_sight, connection, asker(who), teams)
    return found(
        OverviewShown(
            outcomes_without_learning=seen.outcomes_without_learning,
            learning_without_outcome=seen.learning_without_outcome,
            waiting=[],
        )
    )


ROUTES = [manager_overview]
