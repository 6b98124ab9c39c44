"""Which processes are there, by what are they measured, and which outcomes should they move?"""

from datetime import date
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody

from lms.api import measurements as measured
from lms.api.answers import Answer, created, done, found
from lms.api.batches import Accepted, BatchResults, judge
from lms.api.bodies import Batch
from lms.api.contributors import refuse_guests
from lms.api.deps import Connection, Sender, Who
from lms.api.measurements import MeasurementShown
from lms.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, decode_cursor, page
from lms.api.process_bodies import (
    HandOffShown,
    MeasureShown,
    NewHandOff,
    NewMeasure,
    NewOutcomeLink,
    NewProcess,
    OutcomeLinkShown,
    ProcessMeasured,
    ProcessShown,
    hand_off_shown,
    link_shown,
    measure_named,
    measure_of,
    measure_shown,
    row_shown,
    shown,
)
from lms.api.then import Then, provide_then
from lms.dispatch import Outcome
from lms.domain.base import Malformed, NotFound
from lms.domain.measurement import Measurement, MeasureProcess
from lms.domain.process import (
    DefineHandOff,
    DefineMeasure,
    HandOff,
    LinkOutcome,
    OutcomeLink,
    Process,
    RegisterProcess,
    UnlinkOutcome,
)
from lms.projections.process_performance import PROCESSES, ProcessPerformance

_performance = ProcessPerformance()


