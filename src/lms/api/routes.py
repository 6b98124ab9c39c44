"""Which routes are there? One line per resource file."""

from lms.api import (
    attestations,
    competencies,
    contributors,
    docs,
    frameworks,
    goal_cycles,
    health,
    learning,
    line_of_sight,
    me,
    overview,
    projections,
    skills,
    team_learning,
    teams,
)

ROUTES = [
    *attestations.ROUTES,
    *competencies.ROUTES,
    *contributors.ROUTES,
    *docs.ROUTES,
    *frameworks.ROUTES,
    *goal_cycles.ROUTES,
    *health.ROUTES,
    *learning.ROUTES,
    *line_of_sight.ROUTES,
    *me.ROUTES,
    *overview.ROUTES,
    *projections.ROUTES,
    *skills.ROUTES,
    *team_learning.ROUTES,
    *teams.ROUTES,
]
