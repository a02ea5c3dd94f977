"""The truth beside the wire: raw integers of a model as JSON lines, for judging what an EMS stored.

Written straight from the model, without ``koatsu.meter`` and without ``koatsu.devices``, so that a wrong
interpretation there cannot hide itself. One line a register and half hour, one a slot and direction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import IO

from koatsu.emulator.model import Counter, HalfHour, MeterModel
from koatsu.errors import UsageError

__all__ = ["TruthFile"]

_SLOT = timedelta(minutes=30)
_ONE_WAY = (Counter.ENERGY, Counter.ENERGY_PF, Counter.REACTIVE_PF)


class TruthFile:
    """Appends to one file for any number of meters; every line stands on its own.

    Lines: ``{"kind": "meter", ...}`` with the nameplate when a meter appears,
    ``{"kind": "register", "serial", "epoch", "register", "instant", "count"}`` and
    ``{"kind": "demand", "serial", "epoch", "direction", "slot_start", "slot_end", "count"}``, where the
    count is ``null`` for a slot that the meter did not measure whole.

    Raises:
        UsageError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: IO[str] = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"The truth file {path} cannot be written: {error.strerror}.",
                ja=f"真値ファイル {path} に書き込めません: {error.strerror}",
            ) from error
        self._releases: list[Callable[[], None]] = []

    def attach(self, model: MeterModel) -> None:
        """Write what ``model`` keeps already, then each half hour as it closes."""
        spec = model.spec
        self._line(
            kind="meter",
            serial=spec.serial,
            epoch=model.epoch,
            **{"class": f"0x{spec.class_code:04X}"},
            role=spec.role.value,
            coefficient=spec.coefficient,
            multiplier=str(spec.multiplier),
            energy_unit=str(spec.energy_unit),
            demand_unit=str(spec.demand_unit),
            reactive_unit=str(spec.reactive_unit),
            energy_digits=spec.energy_digits,
            demand_digits=spec.demand_digits,
            reactive_digits=spec.reactive_digits,
        )
        for record in model.half_hours():
            self._write(model, record)
        self._file.flush()
        self._releases.append(model.subscribe(lambda record: self._write_now(model, record)))

    def close(self) -> None:
        """Write no more."""
        for release in self._releases:
            release()
        self._releases.clear()
        self._file.close()

    def _write_now(self, model: MeterModel, record: HalfHour) -> None:
        self._write(model, record)
        self._file.flush()

    def _write(self, model: MeterModel, record: HalfHour) -> None:
        spec = model.spec
        counters = tuple(Counter) if spec.bidirectional else _ONE_WAY
        instant = record.at.isoformat()
        for counter in counters:
            self._line(
                kind="register",
                serial=spec.serial,
                epoch=model.epoch,
                register=counter.name.lower(),
                instant=instant,
                count=model.count(counter, record.totals[counter]),
            )
        for place, direction in enumerate(("normal", "reverse") if spec.bidirectional else ("normal",)):
            count = None if record.demand is None else model.demand_count(record.demand[place])
            self._line(
                kind="demand",
                serial=spec.serial,
                epoch=model.epoch,
                direction=direction,
                slot_start=(record.at - _SLOT).isoformat(),
                slot_end=instant,
                count=count,
            )

    def _line(self, **fields: object) -> None:
        self._file.write(json.dumps(fields, ensure_ascii=False) + "\n")
