"""Under which small numbers does the log keep event types and organisations?"""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from lms.eventlog.log import Append


class Dictionary:
    """Numbers and names both ways, as last read from the database."""

    def __init__(self) -> None:
        self.type_numbers: dict[str, int] = {}
        self.type_names: dict[int, str] = {}
        self.organisation_numbers: dict[UUID, int] = {}
        self.organisation_ids: dict[int, UUID] = {}

    async def load(self, source: "asyncpg.Connection[asyncpg.Record] | asyncpg.Pool[asyncpg.Record]") -> None:
        """Read all anew: after a failover a number may stand for another name than before."""
        types = await source.fetch("SELECT number, name FROM lms.event_type")
        organisations = await source.fetch("SELECT number, id AS name FROM lms.organisation")
        for names in (self.type_numbers, self.type_names, self.organisation_numbers, self.organisation_ids):
            names.clear()
        self._note_types(types)
        self._note_organisations(organisations)

    async def learn(self, connection: "asyncpg.Connection[asyncpg.Record]", appends: Iterable[Append]) -> None:
        """Have numbers given to what these appends name for the first time."""
        appends = list(appends)
        types = {event.type for append in appends for write in append.writes for event in write.events}
        if new_types := types - self.type_numbers.keys():
            self._note_types(
                await connection.fetch("SELECT number, name FROM lms.number_event_types($1)", list(new_types))
            )
        if new_organisations := {append.organisation_id for append in appends} - self.organisation_numbers.keys():
            self._note_organisations(
                await connection.fetch(
                    "SELECT number, id AS name FROM lms.number_organisations($1)", list(new_organisations)
                )
            )

    def _note_types(self, rows: Iterable[asyncpg.Record]) -> None:
        for number, name in rows:
            self.type_numbers[name] = number
            self.type_names[number] = name

    def _note_organisations(self, rows: Iterable[asyncpg.Record]) -> None:
        for number, name in rows:
            organisation_id = UUID(int=name.int)
            self.organisation_numbers[organisation_id] = number
            self.organisation_ids[number] = organisation_id
