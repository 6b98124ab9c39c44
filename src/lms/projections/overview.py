"""What should a manager look at: which outcomes does nobody learn for, and which learning leads nowhere?"""

from uuid import UUID

import msgspec

from lms.projections.chain_parts import Chain, EndKind, Missing
from lms.projections.graph_rows import TEAMS
from lms.projections.line_of_sight import Asker, LineOfSight, Question
from lms.projections.table import Connection

MOST_CHAINS = 5_000
"""An overview looks at so many chains at most."""


class TeamNamed(msgspec.Struct, frozen=True):
    """A team and its name."""

    id: UUID
    name: str


class OutcomeWithoutLearning(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome metric that no chain with learning reaches, and how many improvements mean to move it."""

    outcome_metric_id: UUID
    label: str
    improvements_n: int


class LearningWithoutOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """A competency that is learned in these teams without a path to an outcome.

    ``entries_n`` counts what is shown to who asks; without teams it was learned by several, in a larger unit.
    """

    competency_id: UUID
    label: str | None
    teams: list[TeamNamed]
    entries_n: int


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Where the line of sight is broken, at either end."""

    outcomes_without_learning: list[OutcomeWithoutLearning]
    learning_without_outcome: list[LearningWithoutOutcome]


async def overview(sight: LineOfSight, connection: Connection, asker: Asker, teams: frozenset[UUID] | None) -> Overview:
    """The overview over some teams, or over the organisation."""
    chains: list[Chain] = []
    async for _, chain in sight.walk(connection, asker, Question(teams=teams)):
        chains.append(chain)
        if len(chains) == MOST_CHAINS:
            break
    return Overview(
        outcomes_without_learning=_without_learning(chains),
        learning_without_outcome=await _without_outcome(connection, chains),
    )


def _without_learning(chains: list[Chain]) -> list[OutcomeWithoutLearning]:
    reached = {chain.to.id for chain in chains if chain.to is not None and not chain.missing}
    labels: dict[UUID, str] = {}
    improvements: dict[UUID, set[UUID]] = {}
    for chain in chains:
        if chain.to is None or chain.to.id in reached:
            continue
        labels[chain.to.id] = str(chain.to.label)
        over = {link.source.id for link in chain.links if link.source.kind is EndKind.IMPROVEMENT}
        improvements.setdefault(chain.to.id, set()).update(over)
    found = [
        OutcomeWithoutLearning(outcome_metric_id=key, label=labels[key], improvements_n=len(improvements[key]))
        for key in labels
    ]
    return sorted(found, key=lambda one: (one.label.casefold(), one.outcome_metric_id))


async def _without_outcome(connection: Connection, chains: list[Chain]) -> list[LearningWithoutOutcome]:
    starting: dict[UUID, list[Chain]] = {}
    for chain in chains:
        if chain.source is not None and chain.source.kind is EndKind.COMPETENCY:
            starting.setdefault(chain.source.id, []).append(chain)
    loose = {
        key: [chain for chain in group if chain.missing == (Missing.NO_OUTCOME,)] for key, group in starting.items()
    }
    wanted = sorted({chain.team for group in loose.values() for chain in group if chain.team})
    teams = await TEAMS.load(connection, wanted)
    found = [
        LearningWithoutOutcome(
            competency_id=key,
            label=str(group[0].source.label) if group[0].source and group[0].source.label else None,
            teams=[TeamNamed(one, teams[one].name) for one in sorted({chain.team for chain in group if chain.team})],
            entries_n=sum(chain.learned.entries_n for chain in group),
        )
        for key, group in loose.items()
        if group
    ]
    return sorted(found, key=lambda one: ((one.label or "").casefold(), one.competency_id))
