"""Which contributor is this e-mail address, or this subject of an issuer?

The table ``lms.sign_in`` holds fingerprints under the organisation's key and sealed values; forgetting clears it.
A claim is made before the person is registered: it names the stream, so that two registrations of one address at the
same time meet in one stream, and one that was cut short is taken up by the next.
"""

from collections.abc import Collection
from enum import StrEnum
from uuid import UUID

import asyncpg
import msgspec

from lms.domain.base import RuleBroken, Sealed
from lms.eventlog.subjects import Subjects


class EmailInUse(RuleBroken):
    """Somebody is registered with this e-mail address."""


class IdentityInUse(RuleBroken):
    """This subject signs in as somebody else."""


class _Kind(StrEnum):
    EMAIL = "email"
    SUBJECT = "subject"


class Identities:
    """Fingerprints of who signs in. ``pool`` is one of the application."""

    def __init__(self, subjects: Subjects, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._subjects = subjects
        self._pool = pool

    async def of_emails(self, organisation_id: UUID, emails: Collection[str]) -> dict[str, UUID]:
        """The contributors that these addresses belong to, by the address as given; unknown ones are left out."""
        by_fingerprint = {self._fingerprint(organisation_id, _Kind.EMAIL, _folded(email)): email for email in emails}
        found = await self._owners(organisation_id, list(by_fingerprint))
        return {
            email: found[fingerprint]
            for email in emails
            if (fingerprint := self._fingerprint(organisation_id, _Kind.EMAIL, _folded(email))) in found
        }

    async def of_subject(self, organisation_id: UUID, issuer: str, subject: str) -> UUID | None:
        """The contributor who signs in with this subject of an issuer."""
        fingerprint = self._fingerprint(organisation_id, _Kind.SUBJECT, _pair(issuer, subject))
        return (await self._owners(organisation_id, [fingerprint])).get(fingerprint)

    async def claim_email(self, organisation_id: UUID, email: str, contributor_id: UUID) -> UUID:
        """The contributor this address belongs to: from now on the given one, when it was free."""
        return await self._claim(organisation_id, _Kind.EMAIL, _folded(email), contributor_id)

    async def claim_subject(self, organisation_id: UUID, issuer: str, subject: str, contributor_id: UUID) -> UUID:
        """The contributor this subject of an issuer belongs to: from now on the given one, when it was free."""
        return await self._claim(organisation_id, _Kind.SUBJECT, _pair(issuer, subject), contributor_id)

    async def bind_subject(self, organisation_id: UUID, issuer: str, subject: str, contributor_id: UUID) -> None:
        """Let a subject of an issuer sign in as this contributor. Refuses one that signs in as another."""
        if await self.claim_subject(organisation_id, issuer, subject, contributor_id) != contributor_id:
            raise IdentityInUse

    async def clear(self, organisation_id: UUID, contributor_id: UUID) -> None:
        """Let nobody sign in as this contributor any more."""
        await self._pool.execute(
            "DELETE FROM lms.sign_in WHERE organisation_id = $1 AND contributor_id = $2",
            organisation_id,
            contributor_id,
        )

    async def _claim(self, organisation_id: UUID, kind: _Kind, text: str, contributor_id: UUID) -> UUID:
        fingerprint = self._fingerprint(organisation_id, kind, text)
        found = await self._owners(organisation_id, [fingerprint])
        if found:
            return found[fingerprint]
        await self._subjects.prepare(organisation_id, [contributor_id])
        context = f"sign-in|{organisation_id}|{contributor_id}|{kind}"
        sealed = self._subjects.seal(organisation_id, contributor_id, text, context)
        if isinstance(sealed, Sealed):
            sealed = msgspec.structs.replace(sealed, context=context)
        await self._pool.execute(
            """INSERT INTO lms.sign_in (organisation_id, fingerprint, contributor_id, kind, sealed)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING""",
            organisation_id,
            fingerprint,
            contributor_id,
            kind.value,
            msgspec.json.encode(sealed).decode(),
        )
        return (await self._owners(organisation_id, [fingerprint]))[fingerprint]

    async def _owners(self, organisation_id: UUID, fingerprints: list[bytes]) -> dict[bytes, UUID]:
        rows = await self._pool.fetch(
            """SELECT fingerprint, contributor_id FROM lms.sign_in
               WHERE organisation_id = $1 AND fingerprint = ANY($2)""",
            organisation_id,
            fingerprints,
        )
        return {row["fingerprint"]: row["contributor_id"] for row in rows}

    def _fingerprint(self, organisation_id: UUID, kind: _Kind, text: str) -> bytes:
        return self._subjects.digest(organisation_id, None, f"sign-in|{kind}|{text}".encode())


def _folded(email: str) -> str:
    return email.strip().casefold()


def _pair(issuer: str, subject: str) -> str:
    return f"{issuer}\n{subject}"
