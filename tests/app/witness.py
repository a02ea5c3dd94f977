"""A program at work over one store and one emulated meter, and an outside process that watches both.

The observer believes what it is shown; the truth file of the meter says what was right; the store is looked
at without the program. Emulated time runs fast, the processes are real.
"""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from forks import Fork, Nursery, nursery
from program import EmulatedMeter, emulated_meter, fresh_address, fresh_port

from koatsu.clock import JST
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store
from koatsu.meter.slots import HALF_HOUR, Slot, slots_of_day

SPEED = 180.0
START = datetime(2026, 7, 15, 23, 20, tzinfo=JST)  # midnight passes while the tests are at work
#: Nearly all that the collector asks for: two midnights pass before the meter forgets the first of them.
HISTORY_DAYS = 97
KNOWN = ("measured", "recovered")
DEMAND = "demand"


class Seen(NamedTuple):
    """A slot as it was shown: counts at both ends, the demand where there is one, and whose word that is."""

    start_count: int
    end_count: int
    demand_kw: Decimal | None
    demand_from: str | None  # "meter", or "energy": twice the energy, where the meter has not said

    def stays(self, later: Seen | None) -> bool:
        """Whether ``later`` still says all this; the meter's own demand may have come in between."""
        if later is None:
            return False
        return self[:2] == later[:2] and (self.demand_from != "meter" or self == later)


@dataclass
class Observer:
    """An outside process's eyes: notes what the API shows as measured or recovered."""

    meter: str
    seen: dict[Slot, Seen] = field(default_factory=dict)

    def look(self, url: str, day: date) -> dict[Slot, Seen]:
        """The known slots of a day; nothing where the program does not answer (any more)."""
        span = {"from": Slot(day, 1).start_jst.isoformat(), "to": Slot(day, 48).end_jst.isoformat()}
        text = asked(f"{url}api/v1/meters/{self.meter}/slots?{urlencode(span)}")
        found = {}
        for row in json.loads(text)["slots"] if text else ():
            if row["state"] in KNOWN:
                demand = row["demand"]
                slot = Slot.starting(datetime.fromisoformat(row["slot"]["start"]))
                kw = Decimal(demand["value"]) if demand else None
                found[slot] = Seen(row["start_count"], row["end_count"], kw, row["demand_from"])
        return found

    def page(self, url: str, day: date) -> dict[Slot, tuple[int, int, Decimal | None]]:
        """The same from the day's file of the page, which does not say whose word a demand is."""
        found = {}
        for row in csv.DictReader(asked(f"{url}day/{self.meter}/{day}.csv").splitlines()):
            if row["quality"] in KNOWN:
                slot = Slot.starting(datetime.fromisoformat(row["slot_start"]))
                demand = Decimal(row["demand_kw"]) if row["demand_kw"] else None
                found[slot] = (int(row["start_count"]), int(row["end_count"]), demand)
        return found

    def note(self, url: str, day: date) -> None:
        """Take what is shown now for acknowledged; it must never have been anything else."""
        shown = self.look(url, day)
        for slot, now in shown.items():
            before = self.seen.get(slot, now)
            assert before.stays(now), f"{slot} was {before} and is {now}"
        gone = [slot for slot in self.seen if slot.day == day and slot not in shown]
        assert not (shown and gone), f"shown once, and not any more: {gone}"
        self.seen |= shown

    def recovery(self, url: str) -> Recovery:
        """How far the recovery has come."""
        text = asked(f"{url}api/v1/recovery")
        for row in json.loads(text)["meters"] if text else ():
            if row["meter"] == self.meter:
                day = row["current_day"]
                return Recovery(row["state"], row["days_done"], date.fromisoformat(day) if day else None)
        return Recovery("", 0, None)


class Recovery(NamedTuple):
    """The recovery as it is shown; ``day`` was kept a moment ago."""

    state: str
    days_done: int
    day: date | None


