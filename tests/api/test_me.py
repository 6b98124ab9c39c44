from api.installation import ok


async def test_the_administrator_of_a_new_installation_sees_who_he_is(installation):
    me = ok(await installation.administrator.get("/v1/me"))
    assert me["name"] == "Ada"
