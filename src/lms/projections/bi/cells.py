"""Which figures about people may be published, and which are merged until they hide everybody?"""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import msgspec

from lms.projections.crowds import LEAST_CONTRIBUTORS

K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=Hashable)


class Cell(msgspec.Struct, Generic[K, P], frozen=True):
    """Figures of one value of a dimension in one unit and period: additive ``sums``, and the ``people`` behind them.

    ``key`` None stands for "(other)"; ``parts``: the people behind figures that count a part of the others.
    """

    key: K | None
    people: frozenset[P]
    sums: tuple[float, ...]
    parts: tuple[frozenset[P], ...] = ()

    @property
    def is_publishable(self) -> bool:
        """Tell whether enough people stand behind the figures."""
        return len(self.people) >= LEAST_CONTRIBUTORS


def merge_small(cells: Iterable[Cell[K, P]]) -> list[Cell[K, P]]:
    """The cells as they are published: small ones merged into "(other)", the last in the list when there is one.

    When "(other)" itself stays small, the smallest other cell joins it: else it could be subtracted out. Only when the
    whole unit has too few people does "(other)" stay small; its figures are withheld then.
    """
    ordered = sorted(cells, key=lambda cell: (len(cell.people), str(cell.key)))
    other: Cell[K, P] | None = None
    kept: list[Cell[K, P]] = []
    for cell in ordered:
        if not cell.is_publishable or (other is not None and not other.is_publishable):
            other = msgspec.structs.replace(cell, key=None) if other is None else _join(other, cell)
        else:
            kept.append(cell)
    kept.sort(key=lambda cell: str(cell.key))
    return kept if other is None else [*kept, other]


def _join(other: Cell[K, P], cell: Cell[K, P]) -> Cell[K, P]:
    sums = tuple(one + more for one, more in zip(other.sums, cell.sums, strict=True))
    parts = tuple(one | more for one, more in zip(other.parts, cell.parts, strict=True))
    return Cell(None, other.people | cell.people, sums, parts)
