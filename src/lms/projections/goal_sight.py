"""Which goals does a reader see? The same rule as `Goal.is_shown_to`, for rows."""

from typing import Any
from uuid import UUID

from lms.domain.base import Actor, Role

ARGUMENTS = 5
"""How many parameters `shown` takes."""


def shown_to_a_team(row: str, teams: str) -> str:
    """The SQL condition that a row is shown to one of the teams: its own, or the home its owner had when he showed it.

    Never the home he has today: a move shows what he showed to his old colleagues to no new ones.
    """
    return f"{row}.visibility = 'team' AND {row}.shown_to_team = ANY({teams}::uuid[])"


def shown(row: str, invited: str, first: int) -> str:
    """The SQL condition that a row is shown; its parameters, from number ``first`` on, are those of `eyes`.

    ``row`` names the goals' table in the statement; ``invited`` the table of who was invited to which goal.
    """
    me, teams, leads, renews, guest = (f"${n}" for n in range(first, first + ARGUMENTS))
    return f"""(
        {row}.visibility = 'public'
        OR {row}.visibility = 'organisation' AND NOT {guest}::boolean
        OR {shown_to_a_team(row, teams)}
        OR {row}.owner_contributor_id = {me}::uuid
        OR {row}.owner_team_id = ANY({leads}::uuid[])
        OR {row}.level = 'business-model' AND {renews}::boolean
        OR {row}.status = 'proposed' AND {row}.proposer = {me}::uuid
        OR {row}.visibility <> 'private' AND EXISTS (
            SELECT FROM {invited} AS i WHERE i.goal_id = {row}.goal_id AND i.contributor_id = {me}::uuid)
    )"""


def eyes(actor: Actor) -> tuple[Any, ...]:
    """Who looks: himself, his teams, those he leads, whether he renews the business, whether he is a guest."""
    teams: list[UUID] = sorted(actor.member_of | actor.leads)
    renews, guest = actor.has(Role.BUSINESS_OWNER), actor.has(Role.GUEST)
    return actor.contributor_id, teams, sorted(actor.leads), renews, guest
