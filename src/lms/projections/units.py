"""Which groups of teams are large enough to be counted, so that no figure points at a few people?

A reporting unit is a set of nodes of the team tree. Every person counts at one node: the home team, or the root
(None) without one. The units part the nodes, so figures add up, and leave no remainder smaller than a unit.
"""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

import msgspec

NEVER_UNDER = 5
"""No setting makes units smaller than this."""

Node = UUID | None
"""A team, or None for the root of the tree: people without a home team."""


class Unit(msgspec.Struct, frozen=True):
    """Nodes counted together. ``top`` is the node above or equal to all of them, ``size`` counts home members."""

    nodes: frozenset[Node]
    top: Node
    size: int


def reporting_units(parents: Mapping[UUID, UUID | None], members: Mapping[Node, int], least: int) -> tuple[Unit, ...]:
    """The units of a team tree, the same for the same tree whatever the order it is told in.

    ``parents`` names each team's parent (None: top level; a parent not in the tree counts as top level); ``members``
    counts home members per node. Siblings, and what is left of their parent, are joined until every unit has at least
    ``least`` members (never under 5). An organisation smaller than that is one unit, and smaller than ``least``.
    """
    children: dict[Node, list[UUID]] = defaultdict(list)
    for team, parent in parents.items():
        children[parent if parent in parents else None].append(team)
    least = max(least, NEVER_UNDER)
    units, rest = _units_below(None, children, members, least)
    return tuple(sorted(units if rest is None else [rest], key=_order))


def unit_of(node: Node, units: Mapping[Node, int], parents: Mapping[UUID, UUID | None]) -> int | None:
    """The unit (by key) where a node counts: its own, else its nearest ancestor's, for teams formed since."""
    seen: set[Node] = set()
    while node not in units and node is not None and node not in seen:
        seen.add(node)
        node = parents.get(node)
    return units.get(node, units.get(None))


def _units_below(
    node: Node, children: Mapping[Node, list[UUID]], members: Mapping[Node, int], least: int
) -> tuple[list[Unit], Unit | None]:
    """The units of a subtree; or, when it is too small for one, no unit and the subtree as what is left over."""
    units: list[Unit] = []
    small = [Unit(frozenset({node}), node, members.get(node, 0))]
    for child in sorted(children.get(node, ())):
        below, rest = _units_below(child, children, members, least)
        units.extend(below)
        if rest is not None:
            small.append(rest)
    joined: list[Unit] = []
    waiting = Unit(frozenset(), node, 0)
    for one in sorted(small, key=lambda unit: (-unit.size, _order(unit))):
        waiting = _join(node, waiting, one)
        if waiting.size >= least:
            joined.append(waiting if len(waiting.nodes) > len(one.nodes) else one)
            waiting = Unit(frozenset(), node, 0)
    units += joined
    if not waiting.nodes:
        return units, None
    if not units:
        return [], waiting
    smallest = min(units, key=lambda unit: (unit.size, _order(unit)))
    units.remove(smallest)
    return [*units, _join(node, smallest, waiting)], None


def _join(top: Node, one: Unit, other: Unit) -> Unit:
    return Unit(one.nodes | other.nodes, top, one.size + other.size)


def _order(unit: Unit) -> tuple[str, ...]:
    return tuple(sorted("" if node is None else str(node) for node in unit.nodes))
