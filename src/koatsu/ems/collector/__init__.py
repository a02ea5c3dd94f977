"""From the wire into the store: how a meter is asked (``link``), what is missing (``gaps``), and when."""

from koatsu.ems.collector.collector import Collector, MeterTarget
from koatsu.ems.collector.gaps import days_wanted
from koatsu.ems.collector.link import MeterLink
from koatsu.ems.collector.results import DayRead, NotSelectableError, ReplacedError, Sample

__all__ = [
    "Collector",
    "DayRead",
    "MeterLink",
    "MeterTarget",
    "NotSelectableError",
    "ReplacedError",
    "Sample",
    "days_wanted",
]
