"""Does the line of sight answer over HTTP as it is promised?"""

from api.installation import ok


async def test_an_empty_organisation_has_no_chains_and_nothing_to_look_at(installation):
    admin = installation.administrator
    assert ok(await admin.get("/v1/line-of-sight")) == {"items": [], "next": None}
    assert ok(await admin.get("/v1/overview?lead=me")) == {
        "outcomes_without_learning": [],
        "learning_without_outcome": [],
        "waiting": [],
    }
