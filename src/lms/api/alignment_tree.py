"""Which goals serve which, as far as the caller sees them?"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from lms.api.answers import Answer, found, text
from lms.api.deps import Connection, Reader, Who
from lms.domain.base import NotFound
from lms.domain.goal_parts import Level, LinkType, Owner, Status
from lms.projections.alignment_tree import AlignmentTree, EdgeRow, NodeRow, Tree

_tree = AlignmentTree()


class NodeKind(StrEnum):
    """What a node of the tree is."""

    GOAL = "goal"
    OUTCOME_METRIC = "outcome-metric"


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A goal, or the outcome metric at the root. ``depth``: links between it and the root, on the shortest way."""

    id: UUID
    kind: NodeKind
    title: str | None
    depth: int
    level: Level | None = None
    status: Status | None = None
    owner: Owner | None = None
    unlinked: bool | None = None


class Edge(msgspec.Struct, frozen=True, kw_only=True, rename={"from_id": "from", "to_id": "to"}):
    """A link between two nodes of the tree, from the one that serves."""

    id: UUID
    from_id: UUID
    to_id: UUID
    key_result_id: UUID | None
    link_type: LinkType
    weight: Decimal | None


class TreeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes from the top and the links between them; ``truncated`` when there are more than were asked for."""

    root: UUID | None
    nodes: list[Node]
    edges: list[Edge]
    truncated: bool


@get("/v1/alignment-tree", summary="Which goals serve which?", tags=["goals"])
async def alignment_tree(
    who: NamedDependency[Who],
    reader: NamedDependency[Reader],
    connection: NamedDependency[Connection],
    root: FromQuery[UUID | None] = None,
    depth: Annotated[int, QueryParameter(ge=0, le=50, description="How many links downward")] = 10,
    limit: Annotated[int, QueryParameter(ge=1, le=2000, description="How many goals at most")] = 500,
) -> Answer[TreeShown]:
    """Show what serves a goal or an outcome metric, level by level; without ``root`` from whatever serves nothing else.

    Goals that the caller may not see are not there, nor what is reached only over them.
    """
    tree = await _tree.tree(connection, who.organisation_id, who.actor, root, depth, limit)
    if who.is_guest:
        tree = msgspec.structs.replace(tree, metrics=[])
    if root is not None and not tree.nodes and not tree.metrics:
        raise NotFound(root=root)
    loose = await _tree.unlinked_among(connection, who.organisation_id, list(tree.depths))
    nodes = await reader.open(tree.nodes)
    return found(
        TreeShown(
            root=root,
            nodes=[*_metrics(tree), *(_node(one, tree, one.goal_id in loose) for one in nodes)],
            edges=[_edge(one) for one in tree.edges],
            truncated=tree.truncated,
        )
    )


def _metrics(tree: Tree) -> list[Node]:
    return [Node(id=one.metric_id, kind=NodeKind.OUTCOME_METRIC, title=one.name, depth=0) for one in tree.metrics]


def _node(row: NodeRow, tree: Tree, is_loose: bool) -> Node:
    return Node(
        id=row.goal_id,
        kind=NodeKind.GOAL,
        title=text(row.title),
        depth=tree.depths[row.goal_id] + len(tree.metrics),
        level=row.level,
        status=row.status,
        owner=Owner(contributor_id=row.owner_contributor_id, team_id=row.owner_team_id),
        unlinked=is_loose and row.status in {Status.PROPOSED, Status.ACTIVE},
    )


def _edge(row: EdgeRow) -> Edge:
    return Edge(
        id=row.link_id,
        from_id=row.goal_id,
        to_id=row.to_goal_id or row.to_outcome_metric_id or row.goal_id,
        key_result_id=row.to_key_result_id,
        link_type=row.link_type,
        weight=row.weight,
    )


ROUTES: list[Any] = [alignment_tree]
