"""How does work run, by what is it measured, and which outcome should it move?"""

from datetime import date
from typing import assert_never
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from lms.domain.base import Actor, Aggregate, Command, Forbidden, NotFound, Others, Role, RuleBroken
from lms.domain.effect import Effect
from lms.domain.outcome_metric import OutcomeMetric
from lms.domain.team import Team
from lms.domain.terms import Direction, check_lag, check_text, check_unit


class Measure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure of the process and which way is better."""

    measure_id: UUID
    name: str
    unit: str
    direction: Direction


class HandOff(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_step": "from", "to_step": "to"}
):
    """Where work passes from one to another, and what is passed."""

    hand_off_id: UUID
    from_step: str
    to_step: str
    artefact: str


class OutcomeLink(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The belief that a measure moves an outcome metric, and after how many days it should show."""

    link_id: UUID
    measure_id: UUID
    outcome_metric_id: UUID
    hypothesis: str
    expected_lag_days: int | None = None


class ProcessExists(RuleBroken):
    """The process is registered already."""


class MeasureExists(RuleBroken):
    """The measure is defined already."""


class AlreadyLinked(RuleBroken):
    """This measure is linked to this outcome metric already."""


class NotYourProcess(Forbidden):
    """Only the team that owns the process, a business owner or an administrator may do this."""


