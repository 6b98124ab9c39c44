"""Which improvements does the demo tell of, and how far does the evidence of each carry?"""

from decimal import Decimal
from typing import NamedTuple

from lms.domain.outcome_metric import Measures
from lms.domain.terms import Direction


class MetricTale(NamedTuple):
    """An outcome metric, where it starts, where it gets to once its process has improved, and its monthly sample."""

    key: str
    name: str
    unit: str
    direction: Direction
    measures: Measures
    before: float
    after: float
    spread: float
    monthly_n: int
    goal: str
    title: str


class Tale(NamedTuple):
    """One improvement. ``changes_at`` is the share of the history that has passed when work runs the new way.

    What is told of learning and link decides the state of the chain: see domain.md, section 6.
    """

    key: str
    team: str
    process: str
    measure: str
    unit: str
    direction: Direction
    before: float
    after: float
    spread: float
    weekly_n: int
    metric: str | None
    skills: tuple[str, ...]
    problem: str
    hypothesis: str
    goal: str
    changes_at: float
    aim: float | None = None
    learned: bool = True
    attested: bool = False
    supports: int = 0
    weakens: int = 0
    alternative: str | None = None
    contribution: bool = False

    @property
    def target(self) -> float:
        """What the team aims at: what it reached, unless it aimed elsewhere."""
        return self.after if self.aim is None else self.aim


METRICS = (
    MetricTale(
        "repeat",
        "Repeat purchase rate within 90 days",
        "ratio",
        Direction.INCREASE,
        Measures.CUSTOMER,
        0.312,
        0.361,
        0.46,
        5100,
        "More customers come back",
        "Customers come back because we listened",
    ),
    MetricTale(
        "complaints",
        "Complaints per 1,000 orders",
        "complaints",
        Direction.DECREASE,
        Measures.CUSTOMER,
        14.2,
        11.9,
        5.2,
        240,
        "Solved the first time",
        "A customer tells his story once",
    ),
    MetricTale(
        "conversion",
        "Web shop conversion",
        "ratio",
        Direction.INCREASE,
        Measures.CUSTOMER,
        0.0241,
        0.0243,
        0.153,
        48000,
        "Online helps you choose",
        "The web shop advises as well as a store",
    ),
    MetricTale(
        "on-time",
        "Deliveries on the promised day",
        "ratio",
        Direction.INCREASE,
        Measures.CUSTOMER,
        0.884,
        0.931,
        0.29,
        2600,
        "Promised is promised",
        "It comes when we said it would",
    ),
    MetricTale(
        "visits",
        "Visits that end in a purchase",
        "ratio",
        Direction.INCREASE,
        Measures.CUSTOMER,
        0.41,
        0.44,
        0.49,
        3800,
        "Who comes in finds it",
        "A visit is worth the way",
    ),
)

