"""What is the star schema as one unit: which schemas, which parts, in which order?"""

from collections.abc import Sequence
from pathlib import Path

from lms.domain.calendar import Calendar
from lms.projections.base import Connection, Envelope, Projection
from lms.projections.bi.closing import publish_period
from lms.projections.bi.dimensions import Dimensions
from lms.projections.bi.goal_facts import GoalFacts
from lms.projections.bi.goals import Ancestry, Goals
from lms.projections.bi.improvements import Improvements
from lms.projections.bi.learning import note_late
from lms.projections.bi.measurements import Measurements
from lms.projections.bi.schema import star_ddl
from lms.projections.graph import Graph


class _Graph(Graph):
    """The facts of the line of sight, as the star schema keeps them for itself."""

    NAME = "bi_graph"


PARTS: tuple[Projection, ...] = (
    _Graph(),
    Dimensions(),
    Goals(),
    GoalFacts(),
    Ancestry(),
    Improvements(),
    Measurements(),
)
"""A part after those whose rows its own point to."""


class Bi(Projection):
    """The star schema. Readers see ``bi``; what it needs to know beside is in ``bi_work``.

    A batch is cut after every closed period: what a closing publishes is about everything before it, and nothing after.
    """

    NAME = "bi"
    VERSION = 1
    SCHEMAS = ("bi", "bi_work")
    OWNS_SCHEMAS = True
    FREEZES = True
    READERS = "bi_reader"

    @classmethod
    def topics(cls) -> frozenset[str]:
        """The events of all parts, and closed periods."""
        return frozenset({Calendar.PeriodClosed.TOPIC}).union(*(part.topics() for part in PARTS))

    @classmethod
    def ddl(cls, schema: str) -> str:
        """The star, or what it works with."""
        if schema == "bi":
            return star_ddl()
        work = Path(__file__).with_name("work.sql").read_text(encoding="utf-8")
        return f"{Graph.ddl(schema)}\n{work}"

    async def apply(self, connection: Connection, envelopes: Sequence[Envelope]) -> None:
        """Bring all parts from before these events to after them, and publish what closes on the way."""
        start = 0
        for end, envelope in enumerate(envelopes, 1):
            if isinstance(envelope.data, Calendar.PeriodClosed):
                await _apply(connection, envelopes[start:end])
                await publish_period(connection, envelope, envelope.data)
                start = end
        await _apply(connection, envelopes[start:])


async def _apply(connection: Connection, envelopes: Sequence[Envelope]) -> None:
    for part in PARTS:
        topics = part.topics()
        mine = [envelope for envelope in envelopes if envelope.type in topics]
        if mine:
            await part.apply(connection, mine)
    await note_late(connection, envelopes)
