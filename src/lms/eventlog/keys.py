"""Where are the wrapped keys of people kept, so that one can be destroyed for ever?

A store holds, per organisation and subject, a wrapped key, or a mark that it was destroyed: a forgotten subject
never gets a second key.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import asyncpg


class KeyStore(Protocol):
    """Wrapped keys by subject; None stands for a destroyed one, absence for one never made."""

    async def fetch(self, organisation_id: UUID, subject_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
        """The keys that were made for these subjects."""

    async def ensure(self, organisation_id: UUID, offered: Mapping[UUID, bytes]) -> dict[UUID, bytes | None]:
        """The keys of all these subjects, where there was none the one offered, in one round trip."""

    async def destroy(self, organisation_id: UUID, subject_id: UUID) -> None:
        """Destroy the subject's key, and any that could be made later."""


class MemoryKeys:
    """Keys in this process's memory."""

    def __init__(self) -> None:
        self._keys: dict[tuple[UUID, UUID], bytes | None] = {}

    async def fetch(self, organisation_id: UUID, subject_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
        """The keys that were made for these subjects."""
        wanted = [subject_id for subject_id in subject_ids if (organisation_id, subject_id) in self._keys]
        return {subject_id: self._keys[organisation_id, subject_id] for subject_id in wanted}

    async def ensure(self, organisation_id: UUID, offered: Mapping[UUID, bytes]) -> dict[UUID, bytes | None]:
        """The keys of all these subjects, where there was none the one offered."""
        return {
            subject_id: self._keys.setdefault((organisation_id, subject_id), wrapped)
            for subject_id, wrapped in offered.items()
        }

    async def destroy(self, organisation_id: UUID, subject_id: UUID) -> None:
        """Destroy the subject's key, and any that could be made later."""
        self._keys[organisation_id, subject_id] = None


class PostgresKeys:
    """Keys in the table ``lms.subject_key``."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def fetch(self, organisation_id: UUID, subject_ids: Sequence[UUID]) -> dict[UUID, bytes | None]:
        """The keys that were made for these subjects."""
        return _by_subject(
            await self._pool.fetch(
                "SELECT subject_id, wrapped FROM lms.subject_key WHERE organisation_id = $1 AND subject_id = ANY($2)",
                organisation_id,
                subject_ids,
            )
        )

    async def ensure(self, organisation_id: UUID, offered: Mapping[UUID, bytes]) -> dict[UUID, bytes | None]:
        """The keys of all these subjects, where there was none the one offered, in one round trip."""
        return _by_subject(
            await self._pool.fetch(
                "SELECT subject_id, wrapped FROM lms.ensure_subject_keys($1, $2, $3)",
                organisation_id,
                list(offered),
                list(offered.values()),
            )
        )

    async def destroy(self, organisation_id: UUID, subject_id: UUID) -> None:
        """Destroy the subject's key, and any that could be made later."""
        await self._pool.execute("SELECT lms.destroy_subject_key($1, $2)", organisation_id, subject_id)


def _by_subject(rows: Sequence[asyncpg.Record]) -> dict[UUID, bytes | None]:
    return {row["subject_id"]: row["wrapped"] for row in rows}
