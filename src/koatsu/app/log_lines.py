"""How a line of the log looks: for a person at a terminal, or as JSON for programs.

A line for a person is one line whatever stands in it: signs that move the cursor are written out, and a
traceback is a single sentence. The same line again within a minute is counted instead of written.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from koatsu.app.masking import Mask
from koatsu.clock import JST
from koatsu.errors import KoatsuError

__all__ = ["Fields", "HumanLine", "JsonLine", "Repeats", "stamped"]

Fields = MutableMapping[str, Any]

_FIRST: Final = ("time", "level", "logger", "message")
_KINDS: Final = {
    "debug": "debug",
    "info": "info",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "ERROR",
}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def stamped(_logger: object, _method: str, fields: Fields) -> Fields:
    """Add ``time``: Japanese standard time, to the millisecond."""
    record = fields.get("_record")
    made = record.created if isinstance(record, logging.LogRecord) else time.time()
    fields["time"] = datetime.fromtimestamp(made, JST).isoformat(timespec="milliseconds")
    return fields


class HumanLine:
    """``13:10:02 WARNING sentence (field=value)``; a traceback only where ``debug`` asks for it.

    Args:
        lang: of the sentences of our own errors, "ja" or "en".
        debug: write tracebacks too.
        mask: hides what must not be written.
    """

    def __init__(self, *, lang: str, debug: bool, mask: Mask) -> None:
        self._lang, self._debug, self._mask = lang, debug, mask

    def __call__(self, _logger: object, _method: str, fields: Fields) -> str:
        """The line, without its end."""
        error = fields.pop("exc_info", None)
        shown = self._mask.fields(fields)
        when = str(shown.pop("time", ""))[11:19]
        level = _KINDS.get(str(shown.pop("level", "info")), "info")
        message, logger = str(shown.pop("message", "")), shown.pop("logger", "")
        if isinstance(error, BaseException):
            sentence = self._mask.text(_sentence(error, self._lang))
            message = f"{message}: {sentence}" if message else sentence
        if logger and level == "debug":
            shown["logger"] = logger
        rest = " ".join(f"{name}={value}" for name, value in shown.items())
        line = " ".join(filter(None, (when, level, message, f"({rest})" if rest else "")))
        line = self._mask.text(_one_line(line))
        if self._debug and isinstance(error, BaseException):
            line += "\n" + self._mask.text("".join(traceback.format_exception(error))).rstrip()
        return line


class JsonLine:
    """One JSON object a line: time, level, logger, message, then every other field; ``error`` holds a cause.

    Args:
        mask: hides what must not be written.
    """

    def __init__(self, *, mask: Mask) -> None:
        self._mask = mask

    def __call__(self, _logger: object, _method: str, fields: Fields) -> str:
        """The line, without its end."""
        error = fields.pop("exc_info", None)
        if isinstance(error, BaseException):
            fields["error"] = {
                "type": type(error).__name__,
                "message": str(error),
                "traceback": "".join(traceback.format_exception(error)),
            }
        shown = self._mask.fields(fields)
        ordered = {name: shown.pop(name) for name in _FIRST if name in shown} | shown
        return json.dumps(ordered, ensure_ascii=False).translate(_LINE_ENDS)


# Some readers end lines there, and JSON need not escape them.
_LINE_ENDS: Final = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "\u0085\u2028\u2029"})


def _sentence(error: BaseException, lang: str) -> str:
    if isinstance(error, KoatsuError):
        return error.text(lang)
    return f"{type(error).__name__}: {error}"


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


@dataclass(slots=True)
class _Said:
    """A line that was written: until when it is not repeated, and how often it came since."""

    until: float
    record: logging.LogRecord
    again: int = 0


class Repeats(logging.Filter):
    """Lets the same line through once in a while only; the next one says how often it came in between.

    Args:
        every_s: how long a line is not repeated, real seconds.
        limit: how many different lines are remembered.
        now: the present, monotonic seconds.
        say: writes the line that tells of repetitions once they have stopped.
    """

    def __init__(
        self,
        *,
        every_s: float = 60.0,
        limit: int = 500,
        now: Callable[[], float] = time.monotonic,
        say: Callable[[logging.LogRecord], object],
    ) -> None:
        super().__init__()
        self._every_s, self._limit, self._now, self._say = every_s, limit, now, say
        self._said: OrderedDict[tuple[object, ...], _Said] = OrderedDict()
        self._lock = threading.Lock()  # a handler asks its filters before it takes its own lock

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written."""
        key = (record.name, record.levelno, _message(record), record.exc_info and record.exc_info[0])
        with self._lock:
            now = self._now()
            self._tell_of_expired(now)
            known = self._said.get(key)
            if known is not None:
                known.again += 1
                return False
            self._said[key] = _Said(now + self._every_s, record)
            if len(self._said) > self._limit:
                self._tell(self._said.popitem(last=False)[1])
            return True

    def finish(self) -> None:
        """Tell what was held back: nothing more comes."""
        with self._lock:
            for known in self._said.values():
                self._tell(known)
            self._said.clear()

    def _tell_of_expired(self, now: float) -> None:
        while self._said:
            key, known = next(iter(self._said.items()))  # the first written is the first to expire
            if known.until > now:
                return
            del self._said[key]
            self._tell(known)

    def _tell(self, known: _Said) -> None:
        if known.again:
            told = logging.makeLogRecord(known.record.__dict__)
            told.created = time.time()
            told.exc_info = None
            told.repeated = known.again
            self._say(told)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit their text
        return str(record.msg)
