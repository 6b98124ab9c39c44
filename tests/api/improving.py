"""A service team with a process that should move repeat purchases, set up over HTTP."""

from typing import Any

import msgspec

from api.installation import Client, Installation, ok
from lms.domain.base import Role

HYPOTHESIS = "Who is helped at once comes back"
BEFORE = {"start": "2026-01-01", "end": "2026-01-31"}
AFTER = {"start": "2026-02-01", "end": "2026-02-28"}


class Desk(msgspec.Struct, frozen=True):
    """The service desk: its people, its process and the metric it should move."""

    installation: Installation
    team: str
    mira: Client
    noor: Client
    olaf: Client
    metric: str
    process: dict[str, Any]

    @property
    def measure(self) -> str:
        """The process's measure."""
        return str(self.process["measures"][0]["id"])

    @property
    def path(self) -> str:
        """Where the process stands."""
        return f"/v1/processes/{self.process['id']}"

    async def measured(self, value: float, window: dict[str, str] = BEFORE, **figures: Any) -> Any:
        """Store a measurement of the process."""
        body = {"measure_id": self.measure, "value": value, "n": 40, "spread": 6, "origin": "system"}
        return await self.mira.post(f"{self.path}/measurements", json=body | window | figures)

    async def measured_outcome(self, value: float, window: dict[str, str] = BEFORE, **figures: Any) -> Any:
        """Store a measurement of the metric."""
        body = {"value": value, "n": 5000, "spread": 0.48, "origin": "system"}
        path = f"/v1/outcome-metrics/{self.metric}/measurements"
        return await self.olaf.post(path, json=body | window | figures)

    async def competency(self, label: str) -> str:
        """Define a competency; its id."""
        return str(ok(await self.mira.post("/v1/competencies", json={"labels": {"en": label}}))["id"])

    async def opened(self, **facts: Any) -> Any:
        """Open an improvement of the process; its resource."""
        body = {"process_id": self.process["id"], "problem": "Customers tell their story twice", "on": "2026-01-20"}
        return ok(await self.mira.post("/v1/improvements", json=body | facts))


async def service_desk(installation: Installation) -> Desk:
    """Mira and Noor work at the service desk, Olaf is a business owner elsewhere."""
    team = await installation.team("Service desk")
    mira = await installation.person("Mira", team=team)
    noor = await installation.person("Noor", team=team)
    olaf = await installation.person("Olaf", Role.EMPLOYEE, Role.BUSINESS_OWNER)
    metric = ok(
        await olaf.post(
            "/v1/outcome-metrics",
            json={"name": "Repeat purchases", "unit": "ratio", "direction": "increase", "measures": "customer"},
        )
    )
    process = ok(
        await mira.post(
            "/v1/processes",
            json={
                "name": "Hand-over",
                "value_stream": "After sales",
                "measures": [{"name": "Hand-over time", "unit": "minutes", "direction": "decrease"}],
                "outcome_links": [
                    {"outcome_metric_id": metric["id"], "hypothesis": HYPOTHESIS, "expected_lag_days": 30}
                ],
            },
        )
    )
    return Desk(installation, team, mira, noor, olaf, str(metric["id"]), process)
