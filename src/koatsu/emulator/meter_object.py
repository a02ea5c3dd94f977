"""The ECHONET object in front of a meter: answers by property name, takes selectors, refuses the rest.

What the class table calls required is always offered; optional properties unless the meter's spec omits
them. The property maps follow from what is offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from koatsu.devices import Access, Record, Value, device_class
from koatsu.echonet import Eoj
from koatsu.emulator.faults import MeterFaults
from koatsu.emulator.meter_clock import from_ms, to_ms
from koatsu.emulator.model import MeterModel
from koatsu.emulator.spec import MeterSpec
from koatsu.emulator.values import DAY_SELECTORS, SEGMENT_SELECTORS, MeterValues, Reader
from koatsu.errors import UsageError
from koatsu.node import HostedObject

__all__ = ["NOTIFIED", "MeterObject"]

NOTIFIED = ("energy_slot", "energy_slot_reverse", "demand_slot", "reactive_slot")
"""Fixed-time values that a terminal announces after each half hour, where the meter has them."""

_SUPER_STATIC = {"production_date": datetime(2024, 4, 1).date()}  # noqa: DTZ001 - a date of a nameplate
_IMPOSSIBLE = bytes((2, 30))  # 30 February
_MONTH = slice(2, 4)


class MeterObject(HostedObject):
    """One meter as other nodes see it.

    Args:
        model: its registers, or what makes them when they are first asked for (then ``spec`` is needed).
        now: the present instant, aware; planned changes of the site are made before it returns.
        instance: instance number, 1 to 127.
        faults: switches of this meter; those of a sound meter when omitted.

    Raises:
        UsageError: the spec omits a property that the class requires, or that no class table knows.
    """

    def __init__(
        self,
        model: MeterModel | Callable[[], MeterModel],
        now: Callable[[], datetime],
        *,
        spec: MeterSpec | None = None,
        instance: int = 1,
        faults: MeterFaults | None = None,
    ) -> None:
        self.faults = faults or MeterFaults()
        self.meter = MeterValues(model, self.faults, now)
        self.spec = spec or self.meter.model.spec
        table = device_class(self.spec.class_code)
        readers = self.meter.readers(self.spec.class_code)
        self._check_omitted(readers)
        offered = {name: read for name, read in readers.items() if name not in self.spec.omit}
        self._readers: dict[int, Reader] = {table.property(name).epc: read for name, read in offered.items()}
        selectors = [name for name in (*DAY_SELECTORS, *SEGMENT_SELECTORS) if name in offered]
        self._own = frozenset(table.property(name).epc for name in offered if name not in _IDENTITY)
        self.notified = tuple(name for name in NOTIFIED if name in offered)
        super().__init__(
            Eoj.of(self.spec.class_code, instance),
            dict(_SUPER_STATIC),
            settable=("location", *selectors),
            announced=self.notified,
            device=table,
        )

    @property
    def model(self) -> MeterModel:
        """The meter behind the object."""
        return self.meter.model

    def replace_model(self, model: MeterModel) -> None:
        """Another meter hangs at this place now; the class stays what it was."""
        if model.spec.class_code != self.spec.class_code:
            raise UsageError(
                "A meter is replaced by one of its own class; start another emulator for another class."
            )
        self.spec = model.spec
        self.meter.model = model
        self.meter.forget_selectors()

    # --- the wire's side --------------------------------------------------------------------------

    def get(self, epc: int) -> bytes | None:
        """The data of a property; ``None`` when it is not offered or the meter refuses."""
        read = self._readers.get(epc)
        if read is None:
            return super().get(epc)
        if self.faults.refuses and epc in self._own:
            return None
        self.meter.catch_up()
        definition = self.device.property(epc)
        if self.faults.coefficient_zero and definition.name == "coefficient":
            return bytes(definition.max_size)  # not by encode: the table of 0x028D does not allow it
        edt = definition.encode(read())
        if self.faults.impossible_date and definition.layout.startswith("at:datetime7"):
            return edt[: _MONTH.start] + _IMPOSSIBLE + edt[_MONTH.stop :]
        return edt

    def gettable(self) -> frozenset[int]:
        """The codes that can be read."""
        return super().gettable() | frozenset(self._readers)

    def accept(self, name: str, value: Value) -> bool:
        """Take a selector that points at something the meter could have; refuse the rest."""
        self.meter.catch_up()
        if self.faults.refuses and name != "location":
            return False
        if name in DAY_SELECTORS:
            if not isinstance(value, int):
                return False
            self.meter.history_day = value
        elif name in SEGMENT_SELECTORS:
            return self._select(name, value)
        return True

    # --- inside -----------------------------------------------------------------------------------

    def _select(self, name: str, value: Value) -> bool:
        if not isinstance(value, Record):
            return False
        at, segments = value["at"], value["segments"]
        if not isinstance(at, datetime) or not isinstance(segments, int):
            return False
        if to_ms(at) % (SEGMENT_SELECTORS[name] // timedelta(milliseconds=1)):
            return False
        self.meter.segments[name] = (from_ms(to_ms(at)), segments)
        return True

    def _check_omitted(self, readers: Iterable[str]) -> None:
        table = device_class(self.spec.class_code)
        for name in sorted(self.spec.omit):
            if table.property(name).get is Access.REQUIRED or name not in readers:
                raise UsageError(
                    f"The property {name} of class {table} is required and cannot be left out.",
                    ja=f"クラス {table} の {name} は必須なので省けません。",
                )


_IDENTITY = frozenset({"serial_number", "clock_time", "clock_date"})
