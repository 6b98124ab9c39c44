"""What do people write at once, so that a server that dies has something of everything in flight?

A story is a few requests that follow from one another, each under an idempotency key of its own: it is told again from
its beginning as often as one likes and happens once.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any

import httpx
import msgspec

from lms import clock
from projections.engine import until

WRITERS = 16


class Stage(msgspec.Struct, frozen=True):
    """What stands before the stories begin: who tells them, and what they are about."""

    ada: str
    """Her token: she leads the team."""
    ann: str
    """The token of the colleague who is asked to attest."""
    ann_id: str
    metric: str
    process: str
    measure: str

    @property
    def day(self) -> date:
        """A day that is past wherever the organisation is."""
        return (clock.now() - timedelta(days=10)).date()


class Teller:
    """One story being told: sends its requests in order, and notes what was acknowledged under which key."""

    def __init__(self, client: httpx.AsyncClient, number: int, acknowledged: dict[str, str | None]) -> None:
        self.number = number
        self._client = client
        self._acknowledged = acknowledged
        self._steps = itertools.count(1)

    async def post(self, path: str, body: dict[str, Any], *, token: str | None = None) -> dict[str, Any]:
        """What the server answers; the same resource as last time, if this was acknowledged before."""
        key = f"{self.number}:{next(self._steps)}"
        headers = {"Idempotency-Key": key} | ({"Authorization": f"Bearer {token}"} if token else {})
        response = await self._client.post(path, json=body, headers=headers)
        assert response.is_success, f"{path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        assert self._acknowledged.setdefault(key, answer.get("id")) == answer.get("id"), f"{key} at {path} came twice"
        return answer


Story = Callable[[Teller, Stage], Awaitable[None]]


async def learn(teller: Teller, stage: Stage) -> None:
    """Somebody logs learning with one field."""
    await teller.post("/v1/me/learning", {"note": f"{teller.number}"})


async def aim(teller: Teller, stage: Stage) -> None:
    """A team aims at the metric, agrees, learns for the goal and checks in."""
    goal = await teller.post(
        "/v1/goals",
        {
            "level": "team",
            "title": f"Goal {teller.number}",
            "purpose": {"statement": "More come back", "process_id": stage.process},
            "key_results": [{"unit": "percent", "baseline": 31, "target": 36}],
            "align": [
                {
                    "to": {"outcome_metric_id": stage.metric},
                    "link_type": "contributes-to",
                    "hypothesis": "Who is heard comes back",
                }
            ],
        },
    )
    path = f"/v1/goals/{goal['id']}"
    await teller.post(f"{path}/agreement", {"on": str(stage.day), "how": "meeting", "participants_n": 4})
    await teller.post("/v1/me/learning", {"note": f"{teller.number}", "goal_id": goal["id"]})
    check_in = {
        "key_result_id": goal["key_results"][0]["id"],
        "value": 31 + teller.number % 5,
        "observed_on": str(stage.day),
        "confidence": 7,
        "narrative": "It moves",
    }
    await teller.post(f"{path}/check-ins", check_in)


async def measure(teller: Teller, stage: Stage) -> None:
    """A month's outcome and a week of the process are measured."""
    end = stage.day - timedelta(days=teller.number % 300)
    figures = {"n": 40, "spread": 5, "origin": "system", "end": str(end)}
    await teller.post(
        f"/v1/outcome-metrics/{stage.metric}/measurements",
        figures | {"value": 30 + teller.number % 7, "start": str(end - timedelta(days=27))},
    )
    await teller.post(
        f"/v1/processes/{stage.process}/measurements",
        figures | {"measure_id": stage.measure, "value": 40, "start": str(end - timedelta(days=6))},
    )


async def reach(teller: Teller, stage: Stage) -> None:
    """A competency is defined, shown, and attested by a colleague: a level is reached."""
    competency = await teller.post("/v1/competencies", {"label": f"competency {teller.number}"})
    skill = f"/v1/me/skills/{competency['id']}"
    evidence = await teller.post(f"{skill}/evidence", {"ref": f"call {teller.number}", "kind": "work-sample"})
    request = await teller.post(f"{skill}/requests", {"of": [stage.ann_id], "evidence": [evidence["id"]]})
    await teller.post(
        f"/v1/skills/{request['id']}/attestations", {"rank": 3, "basis": [evidence["id"]]}, token=stage.ann
    )


STORIES: Mapping[Story, Counter[str]] = {
    learn: Counter({"learning.logged": 1}),
    aim: Counter(
        {
            "goal.proposed": 1,
            "goal.key-result-defined": 1,
            "goal.aligned": 1,
            "goal.set": 1,
            "learning.logged": 1,
            "goal.progress-checked-in": 1,
        }
    ),
    measure: Counter({"outcome.measured": 1, "process.measured": 1}),
    reach: Counter(
        {
            "competency.defined": 1,
            "skill.evidence-submitted": 1,
            "skill.attestation-requested": 1,
            "skill.level-attested": 1,
            "skill.learned": 1,
        }
    ),
}
"""Each story with the events it leaves in the log when it was told to its end."""


class Load:
    """Writers that tell one story after the other until the server is gone."""

    def __init__(self, stage: Stage) -> None:
        self.acknowledged: dict[str, str | None] = {}
        """The key of each acknowledged request with the id it was answered."""
        self.begun: list[Story] = []
        """Every story in the order they were begun; its place is its number."""
        self._stage = stage

    async def write(self, client: httpx.AsyncClient) -> None:
        """Write until the server no longer answers."""
        await asyncio.gather(*(self._write(client) for _ in range(WRITERS)))

    async def tell_again(self, client: httpx.AsyncClient) -> None:
        """Tell every story again: what was not acknowledged happens now, or happened then, but once."""
        numbers = iter(range(len(self.begun)))

        async def some() -> None:
            for number in numbers:
                await self._tell(client, number)

        await asyncio.gather(*(some() for _ in range(WRITERS)))

    async def goes_on(self, requests_n: int) -> None:
        """Wait until so many more requests were acknowledged."""
        target = len(self.acknowledged) + requests_n

        async def are_acknowledged() -> bool:
            return len(self.acknowledged) >= target

        await until(are_acknowledged, f"{requests_n} more requests are acknowledged", 120)

    def events(self) -> Counter[str]:
        """What the stories leave in the log, by type."""
        return sum((STORIES[story] for story in self.begun), Counter())

    async def _write(self, client: httpx.AsyncClient) -> None:
        kinds = list(STORIES)
        while True:
            number = len(self.begun)
            self.begun.append(kinds[number % len(kinds)])
            try:
                await self._tell(client, number)
            except httpx.TransportError:
                return

    async def _tell(self, client: httpx.AsyncClient, number: int) -> None:
        await self.begun[number](Teller(client, number, self.acknowledged), self._stage)
