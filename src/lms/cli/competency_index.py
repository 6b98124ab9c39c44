"""Which competencies have these names now, whether or not the read model has caught up?"""

from collections.abc import Collection, Iterator, Mapping
from uuid import UUID

from lms.app import Core
from lms.domain.competency import Competency
from lms.projections.competencies import Competencies
from lms.projections.wording import folded

_PAGE = 1_000
_LIVE = "SELECT position FROM lms.projection WHERE name = $1 AND version = $2 AND slot = 'live'"
_TOPICS = {event.TOPIC for event in (Competency.Defined, Competency.Relabelled, Competency.Retired)}


async def competencies_named(core: Core, organisation_id: UUID, names: Collection[str]) -> dict[str, tuple[UUID, ...]]:
    """The competencies by name (as `folded` gives it) as of the head of the log; a preferred name beats others.

    They are the read model's, and what the log says beyond it.
    """
    if not names:
        return {}
    found, position = await _from_read_model(core, organisation_id, names)
    moved = await _changed_beyond(core, organisation_id, position)
    by_name = {name: {one: best for one, best in found.get(name, {}).items() if one not in moved} for name in names}
    for competency_id in moved:
        competency = await core.dispatch.load(Competency, organisation_id, competency_id)
        if competency is not None and not competency.is_retired:
            for term, preferred in _terms(competency):
                if term in by_name:
                    by_name[term][competency_id] = preferred or by_name[term].get(competency_id, False)
    return {name: _best(ids) for name, ids in by_name.items() if ids}


def _best(ids: Mapping[UUID, bool]) -> tuple[UUID, ...]:
    preferred = [one for one, best in ids.items() if best]
    return tuple(sorted(preferred or ids))


async def _from_read_model(
    core: Core, organisation_id: UUID, names: Collection[str]
) -> tuple[dict[str, dict[UUID, bool]], int]:
    """The competencies by name, and the position they hold at least."""
    competencies = Competencies()
    async with core.reads.acquire() as connection:
        position = await connection.fetchval(_LIVE, competencies.NAME, competencies.VERSION)
        if position is None:
            return {}, 0
        return await competencies.named(connection, organisation_id, names), position


async def _changed_beyond(core: Core, organisation_id: UUID, position: int) -> set[UUID]:
    """The competencies that the log says something about after a position."""
    moved: set[UUID] = set()
    while page := await core.log.feed(position, _PAGE):
        moved |= {
            stored.stream_id for stored in page if stored.organisation_id == organisation_id and stored.type in _TOPICS
        }
        position = page[-1].position
    return moved


def _terms(competency: Competency) -> Iterator[tuple[str, bool]]:
    for language, label in competency.labels.items():
        yield folded(label), True
        for alt in competency.alt_labels.get(language, ()):
            yield folded(alt), False
