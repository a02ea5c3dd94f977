"""The metering domain, pure: slots, registers, scales, readings, epochs, holes, histories.

Counts are ``int`` and scales ``Decimal``; nothing here is a float, reads a clock or talks to anybody.
``koatsu.meter.from_echonet`` turns device values into readings and is the only part that knows
``koatsu.devices``; everything else is imported from here.
"""

from koatsu.meter.conflicts import Conflict, ConflictKind, Refusal, RefusalKind
from koatsu.meter.demand import (
    OpenSlotDemand,
    check_demand,
    demand_kw,
    demand_tolerance,
    open_slot_demand,
)
from koatsu.meter.epochs import Nameplate, Scaled
from koatsu.meter.history import (
    MAX_DAYS_BACK,
    DatedHistory,
    DayHistory,
    demand_alignment,
    demand_readings,
    energy_alignment,
    energy_readings,
)
from koatsu.meter.intervals import ConflictSpan, Hole, Interval, SlotEnergy, Total, intervals, total
from koatsu.meter.meter_classes import Gauge, Kind, Target
from koatsu.meter.meter_clock import Bracket, ClockOffset, clock_offset, same_meter_day
from koatsu.meter.meter_time import MeterTime, bracket_around, meter_time
from koatsu.meter.nameplate_values import IncompleteNameplateError
from koatsu.meter.quantity import Quantity, demand_of, exact_sum, mean_power, plain
from koatsu.meter.readings import (
    CurrentReading,
    DemandReading,
    MaximumReading,
    Measured,
    PowerReading,
    Quality,
    Reading,
    Source,
    VoltageReading,
    agreed_counts,
)
from koatsu.meter.registers import Difference, Direction, Register, RegisterKind, difference, fits_digits
from koatsu.meter.scale import Scale
from koatsu.meter.slots import (
    HALF_HOUR,
    SLOTS_PER_DAY,
    DemandStamp,
    EnergyFirst,
    Slot,
    history_instant,
    history_slot,
    is_half_hour,
    slots_between,
    slots_of_day,
)

__all__ = [
    "HALF_HOUR",
    "MAX_DAYS_BACK",
    "SLOTS_PER_DAY",
    "Bracket",
    "ClockOffset",
    "Conflict",
    "ConflictKind",
    "ConflictSpan",
    "CurrentReading",
    "DatedHistory",
    "DayHistory",
    "DemandReading",
    "DemandStamp",
    "Difference",
    "Direction",
    "EnergyFirst",
    "Gauge",
    "Hole",
    "IncompleteNameplateError",
    "Interval",
    "Kind",
    "MaximumReading",
    "Measured",
    "MeterTime",
    "Nameplate",
    "OpenSlotDemand",
    "PowerReading",
    "Quality",
    "Quantity",
    "Reading",
    "Refusal",
    "RefusalKind",
    "Register",
    "RegisterKind",
    "Scale",
    "Scaled",
    "Slot",
    "SlotEnergy",
    "Source",
    "Target",
    "Total",
    "VoltageReading",
    "agreed_counts",
    "bracket_around",
    "check_demand",
    "clock_offset",
    "demand_alignment",
    "demand_kw",
    "demand_of",
    "demand_readings",
    "demand_tolerance",
    "difference",
    "energy_alignment",
    "energy_readings",
    "exact_sum",
    "fits_digits",
    "history_instant",
    "history_slot",
    "intervals",
    "is_half_hour",
    "mean_power",
    "meter_time",
    "open_slot_demand",
    "plain",
    "same_meter_day",
    "slots_between",
    "slots_of_day",
    "total",
]
