"""How did every chain from learning to outcomes stand at the end of a week?"""

import uuid
from collections.abc import Collection, Mapping
from datetime import date
from uuid import UUID

import msgspec

from lms.projections.base import Connection, Envelope
from lms.projections.bi.keys import date_key, insert_all, keys_at
from lms.projections.chain_parts import Chain, ChainLink, EndKind
from lms.projections.graph_rows import UNITS
from lms.projections.line_of_sight import Asker, LineOfSight, Question

_sight = LineOfSight()


class Ends(msgspec.Struct, frozen=True):
    """What a chain runs over, by kind of end."""

    by_kind: dict[EndKind, UUID]

    @classmethod
    def of(cls, chain: Chain) -> "Ends":
        """The lowest of each kind: of the goals on a plan, the one at its start."""
        found: dict[EndKind, UUID] = {}
        ends = [link_end for link in chain.links for link_end in (link.source, link.to)]
        for end in [chain.source, *ends, chain.to]:
            if end is not None:
                found.setdefault(end.kind, end.id)
        return cls(found)


async def publish_sight(
    connection: Connection, organisation: int, envelope: Envelope, ends_on: date, quarter: date
) -> None:
    """Write every chain as it may be published: people's learning counts in it only as a crowd's."""
    asker = Asker(organisation_id=envelope.organisation_id, asked_on=ends_on, teams=None)
    chains = [chain async for _, chain in _sight.walk(connection, asker, Question())]
    units = {
        row.node: row.unit_key
        for row in await UNITS.select(
            connection, "WHERE organisation_id = $1 AND quarter_ends_on = $2", envelope.organisation_id, quarter
        )
    }
    keys = await _keys(connection, chains, envelope.position)
    rows: dict[UUID, dict[str, object]] = {}
    for chain in chains:
        ends = Ends.of(chain)
        is_of_a_person = EndKind.GOAL in ends.by_kind and ends.by_kind[EndKind.GOAL] not in keys
        if not is_of_a_person:
            chain_id = _chain_id(envelope.organisation_id, chain, ends)
            row = {"organisation_key": organisation, "week_date_key": date_key(ends_on), "chain_id": chain_id}
            rows.setdefault(chain_id, row | _places(chain, ends, units, keys) | _standing(chain))
    if rows:
        await insert_all(connection, "fact_line_of_sight", list(rows.values()))


def _places(chain: Chain, ends: Ends, units: Mapping[UUID, int], keys: Mapping[UUID, int]) -> dict[str, int | None]:
    """Keys of everything that the chain runs over."""
    by_kind = {kind: keys.get(end) for kind, end in ends.by_kind.items()}
    return {
        "unit_key": units.get(chain.team) if chain.team else None,
        "team_key": keys.get(chain.team) if chain.team else None,
        "competency_key": by_kind.get(EndKind.COMPETENCY),
        "goal_key": by_kind.get(EndKind.GOAL),
        "improvement_key": by_kind.get(EndKind.IMPROVEMENT),
        "measure_key": by_kind.get(EndKind.PROCESS_MEASURE),
        "metric_key": by_kind.get(EndKind.OUTCOME_METRIC),
    }


def _standing(chain: Chain) -> dict[str, object]:
    """How far the chain carries."""
    to_measure = _link_to(chain, EndKind.PROCESS_MEASURE)
    return {
        "links_n": len(chain.links),
        "weakest_grade": chain.weakest.grade if chain.weakest else None,
        "learning_grade": _grade(_link_to(chain, EndKind.IMPROVEMENT)),
        "improvement_grade": _grade(to_measure),
        "outcome_grade": _grade(_link_to(chain, EndKind.OUTCOME_METRIC)),
        "verdict": to_measure.verdict if to_measure else None,
        "state": chain.state,
        "missing": " and ".join(chain.missing) or None,
        "live": chain.live,
        "suppressed": chain.learned.left_out,
    }


def _link_to(chain: Chain, kind: EndKind) -> ChainLink | None:
    return next((link for link in chain.links if link.to.kind is kind), None)


def _grade(link: ChainLink | None) -> int | None:
    return link.grade if link else None


def _chain_id(organisation_id: UUID, chain: Chain, ends: Ends) -> UUID:
    """The same for the same ends in every week and every rebuild."""
    parts = [f"{kind}:{end}" for kind, end in sorted(ends.by_kind.items())]
    return uuid.uuid5(organisation_id, "|".join([*parts, f"team:{chain.team}"]))


async def _keys(connection: Connection, chains: Collection[Chain], position: int) -> dict[UUID, int]:
    """The keys of everything that the chains run over, by id."""
    things: dict[str, set[UUID]] = {table: set() for table in _TABLES.values()}
    for chain in chains:
        for kind, end in Ends.of(chain).by_kind.items():
            if kind in _TABLES:
                things[_TABLES[kind]].add(end)
    teams = {chain.team for chain in chains if chain.team is not None}
    keys = await keys_at(connection, "dim_team", teams, position)
    for table, ids in things.items():
        keys |= await keys_at(connection, table, ids, position)
    return keys


_TABLES = {
    EndKind.COMPETENCY: "dim_competency",
    EndKind.GOAL: "dim_goal",
    EndKind.IMPROVEMENT: "fact_improvement",
    EndKind.PROCESS_MEASURE: "dim_process_measure",
    EndKind.OUTCOME_METRIC: "dim_outcome_metric",
}
