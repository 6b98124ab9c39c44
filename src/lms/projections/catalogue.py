"""Which projections are there? A new one is an import and a line here."""

from lms.projections.base import Projection

PROJECTIONS: tuple[Projection, ...] = ()
"""Every projection, in no particular order: they do not depend on one another."""
