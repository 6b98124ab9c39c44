"""Who is the demo company, what do its people learn, and what comes of it?"""

import csv
from importlib import resources
from typing import NamedTuple
from uuid import UUID

from lms.domain.competency import Competency

COMPANY = "Vanderveld Home & Garden"
TIME_ZONE = "Europe/Amsterdam"
CURRENCY = "EUR"
LANGUAGE = "en"

DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "Stores": (
        "Store Amsterdam",
        "Store Utrecht",
        "Store Rotterdam",
        "Store Eindhoven",
        "Store Groningen",
        "Store Breda",
    ),
    "Customer service": ("Phone and chat", "Returns", "Repairs", "Complaints", "Home visits"),
    "Logistics": ("Inbound", "Picking", "Packing", "Transport", "Stock control"),
    "Online": ("Web shop", "Search and content", "Newsletters", "App", "Web data"),
    "Support": ("People", "Finance", "Purchasing", "IT"),
}
"""Five departments of twenty-five teams."""

DISTANCE = {"Stores": 0, "Customer service": 0, "Logistics": 1, "Online": 1, "Support": 2}
"""Steps to the customer."""

ROLE_BANDS = {
    "Stores": "store-staff",
    "Customer service": "service-staff",
    "Logistics": "warehouse-staff",
    "Online": "specialist",
    "Support": "specialist",
}

_FIRST_NAMES = """
Anna Bram Chloe Daan Elif Femke Gijs Hanna Imran Jasmijn Karim Lotte Maarten Nadia Omar Pien Quinten Rosa Sem
Tess Ugo Vera Wout Xenia Yara Zoe Aylin Bas Carmen Dirk Eva Fatima Guus Hugo Iris Jens Kim Lars Mila Noor
"""
FIRST_NAMES = _FIRST_NAMES.split()
_LAST_NAMES = """
Aalbers Bakker Cohen Dekker Elbers Faber Groot Hendriks Ibrahim Jansen Kaya Lammers Mulder Nguyen Okafor
Peters Quist Rahimi Smit Timmer Unger Visser Wolters Yilmaz Zwart Blom Castro Dijk Evers Franke
"""
LAST_NAMES = _LAST_NAMES.split()

ESCO = "http://data.europa.eu/esco/skill/"
ESCO_NOTICE = (
    "This excerpt uses the ESCO classification of the European Commission, © European Union; reuse is allowed with "
    "this acknowledgement."
)


class Skill(NamedTuple):
    """A competency of the demo: its key in this story, its labels, and its ESCO id where it has one."""

    key: str
    english: str
    dutch: str
    esco: str | None


def _skills() -> tuple[Skill, ...]:
    text = resources.files("lms.cli.demo").joinpath("competencies.csv").read_text(encoding="utf-8")
    return tuple(
        Skill(row["key"], row["en"], row["nl"], row["esco"] or None) for row in csv.DictReader(text.splitlines())
    )


SKILLS = _skills()
"""Sixteen competencies; those without an ESCO id are the company's own words."""

NOTES = (
    "asked two open questions before showing anything",
    "watched how Rosa closes an advice conversation",
    "tried the new hand-over card on three cases",
    "read the chapter on pivot tables, used it on last week's returns",
    "sat with the returns team for a morning",
    "a customer showed me how she compares us with others",
    "practised the complaint conversation with a colleague",
    "found out why the pick list sorts by aisle",
    "wrote down the questions people ask most",
    "used the CRM note before calling back: it saved five minutes",
    "course evening on privacy in the store",
    "looked at where visitors leave the basket",
)
"""What people write when they log learning. A note names nobody but whom its author chose to name."""


def competency_id(organisation_id: UUID, key: str) -> UUID:
    """The id of a competency: the one that importing ESCO gives it, so that an import finds it."""
    skill = next(one for one in SKILLS if one.key == key)
    return Competency.id_of(organisation_id, ESCO + skill.esco if skill.esco else f"vanderveld:{key}")
