"""The wire, sans-IO: ECHONET Lite frames, identifiers, services, property maps and transactions.

Standard library only; no socket, no clock, no logging. See docs/architecture.md.
"""

from koatsu.echonet.engine import Engine, Exchange, Matching
from koatsu.echonet.eoj import CONTROLLER, NODE_PROFILE, Eoj
from koatsu.echonet.errors import DecodeError, LocalProtocolError
from koatsu.echonet.esv import ANNOUNCEMENTS, ANSWERS, REFUSALS, REQUESTS, SUCCESS, Esv
from koatsu.echonet.events import (
    Announced,
    Answered,
    Arbitrary,
    Duplicate,
    Event,
    Late,
    Malformed,
    Requested,
    Resend,
    Stray,
    TimedOut,
    Unfit,
)
from koatsu.echonet.frame import Frame, Message, Property, decode, message_id
from koatsu.echonet.propmap import decode_map, encode_map
from koatsu.echonet.respond import Served, confirm, refuse_all, respond

__all__ = [
    "ANNOUNCEMENTS", "ANSWERS", "CONTROLLER", "NODE_PROFILE", "REFUSALS", "REQUESTS", "SUCCESS",
    "Announced", "Answered", "Arbitrary", "DecodeError", "Duplicate", "Engine", "Eoj", "Esv", "Event",
    "Exchange", "Frame", "Late", "LocalProtocolError", "Malformed", "Matching", "Message", "Property",
    "Requested", "Resend", "Served", "Stray", "TimedOut", "Unfit",
    "confirm", "decode", "decode_map", "encode_map", "message_id", "refuse_all", "respond",
]  # fmt: skip
