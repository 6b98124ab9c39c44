"""How does a running server take connections over TCP, asked for after it was started?

PostgreSQL opens its ports when it starts. Until the next start the process that runs it passes bytes on from the
address asked for to the server's socket, so that nobody's session is cut for it.
"""

import asyncio
import contextlib

import structlog

_CHUNK = 1 << 16

log = structlog.get_logger(__name__)


class Relay:
    """Passes connections on to a socket; follows the address that it is told."""

    def __init__(self) -> None:
        self._address: tuple[str, int] | None = None
        self._socket = ""
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()

    async def follow(self, address: tuple[str, int] | None, socket: str) -> None:
        """Listen on this address from now on, on none if None. An address that cannot be had is logged once."""
        self._socket = socket
        if address == self._address:
            return
        await self.close()
        self._address = address
        if address is None:
            return
        try:
            self._server = await asyncio.start_server(self._pass_on, *address)
        except OSError as error:
            log.warning("cannot listen for BI tools", host=address[0], port=address[1], reason=str(error))

    async def close(self) -> None:
        """Listen no more, and end what was passed on."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)
        self._address = None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._busy.add(task)
        try:
            behind_reader, behind_writer = await asyncio.open_unix_connection(self._socket)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_copy(reader, behind_writer))
                    both.create_task(_copy(behind_reader, writer))
            finally:
                behind_writer.close()
        except (OSError, ExceptionGroup):
            pass  # either side hung up
        finally:
            self._busy.discard(task)
            with contextlib.suppress(OSError):
                writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()
    target.write_eof()
