from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from domain.improving import (
    GUEST,
    HANDOVER,
    MEMBER,
    MINUTES,
    OWNER,
    REPEAT_PURCHASES,
    STRANGER,
    a_world,
    summary,
)
from domain.world import ADMINISTRATOR, DAY
from lms.domain.base import Malformed, NotFound
from lms.domain.measurement import (
    Measurement,
    MeasurementExists,
    MeasureOutcome,
    MeasureProcess,
    ReviseMeasurement,
)
from lms.domain.outcome_metric import NotYoursToMeasure
from lms.domain.process import NotYourProcess
from lms.domain.terms import Origin, Summary

THIS = UUID(int=900)
JANUARY = summary(31)


@pytest.fixture
def world():
    return a_world()


def measure(by=MEMBER, **changes):
    facts = {"measurement_id": THIS, "process_id": HANDOVER, "measure_id": MINUTES, "summary": JANUARY}
    return MeasureProcess(**by, **facts | {"origin": Origin.SYSTEM, "source": "desk"} | changes)


def measure_outcome(by=OWNER, **changes):
    facts = {"measurement_id": THIS, "metric_id": REPEAT_PURCHASES, "summary": JANUARY, "segment": "web"}
    return MeasureOutcome(**by, **facts | {"origin": Origin.COUNTED} | changes)


def revise(by, figures, **changes):
    facts = {name: getattr(figures, name) for name in ("value", "n", "spread", "start", "end")}
    return ReviseMeasurement(**by, **facts | changes)


def test_a_measurement_is_a_stream_of_its_own_dated_by_the_end_of_its_window(world):
    world.send(Measurement, THIS, measure())
    (event,) = world.told
    assert event == Measurement.ProcessMeasured(
        process_id=HANDOVER, measure_id=MINUTES, summary=JANUARY, origin=Origin.SYSTEM, source="desk"
    )
    assert getattr(event, event.DATED_BY) == JANUARY.end
    assert world.read == {HANDOVER: 3}


def test_the_team_and_administrators_measure_a_process_and_nobody_else(world):
    for other in (STRANGER, OWNER):
        with pytest.raises(NotYourProcess):
            world.send(Measurement, THIS, measure(other))
    with pytest.raises(NotFound):
        world.send(Measurement, THIS, measure(GUEST))
    world.send(Measurement, THIS, measure({"actor": ADMINISTRATOR, "today": DAY}))
    assert len(world.told) == 1


def test_only_a_measure_of_the_process_is_measured(world):
    with pytest.raises(NotFound):
        world.send(Measurement, THIS, measure(measure_id=UUID(int=1)))
    with pytest.raises(NotFound):
        world.send(Measurement, THIS, measure(process_id=UUID(int=1)))


def test_a_measurement_is_stored_once(world):
    world.send(Measurement, THIS, measure())
    with pytest.raises(MeasurementExists):
        world.send(Measurement, THIS, measure())


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (Summary(value=Decimal(1), start=DAY, end=DAY - timedelta(days=1)), "/end"),
        (Summary(value=Decimal(1), start=DAY, end=DAY + timedelta(days=1)), "/end"),
        (Summary(value=Decimal(1), n=0, start=DAY, end=DAY), "/n"),
        (Summary(value=Decimal(1), spread=Decimal(-1), start=DAY, end=DAY), "/spread"),
    ],
    ids=["ends before it starts", "not over yet", "no observation", "negative spread"],
)
def test_figures_that_cannot_be_are_refused(world, wrong, pointer):
    with pytest.raises(Malformed) as refused:
        world.send(Measurement, THIS, measure(summary=wrong))
    assert refused.value.facts["pointer"] == pointer


def test_a_revision_replaces_the_figures_and_keeps_what_it_does_not_say(world):
    world.send(Measurement, THIS, measure())
    right = summary(33, date(2026, 1, 1), date(2026, 1, 30))
    world.send(Measurement, THIS, revise(MEMBER, right, reason="Two days were counted twice"))
    (event,) = world.told
    assert event == Measurement.ProcessRevised(
        process_id=HANDOVER,
        measure_id=MINUTES,
        summary=right,
        origin=Origin.SYSTEM,
        source="desk",
        reason="Two days were counted twice",
    )
    assert event.end == right.end
    with pytest.raises(NotYourProcess):
        world.send(Measurement, THIS, revise(STRANGER, right))


def test_the_business_measures_its_metric_by_segment_and_counts_revisions(world):
    world.send(Measurement, THIS, measure_outcome())
    (measured,) = world.told
    assert (measured.segment, measured.end) == ("web", JANUARY.end)
    for revision in (1, 2):
        world.send(Measurement, THIS, ReviseMeasurement(**OWNER, value=Decimal(30 + revision)))
        (revised,) = world.told
        assert (revised.revision, revised.segment) == (revision, "web")
        assert revised.summary == Summary(value=Decimal(30 + revision), start=JANUARY.start, end=JANUARY.end)
    with pytest.raises(NotYoursToMeasure):
        world.send(Measurement, THIS, revise(MEMBER, JANUARY))


def test_a_metric_that_is_not_there_is_not_measured(world):
    with pytest.raises(NotFound):
        world.send(Measurement, THIS, measure_outcome(metric_id=UUID(int=1)))
    with pytest.raises(NotYoursToMeasure):
        world.send(Measurement, THIS, measure_outcome(MEMBER))


def test_what_was_never_measured_cannot_be_revised(world):
    with pytest.raises(NotFound):
        world.send(Measurement, THIS, revise(MEMBER, JANUARY))
