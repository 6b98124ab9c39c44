"""What can be learned, under which names is it found, and in which steps is it told?"""

from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

import msgspec

from lms.domain.competency import Broader, Competency, CompetencyKind, ExternalRef
from lms.domain.competency_framework import CompetencyFramework
from lms.domain.proficiency_scale import ProficiencyScale, ScaleStep
from lms.projections.base import Connection, Envelope, Projection, Table, Touches, on
from lms.projections.wording import folded, stems


class CompetencyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One competency with its labels by language."""

    competency_id: UUID
    organisation_id: UUID
    framework_id: UUID | None
    code: str | None
    kind: CompetencyKind
    labels: dict[str, str]
    alt_labels: dict[str, tuple[str, ...]]
    refs: tuple[ExternalRef, ...]
    broader: tuple[Broader, ...]
    scale_id: UUID | None
    is_retired: bool
    sort_label: str
    version: int


class TermRow(msgspec.Struct, frozen=True, kw_only=True):
    """One name of a competency in one language, as it is compared, with its telling stems."""

    competency_id: UUID
    language: str
    term: str
    organisation_id: UUID
    preferred: bool
    stems: tuple[str, ...]


class FrameworkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One catalogue of competencies."""

    framework_id: UUID
    organisation_id: UUID
    name: str
    publisher: str | None
    edition: str | None
    uri: str | None
    acknowledgement: str | None
    version: int


class ScaleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One proficiency scale, its steps from the lowest."""

    scale_id: UUID
    organisation_id: UUID
    name: str
    levels: tuple[ScaleStep, ...]
    version: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A competency in a list; ``rank`` 0 is the best match of the words looked for."""

    competency: CompetencyRow
    rank: int


COMPETENCIES = Table("competencies_v1", CompetencyRow, key="competency_id")
TERMS = Table("competency_terms_v1", TermRow, key=("competency_id", "language", "term"))
FRAMEWORKS = Table("competency_frameworks_v1", FrameworkRow, key="framework_id")
SCALES = Table("proficiency_scales_v1", ScaleRow, key="scale_id")

_SEARCH = f"""
WITH hits AS (
    SELECT t.competency_id, min(CASE
        WHEN t.preferred AND t.term = $2 THEN 0
        WHEN t.preferred AND starts_with(t.term, $2) THEN 1
        WHEN t.term = $2 THEN 2
        ELSE 3 END) AS rank
    FROM competency_terms_v1 AS t
    WHERE t.organisation_id = $1 AND strpos(t.term, $2) > 0
    GROUP BY t.competency_id
)
SELECT h.rank, {COMPETENCIES.list}
FROM hits AS h JOIN competencies_v1 AS c USING (competency_id)
WHERE ($4::uuid[] IS NULL OR c.competency_id = ANY($4))
    AND ($5::int IS NULL OR (h.rank, c.sort_label, c.competency_id) > ($5, $6::text COLLATE "C", $7::uuid))
ORDER BY h.rank, c.sort_label, c.competency_id LIMIT $3
"""

_SUGGEST = """
WITH hits AS (
    SELECT t.competency_id, t.preferred, cardinality(t.stems) AS words,
        (SELECT count(*) FROM unnest(t.stems) AS s (stem) WHERE s.stem = ANY($2::text[])) AS found
    FROM competency_terms_v1 AS t
    WHERE t.organisation_id = $1 AND t.stems && $2::text[]
), best AS (
    SELECT DISTINCT ON (competency_id) competency_id, found, words, preferred
    FROM hits
    WHERE found = words OR (found >= 2 AND found * 5 >= words * 3)
    ORDER BY competency_id, found DESC, words, preferred DESC
)
SELECT competency_id FROM best ORDER BY found DESC, words, preferred DESC, competency_id LIMIT $3
"""


