"""Which goals serve which, downward from any of them, and which lead to no outcome at all?

A goal is *unlinked* while no chain of standing links over open goals leads from it to a goal that is for a process or
an outcome metric, is measured by one, or is aligned to a metric.
"""

from collections.abc import Callable, Collection
from decimal import Decimal
from uuid import UUID

import msgspec

from lms.domain.base import Actor, Personal
from lms.domain.commitment import Commitment
from lms.domain.goal import Goal
from lms.domain.goal_parts import AdjustedField, Level, LinkType, Status
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.terms import Visibility
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on
from lms.projections.goal_rows import ENDS, InvitedRow
from lms.projections.goal_sight import eyes, shown


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One goal in the graph; ``anchored`` when it is itself for, or measured by, a process or an outcome metric."""

    goal_id: UUID
    organisation_id: UUID
    position: int
    level: Level
    title: Personal
    owner_contributor_id: UUID | None
    owner_team_id: UUID | None
    proposer: UUID | None
    cycle_id: UUID | None
    visibility: Visibility
    shown_to_team: UUID | None
    status: Status
    anchored: bool


class EdgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One standing link."""

    link_id: UUID
    organisation_id: UUID
    goal_id: UUID
    to_goal_id: UUID | None
    to_key_result_id: UUID | None
    to_outcome_metric_id: UUID | None
    link_type: LinkType
    weight: Decimal | None


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome metric, where links may end."""

    metric_id: UUID
    organisation_id: UUID
    name: str


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """What was found under the root, from the top; ``depths`` is the shortest way down to each goal.

    ``truncated`` when there is more than was asked for.
    """

    metrics: list[MetricRow]
    nodes: list[NodeRow]
    depths: dict[UUID, int]
    edges: list[EdgeRow]
    truncated: bool


NODES = Table("alignment_nodes_v1", NodeRow, key="goal_id")
EDGES = Table("alignment_edges_v1", EdgeRow, key="link_id")
INVITED = Table("alignment_invited_v1", InvitedRow, key=("goal_id", "contributor_id"))
METRICS = Table("alignment_metrics_v1", MetricRow, key="metric_id")

_SHOWN = shown("g", INVITED.name, 2)

_OPEN = "g.status IN ('proposed', 'active')"

_ANCHORED = f"""(g.anchored OR EXISTS (
    SELECT FROM {EDGES.name} AS m WHERE m.goal_id = g.goal_id AND m.to_outcome_metric_id IS NOT NULL))"""

_TOP = f"""AS g WHERE g.organisation_id = $1 AND {_SHOWN} AND NOT EXISTS (
        SELECT FROM {EDGES.name} AS e JOIN {NODES.name} AS a ON a.goal_id = e.to_goal_id
        WHERE e.goal_id = g.goal_id AND {shown("a", INVITED.name, 2)})
    ORDER BY g.level = 'business-model' DESC, g.level = 'team' DESC, g.position DESC LIMIT $7"""

_ROOT = f"AS g WHERE g.organisation_id = $1 AND {_SHOWN} AND g.goal_id = $7"

_ON_METRIC = f"""AS g WHERE g.organisation_id = $1 AND {_SHOWN} AND EXISTS (
        SELECT FROM {EDGES.name} AS e WHERE e.goal_id = g.goal_id AND e.to_outcome_metric_id = $7)
    ORDER BY g.position DESC LIMIT $8"""

_BELOW = f"""AS g WHERE g.organisation_id = $1 AND {_SHOWN} AND g.goal_id IN (
        SELECT e.goal_id FROM {EDGES.name} AS e WHERE e.to_goal_id = ANY($7::uuid[]))
    AND g.goal_id <> ALL($8::uuid[])
    ORDER BY g.position DESC LIMIT $9"""

_AMONG = """WHERE (to_goal_id = ANY($1::uuid[]) OR to_outcome_metric_id = ANY($2::uuid[])) AND goal_id = ANY($1::uuid[])
    ORDER BY link_id"""

_LINKED_AMONG = f"""
WITH RECURSIVE up AS (
    SELECT g.goal_id AS origin, g.goal_id FROM {NODES.name} AS g WHERE g.goal_id = ANY($2::uuid[]) AND {_OPEN}
    UNION
    SELECT up.origin, g.goal_id FROM up
    JOIN {EDGES.name} AS e ON e.goal_id = up.goal_id
    JOIN {NODES.name} AS g ON g.goal_id = e.to_goal_id AND {_OPEN}
)
SELECT DISTINCT up.origin FROM up JOIN {NODES.name} AS g ON g.goal_id = up.goal_id
WHERE g.organisation_id = $1 AND {_ANCHORED}
"""

_UNLINKED = f"""
WITH RECURSIVE linked AS (
    SELECT g.goal_id FROM {NODES.name} AS g WHERE g.organisation_id = $1 AND {_OPEN} AND g.anchored
    UNION
    SELECT g.goal_id FROM {EDGES.name} AS e JOIN {NODES.name} AS g ON g.goal_id = e.goal_id AND {_OPEN}
    WHERE e.organisation_id = $1 AND e.to_outcome_metric_id IS NOT NULL
    UNION
    SELECT g.goal_id FROM linked
    JOIN {EDGES.name} AS e ON e.to_goal_id = linked.goal_id
    JOIN {NODES.name} AS g ON g.goal_id = e.goal_id AND {_OPEN}
)
SELECT g.goal_id FROM {NODES.name} AS g
WHERE g.organisation_id = $1 AND {_OPEN} AND {_SHOWN}
    AND NOT EXISTS (SELECT FROM linked WHERE linked.goal_id = g.goal_id)
    AND ($7::text IS NULL OR g.level = $7)
    AND ($8::text IS NULL OR g.status = $8)
    AND ($9::uuid IS NULL OR g.cycle_id = $9)
    AND ($10::uuid IS NULL OR g.owner_team_id = $10)
    AND ($11::bigint IS NULL OR g.position < $11)
