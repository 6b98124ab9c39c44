"""What speaks for a claimed link, what against it, and what else could explain it?"""

from enum import StrEnum
from uuid import UUID

import msgspec

from lms.domain.base import Personal


class Stance(StrEnum):
    """Whether a piece of evidence supports the claim or weakens it."""

    SUPPORTS = "supports"
    WEAKENS = "weakens"


class Plausibility(StrEnum):
    """How likely an alternative explanation is, in the eyes of who records it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece of evidence; ``ref`` says where to find it and is sealed under who attached it."""

    evidence_id: UUID
    stance: Stance
    ref: Personal


class Alternative(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What else could explain the change; naming one makes a claim more honest, not weaker."""

    alternative_id: UUID
    text: str
    plausibility: Plausibility = Plausibility.MEDIUM
