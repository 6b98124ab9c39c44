"""Which projections are there? A new one is an import and a line here."""

from lms.projections.base import Projection
from lms.projections.organisations import Organisations
from lms.projections.people import People

PROJECTIONS: tuple[Projection, ...] = (
    Organisations(),
    People(),
)
"""Every projection, in no particular order: they do not depend on one another."""
