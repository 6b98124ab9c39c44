"""Does a new installation show a complete chain after at most ten calls, as the README promises?"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from api.installation import Client, Installation, ok, seen
from lms import clock

TODAY = clock.now().astimezone(ZoneInfo("Europe/Amsterdam")).date()
CHANGED = TODAY - timedelta(days=84)


class Counting:
    """Sends the administrator's calls and counts them."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.calls_n = 0
        self.last: dict[str, str] = {}

    async def post(self, path: str, body: dict) -> dict:
        response = await self.client.post(path, json=body)
        self.calls_n += 1
        found = ok(response)
        self.last = seen(response)
        return found


def weeks(measure_id: str, first: date, values: list[float]) -> list[dict]:
    """One measurement a week from a day on."""
    return [
        {
            "measure_id": measure_id,
            "value": value,
            "n": 40,
            "spread": 12,
            "start": str(first + timedelta(weeks=week)),
            "end": str(first + timedelta(weeks=week, days=6)),
            "origin": "system",
            "source": "case system",
        }
        for week, value in enumerate(values)
    ]


def months(first: date, values: list[float]) -> list[dict]:
    """One measurement every 28 days from a day on."""
    return [
        {
            "value": value,
            "n": 900,
            "start": str(first + timedelta(days=28 * n)),
            "end": str(first + timedelta(days=28 * n + 27)),
            "origin": "system",
            "source": "order system",
        }
        for n, value in enumerate(values)
    ]


async def test_one_complete_chain_takes_ten_calls(installation: Installation) -> None:
    calls = Counting(installation.administrator)
    before = CHANGED - timedelta(weeks=8)

    await calls.post("/v1/teams", {"name": "Service desk", "lead": "me"})
    metric = await calls.post(
        "/v1/outcome-metrics",
        {"name": "Complaints per 1,000 orders", "unit": "complaints", "direction": "decrease", "measures": "customer"},
    )
    await calls.post(
        f"/v1/outcome-metrics/{metric['id']}/measurements:batch",
        {"items": months(TODAY - timedelta(days=28 * 6), [14.1, 14.4, 13.9, 12.0, 11.8, 11.6])},
    )
    process = await calls.post(
        "/v1/processes",
        {
            "name": "Hand-over of a case",
            "measures": [{"name": "Hand-over time", "unit": "minutes", "direction": "decrease"}],
            "outcome_links": [{"outcome_metric_id": metric["id"], "hypothesis": "Nobody likes to tell it twice."}],
        },
    )
    measure_id = process["measures"][0]["id"]
    await calls.post(
        f"/v1/processes/{process['id']}/measurements:batch",
        {
            "items": weeks(measure_id, before, [42, 44, 41, 43, 45, 42, 40, 43])
            + weeks(measure_id, CHANGED, [30, 29, 31] * 4)
        },
    )
    goal = await calls.post(
        "/v1/goals",
        {
            "level": "team",
            "title": "Hand over a case so that nobody asks twice",
            "purpose": {"statement": "A customer tells his story once", "process_id": process["id"]},
            "key_results": [
                {
                    "title": "Complaints",
                    "metric_id": metric["id"],
                    "unit": "complaints",
                    "direction": "decrease",
                    "baseline": {"value": 14.1, "start": str(before), "end": str(CHANGED)},
                    "target": 11,
                }
            ],
            "align": [
                {
                    "to": {"outcome_metric_id": metric["id"]},
                    "link_type": "contributes-to",
                    "hypothesis": "Fewer questions, fewer complaints.",
                }
            ],
        },
    )
    await calls.post(f"/v1/goals/{goal['id']}/agreement", {"on": str(TODAY), "how": "meeting", "participants_n": 4})
    learned = await calls.post(
        "/v1/me/learning",
        {
            "note": "wrote a hand-over card with five fields",
            "goal_id": goal["id"],
            "learned_on": str(CHANGED - timedelta(days=10)),
        },
    )
    improvement = await calls.post(
        "/v1/improvements",
        {
            "process_id": process["id"],
            "goal_id": goal["id"],
            "problem": "The next person asks everything again.",
            "on": str(CHANGED - timedelta(days=14)),
        },
    )
    result = await calls.post(
        f"/v1/improvements/{improvement['id']}/result",
        {
            "measure_id": measure_id,
            "before": {"start": str(before), "end": str(CHANGED - timedelta(days=1))},
            "after": {"start": str(CHANGED), "end": str(TODAY - timedelta(days=1))},
        },
    )

    assert calls.calls_n <= 10
    assert result["result"]["effect"]["verdict"] == "better"
    assert learned["id"]
    sight = ok(await installation.administrator.get("/v1/line-of-sight", headers=calls.last))
    chain = next(one for one in sight["items"] if any(link["to"]["id"] == metric["id"] for link in one["links"]))
    assert chain["from"]["label"] == "Hand over a case so that nobody asks twice"
    assert [link["may_say"] for link in chain["links"]] == [
        "expected to contribute",
        "changed after",
        "expected to contribute",
    ]
    assert (chain["state"], chain["weakest"]["grade"]) == ("asserted", 0)
