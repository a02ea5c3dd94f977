"""The log of a program that keeps running: one handler for every logger, ours and others'.

Levels say whose fault it is. ERROR: this program has a fault, report it. WARNING: the site, the network, the
meter or a visitor needs attention, or did what it should not. INFO: what normally happens. DEBUG: for whoever
looks for a fault. Packages log with the standard library and know nothing of this; structlog renders them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Final, TextIO

import structlog

from koatsu.app.log_lines import HumanLine, JsonLine, Repeats, stamped
from koatsu.app.masking import Mask
from koatsu.config.model import LOG_FORMATS, LOG_LEVELS, LogConfig
from koatsu.errors import KoatsuError, UsageError

__all__ = [
    "faults_logged",
    "for_people",
    "mask",
    "overruled",
    "start_logs",
    "stop_logs",
    "terminal",
]

_OTHERS: Final = ("alembic", "asyncio", "multipart", "python_multipart", "sqlalchemy", "uvicorn")
_UVICORN: Final = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")

mask: Final = Mask()
"""What this process hides in its log; a secret from a setting is made known here before it is used."""


def overruled(config: LogConfig, text: str | None) -> LogConfig:
    """What the variable KOATSU_LOG makes of a configuration: words such as ``json`` or ``json,debug``.

    Raises:
        UsageError: a word is neither a form nor a level.
    """
    form, level = config.format, config.level
    for word in (text or "").lower().replace(",", " ").split():
        if word in LOG_FORMATS:
            form = word
        elif word in LOG_LEVELS:
            level = word
        else:
            allowed = ", ".join((*LOG_FORMATS, *LOG_LEVELS))
            raise UsageError(
                f"KOATSU_LOG cannot be {word!r}.",
                ja=f"KOATSU_LOG に {word!r} は書けません。",
                hint=f"Allowed: {allowed}.",
                hint_ja=f"書けるもの: {allowed}",
            )
    return LogConfig(format=form, level=level)


def for_people(config: LogConfig, stream: TextIO) -> bool:
    """Whether lines on ``stream`` are for people: as the configuration says, or where a terminal is."""
    return config.format == "human" or (config.format == "auto" and stream.isatty())


def start_logs(
    config: LogConfig | None = None,
    *,
    lang: str = "en",
    stream: TextIO | None = None,
    variables: Mapping[str, str] = os.environ,
) -> None:
    """Let every logger of this process write here; a second call replaces the first.

    Args:
        config: what the configuration says; KOATSU_LOG overrules it.
        lang: of the sentences that a person reads on the terminal, "ja" or "en".
        stream: where lines go; standard error by default.
        variables: the environment. KOATSU_DEBUG lets tracebacks onto the terminal.

    Raises:
        UsageError: KOATSU_LOG holds a word that means nothing.
    """
    chosen = overruled(config or LogConfig(), variables.get("KOATSU_LOG"))
    out = stream or sys.stderr
    debug = bool(variables.get("KOATSU_DEBUG"))
    last = HumanLine(lang=lang, debug=debug, mask=mask) if for_people(chosen, out) else JsonLine(mask=mask)
    stop_logs()
    handler = _Handler(out)
    handler.human = isinstance(last, HumanLine)
    handler.setFormatter(_formatter(last))
    handler.repeats = Repeats(say=handler.say)
    handler.addFilter(handler.repeats)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("koatsu").setLevel(chosen.level.upper())
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _UVICORN:  # uvicorn brings handlers of its own where nobody tells it otherwise
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        if name not in _OTHERS:  # nor does a server that was told to be quiet before keep this one so
            logger.setLevel(logging.NOTSET)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_CHAIN,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


@contextmanager
def faults_logged() -> Iterator[None]:
    """Leave the traceback of a fault of ours in the log for programs; people get a sentence."""
    try:
        yield
    except KoatsuError:
        raise
    except Exception as error:
        handlers = [one for one in logging.getLogger().handlers if isinstance(one, _Handler)]
        if any(not one.human for one in handlers):
            logging.getLogger(__name__).critical("the program ends by a fault of its own", exc_info=error)
        raise


def stop_logs() -> None:
    """Take our handler off again, having told what was held back; harmless when there is none."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(False)
    structlog.reset_defaults()


def terminal() -> logging.StreamHandler[TextIO] | None:
    """Who writes our log where a person watches a terminal; ``None`` where nobody does."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Handler) and handler.human and handler.stream.isatty():
            return handler
    return None


_CHAIN: Final = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines, and never lets a line that cannot be written disturb the program."""

    repeats: Repeats | None = None
    human = False

    def say(self, record: logging.LogRecord) -> None:
        """Write a line that no filter has seen."""
        with self.lock or nullcontext():
            self.emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """One line in the place of what could not be written: the text or its arguments may be to blame."""
        try:
            self.stream.write(f"(a log line of {record.name}, line {record.lineno}, could not be written)\n")
        except (OSError, ValueError):
            pass  # standard error is closed: nobody reads, and nothing is to be done

    def close(self) -> None:
        """Tell what was held back; the stream is not ours to close."""
        if self.repeats is not None:
            self.repeats.finish()
        super().close()


def _formatter(last: HumanLine | JsonLine) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_CHAIN, structlog.stdlib.ExtraAdder()],
        processors=[
            stamped,
            _cause,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            last,
        ],
    )


def _cause(_logger: object, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Reduce what came as ``exc_info`` to the error itself."""
    found = fields.pop("exc_info", None)
    error = found[1] if isinstance(found, tuple) else found
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        fields["exc_info"] = error
    return fields
