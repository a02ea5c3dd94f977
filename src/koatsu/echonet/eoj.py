"""ECHONET object identifiers (EOJ): class group, class, instance.

Source: ECHONET Lite specification 1.14, part 2, 3.2.4.
"""

from __future__ import annotations

__all__ = ["CONTROLLER", "NODE_PROFILE", "Eoj"]


class Eoj(int):
    """Three bytes that name an object: ``Eoj(0x028A01)`` is instance 1 of class 0x028A.

    Instance 0 addresses all instances of the class. An ``Eoj`` is an ``int``, so it is light and hashable.

    Raises:
        ValueError: outside 0 to 0xFFFFFF.
    """

    __slots__ = ()

    def __new__(cls, value: int) -> Eoj:  # noqa: D102 - the class docstring describes it
        if not 0 <= value <= 0xFFFFFF:
            raise ValueError(f"an EOJ has three bytes, not {value:#x}")
        return super().__new__(cls, value)

    @classmethod
    def of(cls, class_code: int, instance: int = 1) -> Eoj:
        """The object ``instance`` (0 to 255) of the class with the two-byte ``class_code``."""
        if not (0 <= class_code <= 0xFFFF and 0 <= instance <= 0xFF):
            raise ValueError(f"no such object: class {class_code:#x}, instance {instance}")
        return cls(class_code << 8 | instance)

    @property
    def class_code(self) -> int:
        """Class group and class, two bytes: 0x028A."""
        return self >> 8

    @property
    def instance(self) -> int:
        """Instance, 1 to 127; 0 means all instances of the class."""
        return self & 0xFF

    def encode(self) -> bytes:
        """The three bytes on the wire."""
        return self.to_bytes(3, "big")

    def includes(self, other: Eoj) -> bool:
        """Whether a message to this object is meant for ``other``: equal, or all instances of its class."""
        return self == other or (self.instance == 0 and self.class_code == other.class_code)

    def __repr__(self) -> str:
        return f"Eoj({self})"

    def __str__(self) -> str:
        return f"0x{int(self):06X}"

    def __format__(self, spec: str) -> str:
        return format(int(self), spec) if spec else str(self)


NODE_PROFILE = Eoj(0x0EF001)
CONTROLLER = Eoj(0x05FF01)
