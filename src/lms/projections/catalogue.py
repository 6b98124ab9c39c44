"""Which projections are there? A new one is an import and a line here."""

from lms.projections.alignment_tree import AlignmentTree
from lms.projections.base import Projection
from lms.projections.bi.unit import Bi
from lms.projections.calendar import Calendars
from lms.projections.commitments import Commitments
from lms.projections.competencies import Competencies
from lms.projections.contributions import Contributions
from lms.projections.goals import Goals
from lms.projections.improvements import Improvements
from lms.projections.line_of_sight import LineOfSight
from lms.projections.links import Links
from lms.projections.my_learning import MyLearning
from lms.projections.my_skills import MySkills
from lms.projections.organisations import Organisations
from lms.projections.outcome_timeline import OutcomeTimeline
from lms.projections.people import People
from lms.projections.process_performance import ProcessPerformance
from lms.projections.team_learning import TeamLearnings

PROJECTIONS: tuple[Projection, ...] = (
    AlignmentTree(),
    Bi(),
    Calendars(),
    Commitments(),
    Competencies(),
    Contributions(),
    Improvements(),
    LineOfSight(),
    Links(),
    Goals(),
    MyLearning(),
    MySkills(),
    Organisations(),
    OutcomeTimeline(),
    People(),
    ProcessPerformance(),
    TeamLearnings(),
)
"""Every projection, in no particular order: they do not depend on one another."""
