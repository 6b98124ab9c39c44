"""Which routes are there? One line per resource file."""

from lms.api import contributors, docs, goal_cycles, me, teams

ROUTES = [
    *contributors.ROUTES,
    *docs.ROUTES,
    *goal_cycles.ROUTES,
    *me.ROUTES,
    *teams.ROUTES,
]
