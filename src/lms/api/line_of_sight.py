"""What does learning lead to, and on which evidence?"""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from lms.api.answers import Answer, found, text
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Reader, Who
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.domain.base import Malformed
from lms.domain.effect import Verdict
from lms.projections.chain_parts import Chain, ChainLink, End, EndKind, Interval, Missing, State, Weakest
from lms.projections.line_of_sight import Asker, LineOfSight, Question, teams_below

_sight = LineOfSight()


class EndShown(msgspec.Struct, frozen=True):
    """One end of a link; the label is null where there is none, or it was forgotten."""

    kind: EndKind
    id: UUID
    label: str | None


class LinkShown(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A link. ``may_say`` is the wording its evidence allows, never more; lags in days; ``n`` observations or entries.

    ``interval`` holds the difference after minus before, at its ``confidence``.
    """

    source: EndShown
    to: EndShown
    grade: int
    may_say: str
    verdict: Verdict | None
    evidence_for_n: int
    evidence_against_n: int
    alternatives_n: int
    expected_lag_days: int | None
    observed_lag_days: int | None
    n: int | None
    interval: Interval | None
    link_id: UUID | None


class ChainShown(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A chain from learning to an outcome. ``missing`` says what a broken one lacks; ``team`` states its improvement.

    ``weakest`` is the link that says least (its place in ``links`` from 0). ``entries_n`` counts the learning at its
    start that is yours or shown to you.
    """

    source: EndShown | None
    to: EndShown | None
    links: list[LinkShown]
    weakest: Weakest | None
    state: State
    missing: tuple[Missing, ...]
    live: bool
    team: UUID | None
    entries_n: int


From = Annotated[str | None, QueryParameter(name="from", description="Where it begins: `competency:ID` or `goal:ID`")]
To = Annotated[str | None, QueryParameter(description="Where it ends: `metric:ID`")]


@get("/v1/line-of-sight", summary="What does learning lead to, on which evidence?", tags=["line of sight"])
async def line_of_sight(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    reader: NamedDependency[Reader],
    from_: From = None,
    to: To = None,
    team: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[ChainShown]]:
    """List the chains from learning to outcomes that the caller may see, each link with the wording it allows.

    Others' private learning shows only where at least five people of a larger unit learned the same, without a count.
    """
    refuse_guests(who)
    question = Question(
        competency_id=_end(from_, "/from", "competency", others=("goal",)),
        goal_id=_end(from_, "/from", "goal", others=("competency",)),
        outcome_metric_id=_end(to, "/to", "metric"),
        teams=await teams_below(connection, who.organisation_id, [team]) if team is not None else None,
    )
    after = decode_cursor(cursor, int, UUID, UUID, int)
    place = (int(after[0]), after[1], after[2], int(after[3])) if after else None
    chains = await _sight.chains(connection, asker(who), question, limit + 1, place)
    shown = page(chains, limit, lambda one: one[0])
    opened = await reader.open([chain for _, chain in shown.items])
    return found(Page([_shown(chain) for chain in opened], shown.next))


def asker(who: Who) -> Asker:
    """Whoever is signed in, as the line of sight knows him: his teams are those he belongs to or leads."""
    return Asker(
        organisation_id=who.organisation_id,
        asked_on=who.today,
        contributor_id=who.contributor_id,
        teams=who.actor.member_of | who.actor.leads,
    )


def _end(value: str | None, pointer: str, wanted: str, others: tuple[str, ...] = ()) -> UUID | None:
    """The id in ``kind:ID`` when it is of the wanted kind."""
    if value is None:
        return None
    kind, _, text_id = value.partition(":")
    try:
        end_id = UUID(text_id)
    except ValueError:
        kind = ""
    if kind == wanted:
        return end_id
    if kind in others:
        return None
    kinds = " or ".join(f"{one}:ID" for one in sorted((wanted, *others)))
    raise Malformed(pointer=pointer, detail=f"one of {kinds}")


def _shown(chain: Chain) -> ChainShown:
    rest = {name: getattr(chain, name) for name in Chain.__struct_fields__ if name in ChainShown.__struct_fields__}
    shown = {
        "source": _end_shown(chain.source),
        "to": _end_shown(chain.to),
        "links": [_link_shown(link) for link in chain.links],
        "entries_n": chain.learned.entries_n,
    }
    return ChainShown(**{**rest, **shown})


def _link_shown(link: ChainLink) -> LinkShown:
    rest = {name: getattr(link, name) for name in ChainLink.__struct_fields__ if name not in {"source", "to"}}
    return LinkShown(source=EndShown(*_parts(link.source)), to=EndShown(*_parts(link.to)), **rest)


def _end_shown(end: End | None) -> EndShown | None:
    return None if end is None else EndShown(*_parts(end))


def _parts(end: End) -> tuple[EndKind, UUID, str | None]:
    return end.kind, end.id, text(end.label)


ROUTES = [line_of_sight]
