"""What do the demo company's figures say, week by week and month by month?"""

from collections.abc import Sequence
from datetime import date, time, timedelta
from random import Random

from lms.cli.demo.company import Company, Crew
from lms.cli.demo.script import Script
from lms.cli.demo.tales import METRICS, TALES, MetricTale, Tale, number
from lms.domain.measurement import Measurement, MeasureOutcome, MeasureProcess
from lms.domain.outcome_metric import DefineOutcomeMetric, OutcomeMetric
from lms.domain.process import Measure, OutcomeLink, Process, RegisterProcess
from lms.domain.terms import Origin, Summary
from lms.inference.summaries import pool


class Figures:
    """Tells what is measured: each process weekly, each outcome monthly. What it told can be asked again."""

    def __init__(self, script: Script, company: Company, chance: Random, first: date, last: date) -> None:
        self._script = script
        self._company = company
        self._chance = chance
        self.first = first
        self.last = last
        self.weekly: dict[str, list[Summary]] = {tale.key: [] for tale in TALES}
        self.monthly: dict[str, list[Summary]] = {metric.key: [] for metric in METRICS}

    def tell(self) -> None:
        """Add the steps of all figures."""
        for metric in METRICS:
            self._measure_outcome(metric)
        for tale in TALES:
            self._measure_process(tale)

    def changed_on(self, tale: Tale) -> date:
        """The Monday from which work runs the new way."""
        day = self.first + timedelta(days=int((self.last - self.first).days * tale.changes_at))
        return day - timedelta(days=day.weekday())

    def _measure_outcome(self, metric: MetricTale) -> None:
        script, actor = self._script, self._company.owner.actor
        metric_id = script.new_id(f"metric:{metric.key}")
        define = DefineOutcomeMetric(
            actor=actor,
            today=self.first,
            metric_id=metric_id,
            name=metric.name,
            unit=metric.unit,
            direction=metric.direction,
            measures=metric.measures,
        )
        script.add(self.first, OutcomeMetric, metric_id, define, at=time(11))
        turns = min((self.changed_on(tale) for tale in TALES if tale.metric == metric.key), default=self.last)
        start = self.first.replace(day=1)
        while (following := _next_month(start)) <= self.last:
            moved = min(max((start - turns).days / 90, 0), 1)
            mean = metric.before + (metric.after - metric.before) * moved
            noise = self._chance.gauss(0, metric.spread / metric.monthly_n**0.5)
            summary = Summary(
                value=number(mean + noise),
                n=metric.monthly_n + self._chance.randint(-50, 50),
                spread=number(metric.spread),
                start=start,
                end=following - timedelta(days=1),
            )
            self.monthly[metric.key].append(summary)
            measured = MeasureOutcome(
                actor=actor,
                today=following,
                measurement_id=script.new_id(f"metric:{metric.key}:{start}"),
                metric_id=metric_id,
                summary=summary,
                origin=Origin.SYSTEM,
                source="till and web shop",
            )
            script.add(following, Measurement, measured.measurement_id, measured, at=time(9))
            start = following

    def _measure_process(self, tale: Tale) -> None:
        script, crew = self._script, self._company.crews[tale.team]
        actor, process_id = crew.lead.actor, self._script.new_id(f"process:{tale.key}")
        measure = Measure(
            measure_id=self._script.new_id(f"measure:{tale.key}"),
            name=tale.measure,
            unit=tale.unit,
            direction=tale.direction,
        )
        links: tuple[OutcomeLink, ...] = ()
        if tale.metric is not None:
            link = OutcomeLink(
                link_id=self._script.new_id(f"link:{tale.key}"),
                measure_id=measure.measure_id,
                outcome_metric_id=script.new_id(f"metric:{tale.metric}"),
                hypothesis=tale.hypothesis,
                expected_lag_days=90,
            )
            links = (link,)
        register = RegisterProcess(
            actor=actor,
            today=self.first,
            process_id=process_id,
            name=tale.process,
            owner_team_id=crew.id,
            value_stream=crew.department,
            measures=(measure,),
            outcome_links=links,
        )
        reads = [script.new_id(f"metric:{tale.metric}")] if tale.metric else []
        script.add(self.first, Process, process_id, register, reads=reads, at=time(12))
        self._measure_weekly(tale, crew)

    def _measure_weekly(self, tale: Tale, crew: Crew) -> None:
        script, process_id, changed = self._script, self._script.new_id(f"process:{tale.key}"), self.changed_on(tale)
        monday = self.first + timedelta(days=-self.first.weekday() % 7)
        while monday + timedelta(days=7) <= self.last:
            mean = tale.before if monday < changed else tale.after
            n = max(6, round(self._chance.gauss(tale.weekly_n, tale.weekly_n / 10)))
            value = mean + self._chance.gauss(0, tale.spread / n**0.5)
            summary = Summary(
                value=number(value),
                n=n,
                spread=number(tale.spread * self._chance.uniform(0.9, 1.1)),
                start=monday,
                end=monday + timedelta(days=6),
            )
            self.weekly[tale.key].append(summary)
            measured = MeasureProcess(
                actor=crew.lead.actor,
                today=monday + timedelta(days=7),
                process_id=process_id,
                measurement_id=script.new_id(f"measured:{tale.key}:{monday}"),
                measure_id=self._script.new_id(f"measure:{tale.key}"),
                summary=summary,
                origin=Origin.SYSTEM,
                source="case system",
            )
            script.add(monday + timedelta(days=7), Measurement, measured.measurement_id, measured, reads=[process_id])
            monday += timedelta(days=7)

    def pooled(self, tale: Tale, start: date, end: date) -> Summary:
        """One summary of a process's weeks between two days."""
        return pooled([one for one in self.weekly[tale.key] if start <= one.start and one.end <= end])


def pooled(months: Sequence[Summary]) -> Summary:
    """One summary of several measurements. Raises ValueError when there is none: the history is too short."""
    found = pool(months)
    if found is None:
        raise ValueError("the history is too short: tell of at least twelve months")
    return found.summary


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
