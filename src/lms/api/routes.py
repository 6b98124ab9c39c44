"""Which routes are there? One line per resource file."""

from lms.api import contributors, docs, goal_cycles, health, me, projections, teams

ROUTES = [
    *contributors.ROUTES,
    *docs.ROUTES,
    *goal_cycles.ROUTES,
    *health.ROUTES,
    *me.ROUTES,
    *projections.ROUTES,
    *teams.ROUTES,
]
