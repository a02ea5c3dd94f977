"""Signals for programs: server-sent events with JSON, and what a broken connection missed.

Two kinds: ``changed`` says that something of a meter is to be read anew (it is in the store when this is
told), ``happened`` is an entry of the event list and carries its number as ``id``. A caller that comes back
with ``Last-Event-ID`` first gets the entries since then; what changed meanwhile it reads anew.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from koatsu.ems.view_models import EventView
from koatsu.web.answers import Shape
from koatsu.web.api.models import Changed, Happened
from koatsu.web.site import SiteReader

__all__ = ["EVENTS", "STREAMED", "EventStream", "signals"]

#: The names of events, and what their data are.
EVENTS: Final[Mapping[str, type[Shape]]] = {"changed": Changed, "happened": Happened}

_ALIVE: Final = timedelta(seconds=15)  #: a comment at least so often, so that a dead connection is noticed
_RETRY_MS: Final = 2000
_NEWEST: Final = 200  #: so many missed entries are told again at most


def _event(name: str, shape: str, **more: Any) -> dict[str, Any]:
    """One kind of event: its fields, and the shape that is written as JSON into its data."""
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{shape}"},
    }
    fields = {"event": {"const": name}, "data": data, **more}
    return {"type": "object", "required": [*fields], "properties": fields}


#: The answer as the description has it. OpenAPI 3.1 has no words for the single events of a stream.
STREAMED: Final[dict[str, Any]] = {
    "description": "server-sent events until the caller leaves, and a comment every 15 s at least",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "x-item-schema": {
                "oneOf": [
                    _event("changed", Changed.__name__),
                    _event("happened", Happened.__name__, id={"type": "string", "pattern": "^[0-9]+$"}),
                ]
            },
        }
    },
}


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


async def signals(reader: SiteReader, seen: int | None) -> AsyncGenerator[str, None]:
    """The stream of one caller; ``seen`` is the number of the last entry that it has."""
    last = await run_in_threadpool(_newest, reader) if seen is None else seen
    listener = reader.listen()
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        # What happened since then, and be it a moment ago while the listener was made.
        for entry in _after(await run_in_threadpool(reader.events, _NEWEST), last):
            yield _told(entry)
            last = entry.id
        while True:
            signal = await listener.next(_ALIVE)
            if signal is None:
                if listener.closed:
                    return
                yield ": alive\n\n"
                continue
            yield f"event: changed\ndata: {Changed.of(signal).model_dump_json()}\n\n"
            if signal.kind == "event":
                for entry in _after(await run_in_threadpool(reader.events, _NEWEST), last):
                    yield _told(entry)
                    last = entry.id
    finally:
        listener.close()


def _newest(reader: SiteReader) -> int:
    """The number of the last entry so far."""
    return max((entry.id for entry in reader.events(_NEWEST)), default=0)


def _after(entries: Sequence[EventView], last: int) -> list[EventView]:
    """The entries after number ``last``, oldest first."""
    return sorted((entry for entry in entries if entry.id > last), key=lambda entry: entry.id)


def _told(entry: EventView) -> str:
    return f"event: happened\nid: {entry.id}\ndata: {Happened.of(entry).model_dump_json()}\n\n"
