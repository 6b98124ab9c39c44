"""How far has the log got, and who waits for more?"""

import asyncio


class Head:
    """The last position known to this process; it only grows."""

    def __init__(self, position: int = 0) -> None:
        self.position = position
        self._waiting: dict[asyncio.Future[None], int] = {}

    def advance(self, position: int) -> None:
        """Note that the log has got to ``position`` and wake who waits for it."""
        if position <= self.position:
            return
        self.position = position
        for future, beyond in list(self._waiting.items()):
            if beyond < position and not future.done():
                future.set_result(None)

    async def wait_beyond(self, position: int, wait_s: float) -> bool:
        """Wait until the head is beyond ``position``; False when the time ran out."""
        if self.position > position:
            return True
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = position
        try:
            await asyncio.wait((future,), timeout=wait_s)
        finally:
            del self._waiting[future]
            future.cancel()
        return self.position > position
