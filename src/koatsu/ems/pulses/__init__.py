"""Pulses beside the register: counting them by the slot pulse, comparing, naming what went wrong."""

from __future__ import annotations

from koatsu.ems.pulses.comparing import Pair, RegisterStep, compared, pairs, summed
from koatsu.ems.pulses.counting import PulseCounter, PulseSpan, nearest_half_hour
from koatsu.ems.pulses.desk import PulseDesk
from koatsu.ems.pulses.lines import (
    Constant,
    EnergyPulses,
    PulseLine,
    PulseLineError,
    SlotPulse,
    pulse_constant,
    pulse_line,
)
from koatsu.ems.pulses.listening import PulseRecorder
from koatsu.ems.pulses.models import FAULTS, Compared, PulseDay, PulseSum, Reason, shown
from koatsu.ems.pulses.views import (
    PULSES_PER_SECONDARY_KWH,
    as_stored,
    last_pulse_day,
    pulse_day,
    spans_compared,
)

__all__ = [
    "FAULTS",
    "PULSES_PER_SECONDARY_KWH",
    "Compared",
    "Constant",
    "EnergyPulses",
    "Pair",
    "PulseCounter",
    "PulseDay",
    "PulseDesk",
    "PulseLine",
    "PulseLineError",
    "PulseRecorder",
    "PulseSpan",
    "PulseSum",
    "Reason",
    "RegisterStep",
    "SlotPulse",
    "as_stored",
    "compared",
    "last_pulse_day",
    "nearest_half_hour",
    "pairs",
    "pulse_constant",
    "pulse_day",
    "pulse_line",
    "shown",
    "spans_compared",
    "summed",
]
