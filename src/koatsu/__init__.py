"""Koatsu: the open system for Japan's high-voltage B-route service.

The names here are the library's public interface; see docs/library.md.
"""

from koatsu.app.access import NoMeterError
from koatsu.app.engineering import Shown
from koatsu.app.history import HistoryRow
from koatsu.app.meter import DaySlots, Meter, open_meter
from koatsu.clock import JST
from koatsu.devices import Record, Special, device_class
from koatsu.echonet import DecodeError, Eoj, Esv, Frame
from koatsu.errors import KoatsuError, UnreachableError, UsageError
from koatsu.meter import Reading, Register, Scale, Slot
from koatsu.node import HostedObject, NoAnswerError, Node, Peer, UdpLink, discover, load_profile

__all__ = [
    "JST",
    "DaySlots",
    "DecodeError",
    "Eoj",
    "Esv",
    "Frame",
    "HistoryRow",
    "HostedObject",
    "KoatsuError",
    "Meter",
    "NoAnswerError",
    "NoMeterError",
    "Node",
    "Peer",
    "Reading",
    "Record",
    "Register",
    "Scale",
    "Shown",
    "Slot",
    "Special",
    "UdpLink",
    "UnreachableError",
    "UsageError",
    "device_class",
    "discover",
    "load_profile",
    "open_meter",
]
