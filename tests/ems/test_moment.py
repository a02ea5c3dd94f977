"""A view sees the store as of one instant, whatever is written while it asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from store_site import plate

from koatsu.clock import JST
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store, StoredMeter
from koatsu.ems.totals import read_totals
from koatsu.ems.views import day_view, now_view
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot, slots_of_day

METER = StoredMeter(id="buy", label="受電", role="buy", class_code=0x028A, address="127.0.0.2")
DAY = date(2026, 7, 14)
NOW = datetime(2026, 7, 15, 9, 10, tzinfo=JST)


def _record(store: Store) -> None:
    """A meter is met and its day comes in: what a collector does in the first second."""
    epoch = store.open_epoch(METER.id, plate(), NOW)
    readings = [
        Reading(
            register=Register.ENERGY, instant=slot.start, count=1000 + slot.number, source=Source.HISTORY,
            received=NOW, stamped=True,
        )
        for slot in slots_of_day(DAY)
    ]  # fmt: skip
    store.record(METER.id, epoch.number, readings)


VIEWS: dict[str, Callable[[Store], Any]] = {
    "ledger": lambda store: ledger(store, METER.id, Slot(DAY, 1).start, Slot(DAY, 48).end, NOW),
    "totals": lambda store: read_totals(store, METER.id, DAY, DAY, NOW).day(DAY),
    "day": lambda store: day_view(store, METER.id, DAY, NOW),
    "now": lambda store: now_view(store, METER.id, NOW),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_meter_met_between_two_questions_is_seen_next_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every question of a view, another thread records; the view answers as if it had not."""
    with Store.open(tmp_path / "untouched.db") as store:
        store.put_meter(METER)
        before = VIEWS[name](store)
    with Store.open(tmp_path / "koatsu.db") as store:
        store.put_meter(METER)
        asked = store.epochs

        def epochs_then_recording(meter_id: str) -> Any:
            found = asked(meter_id)
            if not found:
                writer = Thread(target=_record, args=(store,))
                writer.start()
                writer.join()
            return found

        monkeypatch.setattr(store, "epochs", epochs_then_recording)
        assert VIEWS[name](store) == before
        monkeypatch.undo()
        assert VIEWS[name](store) != before
