"""The baseline of the network figures: asyncio's own datagram transport, a table of futures, nothing else.

The client sends request bytes that were made beforehand, with a fresh TID written into them, and hands back
the answer whose TID is the same. It decodes nothing, checks nothing else and never asks again; the responder
answers everything with the same bytes and the asker's TID. Nothing here comes from Koatsu.
"""

from __future__ import annotations

import asyncio
import socket

__all__ = ["BareClient", "BareResponder", "patched"]

Address = tuple[str, int]
_BUFFER = 1 << 20  # as large as Koatsu's, or a thousand answers at once would not fit


def patched(data: bytes, tid: bytes) -> bytes:
    """``data`` with the two bytes of ``tid`` where the TID stands."""
    return data[:2] + tid + data[4:]


class BareResponder(asyncio.DatagramProtocol):
    """Answers each datagram with ``answer``, to where it came from."""

    def __init__(self, answer: bytes) -> None:
        self._head, self._rest = answer[:2], answer[4:]
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        self._transport.sendto(self._head + data[2:4] + self._rest, address)


class BareClient(asyncio.DatagramProtocol):
    """Asks and waits; make it with :meth:`open`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._tid = 0
        self._transport: asyncio.DatagramTransport | None = None
        self.sent = 0

    @classmethod
    async def open(cls, host: str, port: int) -> BareClient:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.bind((host, port))
        _, client = await asyncio.get_running_loop().create_datagram_endpoint(cls, sock=sock)
        return client

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, _address: Address) -> None:
        future = self._waiting.pop(data[2:4], None)
        if future is not None and not future.done():
            future.set_result(data)

    async def ask(self, request: bytes, address: Address) -> bytes:
        """Send ``request`` under a fresh TID; the answer's bytes."""
        self._tid = self._tid % 0xFFFF + 1
        tid = self._tid.to_bytes(2, "big")
        future = self._waiting[tid] = self._loop.create_future()
        self.sent += 1
        self._transport.sendto(request[:2] + tid + request[4:], address)
        return await future

    def close(self) -> None:
        self._transport.close()
