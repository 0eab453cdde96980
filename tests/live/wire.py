"""A wire between a client and a server that a test can cut: a real TCP proxy on 127.0.0.1."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Wire:
    """Passes bytes on; while `deaf`, what the server says is dropped on the floor."""

    target: int
    deaf: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers += [writer, back]
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer, answers=True))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if answers and self.deaf:
                    self.heard.set()
                    continue
                writer.write(data)
                await writer.drain()
            writer.close()

    def say(self, line: bytes) -> None:
        """Say something to the clients as if it were the server."""
        for client in self._writers[::2]:
            client.write(line)

    def cut(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()


@asynccontextmanager
async def wired(target: int) -> AsyncIterator[Wire]:
    """A wire to a port of 127.0.0.1."""
    wire = Wire(target)
    server = await asyncio.start_server(wire.connected, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        wire.cut()
        server.close()
