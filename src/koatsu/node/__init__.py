"""ECHONET Lite over asyncio: links, nodes, hosted and remote objects, capture and replay.

Thin shells around the pure ``koatsu.echonet``; it knows nothing of metering.
"""

from koatsu.node.answers import Answer, Notification
from koatsu.node.capture import Capture, CapturingLink
from koatsu.node.discovery import Found, FoundObject, discover, text_of
from koatsu.node.errors import LinkError, NoAnswerError, RefusedError
from koatsu.node.hosted import EXPERIMENTAL_MAKER, HostedObject, NodeProfile
from koatsu.node.link import GROUP_V4, GROUP_V6, PORT, Link, Peer, Receiver
from koatsu.node.loopback import Network
from koatsu.node.node import Node
from koatsu.node.profiles import LinkProfile, load_profile, profile_names
from koatsu.node.remote import RemoteObject
from koatsu.node.shared import SharedLink, SharedUdp
from koatsu.node.udp import UdpLink

__all__ = [
    "EXPERIMENTAL_MAKER", "GROUP_V4", "GROUP_V6", "PORT",
    "Answer", "Capture", "CapturingLink", "Found", "FoundObject", "HostedObject", "Link", "LinkError",
    "LinkProfile", "Network", "NoAnswerError", "Node", "NodeProfile", "Notification", "Peer", "Receiver",
    "RefusedError", "RemoteObject", "SharedLink", "SharedUdp", "UdpLink",
    "discover", "load_profile", "profile_names", "text_of",
]  # fmt: skip