def asked(url: str) -> str:
    """What the program answers; nothing where it is being killed."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return str(answer.read().decode("utf-8-sig"))
    except urllib.error.HTTPError:
        raise  # an answer, and a wrong one
    except (OSError, HTTPException):
        return ""


class Truth:
    """What the meter wrote down beside the wire."""

    def __init__(self, meter: EmulatedMeter) -> None:
        plate = meter.plate()
        factor = Decimal(plate["coefficient"]) * Decimal(plate["multiplier"])
        self._demand_factor = factor * Decimal(plate["demand_unit"])
        self._counts: dict[str, dict[datetime, int]] = {}
        self._demands: dict[datetime, int | None] = {}
        self._path, self._read = meter.truth, 0
        self.read()

    def read(self) -> None:
        """Read what has been written since."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            fresh, whole, _ = file.read().rpartition(b"\n")
        self._read += len(fresh + whole)
        for line in map(json.loads, fresh.splitlines()):
            if line["kind"] == "register":
                found = self._counts.setdefault(line["register"], {})
                found[datetime.fromisoformat(line["instant"])] = line["count"]
            elif line["kind"] == "demand" and line["direction"] == "normal":
                self._demands[datetime.fromisoformat(line["slot_start"])] = line["count"]

    def slot(self, slot: Slot) -> Seen | None:
        """A slot as it was; ``None`` where the meter has no count at one of its ends."""
        ends = self.count("energy", slot.start), self.count("energy", slot.end)
        if ends[0] is None or ends[1] is None:
            return None
        demand = self._demands.get(slot.start)
        own = None if demand is None else demand * self._demand_factor
        return Seen(ends[0], ends[1], own, None if own is None else "meter")

    def count(self, register: str, at: datetime) -> int | None:
        """A register at an instant."""
        return self._counts[register].get(at)

    def demand(self, at: datetime) -> int | None:
        """The count of the demand of the slot that starts at an instant."""
        return self._demands.get(at)

    def slots(self) -> list[Slot]:
        """Every slot whose both ends the meter counted."""
        counted = self._counts["energy"]
        return [Slot.starting(at) for at in sorted(counted) if at + HALF_HOUR in counted]


