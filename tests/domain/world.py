"""What does the organisation look like after these commands, without any database?

world = World()
team = world.send(Team, team_id, FormTeam(actor=ADMINISTRATOR, today=DAY, team_id=team_id, name="Service"))
assert world.told == [Team.Formed(name="Service", on=DAY)]
"""

from datetime import date
from typing import TypeVar
from uuid import UUID

from lms.domain.base import Actor, Aggregate, Command, NeedsMore, Others, Role
from lms.domain.catalogue import DECISIONS

A = TypeVar("A", bound=Aggregate)

DAY = date(2026, 3, 2)
ADMINISTRATOR = Actor(contributor_id=UUID(int=1), roles=(Role.EMPLOYEE, Role.ADMINISTRATOR))
SOMEBODY = Actor(contributor_id=UUID(int=2), roles=(Role.EMPLOYEE,))


class World:
    """Streams in memory, decided upon by the same functions as in production."""

    def __init__(self) -> None:
        self.streams: dict[UUID, Aggregate] = {}
        self.told: list[Aggregate.Event] = []
        """The events of the last command, of all streams it changed."""
        self.read: dict[UUID, int] = {}
        """The streams the last command read, with their versions then."""

    def send(self, kind: type[A], stream_id: UUID, command: Command) -> A:
        """Decide, and keep what was decided. A refusal changes nothing."""
        wanted = {stream_id}
        while True:
            loaded = {key: self.streams[key].snapshot() if key in self.streams else None for key in wanted}
            others = Others(loaded)
            try:
                decided = DECISIONS[kind](loaded[stream_id], command, others)
            except NeedsMore as needs:
                wanted |= {key for _, key in needs.wanted}
                continue
            break
        changed = decided if isinstance(decided, tuple) else (decided,)
        self.told = [event for one in changed for event in one.pending_events]
        self.read = others.read
        for one in changed:
            self.streams[one.id] = one.snapshot()
        return self.streams[stream_id]
