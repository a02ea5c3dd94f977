"""How far the histories have been read back, for whoever started the program: a bar, or a line a minute.

A bar where a person watches a terminal, drawn below the lines of the log; elsewhere a line of the log. The
page says the same. What is over in some seconds, as every night, is not worth either.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TextIO, cast

from rich.console import Console
from rich.file_proxy import FileProxy
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from koatsu.app.logs import terminal
from koatsu.ems.live import Listener, RecoveryState
from koatsu.ems.view_models import RecoveryView
from koatsu.errors import KoatsuError
from koatsu.web.notation import age, clock_time
from koatsu.web.texts import texts

__all__ = ["RecoverySource", "recovery_told"]

log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 0.5  #: a hundred meters tell of a new day many times a second
_LINE_EVERY_S: Final = 60.0
_LINE_AFTER_S: Final = 10.0
_BAR_AFTER_S: Final = 2.0
_DRAWN_A_SECOND: Final = 2.0


class RecoverySource(Protocol):
    """Whoever knows how far the recoveries are."""

    def recovery(self) -> Sequence[RecoveryView]:
        """How far each meter is."""
        ...

    def clock_now(self) -> datetime:
        """The present instant of the sites' clock."""
        ...

    def listen(self) -> Listener:
        """A new listener to the signals."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """Where all recoveries that are running stand together; ``left`` is the longest of what is expected."""

    meters: int
    done: int
    total: int
    left: timedelta | None
    at: datetime

    def sentence(self, lang: str) -> str:
        """What stands in the log."""
        left = self.expected(lang)
        if lang == "ja":
            whose = f"履歴の回収(計器 {self.meters} 台)" if self.meters > 1 else "履歴の回収"
            return f"{whose}: {self.total:,} 日のうち {self.done:,} 日" + (f"、{left}" if left else "")
        whose = f"histories of {self.meters} meters" if self.meters > 1 else "histories"
        return f"{whose}: {self.done:,} of {self.total:,} days read" + (f", {left}" if left else "")

    def expected(self, lang: str) -> str:
        """How long it will last and when it will end; empty while nobody can tell."""
        if self.left is None:
            return ""
        t = texts(lang)
        return t("recovery.eta", age=age(self.left, t), time=clock_time(self.at + self.left))


@asynccontextmanager
async def recovery_told(
    source: RecoverySource, lang: str, *, every_s: float = _LINE_EVERY_S, after_s: float | None = None
) -> AsyncIterator[None]:
    """Tell how far recoveries are while the block is open.

    Args:
        source: who knows.
        lang: "ja" or "en".
        every_s: real seconds between two lines of the log.
        after_s: real seconds that a recovery has to last before it is told at all; some by default.
    """
    watched = terminal()
    shown = _Lines(lang, every_s) if watched is None else _Bar(lang, watched)
    if after_s is None:
        after_s = _LINE_AFTER_S if watched is None else _BAR_AFTER_S
    listener = source.listen()
    task = asyncio.create_task(_tell(source, listener, shown, after_s), name="the course of recoveries")
    try:
        yield
    finally:
        listener.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        shown.end()


async def _tell(source: RecoverySource, listener: Listener, shown: _Lines | _Bar, after_s: float) -> None:
    now, begun = asyncio.get_running_loop().time, None
    async for signal in listener:
        if signal.kind != "recovery":
            continue
        try:
            views = await asyncio.to_thread(source.recovery)
        except KoatsuError:
            continue  # the store, of which the collectors tell
        course = _course(views, source.clock_now())
        if course is None:
            begun = None
            shown.end()
        else:
            begun = now() if begun is None else begun
            if now() - begun >= after_s:
                shown.show(course, now())
        await asyncio.sleep(LOOK_EVERY_S)


def _course(views: Iterable[RecoveryView], at: datetime) -> _Course | None:
    running = [view for view in views if view.state == RecoveryState.RUNNING]
    if not running:
        return None
    expected = [timedelta(seconds=view.eta_s) for view in running if view.eta_s is not None]
    return _Course(
        meters=len(running),
        done=sum(view.days_done for view in running),
        total=sum(view.days_total for view in running),
        left=max(expected, default=None),
        at=at,
    )


class _Lines:
    """Lines of the log, one in ``every_s``."""

    def __init__(self, lang: str, every_s: float) -> None:
        self._lang, self._every_s = lang, every_s
        self._last: float | None = None

    def show(self, course: _Course, now: float) -> None:
        if self._last is not None and now - self._last < self._every_s:
            return
        self._last = now
        left = None if course.left is None else course.left // timedelta(seconds=1)
        fields = {"days_done": course.done, "days_total": course.total, "left_s": left}
        log.info("%s", course.sentence(self._lang), extra=fields)

    def end(self) -> None:
        pass  # that days were recovered is an event


class _Bar:
    """A bar at the foot of the terminal; the log goes on above it."""

    def __init__(self, lang: str, handler: logging.StreamHandler[TextIO]) -> None:
        self._lang, self._handler = lang, handler
        self._drawn: tuple[Progress, TaskID, TextIO] | None = None

    def show(self, course: _Course, _now: float) -> None:
        if self._drawn is None:
            self._drawn = self._begun(course)
        bar, task, _ = self._drawn
        what = course.sentence(self._lang)
        with suppress(OSError, ValueError):  # the terminal is gone
            bar.update(task, description=what, completed=course.done, total=max(course.total, 1))

    def _begun(self, course: _Course) -> tuple[Progress, TaskID, TextIO]:
        stream = self._handler.stream
        console = Console(file=stream, highlight=False)
        bar = Progress(
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            refresh_per_second=_DRAWN_A_SECOND,
        )
        task = bar.add_task(course.sentence(self._lang), completed=course.done, total=max(course.total, 1))
        self._handler.setStream(cast("TextIO", FileProxy(console, stream)))
        bar.start()
        return bar, task, stream

    def end(self) -> None:
        if self._drawn is None:
            return
        bar, _, stream = self._drawn
        self._drawn = None
        with suppress(OSError, ValueError):
            bar.stop()
        self._handler.setStream(stream)