class Process(Aggregate):
    """A process with its measures, hand-offs and links; its measurements are streams of their own."""

    TOPIC = "process"

    class Registered(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A team owns this process."""

        TOPIC = "process.registered"
        name: str
        owner_team_id: UUID
        value_stream: str | None = None

    class HandOffDefined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """Work passes here from one to another."""

        TOPIC = "process.hand-off-defined"
        hand_off: HandOff

    class MeasureDefined(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The process is measured by this."""

        TOPIC = "process.measure-defined"
        measure: Measure

    class OutcomeLinked(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A measure should move an outcome metric."""

        TOPIC = "process.outcome-linked"
        link: OutcomeLink

    class OutcomeUnlinked(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """The belief was given up."""

        TOPIC = "process.outcome-unlinked"
        link_id: UUID

    class Improved(Aggregate.Event, frozen=True, kw_only=True, omit_defaults=True):
        """A result was better beyond doubt (invariant 9); ``on`` is the first day of the after-window."""

        TOPIC = "process.improved"
        DATED_BY = "on"
        improvement_id: UUID
        measure_id: UUID
        on: date
        effect: Effect

    def may_measure(self, actor: Actor) -> bool:
        """Tell whether the actor may measure: the team's lead and members, and administrators for machines."""
        return self.owner_team_id in actor.leads | actor.member_of or actor.has(Role.ADMINISTRATOR)

    def may_shape(self, actor: Actor) -> bool:
        """Tell whether the actor may define measures and links."""
        return self.may_measure(actor) or actor.has(Role.BUSINESS_OWNER)

    def measure(self, measure_id: UUID) -> Measure:
        """The measure, or the refusal `NotFound`."""
        if measure_id not in self.measures:
            raise NotFound(measure=measure_id)
        return self.measures[measure_id]

    def define_measure(self, measure: Measure) -> None:
        """Add a measure in a unit of the closed list."""
        check_text(measure.name, "/name", limit=300)
        check_unit(measure.unit, "/unit")
        if measure.measure_id in self.measures:
            raise MeasureExists(measure_id=measure.measure_id)
        self.record(Process.MeasureDefined(measure=measure))

    def link_outcome(self, link: OutcomeLink, others: Others) -> None:
        """Believe that a measure moves an outcome metric."""
        check_text(link.hypothesis, "/hypothesis")
        check_lag(link.expected_lag_days, "/expected_lag_days")
        self.measure(link.measure_id)
        others.get(OutcomeMetric, link.outcome_metric_id)
        ends = (link.measure_id, link.outcome_metric_id)
        if any((one.measure_id, one.outcome_metric_id) == ends for one in self.links.values()):
            raise AlreadyLinked(process_id=self.id, measure_id=link.measure_id)
        self.record(Process.OutcomeLinked(link=link))

    @event(Registered)
    def _registered(self, name: str, owner_team_id: UUID, value_stream: str | None) -> None:
        self.name, self.owner_team_id, self.value_stream = name, owner_team_id, value_stream
        self.measures: dict[UUID, Measure] = {}
        self.links: dict[UUID, OutcomeLink] = {}
        self.hand_offs: tuple[HandOff, ...] = ()

    @event(HandOffDefined)
    def _hand_off_defined(self, hand_off: HandOff) -> None:
        self.hand_offs = (*self.hand_offs, hand_off)

    @event(MeasureDefined)
    def _measure_defined(self, measure: Measure) -> None:
        self.measures = {**self.measures, measure.measure_id: measure}

    @event(OutcomeLinked)
    def _outcome_linked(self, link: OutcomeLink) -> None:
        self.links = {**self.links, link.link_id: link}

    @event(OutcomeUnlinked)
    def _outcome_unlinked(self, link_id: UUID) -> None:
        self.links = {key: link for key, link in self.links.items() if key != link_id}

    @event(Improved)
    def _improved(self, on: date) -> None:
        self.improved_on = on


class RegisterProcess(Command, frozen=True, kw_only=True):
    """Say which team owns a process, by what it is measured and which outcomes it should move."""

    process_id: UUID
    name: str
    owner_team_id: UUID
    value_stream: str | None = None
    measures: tuple[Measure, ...] = ()
    outcome_links: tuple[OutcomeLink, ...] = ()


class DefineMeasure(Command, frozen=True, kw_only=True):
    """Measure the process by one figure more."""

    measure: Measure


class DefineHandOff(Command, frozen=True, kw_only=True):
    """Say where work passes from one to another."""

    hand_off: HandOff


class LinkOutcome(Command, frozen=True, kw_only=True):
    """Believe that a measure moves an outcome metric."""

    link: OutcomeLink


class UnlinkOutcome(Command, frozen=True, kw_only=True):
    """Give that belief up."""

    link_id: UUID


ProcessCommand = RegisterProcess | DefineMeasure | DefineHandOff | LinkOutcome | UnlinkOutcome


def handle(process: Process | None, command: ProcessCommand, others: Others) -> Process:
    """Decide what a command does to a process."""
    if isinstance(command, RegisterProcess):
        if process is not None:
            raise ProcessExists(process_id=process.id)
        return _register(command, others)
    if process is None or command.actor.has(Role.GUEST):
        raise NotFound(process=process.id if process else None)
    if not process.may_shape(command.actor):
        raise NotYourProcess(process_id=process.id)
    match command:
        case DefineMeasure(measure=measure):
            process.define_measure(measure)
        case DefineHandOff(hand_off=hand_off):
            for name, text in (("from", hand_off.from_step), ("to", hand_off.to_step), ("artefact", hand_off.artefact)):
                check_text(text, f"/{name}", limit=300)
            process.record(Process.HandOffDefined(hand_off=hand_off))
        case LinkOutcome(link=link):
            process.link_outcome(link, others)
        case UnlinkOutcome(link_id=link_id):
            if link_id not in process.links:
                raise NotFound(link=link_id)
            process.record(Process.OutcomeUnlinked(link_id=link_id))
        case _:
            assert_never(command)
    return process


def _register(command: RegisterProcess, others: Others) -> Process:
    check_text(command.name, "/name", limit=300)
    process = Process.blank(command.process_id)
    process.record(
        Process.Registered(name=command.name, owner_team_id=command.owner_team_id, value_stream=command.value_stream)
    )
    if not process.may_shape(command.actor):
        raise NotYourProcess(process_id=process.id)
    if command.owner_team_id not in command.actor.leads | command.actor.member_of:
        others.get(Team, command.owner_team_id)
    for measure in command.measures:
        process.define_measure(measure)
    for link in command.outcome_links:
        process.link_outcome(link, others)
    return process