@get("/v1/processes", summary="Which processes are there?", tags=["improvement"])
async def processes(
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
    team: FromQuery[UUID | None] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Answer[Page[ProcessShown]]:
    """List the processes, of all teams or of one."""
    refuse_guests(who)
    after = decode_cursor(cursor, UUID)
    rows = await _performance.processes(
        connection, who.organisation_id, limit + 1, after[0] if after else None, team_id=team
    )
    return found(page([row_shown(row) for row in rows], limit, lambda one: (one.id,)))


@post("/v1/processes", summary="Register a process", tags=["improvement"])
async def register(
    data: JSONBody[NewProcess], who: NamedDependency[Who], sender: NamedDependency[Sender]
) -> Answer[ProcessShown]:
    """Register a process with measures and links. Its team, business owners and administrators."""
    process_id = sender.new_id()
    measures = tuple(measure_of(one, sender.new_id(f"measure:{n}")) for n, one in enumerate(data.measures))
    command = RegisterProcess(
        actor=who.actor,
        today=who.today,
        process_id=process_id,
        name=data.name,
        owner_team_id=data.team_id or own_team(who),
        value_stream=data.value_stream,
        measures=measures,
        outcome_links=tuple(
            OutcomeLink(
                link_id=sender.new_id(f"link:{n}"),
                measure_id=measure_named(link.measure, measures, f"/outcome_links/{n}"),
                outcome_metric_id=link.outcome_metric_id,
                hypothesis=link.hypothesis,
                expected_lag_days=link.expected_lag_days,
            )
            for n, link in enumerate(data.outcome_links)
        ),
    )
    outcome = await sender.send(Process, process_id, command)
    return created(shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/processes/{process_id}")


class OneProcess(Controller):
    """One process and its parts."""

    path = "/v1/processes/{process_id:uuid}"
    tags = ["improvement"]  # noqa: RUF012 - Litestar's way

    @get(summary="How does this process run?", dependencies={"then": Provide(provide_then)})
    async def show(
        self,
        process_id: FromPath[UUID],
        who: NamedDependency[Who],
        connection: NamedDependency[Connection],
        then: NamedDependency[Then | None],
    ) -> Answer[ProcessShown]:
        """Show one process with the latest value of each measure; as it stood ``as_of``, as ``known_at``."""
        refuse_guests(who)
        row = await _performance.process(connection, who.organisation_id, process_id)
        if row is not None and then is not None:
            row = await then.row(_performance, PROCESSES, process_id)
        if row is None:
            raise NotFound(kind="process", id=process_id)
        latest = await (then.latest(connection, row) if then else _performance.latest(connection, row))
        values = {measure_id: measured.row_shown(one) for measure_id, one in latest.items()}
        return found(row_shown(row, values), row.version)

    @post("/measures", summary="Measure the process by one figure more")
    async def define_measure(
        self,
        process_id: FromPath[UUID],
        data: JSONBody[NewMeasure],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[MeasureShown]:
        """Add a measure with its unit and the way that is better."""
        measure = measure_of(data, sender.new_id("measure"))
        command = DefineMeasure(actor=who.actor, today=who.today, measure=measure)
        outcome = await sender.send(Process, process_id, command)
        shown_measure = measure_shown(measure, ("measurements", "outcome-links"))
        return created(shown_measure, await sender.receipt(outcome), f"/v1/processes/{process_id}")

    @post("/hand-offs", summary="Say where work passes from one to another")
    async def define_hand_off(
        self,
        process_id: FromPath[UUID],
        data: JSONBody[NewHandOff],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[HandOffShown]:
        """Add a hand-off."""
        hand_off = HandOff(
            hand_off_id=sender.new_id("hand-off"),
            from_step=data.from_step,
            to_step=data.to_step,
            artefact=data.artefact,
        )
        command = DefineHandOff(actor=who.actor, today=who.today, hand_off=hand_off)
        outcome = await sender.send(Process, process_id, command)
        return created(hand_off_shown(hand_off), await sender.receipt(outcome), f"/v1/processes/{process_id}")

    @post("/outcome-links", summary="Say which outcome a measure should move")
    async def link_outcome(
        self,
        process_id: FromPath[UUID],
        data: JSONBody[NewOutcomeLink],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[OutcomeLinkShown]:
        """Link a measure to an outcome metric, with the reason for it."""
        link = OutcomeLink(
            link_id=sender.new_id("link"),
            measure_id=data.measure_id,
            outcome_metric_id=data.outcome_metric_id,
            hypothesis=data.hypothesis,
            expected_lag_days=data.expected_lag_days,
        )
        command = LinkOutcome(actor=who.actor, today=who.today, link=link)
        outcome = await sender.send(Process, process_id, command)
        return created(link_shown(link), await sender.receipt(outcome), f"/v1/processes/{process_id}")

    @delete("/outcome-links/{link_id:uuid}", summary="Give up a link", status_code=204)
    async def unlink_outcome(
        self,
        process_id: FromPath[UUID],
        link_id: FromPath[UUID],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[None]:
        """No longer believe that the measure moves the metric."""
        command = UnlinkOutcome(actor=who.actor, today=who.today, link_id=link_id)
        return done(await sender.receipt(await sender.send(Process, process_id, command)))

    @get("/measurements", summary="What was measured of this process?")
    async def measurements(
        self,
        process_id: FromPath[UUID],
        who: NamedDependency[Who],
        connection: NamedDependency[Connection],
        measure: FromQuery[UUID | None] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Answer[Page[MeasurementShown]]:
        """List what was measured, of all measures or of one, oldest first."""
        refuse_guests(who)
        if await _performance.process(connection, who.organisation_id, process_id) is None:
            raise NotFound(kind="process", id=process_id)
        after = decode_cursor(cursor, date, UUID)
        rows = await _performance.measurements(
            connection,
            who.organisation_id,
            process_id,
            limit + 1,
            measure_id=measure,
            after=(after[0], after[1]) if after else None,
        )
        return found(page([measured.row_shown(row) for row in rows], limit, lambda one: (one.end, one.id)))

    @post("/measurements", summary="Store a measurement")
    async def measure(
        self,
        process_id: FromPath[UUID],
        data: JSONBody[ProcessMeasured],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[MeasurementShown]:
        """Store what was measured over some days. The team that owns the process, and administrators for machines."""
        outcome = await _measure_process(process_id, data, who, sender)
        return created(measured.shown(outcome.aggregate), await sender.receipt(outcome), f"/v1/processes/{process_id}")

    @post("/measurements:batch", summary="Store many measurements", status_code=200)
    async def measure_many(
        self,
        process_id: FromPath[UUID],
        data: JSONBody[Batch],
        who: NamedDependency[Who],
        sender: NamedDependency[Sender],
    ) -> Answer[BatchResults]:
        """Store many measurements; a bad one never rejects the others."""

        async def store(name: str, body: ProcessMeasured) -> Accepted:
            outcome = await _measure_process(process_id, body, who, sender, name)
            return Accepted(id=outcome.aggregate.id, location=f"/v1/processes/{process_id}", outcome=outcome)

        return await judge(data, ProcessMeasured, sender, store)


def own_team(who: Who) -> UUID:
    """The team that is meant when none is said: the caller's home team, else the first he leads."""
    if who.home_team_id is not None:
        return who.home_team_id
    if who.actor.leads:
        return min(who.actor.leads)
    raise Malformed(pointer="/team_id", detail="you are in no team: say which one")


async def _measure_process(
    process_id: UUID, body: ProcessMeasured, who: Who, sender: Sender, part: str | None = None
) -> Outcome[Measurement]:
    measurement_id = sender.new_id(f"measurement:{part}" if part else "stream")
    command = MeasureProcess(
        actor=who.actor,
        today=who.today,
        measurement_id=measurement_id,
        process_id=process_id,
        measure_id=body.measure_id,
        summary=body.summary,
        origin=body.origin,
        source=body.source,
    )
    return await sender.send(Measurement, measurement_id, command, part)


ROUTES = [processes, register, OneProcess]
