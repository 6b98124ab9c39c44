"""What was measured, period by period, with every revision?"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from lms.domain.measurement import Measurement
from lms.projections.base import Connection, Envelope, Projection
from lms.projections.bi.keys import date_key, dated, organisation_key

Outcome = Measurement.OutcomeMeasured | Measurement.OutcomeRevised
Process = Measurement.ProcessMeasured | Measurement.ProcessRevised

_SEGMENTS = """
    INSERT INTO dim_segment (segment_key, organisation_key, name)
    SELECT min(s.position), $1, s.segment FROM unnest($2::bigint[], $3::text[]) AS s(position, segment)
    WHERE s.segment IS NOT NULL GROUP BY s.segment ON CONFLICT DO NOTHING
"""

_OUTCOMES = """
    INSERT INTO fact_outcome_measure
    SELECT r.position, $1, r.measurement_id,
        (SELECT max(m.metric_key) FROM dim_outcome_metric AS m
         WHERE m.outcome_metric_id = r.thing_id AND m.metric_key <= r.position),
        (SELECT s.segment_key FROM dim_segment AS s WHERE s.organisation_key = $1 AND s.name = r.segment),
        r.start_key, r.end_key, r.value, r.n, r.spread, r.origin, 0, true
    FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::float8[], $8::bigint[], $9::float8[],
                $10::text[], $11::text[])
        AS r(position, measurement_id, thing_id, start_key, end_key, value, n, spread, origin, segment)
"""

_PROCESSES = """
    INSERT INTO fact_process_measure
    SELECT r.position, $1, r.measurement_id,
        (SELECT m.measure_key FROM dim_process_measure AS m WHERE m.measure_id = r.thing_id),
        r.start_key, r.end_key, r.value, r.n, r.spread, r.origin, 0, true
    FROM unnest($2::bigint[], $3::uuid[], $4::uuid[], $5::int[], $6::int[], $7::float8[], $8::bigint[], $9::float8[],
                $10::text[])
        AS r(position, measurement_id, thing_id, start_key, end_key, value, n, spread, origin)
"""

_REVISIONS = """
    UPDATE {table} AS f SET revision = r.revision, is_latest = r.is_latest
    FROM (SELECT measurement_key, row_number() OVER w - 1 AS revision,
                 lead(measurement_key) OVER w IS NULL AS is_latest
          FROM {table} WHERE measurement_id = ANY($1::uuid[])
          WINDOW w AS (PARTITION BY measurement_id ORDER BY measurement_key)) AS r
    WHERE f.measurement_key = r.measurement_key AND (f.revision, f.is_latest) <> (r.revision, r.is_latest)
"""


class Measurements(Projection):
    """The values of metrics and measures, stored many at a time."""

    NAME = "bi_measurements"

    @classmethod
    def topics(cls) -> frozenset[str]:
        """Everything that was measured or revised."""
        return frozenset(
            event.TOPIC
            for event in (
                Measurement.OutcomeMeasured,
                Measurement.OutcomeRevised,
                Measurement.ProcessMeasured,
                Measurement.ProcessRevised,
            )
        )

    async def apply(self, connection: Connection, envelopes: Sequence[Envelope]) -> None:
        """Store the values of each organisation in a handful of statements."""
        for organisation_id in dict.fromkeys(envelope.organisation_id for envelope in envelopes):
            mine = [envelope for envelope in envelopes if envelope.organisation_id == organisation_id]
            key = await organisation_key(connection, organisation_id)
            await dated(connection, key, [day for one in mine for day in _window(one)])
            outcomes = [one for one in mine if isinstance(one.data, Outcome)]
            processes = [one for one in mine if isinstance(one.data, Process)]
            await _store_outcomes(connection, key, outcomes)
            if processes:
                await connection.execute(_PROCESSES, key, *_columns(processes))
                await _number(connection, "fact_process_measure", processes)


async def _store_outcomes(connection: Connection, organisation: int, envelopes: Sequence[Envelope]) -> None:
    if envelopes:
        segments = [one.data.segment for one in envelopes if isinstance(one.data, Outcome)]
        await connection.execute(_SEGMENTS, organisation, [one.position for one in envelopes], segments)
        await connection.execute(_OUTCOMES, organisation, *_columns(envelopes), segments)
        await _number(connection, "fact_outcome_measure", envelopes)


async def _number(connection: Connection, table: str, envelopes: Sequence[Envelope]) -> None:
    await connection.execute(_REVISIONS.format(table=table), [envelope.stream_id for envelope in envelopes])


def _columns(envelopes: Sequence[Envelope]) -> tuple[list[object], ...]:
    values = []
    for envelope in envelopes:
        event = envelope.data
        if not isinstance(event, Outcome | Process):
            raise TypeError(f"{event.TOPIC} measures nothing")
        thing: UUID = event.metric_id if isinstance(event, Outcome) else event.measure_id
        summary = event.summary
        values.append(
            (
                envelope.position,
                envelope.stream_id,
                thing,
                date_key(summary.start),
                date_key(summary.end),
                float(summary.value),
                summary.n,
                None if summary.spread is None else float(summary.spread),
                event.origin.value,
            )
        )
    return tuple(list(column) for column in zip(*values, strict=True))


def _window(envelope: Envelope) -> tuple[date | None, date | None]:
    event = envelope.data
    return (event.summary.start, event.summary.end) if isinstance(event, Outcome | Process) else (None, None)
