"""How is a person forgotten, everywhere and for good?"""

from uuid import UUID

from lms.api.identities import Identities
from lms.dispatch import Dispatch, Outcome, Request
from lms.domain.contributor import Contributor, ForgetContributor
from lms.eventlog.subjects import Subjects


async def forget(
    dispatch: Dispatch, subjects: Subjects, identities: Identities, contributor_id: UUID, request: Request
) -> Outcome[Contributor]:
    """Destroy the person's key, say so in the log, and let nobody sign in as him. May be repeated after a crash.

    Raises NotFound, and NotAdministrator when somebody else asks.
    """
    organisation_id = request.organisation_id
    contributor = await dispatch.load(Contributor, organisation_id, contributor_id)
    command = ForgetContributor(actor=request.actor, today=request.today)
    if contributor is not None and (contributor.is_forgotten or contributor.may_be_forgotten_by(request.actor)):
        # The key goes first: were it last, a crash would leave texts of somebody whom the log calls forgotten.
        await subjects.forget(organisation_id, contributor_id)
    outcome = await dispatch.send(Contributor, contributor_id, command, request)
    await identities.clear(organisation_id, contributor_id)
    return outcome
