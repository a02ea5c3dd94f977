"""What the standard says of devices, as data tables, and one interpreter of property data.

``device_class(0x028A)`` gives a class; its ``decode`` and ``encode`` turn property data into typed values and
back, strictly. The tables stand in ``tables/*.toml``. No I/O beyond reading them, no clock, no wire.
"""

from koatsu.devices.errors import TableError, UnknownClassError, UnknownPropertyError
from koatsu.devices.record import Record, Special, Value
from koatsu.devices.registry import device_class, known_classes
from koatsu.devices.schema import Access, DeviceClass, PropertyDef
from koatsu.devices.spec import SPEC_COLUMNS, SpecRow, spec_headings, spec_rows

__all__ = [
    "SPEC_COLUMNS",
    "Access",
    "DeviceClass",
    "PropertyDef",
    "Record",
    "SpecRow",
    "Special",
    "TableError",
    "UnknownClassError",
    "UnknownPropertyError",
    "Value",
    "device_class",
    "known_classes",
    "spec_headings",
    "spec_rows",
]
