"""What is sent about a process, and how does one look?"""

from collections.abc import Iterable
from typing import Annotated
from uuid import UUID

import msgspec

from lms.api.bodies import Body
from lms.api.measurements import Measured, MeasurementShown
from lms.domain.base import Malformed
from lms.domain.process import HandOff, Measure, OutcomeLink, Process
from lms.domain.terms import Direction
from lms.projections.process_performance import Improved, ProcessRow


class NewMeasure(Body, frozen=True, kw_only=True):
    """A figure of the process and which way is better."""

    name: Annotated[str, msgspec.Meta(examples=["Hand-over time"])]
    unit: Annotated[str, msgspec.Meta(examples=["minutes"])]
    direction: Annotated[Direction, msgspec.Meta(examples=["decrease"])]


class NewOutcomeLink(Body, frozen=True, kw_only=True):
    """The belief that a measure moves an outcome metric, and after how many days it should show."""

    measure_id: UUID
    outcome_metric_id: UUID
    hypothesis: Annotated[str, msgspec.Meta(examples=["Who is helped at once comes back"])]
    expected_lag_days: Annotated[int | None, msgspec.Meta(examples=[90])] = None


class InlineOutcomeLink(Body, frozen=True, kw_only=True):
    """The same for a measure of this body, by its name; without one, the first."""

    measure: Annotated[str | None, msgspec.Meta(examples=["Hand-over time"])] = None
    outcome_metric_id: UUID
    hypothesis: Annotated[str, msgspec.Meta(examples=["Who is helped at once comes back"])]
    expected_lag_days: Annotated[int | None, msgspec.Meta(examples=[90])] = None


class NewProcess(Body, frozen=True, kw_only=True):
    """A process of a team (the caller's home team, else the first he leads), with measures and links at once."""

    name: Annotated[str, msgspec.Meta(examples=["Hand-over to the service desk"])]
    team_id: UUID | None = None
    value_stream: Annotated[str | None, msgspec.Meta(examples=["After sales"])] = None
    measures: tuple[NewMeasure, ...] = ()
    outcome_links: tuple[InlineOutcomeLink, ...] = ()


class NewHandOff(Body, frozen=True, kw_only=True):
    """Where work passes from one to another, and what is passed."""

    from_step: Annotated[str, msgspec.Meta(examples=["Intake"])] = msgspec.field(name="from")
    to_step: Annotated[str, msgspec.Meta(examples=["Service desk"])] = msgspec.field(name="to")
    artefact: Annotated[str, msgspec.Meta(examples=["Case form"])]


class ProcessMeasured(Measured, frozen=True, kw_only=True):
    """A value of a measure over some days."""

    measure_id: UUID


class MeasureShown(msgspec.Struct, frozen=True, kw_only=True):
    """A measure; ``latest`` is there when the process is shown alone."""

    id: UUID
    name: str
    unit: str
    direction: Direction
    latest: MeasurementShown | None = None
    next: tuple[str, ...] = ()


class HandOffShown(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-off."""

    id: UUID
    from_step: str = msgspec.field(name="from")
    to_step: str = msgspec.field(name="to")
    artefact: str
    next: tuple[str, ...] = ()


class OutcomeLinkShown(msgspec.Struct, frozen=True, kw_only=True):
    """A link; what stands behind it is at ``/v1/links/{id}``."""

    id: UUID
    measure_id: UUID
    outcome_metric_id: UUID
    hypothesis: str
    expected_lag_days: int | None
    next: tuple[str, ...] = ("evidence", "alternatives")


class ProcessShown(msgspec.Struct, frozen=True, kw_only=True):
    """A process with its parts, and when improvements made it better beyond doubt."""

    id: UUID
    name: str
    team_id: UUID
    value_stream: str | None
    measures: list[MeasureShown]
    hand_offs: list[HandOffShown]
    outcome_links: list[OutcomeLinkShown]
    improved: list[Improved]
    next: tuple[str, ...]


def measure_of(body: NewMeasure, measure_id: UUID) -> Measure:
    """The measure a body describes."""
    return Measure(measure_id=measure_id, name=body.name, unit=body.unit, direction=body.direction)


def measure_named(name: str | None, measures: tuple[Measure, ...], pointer: str) -> UUID:
    """The measure of that name; without a name the first."""
    for measure in measures:
        if name is None or measure.name == name:
            return measure.measure_id
    raise Malformed(pointer=f"{pointer}/measure", detail="no measure of this body has that name")


def shown(process: Process) -> ProcessShown:
    """A process just written."""
    return _parts_shown(process.id, process, process.measures.values(), process.links.values(), {})


def row_shown(row: ProcessRow, latest: dict[UUID, MeasurementShown] | None = None) -> ProcessShown:
    """A process as the read model holds it, with the latest value of its measures where known."""
    shown_process = _parts_shown(row.process_id, row, row.measures, row.outcome_links, latest or {})
    return msgspec.structs.replace(shown_process, improved=list(row.improved))


def _parts_shown(
    process_id: UUID,
    process: Process | ProcessRow,
    measures: Iterable[Measure],
    links: Iterable[OutcomeLink],
    latest: dict[UUID, MeasurementShown],
) -> ProcessShown:
    shown_measures = [measure_shown(one, latest=latest.get(one.measure_id)) for one in measures]
    shown_links = [link_shown(one) for one in links]
    missing = {"measures": not shown_measures, "outcome-links": not shown_links}
    return ProcessShown(
        id=process_id,
        name=process.name,
        team_id=process.owner_team_id,
        value_stream=process.value_stream,
        measures=shown_measures,
        hand_offs=[hand_off_shown(one) for one in process.hand_offs],
        outcome_links=shown_links,
        improved=[],
        next=tuple(code for code, absent in missing.items() if absent),
    )


def measure_shown(
    measure: Measure, missing: tuple[str, ...] = (), latest: MeasurementShown | None = None
) -> MeasureShown:
    """A measure as answers show it."""
    return MeasureShown(
        id=measure.measure_id,
        name=measure.name,
        unit=measure.unit,
        direction=measure.direction,
        latest=latest,
        next=missing,
    )


def hand_off_shown(hand_off: HandOff) -> HandOffShown:
    """A hand-off as answers show it."""
    return HandOffShown(
        id=hand_off.hand_off_id, from_step=hand_off.from_step, to_step=hand_off.to_step, artefact=hand_off.artefact
    )


def link_shown(link: OutcomeLink) -> OutcomeLinkShown:
    """A link as answers show it."""
    return OutcomeLinkShown(
        id=link.link_id,
        measure_id=link.measure_id,
        outcome_metric_id=link.outcome_metric_id,
        hypothesis=link.hypothesis,
        expected_lag_days=link.expected_lag_days,
    )
