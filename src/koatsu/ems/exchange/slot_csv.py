"""The slots of a channel as a CSV file for people, however many days: written month by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from koatsu.ems.channels import Channel
from koatsu.ems.slot_columns import slot_cells, slot_heading, slot_lines
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store
from koatsu.ems.view_models import SlotState, SlotView
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["DAYS_AT_ONCE", "SlotFile", "slot_csv_of", "view_lines"]

DAYS_AT_ONCE: Final = 31  #: so much is read from the store at a time
_NOT_ENDED: Final = (SlotState.OPEN, SlotState.FUTURE)


def view_lines(slots: Iterable[SlotView]) -> bytes:
    """One line for each slot, whatever is known of it."""
    return slot_lines(
        slot_cells(
            view.slot,
            view.energy_kwh,
            view.demand_kw,
            (view.start_count, view.end_count),
            view.state.value,
            view.source or "",
        )
        for view in slots
    ).encode()


class SlotFile(NamedTuple):
    """A file on its way: its pieces, the first of which is the heading, and how many follow that one."""

    pieces: Iterator[bytes]
    following: int


def slot_csv_of(store: Store, channel: Channel, first: date, last: date, now: datetime) -> SlotFile:
    """The file of a channel from the day ``first`` to the day ``last`` (JST), both included.

    Only slots that have ended are in it. Nothing is read before a piece is asked for.

    Raises:
        KeyError: no such meter.
    """
    store.meter(channel.meter_id)
    starts = [
        first + timedelta(days=days) for days in range(0, max(0, (last - first).days + 1), DAYS_AT_ONCE)
    ]

    def pieces() -> Iterator[bytes]:
        yield slot_heading()
        for start in starts:
            end = min(last, start + timedelta(days=DAYS_AT_ONCE - 1))
            run = ledger(
                store,
                channel.meter_id,
                Slot(start, 1).start,
                Slot(end, SLOTS_PER_DAY).end,
                now,
                register=channel.register,
            )
            yield view_lines(view for view in run.slots if view.state not in _NOT_ENDED)

    return SlotFile(pieces(), len(starts))