class Works:
    """One store, one meter, and the program over them."""

    def __init__(
        self, folder: Path, meter: EmulatedMeter, commands: Nursery, begun: float, store: Path | None = None
    ) -> None:
        self.meter, self.commands, self._begun = meter, commands, begun
        self.store = store or folder / "koatsu.db"
        self.observer = Observer("main")
        self.truth = Truth(meter)
        self.config = folder / "koatsu.toml"
        self._held: dict[tuple[str, datetime], int] = {}  # what the store held when it was looked at last
        self._port = fresh_port()
        self.config.write_text(
            f'[site]\nname = "works"\n[store]\npath = "{self.store}"\n[web]\nport = {self._port}\n'
            f'[node]\naddress = "{fresh_address()}"\n'
            f'[[meter]]\nid = "main"\naddress = "{meter.address}"\nprofile = "fast"\n'
        )

    def now(self) -> datetime:
        """The meter's time, give or take what a process takes to start."""
        return START + timedelta(seconds=(time.monotonic() - self._begun) * SPEED)

    def start(self, *, unsafe: bool = False, off: timedelta = timedelta(0)) -> Fork:
        """The program, its clock set by the meter's, or ``off`` from it."""
        clock = f"{(self.now() + off).isoformat(timespec='seconds')}@{SPEED:g}"
        return self.commands.start("run", "-c", str(self.config), "--clock", clock, unsafe=unsafe)

    def url(self, program: Fork) -> str:
        """Where its page is."""
        return program.until("Page: ").split()[1]

    def days(self) -> list[date]:
        """Every day of which the meter has something."""
        first = self.truth.slots()[0].day
        last = self.now().astimezone(JST).date()
        return [first + timedelta(days=step) for step in range((last - first).days + 1)]

    def check(self) -> None:
        """The store, as the kill left it: holds everything that was seen, and nothing that is not true."""
        self.truth.read()
        kept = self._known()
        for slot, seen in self.observer.seen.items():
            assert slot in kept, f"{slot} is lost"
            assert seen.stays(kept[slot]), f"{slot} was {seen}, is {kept[slot]}"
        rows = self.rows()
        for row in self._held:
            assert row in rows, f"{row} was there after an earlier kill, and is lost"
        self._held = rows
        for (name, at), count in rows.items():
            told = self.truth.demand(at) if name == DEMAND else self.truth.count(name, at)
            assert count == told, f"the store has {count} as {name} at {at}, the meter {told}"

    def _known(self) -> dict[Slot, Seen]:
        """The known slots, as the library reads the store."""
        found = {}
        with Store.open(self.store) as store:
            span = Slot(self.days()[0], 1).start, Slot(self.days()[-1], 48).end
            for meter in store.meters():
                for one in ledger(store, meter.id, *span, self.now()).slots:
                    if one.state in KNOWN and one.start_count is not None and one.end_count is not None:
                        found[one.slot] = Seen(one.start_count, one.end_count, one.demand_kw, one.demand_from)
        return found

    def rows(self) -> dict[tuple[str, datetime], int]:
        """Every count of a register and of a demand in the store, looked at without the program."""
        with closing_store(self.store) as raw:
            assert raw.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert raw.execute("select count(*) from conflict").fetchone() == (0,)
            rows = raw.execute(
                "select register, instant, count from reading union all "
                "select ?, start, count from demand where direction = 'normal'",
                [DEMAND],
            ).fetchall()
        return {
            (name, datetime.fromtimestamp(at, JST)): count for name, at, count in rows if count is not None
        }

    def history(self) -> int:
        """How many half hours of the energy register are in the store."""
        return sum(name == "energy" for name, _ in self._held)

    def complete(self, program: Fork | None = None) -> None:
        """Everything that the meter keeps comes by itself, each slot once and right; in a new run or this."""
        running = program or self.start()
        try:
            url = self.url(running)
            whole: dict[date, dict[Slot, Seen]] = {}

            def complete() -> bool:
                self.truth.read()
                wanted: dict[date, list[Slot]] = {}
                for slot in self.truth.slots():
                    if slot.end < self.now() - HALF_HOUR:
                        wanted.setdefault(slot.day, []).append(slot)
                for day in sorted(wanted.keys() - whole.keys()):
                    shown = self.observer.look(url, day)
                    self.truth.read()
                    for slot, seen in shown.items():
                        true = self.truth.slot(slot)
                        assert true is not None, f"{slot} is {seen}, and the meter has not counted it"
                        assert seen[:2] == true[:2], f"{slot} is {seen}, was {true}"
                    if not all(slot in shown and self._right(slot, shown[slot]) for slot in wanted[day]):
                        return False  # that is the day it is at
                    whole[day] = shown
                    self.observer.seen |= shown
                return bool(wanted)

            eventually(complete)
            self._check_days(url, whole)
        finally:
            if program is None:
                running.end(signal.SIGTERM)
        assert "Traceback" not in running.text, running.text
        self.check()

    def _right(self, slot: Slot, shown: Seen) -> bool:
        """Whether a slot is as the meter counted it, its own demand included."""
        true = self.truth.slot(slot)
        return true is not None and (shown == true or (true.demand_from is None and shown[:2] == true[:2]))

    def _check_days(self, url: str, whole: dict[date, dict[Slot, Seen]]) -> None:
        """Every closed day has its 48 slots, each once, and their energy is the register's difference."""
        today = self.now().astimezone(JST).date()
        closed = [day for day in sorted(whole) if day < today - timedelta(days=1)][1:]
        for day in closed:  # the first may begin before what the meter keeps
            shown = whole[day]
            assert sorted(shown) == list(slots_of_day(day))
            first, last = shown[Slot(day, 1)], shown[Slot(day, 48)]
            total = sum(seen.end_count - seen.start_count for seen in shown.values())
            assert total == last.end_count - first.start_count
        for day in closed[::10]:
            assert self.observer.page(url, day) == {slot: seen[:3] for slot, seen in whole[day].items()}


def eventually(true: Callable[[], bool], patience_s: float = 120.0) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it did not complete by itself"
        time.sleep(0.1)


@contextmanager
def closing_store(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, looked at without the program."""
    raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        yield raw
    finally:
        raw.close()


@contextmanager
def works(folder: Path, seed: int, *options: str, store: Path | None = None) -> Iterator[Works]:
    """A meter at work, and what is needed to start programs over it."""
    words = ("--speed", f"{SPEED:g}", "--start", START.isoformat(), "--seed", str(seed), *options)
    if "--history-days" not in options:
        words += ("--history-days", str(HISTORY_DAYS))
    with nursery(folder) as commands, emulated_meter(folder, *words) as meter:
        yield Works(folder, meter, commands, time.monotonic(), store)
