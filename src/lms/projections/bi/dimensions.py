"""Which organisations, cycles, teams, competencies, metrics and processes are there, and how were they called when?"""

from lms.domain.competency import Competency
from lms.domain.effect import Verdict
from lms.domain.goal_cycle import GoalCycle
from lms.domain.organisation import Organisation
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.process import Process
from lms.domain.team import Team
from lms.inference.grades import ESTIMATED, may_say
from lms.projections.base import Connection, Envelope, Projection, on
from lms.projections.bi.keys import (
    dated,
    insert,
    key_at,
    local_day,
    new_version,
    organisation_key,
)
from lms.projections.sight_facts import label_in
from lms.projections.table import NoSuchRow

OTHER = "(other)"


class Dimensions(Projection):
    """The dimensions that name things; goals have a part of their own."""

    NAME = "bi_dimensions"

    @on(Organisation.Registered)
    async def _organisation(self, connection: Connection, envelope: Envelope, event: Organisation.Registered) -> None:
        key = envelope.position
        await insert(
            connection,
            "dim_organisation",
            organisation_key=key,
            organisation_id=envelope.stream_id,
            name=event.name,
            time_zone=event.time_zone,
            currency=event.currency,
            language=event.language,
        )
        day = await local_day(connection, envelope)
        await dated(connection, key, [day])
        for grade in range(ESTIMATED + 1):
            sentence = may_say(grade, Verdict.BETTER)
            await insert(connection, "dim_evidence_grade", organisation_key=key, grade=grade, may_say=sentence)
        await insert(
            connection,
            "dim_competency",
            competency_key=key,
            organisation_key=key,
            label=OTHER,
            is_other=True,
            valid_from=day,
            is_current=True,
        )

    @on(GoalCycle.Opened)
    async def _cycle(self, connection: Connection, envelope: Envelope, event: GoalCycle.Opened) -> None:
        await insert(
            connection,
            "dim_cycle",
            cycle_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            cycle_id=envelope.stream_id,
            name=event.name,
            starts_on=event.starts_on,
            ends_on=event.ends_on,
            check_in_every_days=event.check_in_every_days,
        )

    @on(GoalCycle.Closed)
    async def _cycle_closed(self, connection: Connection, envelope: Envelope, event: GoalCycle.Closed) -> None:
        await connection.execute(
            "UPDATE dim_cycle SET closed_on = $2 WHERE cycle_id = $1", envelope.stream_id, event.on
        )

    @on(Team.Formed)
    async def _team(self, connection: Connection, envelope: Envelope, event: Team.Formed) -> None:
        await insert(
            connection,
            "dim_team",
            team_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            team_id=envelope.stream_id,
            name=event.name,
            parent_team_id=event.parent_team_id,
            valid_from=event.on,
            is_current=True,
        )

    @on(Team.Moved, Team.Renamed, Team.Disbanded, Team.DistanceSet)
    async def _team_changed(
        self,
        connection: Connection,
        envelope: Envelope,
        event: Team.Moved | Team.Renamed | Team.Disbanded | Team.DistanceSet,
    ) -> None:
        match event:
            case Team.Moved(parent_team_id=parent):
                await _changed(connection, "dim_team", envelope, parent_team_id=parent)
            case Team.Renamed(name=name):
                await _changed(connection, "dim_team", envelope, name=name)
            case Team.Disbanded(on=day):
                await _changed(connection, "dim_team", envelope, disbanded_on=day)
            case Team.DistanceSet(steps=steps):
                await _changed(connection, "dim_team", envelope, distance_to_customer=steps)

    @on(Competency.Defined)
    async def _competency(self, connection: Connection, envelope: Envelope, event: Competency.Defined) -> None:
        language = await _language(connection, envelope)
        await insert(
            connection,
            "dim_competency",
            competency_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            competency_id=envelope.stream_id,
            label=label_in(event.labels, language),
            kind=event.kind,
            code=event.code,
            is_other=False,
            valid_from=await local_day(connection, envelope),
            is_current=True,
        )

    @on(Competency.Relabelled)
    async def _relabelled(self, connection: Connection, envelope: Envelope, event: Competency.Relabelled) -> None:
        language = await _language(connection, envelope)
        if language in event.labels:
            await _changed(connection, "dim_competency", envelope, label=event.labels[language])

    @on(Competency.Reclassified)
    async def _reclassified(self, connection: Connection, envelope: Envelope, event: Competency.Reclassified) -> None:
        await _changed(connection, "dim_competency", envelope, kind=event.kind)

    @on(OutcomeMetric.Defined)
    async def _metric(self, connection: Connection, envelope: Envelope, event: OutcomeMetric.Defined) -> None:
        await insert(
            connection,
            "dim_outcome_metric",
            metric_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            outcome_metric_id=envelope.stream_id,
            name=event.name,
            unit=event.unit,
            direction=event.direction,
            measures=event.measures,
            aggregation=event.aggregation,
            frequency=event.frequency,
            valid_from=await local_day(connection, envelope),
            is_current=True,
        )

    @on(Process.Registered)
    async def _process(self, connection: Connection, envelope: Envelope, event: Process.Registered) -> None:
        await insert(
            connection,
            "dim_process",
            process_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            process_id=envelope.stream_id,
            name=event.name,
            owner_team_key=await key_at(connection, "dim_team", event.owner_team_id, envelope.position),
            value_stream=event.value_stream,
            valid_from=await local_day(connection, envelope),
            is_current=True,
        )

    @on(Process.MeasureDefined)
    async def _measure(self, connection: Connection, envelope: Envelope, event: Process.MeasureDefined) -> None:
        await insert(
            connection,
            "dim_process_measure",
            measure_key=envelope.position,
            organisation_key=await organisation_key(connection, envelope.organisation_id),
            measure_id=event.measure.measure_id,
            process_key=await key_at(connection, "dim_process", envelope.stream_id, envelope.position),
            name=event.measure.name,
            unit=event.measure.unit,
            direction=event.measure.direction,
        )


async def _language(connection: Connection, envelope: Envelope) -> str:
    language: str = await connection.fetchval(
        "SELECT language FROM dim_organisation WHERE organisation_id = $1", envelope.organisation_id
    )
    return language


async def _changed(connection: Connection, table: str, envelope: Envelope, **changes: object) -> None:
    day = await local_day(connection, envelope)
    if not await new_version(connection, table, envelope.stream_id, envelope.position, day, **changes):
        raise NoSuchRow(f"{table}: {envelope.stream_id}")
