"""Can a reporting unit, or what is left beside the units, ever be small enough to point at people?"""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lms.projections.bi.cells import LEAST_CONTRIBUTORS, Cell, merge_small
from lms.projections.units import NEVER_UNDER, reporting_units, unit_of


def team(number: int) -> UUID:
    return UUID(int=number)


@st.composite
def trees(draw):
    size = draw(st.integers(0, 14))
    parents = {}
    for number in range(1, size + 1):
        parent = draw(st.one_of(st.none(), st.integers(1, number - 1))) if number > 1 else None
        parents[team(number)] = None if parent is None else team(parent)
    members = {node: draw(st.integers(0, 16)) for node in [None, *parents]}
    return parents, members


@given(trees(), st.integers(1, 20))
def test_the_units_part_the_tree_and_none_is_small_unless_all_together_are(tree, least):
    parents, members = tree
    units = reporting_units(parents, members, least)
    nodes = [node for unit in units for node in unit.nodes]
    assert sorted(map(str, nodes)) == sorted(map(str, [None, *parents]))
    assert all(unit.size == sum(members[node] for node in unit.nodes) for unit in units)
    bound = max(least, NEVER_UNDER)
    if sum(members.values()) >= bound:
        assert all(unit.size >= bound for unit in units)
    else:
        assert len(units) == 1


@given(trees(), st.randoms())
def test_the_order_in_which_the_tree_is_told_changes_nothing(tree, random):
    parents, members = tree
    shuffled = list(parents.items())
    random.shuffle(shuffled)
    assert reporting_units(dict(shuffled), members, 10) == reporting_units(parents, members, 10)


@given(trees())
def test_a_unit_lies_below_its_top(tree):
    parents, members = tree
    for unit in reporting_units(parents, members, 10):
        for node in unit.nodes:
            above = node
            while above != unit.top and above is not None:
                above = parents[above]
            assert above == unit.top


@given(trees())
def test_a_team_formed_later_counts_where_its_nearest_ancestor_counts(tree):
    parents, members = tree
    units = reporting_units(parents, members, 10)
    keys = {node: number for number, unit in enumerate(units) for node in unit.nodes}
    young = team(99)
    for parent in [None, *parents]:
        assert unit_of(young, keys, {**parents, young: parent}) == keys[parent]


def test_two_small_siblings_are_joined_and_a_large_one_stands_alone():
    parents = {team(1): None, team(2): team(1), team(3): team(1), team(4): team(1)}
    members = {None: 0, team(1): 2, team(2): 12, team(3): 6, team(4): 5}
    units = reporting_units(parents, members, 10)
    assert {unit.size for unit in units} == {12, 13}


CELLS = st.lists(
    st.builds(
        Cell,
        st.integers(0, 9),
        st.frozensets(st.integers(0, 30), min_size=1, max_size=12),
        st.tuples(st.integers(1, 50).map(float)),
    ),
    max_size=8,
    unique_by=lambda cell: cell.key,
)


@given(CELLS)
def test_merging_keeps_every_figure_and_publishes_no_small_cell_beside_others(cells):
    merged = merge_small(cells)
    assert sum(cell.sums[0] for cell in merged) == sum(cell.sums[0] for cell in cells)
    if len(merged) > 1:
        assert all(len(cell.people) >= LEAST_CONTRIBUTORS for cell in merged)
    assert [cell for cell in merged if cell.key is None] == merged[-1:] or all(cell.key is not None for cell in merged)


def test_when_only_one_cell_is_small_the_next_smallest_hides_it():
    large = Cell("a", frozenset(range(20)), (40.0,))
    middle = Cell("b", frozenset(range(20, 26)), (8.0,))
    small = Cell("c", frozenset({1}), (1.0,))
    assert merge_small([large, middle, small]) == [large, Cell(None, middle.people | small.people, (9.0,))]
