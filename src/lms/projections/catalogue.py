"""Which projections are there? A new one is an import and a line here."""

from lms.projections.base import Projection
from lms.projections.calendar import Calendars
from lms.projections.competencies import Competencies
from lms.projections.my_learning import MyLearning
from lms.projections.my_skills import MySkills
from lms.projections.organisations import Organisations
from lms.projections.people import People
from lms.projections.team_learning import TeamLearnings

PROJECTIONS: tuple[Projection, ...] = (
    Calendars(),
    Competencies(),
    MyLearning(),
    MySkills(),
    Organisations(),
    People(),
    TeamLearnings(),
)
"""Every projection, in no particular order: they do not depend on one another."""