class Competencies(Projection):
    """The catalogue as it stands. Retired competencies are found by id, no more by name."""

    NAME = "competencies"
    VERSION = 1
    TABLES = (COMPETENCIES, TERMS, FRAMEWORKS, SCALES)

    @on(Competency.Defined)
    def _defined(self, envelope: Envelope, event: Competency.Defined) -> Touches:
        yield COMPETENCIES.put(
            CompetencyRow(
                competency_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                framework_id=event.framework_id,
                code=event.code,
                kind=event.kind,
                labels=event.labels,
                alt_labels=event.alt_labels,
                refs=event.refs,
                broader=event.broader,
                scale_id=event.scale_id,
                is_retired=False,
                sort_label=_sort_label(event.labels),
                version=envelope.version,
            )
        )
        for term in _terms(envelope, event):
            yield TERMS.put(term)

    @on(Competency.Relabelled)
    def _relabelled(self, envelope: Envelope, event: Competency.Relabelled) -> Touches:
        yield COMPETENCIES.touch(envelope.stream_id, _relabel(event, envelope.version))
        for language in event.labels:
            yield TERMS.each(lambda _: None, competency_id=envelope.stream_id, language=language)
        for term in _terms(envelope, event):
            yield TERMS.put(term)

    @on(Competency.Reclassified)
    def _reclassified(self, envelope: Envelope, event: Competency.Reclassified) -> Touches:
        yield COMPETENCIES.change(envelope.stream_id, kind=event.kind, broader=event.broader, version=envelope.version)

    @on(Competency.Retired)
    def _retired(self, envelope: Envelope, event: Competency.Retired) -> Touches:  # noqa: ARG002 - a handler's form
        yield COMPETENCIES.change(envelope.stream_id, is_retired=True, version=envelope.version)
        yield TERMS.each(lambda _: None, competency_id=envelope.stream_id)

    @on(CompetencyFramework.Defined)
    def _framework(self, envelope: Envelope, event: CompetencyFramework.Defined) -> Touches:
        yield FRAMEWORKS.put(
            FrameworkRow(
                framework_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                publisher=event.publisher,
                edition=event.edition,
                uri=event.uri,
                acknowledgement=event.acknowledgement,
                version=envelope.version,
            )
        )

    @on(ProficiencyScale.Defined)
    def _scale(self, envelope: Envelope, event: ProficiencyScale.Defined) -> Touches:
        yield SCALES.put(
            ScaleRow(
                scale_id=envelope.stream_id,
                organisation_id=envelope.organisation_id,
                name=event.name,
                levels=event.levels,
                version=envelope.version,
            )
        )

    async def competency(
        self, connection: Connection, organisation_id: UUID, competency_id: UUID
    ) -> CompetencyRow | None:
        """One competency, also a retired one."""
        return await COMPETENCIES.get(connection, organisation_id, competency_id)

    async def competencies(
        self, connection: Connection, organisation_id: UUID, ids: Collection[UUID]
    ) -> dict[UUID, CompetencyRow]:
        """These competencies by id, also retired ones."""
        rows = await COMPETENCIES.load(connection, list(dict.fromkeys(ids)))
        return {key: row for key, row in rows.items() if row.organisation_id == organisation_id}

    async def search(
        self,
        connection: Connection,
        organisation_id: UUID,
        limit: int,
        words: str | None = None,
        among: Collection[UUID] | None = None,
        after: tuple[int, str, UUID] | None = None,
    ) -> list[Found]:
        """Those with the words in some name in any language, best first; all by label without words.

        ``among`` keeps to these ids; ``after`` is (rank, sort label, id) of the last one seen.
        """
        ids = None if among is None else list(among)
        if words is not None and folded(words):
            records = await connection.fetch(
                _SEARCH, organisation_id, folded(words), limit, ids, *(after or (None, None, None))
            )
            return [Found(competency=COMPETENCIES.row(record), rank=record["rank"]) for record in records]
        rows = await COMPETENCIES.select(
            connection,
            """WHERE organisation_id = $1 AND NOT is_retired AND ($3::uuid[] IS NULL OR competency_id = ANY($3))
                   AND ($4::text IS NULL OR (sort_label, competency_id) > ($4 COLLATE "C", $5::uuid))
               ORDER BY sort_label, competency_id LIMIT $2""",
            organisation_id,
            limit,
            ids,
            *(after[1:] if after else (None, None)),
        )
        return [Found(competency=row, rank=0) for row in rows]

    async def suggested(
        self, connection: Connection, organisation_id: UUID, text: str, limit: int
    ) -> list[CompetencyRow]:
        """Those whose name, in any language, a text speaks of; the most of its words first."""
        records = await connection.fetch(_SUGGEST, organisation_id, list(stems(text)), limit)
        ids = [record["competency_id"] for record in records]
        rows = await self.competencies(connection, organisation_id, ids)
        return [rows[one] for one in ids]

    async def named(
        self, connection: Connection, organisation_id: UUID, names: Collection[str]
    ) -> dict[str, dict[UUID, bool]]:
        """The competencies of exactly these names (as `folded` gives them), and whether each is preferred for it."""
        records = await connection.fetch(
            """SELECT term, competency_id, bool_or(preferred) AS preferred FROM competency_terms_v1
               WHERE organisation_id = $1 AND term = ANY($2::text[]) GROUP BY term, competency_id""",
            organisation_id,
            list(names),
        )
        found: dict[str, dict[UUID, bool]] = {}
        for record in records:
            found.setdefault(record["term"], {})[record["competency_id"]] = record["preferred"]
        return found

    async def framework(self, connection: Connection, organisation_id: UUID, framework_id: UUID) -> FrameworkRow | None:
        """One framework."""
        return await FRAMEWORKS.get(connection, organisation_id, framework_id)

    async def frameworks(
        self, connection: Connection, organisation_id: UUID, limit: int, after: UUID | None = None
    ) -> list[FrameworkRow]:
        """The frameworks, by id."""
        return await FRAMEWORKS.select(
            connection,
            """WHERE organisation_id = $1 AND ($3::uuid IS NULL OR framework_id > $3)
               ORDER BY framework_id LIMIT $2""",
            organisation_id,
            limit,
            after,
        )

    async def scale(self, connection: Connection, organisation_id: UUID, scale_id: UUID) -> ScaleRow | None:
        """One scale."""
        return await SCALES.get(connection, organisation_id, scale_id)

    async def scales(
        self, connection: Connection, organisation_id: UUID, limit: int, after: UUID | None = None
    ) -> list[ScaleRow]:
        """The scales, by id."""
        return await SCALES.select(
            connection,
            "WHERE organisation_id = $1 AND ($3::uuid IS NULL OR scale_id > $3) ORDER BY scale_id LIMIT $2",
            organisation_id,
            limit,
            after,
        )


