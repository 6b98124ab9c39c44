"""Which routes are there? One line per resource file."""

from lms.api import contributors, docs, goal_cycles, health, line_of_sight, me, overview, projections, teams

ROUTES = [
    *contributors.ROUTES,
    *docs.ROUTES,
    *goal_cycles.ROUTES,
    *health.ROUTES,
    *line_of_sight.ROUTES,
    *me.ROUTES,
    *overview.ROUTES,
    *projections.ROUTES,
    *teams.ROUTES,
]