TALES = (
    Tale(
        "till",
        "Store Breda",
        "Paying at the till",
        "Minutes in the queue",
        "minutes",
        Direction.DECREASE,
        6.4,
        4.1,
        2.7,
        80,
        "visits",
        (),
        "People put things back when the queue is long.",
        "A second till that opens at five in the queue keeps the queue short.",
        "Nobody waits longer than four minutes",
        0.52,
        learned=False,
        supports=1,
        alternative="Fewer people came in on Saturdays that spring.",
    ),
    Tale(
        "advice",
        "Store Utrecht",
        "Advice conversation",
        "Conversations with a follow-up note",
        "ratio",
        Direction.INCREASE,
        0.34,
        0.52,
        0.48,
        60,
        "repeat",
        ("customer-requirements", "listen-first", "crm"),
        "Customers leave with an answer but not with what they came for.",
        "If we ask two open questions first, more advice ends in a note we can follow up.",
        "Improve how we talk with customers to raise repeat purchases",
        0.45,
        attested=True,
        supports=2,
        alternative="The spring campaign brought more regular customers.",
        contribution=True,
    ),
    Tale(
        "advice-rotterdam",
        "Store Rotterdam",
        "Follow-up call",
        "Days until the follow-up call",
        "days",
        Direction.DECREASE,
        6.8,
        3.9,
        3.1,
        25,
        "repeat",
        ("needs-analysis", "crm"),
        "We call back when the customer has bought elsewhere.",
        "A note with the reason for the call makes calling back easy.",
        "Call back while it still matters",
        0.62,
        supports=1,
        alternative="A second phone was put in the shop.",
    ),
    Tale(
        "hand-over",
        "Phone and chat",
        "Hand-over of a case",
        "Hand-over time",
        "minutes",
        Direction.DECREASE,
        42.0,
        29.5,
        17.0,
        70,
        "complaints",
        ("hand-over", "support-process"),
        "Cases wait because the next person has to ask everything again.",
        "A card with five fields lets the next person start at once.",
        "Hand over a case so that nobody asks twice",
        0.55,
        attested=True,
        supports=1,
        weakens=1,
        alternative="Fewer cases came in after the holidays.",
    ),
    Tale(
        "product-page",
        "Web shop",
        "Product page",
        "Visits in which something is added",
        "ratio",
        Direction.INCREASE,
        0.081,
        0.0813,
        0.27,
        900,
        "conversion",
        ("web-analytics", "online-communications"),
        "Visitors compare, and leave.",
        "Showing what others ask about a product helps visitors decide.",
        "Product pages that answer the question",
        0.6,
        aim=0.095,
    ),
    Tale(
        "picking",
        "Picking",
        "Order picking",
        "Picking errors per 100 orders",
        "errors",
        Direction.DECREASE,
        2.6,
        1.5,
        1.6,
        45,
        None,
        ("warehouse-database", "logistics-data"),
        "One order in forty leaves with something wrong in it.",
        "A count at the end of each aisle finds the error where it happens.",
        "Orders leave the aisle right",
        0.5,
        attested=True,
    ),
    Tale(
        "delivery-slot",
        "Transport",
        "Delivery slot",
        "Stops inside the promised slot",
        "ratio",
        Direction.INCREASE,
        0.79,
        0.88,
        0.4,
        120,
        "on-time",
        (),
        "Slots are promised before the round is planned.",
        "Planning the round at ten lets us promise slots that hold.",
        "Plan before we promise",
        0.58,
        learned=False,
        supports=1,
        alternative="Road works on the ring ended in the same month.",
    ),
    Tale(
        "repairs",
        "Repairs",
        "Repair intake",
        "Repair lead time",
        "days",
        Direction.DECREASE,
        6.1,
        7.4,
        2.9,
        40,
        "complaints",
        ("erp",),
        "Nobody knows where a repair is.",
        "One list in the ERP system shows every repair to everybody.",
        "Everybody sees every repair",
        0.5,
        aim=4.5,
    ),
)
"""Evidenced, reported (twice), asserted, without outcome, without learning (twice), and one that got worse."""

PLAIN_GOALS = (
    ("Answer every message the same day", "Messages answered the same day", "ratio", 0.55, 0.9),
    ("Fewer returns that need a second look", "Returns checked twice per week", "count", 38, 15),
    ("Know what is on the shelf", "Stock counts that differ", "count", 120, 60),
    ("New colleagues at ease within a month", "Weeks until somebody works alone", "weeks", 7, 4),
    ("A monthly close without overtime", "Hours of overtime at the close", "hours", 46, 12),
    ("Pages that load at once", "Seconds until a page shows", "seconds", 3.4, 1.8),
    ("Offers that fit the season", "Offers planned a month ahead", "count", 4, 16),
    ("Fewer damaged parcels", "Damaged parcels per 1,000", "count", 9, 4),
)
"""Goals that teams check in by hand; some have no path to an outcome."""


def number(value: float, places: int = 4) -> Decimal:
    """A figure as it would be reported."""
    return Decimal(str(round(value, places)))