def label_in(labels: Mapping[str, str], language: str) -> str:
    """The label to show to somebody who reads this language; else in English, else in whatever there is."""
    for wanted in (language, language.partition("-")[0], "en"):
        if wanted in labels:
            return labels[wanted]
    return labels[min(labels)]


def _sort_label(labels: Mapping[str, str]) -> str:
    return folded(label_in(labels, "en"))


def _relabel(event: Competency.Relabelled, version: int) -> Callable[[CompetencyRow | None], CompetencyRow | None]:
    def relabel(row: CompetencyRow | None) -> CompetencyRow | None:
        if row is None:
            return None
        labels = {**row.labels, **event.labels}
        kept = {language: alts for language, alts in row.alt_labels.items() if language not in event.labels}
        return msgspec.structs.replace(
            row,
            labels=labels,
            alt_labels={**kept, **event.alt_labels},
            sort_label=_sort_label(labels),
            version=version,
        )

    return relabel


def _terms(envelope: Envelope, event: Competency.Defined | Competency.Relabelled) -> Iterator[TermRow]:
    """Every name once as it is compared; a preferred one stays so when an alternative reads the same."""
    for language, label in event.labels.items():
        names = {folded(name): (name, False) for name in event.alt_labels.get(language, ())}
        names[folded(label)] = (label, True)
        for term, (name, preferred) in names.items():
            yield TermRow(
                competency_id=envelope.stream_id,
                language=language,
                term=term,
                organisation_id=envelope.organisation_id,
                preferred=preferred,
                stems=stems(name),
            )
