"""Does the demo show every state of the line of sight to those it is made for?"""

from collections.abc import AsyncIterator

import pytest

from api.installation import Client, Installation, ok, opened
from lms import clock
from lms.api.identities import Identities
from lms.cli.demo.run import CastMember, load_demo

STATES = {"evidenced", "reported", "asserted", "broken"}


@pytest.fixture
async def demo(database, tmp_path) -> AsyncIterator[dict[str, Client]]:
    """The demo company with a shorter history, and a client for each of its cast."""
    async with opened(database, tmp_path) as product:
        core = product.core
        claim = Identities(core.subjects, core.reads).claim_email
        cast = await load_demo(core.dispatch, people=200, months=14, now=clock.now(), claim=claim)
        assert await product.application.state.services.wait_for_position(await core.log.head(), 60)
        company = Installation(core, product.application, cast.organisation)

        def client(member: CastMember) -> Client:
            return company.client(member.id, *member.roles)

        yield {part: client(getattr(cast, part)) for part in ("manager", "employee", "analyst", "administrator")}


async def every(client: Client, path: str, **query: str) -> list[dict]:
    """All items of a list, page by page."""
    items: list[dict] = []
    cursor: dict[str, str] = {}
    while True:
        page = ok(await client.get(path, params={"limit": "200", **query, **cursor}))
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


async def test_the_demo_shows_every_state_of_a_chain_unlinked_goals_and_both_halves_of_the_overview(demo):
    chains = await every(demo["analyst"], "/v1/line-of-sight")
    missing = {code for chain in chains for code in chain["missing"]}
    assert {chain["state"] for chain in chains} == STATES
    assert missing == {"no-learning", "no-outcome"}
    whole = [chain for chain in chains if not chain["missing"]]
    assert any(chain["entries_n"] for chain in whole if chain["state"] == "evidenced")
    assert {link["verdict"] for chain in chains for link in chain["links"]} >= {"better", "worse", "no-clear-change"}

    levels = {goal["level"] for goal in await every(demo["manager"], "/v1/goals")}
    assert {"team", "business-model"} <= levels
    assert await every(demo["manager"], "/v1/goals", unlinked="true")
    overview = ok(await demo["manager"].get("/v1/overview", params={"lead": "me"}))
    assert overview["outcomes_without_learning"]
    assert overview["learning_without_outcome"]
    assert overview["waiting"] == []

    taken = await demo["administrator"].post(
        "/v1/contributors", json={"name": "Twice", "email": "alex.de.beheer@vanderveld.example"}
    )
    assert taken.status_code == 409
