"""Objects that a node hosts: what other nodes may read, set and be told of.

An object serves the properties it was given values for, by the names of its class table; its three property
maps follow from that. Subclasses compute values on demand by overriding :meth:`HostedObject.get`.
Source: ECHONET device object appendix, super class requirements; specification 1.14, part 2, 6 (profiles).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from koatsu.devices import DeviceClass, PropertyDef, Value, device_class
from koatsu.echonet import NODE_PROFILE, DecodeError, Eoj, encode_map

__all__ = ["EXPERIMENTAL_MAKER", "HostedObject", "NodeProfile"]

EXPERIMENTAL_MAKER: Final = bytes.fromhex("FFFFFF")
"""Maker code for software that is no registered product."""

_MAPS: Final = ("announce_map", "set_map", "get_map")
_LISTED_MAX: Final = 84  # instances that fit the instance list (specification, part 2, 6.11.1)


class HostedObject:
    """One object of a node.

    Args:
        eoj: class and instance, for example ``Eoj(0x028A01)`` or plain ``0x028A01``.
        values: value of each property offered, by name (``{"energy_now": {...}}``); raw ``bytes`` of a
            property are taken as they stand. What the super class requires has defaults.
        settable: names that other nodes may set.
        announced: names whose change is announced to all.

    Raises:
        UsageError: a name is not in the class table.
        ValueError: a value does not fit its property.
    """

    def __init__(
        self,
        eoj: Eoj | int,
        values: Mapping[str, Value] | None = None,
        *,
        settable: Iterable[str] = (),
        announced: Iterable[str] = (),
        device: DeviceClass | None = None,
    ) -> None:
        self.eoj = Eoj(eoj)
        self.device = device or device_class(self.eoj.class_code)
        self.settable = self._codes(settable)
        self.announced = self._codes(announced) | self._codes(self._default_announced())
        self.on_change: Callable[[HostedObject, tuple[int, ...]], None] | None = None
        self._data: dict[int, bytes] = {}
        for name, value in {**self._defaults(), **(values or {})}.items():
            self._store(self.device.property(name), value)
        self._maps = self._codes(_MAPS)

    # -- the wire's side ------------------------------------------------------------------------------------

    def get(self, epc: int) -> bytes | None:
        """The data of a property, ``None`` when it is not offered."""
        if epc in self._maps:
            return self._map(epc)
        return self._data.get(epc)

    def set(self, epc: int, edt: bytes) -> bool:
        """Take data from the wire; ``False`` when the property or the value is refused."""
        if epc not in self.settable:
            return False
        definition = self.device.property(epc)
        try:
            value = definition.decode(edt)
        except DecodeError:
            return False
        if not self.accept(definition.name, value):
            return False
        self._change(definition, edt)
        return True

    def gettable(self) -> frozenset[int]:
        """The codes that can be read, the maps included."""
        return frozenset(self._data) | self._maps

    # -- the program's side ---------------------------------------------------------------------------------

    def accept(self, name: str, value: Value) -> bool:  # noqa: ARG002 - for subclasses
        """Whether to take ``value``, which fits the property, from the wire. Override to refuse or to act."""
        return True

    def update(self, **values: Value) -> None:
        """Change values by name; a change of an announced one is announced."""
        for name, value in values.items():
            definition = self.device.property(name)
            self._change(definition, self._encoded(definition, value))

    def announce(self, *names: str) -> None:
        """Announce the present values of ``names`` to all nodes, changed or not."""
        if self.on_change is not None:
            self.on_change(self, tuple(self.device.property(name).epc for name in names))

    # -- inside ---------------------------------------------------------------------------------------------

    def _defaults(self) -> dict[str, Value]:
        return {
            "operation_status": bytes.fromhex("30"),
            "location": bytes.fromhex("00"),
            "release": b"\x00\x00R\x00",  # release R, no revision
            "fault_status": bytes.fromhex("42"),
            "maker": EXPERIMENTAL_MAKER,
        }

    def _default_announced(self) -> tuple[str, ...]:
        return ("operation_status", "location", "fault_status")

    def _codes(self, names: Iterable[str]) -> frozenset[int]:
        return frozenset(self.device.property(name).epc for name in names)

    def _encoded(self, definition: PropertyDef, value: Value) -> bytes:
        if isinstance(value, bytes):
            definition.decode(value)
            return value
        return definition.encode(value)

    def _store(self, definition: PropertyDef, value: Value) -> None:
        self._data[definition.epc] = self._encoded(definition, value)

    def _change(self, definition: PropertyDef, edt: bytes) -> None:
        before = self._data.get(definition.epc)
        self._data[definition.epc] = edt
        if before != edt and definition.epc in self.announced and self.on_change is not None:
            self.on_change(self, (definition.epc,))

    def _map(self, epc: int) -> bytes:
        name = self.device.property(epc).name
        if name == "get_map":
            return encode_map(self.gettable())
        return encode_map((self.settable if name == "set_map" else self.announced) & self.gettable())


class NodeProfile(HostedObject):
    """The object that every node has: who we are and which objects live here.

    Args:
        objects: the node's other objects.
        unique: 13 bytes of the identification number that no other node of this maker has.
    """

    def __init__(self, objects: Iterable[HostedObject], *, unique: bytes) -> None:
        self._objects = tuple(objects)
        self._unique = unique
        super().__init__(NODE_PROFILE)

    def _defaults(self) -> dict[str, Value]:
        eojs = [one.eoj for one in self._objects]
        classes = sorted({eoj.class_code for eoj in eojs})
        listed = eojs[:_LISTED_MAX]
        instances = bytes((len(listed),)) + b"".join(eoj.encode() for eoj in listed)
        return {
            "operation_status": bytes.fromhex("30"),
            "version": bytes.fromhex("010E0100"),  # specification 1.14, format 1
            "identification": b"\xfe" + EXPERIMENTAL_MAKER + self._unique,
            "fault_status": bytes.fromhex("42"),
            "maker": EXPERIMENTAL_MAKER,
            "instance_count": len(eojs).to_bytes(3, "big"),
            "class_count": (len(classes) + 1).to_bytes(2, "big"),  # the node profile's own class counts too
            "instance_list_notification": instances,
            "instance_list": instances,
            "class_list": bytes((len(classes[:8]),))
            + b"".join(code.to_bytes(2, "big") for code in classes[:8]),
        }

    def _default_announced(self) -> tuple[str, ...]:
        return ("operation_status", "instance_list_notification")
