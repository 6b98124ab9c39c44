"""By which published rule does somebody reach a level of a skill?"""

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

import msgspec


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """What one person said of another's level, and on which evidence. ``standing``: neither disputed nor withdrawn."""

    attestation_id: UUID
    request_id: UUID
    attester: UUID
    rank: int
    basis: tuple[UUID, ...]
    confidence: Decimal | None = None
    standing: bool = True


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A published rule. A rule is never changed: another way of judging is another version."""

    name: str
    version: int
    statement: str
    attesters_n: int
    evidence_n: int


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """The level that a rule gives, and the attestations that it rests on."""

    rank: int
    attestations: tuple[UUID, ...]


ATTESTED_BY_ANOTHER = Rule(
    name="attested-by-another",
    version=1,
    statement=(
        "A level is reached when at least one other person, asked by the learner, has attested it or a higher one on "
        "at least one piece of evidence. Of each attester the latest attestation counts that stands: not disputed, "
        "not withdrawn. What somebody claims of himself never counts. All attestations stay on record beside the level."
    ),
    attesters_n=1,
    evidence_n=1,
)

RULES = (ATTESTED_BY_ANOTHER,)
"""All that were ever in use, the one in use last."""

CURRENT = RULES[-1]


def reached(rule: Rule, subject: UUID, attestations: Iterable[Attestation]) -> Reached | None:
    """The highest level that enough others attest, None when there is none (invariant 7).

    ``attestations`` come in the order they were given.
    """
    latest = {
        one.attester: one
        for one in attestations
        if one.standing and one.attester != subject and len(one.basis) >= rule.evidence_n
    }
    ranked = sorted(latest.values(), key=lambda one: one.rank, reverse=True)
    if len(ranked) < rule.attesters_n:
        return None
    rank = ranked[rule.attesters_n - 1].rank
    return Reached(rank=rank, attestations=tuple(one.attestation_id for one in ranked if one.rank >= rank))
