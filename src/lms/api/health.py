"""Does the process live, may it be asked, and how is it doing?"""

from collections.abc import Iterator

import msgspec
from litestar import Request as HttpRequest
from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lms.api.deps import services_of
from lms.eventlog.metrics import Metrics
from lms.projections.status import ProjectionStatus, projection_status

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LEVELS = frozenset({"waiting", "waiting_bytes", "largest_batch"})
_LABELS = ("projection", "version", "slot")


class Ready(msgspec.Struct, frozen=True):
    """Whether the process is ready, and what it waits for."""

    ready: bool
    missing: tuple[str, ...] = ()


@get("/health/live", summary="Does the process live?", tags=["operations"])
async def live() -> dict[str, str]:
    """Answer whenever the process can answer at all."""
    return {"status": "alive"}


@get("/health/ready", summary="May the process be asked?", tags=["operations"])
async def ready(request: HttpRequest[object, object, State]) -> Response[Ready]:
    """Answer 200 when every read model has reached the head of start-up, due periods are closed and nothing stalls."""
    missing = await services_of(request).readiness.missing()
    return Response(Ready(not missing, tuple(missing)), status_code=503 if missing else 200)


@get("/metrics", summary="How is the process doing?", tags=["operations"])
async def metrics(request: HttpRequest[object, object, State]) -> Response[bytes]:
    """Give lag, parked events and the append path's counters in Prometheus' text format."""
    services = services_of(request)
    async with services.reads.acquire() as connection:
        builds = await projection_status(connection)
    registry = CollectorRegistry()
    _export_builds(registry, builds)
    registry.register(_Counters(services.log_metrics))
    return Response(generate_latest(registry), media_type=METRICS_TYPE)


def _export_builds(registry: CollectorRegistry, builds: list[ProjectionStatus]) -> None:
    head = Gauge("lms_log_head", "Last position of the log", registry=registry)
    gauges = {
        "position": Gauge("lms_projection_position", "Last event in the projection", _LABELS, registry=registry),
        "lag_events": Gauge("lms_projection_lag_events", "Events not in it yet", _LABELS, registry=registry),
        "lag_seconds": Gauge("lms_projection_lag_seconds", "Age of the oldest of these", _LABELS, registry=registry),
        "parked": Gauge("lms_projection_parked", "Events it goes on without", _LABELS, registry=registry),
    }
    state = Gauge("lms_projection_state", "1 for the state it is in", (*_LABELS, "state"), registry=registry)
    for build in builds:
        head.set(build.head)
        labels = (build.name, str(build.version), build.slot)
        for name, gauge in gauges.items():
            gauge.labels(*labels).set(getattr(build, name))
        state.labels(*labels, build.state.value).set(1)


class _Counters(Collector):
    """The append path's counters and levels, as Prometheus collects them."""

    def __init__(self, counters: Metrics) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, value in msgspec.structs.asdict(self._counters).items():
            exported = f"lms_log_{name.removesuffix('_s')}_seconds" if name.endswith("_s") else f"lms_log_{name}"
            family = GaugeMetricFamily if name in _LEVELS else CounterMetricFamily
            yield family(exported, f"Append path of this process: {name}", value=value)


ROUTES = [live, ready, metrics]
