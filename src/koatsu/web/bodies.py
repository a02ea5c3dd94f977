"""What a request may carry: so many bytes, within so much time; the rest is never read.

How much that is depends on the address, by a table of the program. A limit holds however the length was
announced, or not at all. What waits for a body that does not come is ended, so that idle connections do not
gather. The answer is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["IMPORTS", "IMPORT_BYTES", "PLAIN_BYTES", "Body", "BodyLimit", "limit_of", "line_of"]

PLAIN_BYTES: Final = 64 * 1024
IMPORT_BYTES: Final = 10 * 1024 * 1024
_PLAIN_S: Final = 30.0
_FILE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimit:
    """What the addresses that end in ``suffix`` take: files of so many bytes."""

    suffix: str  #: begins with "/"
    size: int  #: bytes, of a file
    around: int = 0  #: bytes that the rest of its form may take

    def covers(self, path: str) -> bool:
        """Whether this is the limit of ``path``."""
        return path.rstrip("/").endswith(self.suffix)

    @property
    def mebibytes(self) -> str:
        """The size as people read it."""
        return f"{self.size / 1024**2:.1f}".removesuffix(".0")


IMPORTS: Final = (BodyLimit(suffix="/import", size=IMPORT_BYTES),)
"""The addresses that take files, where a program has no table of its own."""


def line_of(path: str, table: Sequence[BodyLimit] = IMPORTS) -> BodyLimit | None:
    """The line of ``table`` that ``path`` belongs to; ``None``: it takes no files."""
    return next((one for one in table if one.covers(path)), None)


def limit_of(path: str, table: Sequence[BodyLimit] = IMPORTS) -> int:
    """How many bytes a request to ``path`` may carry."""
    line = line_of(path, table)
    return PLAIN_BYTES if line is None else line.size + line.around


class Body:
    """The body of one request, read with a limit; passes a request on and says what became of it."""

    def __init__(self, scope: Scope, receive: Receive, table: Sequence[BodyLimit] = IMPORTS) -> None:
        self._receive = receive
        self.line = line_of(scope["path"], table)
        self._limit = limit_of(scope["path"], table)
        self._seconds = _PLAIN_S if self.line is None else _FILE_S
        self._announced = _length(Headers(scope=scope))
        self._read, self._whole = 0, False
        self._deadline: float | None = None
        self.refusal: str | None = None  #: "too_large" or "too_slow", once it is one of them

    async def pass_on(
        self, app: ASGIApp, scope: Scope, send: Send, refuse: Callable[[str], Awaitable[None]]
    ) -> None:
        """Let ``app`` answer, unless its request carries too much or comes too slowly: then ``refuse``."""
        if self._announced > self._limit:
            await refuse("too_large")
            return
        begun = False

        async def send_unless_refused(message: Message) -> None:
            nonlocal begun
            if self.refusal is None or begun:
                begun = True
                await send(message)

        await app(scope, self._next, send_unless_refused)
        if self.refusal is not None and not begun:
            await refuse(self.refusal)

    async def _next(self) -> Message:
        if self._whole:
            return await self._receive()  # whoever waits now waits for the other side to leave
        loop = asyncio.get_running_loop()
        self._deadline = self._deadline or loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            return self._ended("too_slow")
        self._read += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return self._ended("too_large") if self._read > self._limit else message

    def _ended(self, why: str) -> Message:
        self.refusal, self._whole = why, True
        return {"type": "http.disconnect"}  # for the application it is as if the other side had left


def _length(headers: Headers) -> int:
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
