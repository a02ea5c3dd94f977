"""Pulses beside the register, wired: detectors that are listened to while the EMS runs, and the command.

The command reads the store, beside a running EMS or without one, or a file of pulses with their times.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from koatsu.clock import JST, Clock, SystemClock
from koatsu.config import Config, MeterConfig, PulseConfig, load_config
from koatsu.ems.pulses import (
    PulseCounter,
    PulseDay,
    PulseDesk,
    PulseLine,
    PulseLineError,
    PulseRecorder,
    PulseSpan,
    last_pulse_day,
    pulse_constant,
    pulse_day,
    pulse_line,
    spans_compared,
)
from koatsu.ems.pulses.lines import LONGEST_LINE
from koatsu.ems.store import Store
from koatsu.errors import KoatsuError, UsageError
from koatsu.meter.slots import Slot

__all__ = ["NothingToCompareError", "compare_pulses", "pulse_desk", "read_pulses", "recorders"]


class NothingToCompareError(KoatsuError):
    """There are no pulses of that meter on that day."""


def recorders(
    config: Config, store: Store, clock: Clock
) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What listens to the detectors of a configuration, by name, each until cancelled."""
    return {
        f"pulses {pulse.meter}": PulseRecorder(
            pulse.meter,
            pulse.source,
            store,
            clock,
            per_kwh=None if pulse.per_kwh is None else pulse_constant(pulse.per_kwh),
            slot_pulse=pulse.slot_pulse,
        ).run
        for pulse in config.pulses
    }


def pulse_desk(config: Config, store: Store, clock: Clock) -> PulseDesk | None:
    """What the page of pulses reads; ``None`` where no detector is set up and none ever was."""
    desk = PulseDesk(store, clock, [pulse.meter for pulse in config.pulses])
    return desk if desk.meters() else None


# --- the command ----------------------------------------------------------------------------------------


def compare_pulses(path: Path, meter_id: str | None, day: date | None, file: Path | None) -> PulseDay:
    """The comparison of one day.

    Args:
        path: the configuration.
        meter_id: the meter; the first with a detector, or the first that buys, when not given.
        day: the JST day; the newest with pulses when not given.
        file: pulses with their times, instead of those in the store.

    Raises:
        ConfigError: the configuration is wrong.
        UsageError: no such meter, or the file is no file of pulses.
        StoreError: the store cannot be read.
        NothingToCompareError: there are no pulses on that day, or on any.
    """
    config = load_config(path)
    meter = _meter(config, meter_id)
    detector = next((pulse for pulse in config.pulses if pulse.meter == meter.id), None)
    with Store.open(config.store.path) as store:
        if meter.id not in {one.id for one in store.meters()}:
            raise _nothing(meter.label, day)
        spans = None if file is None else read_pulses(file, detector)
        day = day or (last_pulse_day(store, meter.id) if spans is None else _last_day(spans))
        if day is None:
            raise _nothing(meter.label, day)
        end = Slot(day, 48).end
        now = max(SystemClock().now(), end)  # an emulated day may not have come yet
        if spans is None:
            compared = pulse_day(store, meter.id, day, now)
        else:
            compared = spans_compared(store, meter.id, day, now, spans)
    if not compared.heard:
        raise _nothing(meter.label, day)
    return _until_last(compared)


def read_pulses(file: Path, detector: PulseConfig | None = None) -> list[PulseSpan]:
    """Count the pulses of a file: the lines of a detector, each with its time.

    Raises:
        UsageError: the file cannot be read, or one of its lines; the message names it.
    """
    given = None if detector is None or detector.per_kwh is None else pulse_constant(detector.per_kwh)
    slot_pulse = detector is None or detector.slot_pulse
    counter, spans = PulseCounter(given, slot_pulse=slot_pulse), []
    last: datetime | None = None
    for number, said in enumerate(_lines(file), 1):
        assert said.at is not None, "lines without a time are refused"
        if last is not None and said.at < last:
            raise _bad_line(file, number, "its time is before the last one", "時刻が前の行より前です")
        for border in () if slot_pulse or last is None else _borders(last, said.at):
            spans += counter.tick(border)
        spans += counter.hear(said, said.at)
        last = said.at
    if last is not None:
        spans += counter.stop(last)
    return spans


def _lines(file: Path) -> list[PulseLine]:
    found = []
    try:
        with file.open("rb") as opened:
            for number, line in enumerate(iter(partial(opened.readline, LONGEST_LINE + 1), b""), 1):
                if not line.strip():
                    continue
                try:
                    said = pulse_line(line)
                except PulseLineError as error:
                    raise _bad_line(file, number, str(error), "パルスの行ではありません") from error
                if said.at is None:
                    raise _bad_line(file, number, 'it has no "at"', '時刻 "at" がありません')
                found.append(said)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{file} cannot be read: {why}.", ja=f"{file} を読めません({why})。") from error
    return found


def _bad_line(file: Path, number: int, why: str, why_ja: str) -> UsageError:
    return UsageError(
        f"{file}, line {number}: {why}.",
        ja=f"{file} の{number}行目: {why_ja}。",
        hint='A line is like {"pulse": "energy", "count": 7, "at": "2026-07-15T10:00:07+09:00"}.',
        hint_ja='1行は {"pulse": "energy", "count": 7, "at": "2026-07-15T10:00:07+09:00"} の形です。',
    )


def _borders(after: datetime, until: datetime) -> list[datetime]:
    """The half hours after one instant up to another."""
    found, border = [], Slot.at(after).end
    while border <= until:
        found.append(border)
        border = Slot.starting(border).end
    return found


def _meter(config: Config, meter_id: str | None) -> MeterConfig:
    if meter_id is None:
        wanted = [pulse.meter for pulse in config.pulses] or [
            meter.id for meter in config.meters if meter.role == "buy"
        ]
        meter_id = wanted[0] if wanted else config.meters[0].id
    for meter in config.meters:
        if meter.id == meter_id:
            return meter
    known = ", ".join(meter.id for meter in config.meters[:10])
    raise UsageError(
        f"There is no meter {meter_id} in the configuration.",
        ja=f"設定に計器 {meter_id} はありません。",
        hint=f"Meters are: {known}.",
        hint_ja=f"計器は {known} です。",
    )


def _nothing(label: str, day: date | None) -> NothingToCompareError:
    when, when_ja = (f" on {day}", f"{day} の") if day else ("", "")
    return NothingToCompareError(
        f"There are no pulses of {label}{when}.",
        ja=f"{label} の{when_ja}パルスはありません。",
        hint="Name the detector under [[pulse]] in the configuration for koatsu run, or use --file.",
        hint_ja="設定の [[pulse]] に検出器を書いて koatsu run で受信するか、--file を使ってください。",
    )


def _last_day(spans: list[PulseSpan]) -> date | None:
    return max(span.start for span in spans).astimezone(JST).date() if spans else None


def _until_last(day: PulseDay) -> PulseDay:
    """Without the slots at its end that nobody heard and the register does not know either."""
    rows = list(day.rows)
    while rows and rows[-1].pulses is None and rows[-1].register_kwh is None:
        rows.pop()
    return PulseDay(
        meter_id=day.meter_id,
        day=day.day,
        rows=tuple(rows),
        total=day.total,
        per_kwh=day.per_kwh,
        late_s=day.late_s,
    )