ORDER BY g.position DESC LIMIT $12
"""


class AlignmentTree(Projection):
    """The graph of goals and the metrics they end at."""

    NAME = "alignment_tree"
    VERSION = 1
    TABLES = (NODES, EDGES, INVITED, METRICS)

    @on(Goal.Proposed)
    def _proposed(self, envelope: Envelope, event: Goal.Proposed) -> Touches:
        yield NODES.put(
            NodeRow(
                goal_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                position=envelope.position,
                level=event.level,
                title=event.title,
                owner_contributor_id=event.owner.contributor_id,
                owner_team_id=event.owner.team_id,
                proposer=event.proposer,
                cycle_id=event.cycle_id,
                visibility=event.visibility,
                shown_to_team=event.owner.team_id or event.home_team_id,
                status=Status.PROPOSED,
                anchored=event.purpose.outcome_metric_id is not None or event.purpose.process_id is not None,
            )
        )

    @on(Goal.KeyResultDefined)
    def _key_result_defined(self, envelope: Envelope, event: Goal.KeyResultDefined) -> Touches:
        if event.key_result.is_fed:
            yield NODES.change(envelope.stream_id, anchored=True)

    @on(Goal.Set)
    def _set(self, envelope: Envelope, event: Goal.Set) -> Touches:  # noqa: ARG002
        yield NODES.change(envelope.stream_id, status=Status.ACTIVE)

    @on(Goal.Adjusted)
    def _adjusted(self, envelope: Envelope, event: Goal.Adjusted) -> Touches:
        if event.field is AdjustedField.TITLE:
            yield NODES.change(envelope.stream_id, title=event.to.text)

    @on(Goal.Achieved, Goal.NotAchieved, Goal.Abandoned)
    def _closed(self, envelope: Envelope, event: Goal.Achieved | Goal.NotAchieved | Goal.Abandoned) -> Touches:
        yield NODES.change(envelope.stream_id, status=ENDS[event.TOPIC])

    @on(Goal.VisibilityChanged)
    def _visibility_changed(self, envelope: Envelope, event: Goal.VisibilityChanged) -> Touches:
        yield NODES.touch(envelope.stream_id, _showing(event))

    @on(Goal.Aligned)
    def _aligned(self, envelope: Envelope, event: Goal.Aligned) -> Touches:
        link = event.alignment
        yield EDGES.put(
            EdgeRow(
                link_id=link.link_id,
                organisation_id=envelope.organisation_id,
                goal_id=envelope.stream_id,
                to_goal_id=link.to_goal_id,
                to_key_result_id=link.to_key_result_id,
                to_outcome_metric_id=link.to_outcome_metric_id,
                link_type=link.link_type,
                weight=link.weight,
            )
        )

    @on(Goal.Unaligned)
    def _unaligned(self, envelope: Envelope, event: Goal.Unaligned) -> Touches:  # noqa: ARG002
        yield EDGES.delete(event.link_id)

    @on(Commitment.Invited, Commitment.Made)
    def _invited(self, envelope: Envelope, event: Commitment.Invited | Commitment.Made) -> Touches:  # noqa: ARG002
        yield INVITED.put(InvitedRow(goal_id=event.goal_id, contributor_id=event.contributor_id))

    @on(Commitment.Released)
    def _released(self, envelope: Envelope, event: Commitment.Released) -> Touches:  # noqa: ARG002
        yield INVITED.delete((event.goal_id, event.contributor_id))

    @on(OutcomeMetric.Defined)
    def _metric_defined(self, envelope: Envelope, event: OutcomeMetric.Defined) -> Touches:
        row = MetricRow(metric_id=envelope.stream_id, organisation_id=envelope.organisation_id, name=event.name)
        yield METRICS.put(row)

    async def tree(
        self,
        connection: Connection,
        organisation_id: UUID,
        reader: Actor,
        root: UUID | None,
        depth: int,
        most: int,
    ) -> Tree:
        """What serves the root, a goal or an outcome metric, level by level; without a root what serves nothing else.

        Goals that the reader may not see are not there, nor what is reached only over them.
        """
        sees = (organisation_id, *eyes(reader))
        metric = await METRICS.get(connection, organisation_id, root) if root else None
        if metric is not None:
            frontier = await NODES.select(connection, _ON_METRIC, *sees, root, most + 1)
        elif root is not None:
            frontier = await NODES.select(connection, _ROOT, *sees, root)
        else:
            frontier = await NODES.select(connection, _TOP, *sees, most + 1)
        nodes, depths = list(frontier), dict.fromkeys((node.goal_id for node in frontier), 0)
        for level in range(1, depth + 1):
            if not frontier or len(nodes) > most:
                break
            upper = [node.goal_id for node in frontier]
            room = most - len(nodes) + 1
            frontier = await NODES.select(connection, _BELOW, *sees, upper, list(depths), room)
            nodes += frontier
            depths |= dict.fromkeys((node.goal_id for node in frontier), level)
        shown_nodes = nodes[:most]
        ids = [node.goal_id for node in shown_nodes]
        edges = await EDGES.select(connection, _AMONG, ids, [metric.metric_id] if metric else [])
        return Tree(
            metrics=[metric] if metric else [],
            nodes=shown_nodes,
            depths={goal_id: depths[goal_id] for goal_id in ids},
            edges=edges,
            truncated=len(nodes) > most,
        )

    async def unlinked_among(
        self, connection: Connection, organisation_id: UUID, goal_ids: Collection[UUID]
    ) -> set[UUID]:
        """Those of the goals that lead to no process and no outcome metric; closed ones lead nowhere."""
        linked = await connection.fetch(_LINKED_AMONG, organisation_id, list(goal_ids))
        return set(goal_ids) - {record["origin"] for record in linked}

    async def unlinked(
        self,
        connection: Connection,
        organisation_id: UUID,
        reader: Actor,
        limit: int,
        before: int | None = None,
        level: Level | None = None,
        status: Status | None = None,
        cycle_id: UUID | None = None,
        team_id: UUID | None = None,
    ) -> list[UUID]:
        """The open goals that the reader may see and that are unlinked, the latest first."""
        filters = (level, status, cycle_id, team_id, before, limit)
        records = await connection.fetch(_UNLINKED, organisation_id, *eyes(reader), *filters)
        return [record["goal_id"] for record in records]


def _showing(event: Goal.VisibilityChanged) -> Callable[[NodeRow | None], NodeRow | None]:
    def show(row: NodeRow | None) -> NodeRow | None:
        if row is None:
            return None
        team = row.owner_team_id or event.home_team_id
        return msgspec.structs.replace(row, visibility=event.visibility, shown_to_team=team)

    return show
