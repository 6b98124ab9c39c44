"""Which figures are there for analysts, what do they count, and how do they leave as files?"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from litestar import Request as HttpRequest
from litestar import get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from lms.api.answers import Answer, found
from lms.api.deps import Connection, Who, services_of
from lms.domain.base import NotFound, Role
from lms.projections.bi.datasets import Dataset, as_csv, as_parquet, datasets

_FORMATS = {"csv": (as_csv, "text/csv"), "parquet": (as_parquet, "application/vnd.apache.parquet")}


class Datasets(msgspec.Struct, frozen=True):
    """The data dictionary."""

    items: list[Dataset]


@get("/v1/datasets", summary="Which figures are there, and what do they count?", tags=["datasets"])
async def data_dictionary(who: NamedDependency[Who], connection: NamedDependency[Connection]) -> Answer[Datasets]:
    """List the tables of the star schema with their columns. Analysts, business owners, administrators."""
    _refuse_others(who)
    return found(Datasets(await datasets(connection)))


@get("/v1/datasets/{file:str}", summary="Take a table as a file", tags=["datasets"])
async def dataset_file(
    request: HttpRequest[Any, Any, State],
    file: FromPath[str],
    who: NamedDependency[Who],
    connection: NamedDependency[Connection],
) -> Stream:
    """Send the organisation's rows of a table as ``name.csv`` or ``name.parquet``."""
    _refuse_others(who)
    name, _, form = file.rpartition(".")
    dataset = next((one for one in await datasets(connection) if one.name == name), None)
    if dataset is None or form not in _FORMATS:
        raise NotFound(file=file)
    write, media_type = _FORMATS[form]
    reads = services_of(request).reads

    async def pieces() -> AsyncIterator[bytes]:
        # The handler's connection goes back before the answer is sent; the file has its own.
        async with reads.acquire() as own, aclosing(write(own, who.organisation_id, dataset)) as written:
            async for piece in written:
                yield piece

    return Stream(pieces, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{file}"'})


def _refuse_others(who: Who) -> None:
    who.require(Role.ANALYST, Role.BUSINESS_OWNER, Role.ADMINISTRATOR)


ROUTES = [data_dictionary, dataset_file]
