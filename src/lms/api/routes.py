"""Which routes are there? One line per resource file."""

from lms.api import docs

ROUTES = [
    *docs.ROUTES,
]
