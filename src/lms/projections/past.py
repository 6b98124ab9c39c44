"""How did rows stand at an earlier moment, told by the events of their own streams?"""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from lms.projections.base import Envelope, Projection, Table
from lms.projections.table import Key, NoSuchRow

R = TypeVar("R", bound=msgspec.Struct)


class Past:
    """The rows that some events lead to, in memory. Events are given in the order of the log."""

    def __init__(self, projection: Projection, envelopes: Iterable[Envelope]) -> None:
        self._rows: dict[tuple[str, Key], msgspec.Struct | None] = {}
        for envelope in envelopes:
            for touch in projection.touches(envelope):
                place = (touch.table.name, touch.key)
                try:
                    self._rows[place] = touch.change(self._rows.get(place))
                except NoSuchRow:
                    # Dated before what it changes: then there was nothing to change yet.
                    self._rows[place] = None

    def row(self, table: Table[R], key: Key) -> R | None:
        """The row with this key as it was, or None."""
        row = self._rows.get((table.name, key))
        return row if isinstance(row, table.row_type) else None


def in_order(streams: Iterable[Iterable[Envelope]]) -> list[Envelope]:
    """The events of several streams in the order of the log."""
    return sorted((one for stream in streams for one in stream), key=lambda envelope: envelope.position)
