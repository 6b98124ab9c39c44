"""What do tests of the HTTP interface share?"""

from collections.abc import AsyncIterator

import pytest

from api.installation import Installation, opened


@pytest.fixture
async def installation(database, tmp_path) -> AsyncIterator[Installation]:
    """A founded organisation behind the real application."""
    async with opened(database, tmp_path) as found:
        yield found
