"""The judge of benchmarks/codec.py: ECHONET Lite frames read byte by byte, as slowly and plainly as possible.

Written from the tables of the ECHONET Lite specification 1.14, part 2, 3.2, without a look at any codec; the
section stands at each step. A datagram is well-formed when it is exactly one message, no byte
missing, none left.
"""

from __future__ import annotations

__all__ = ["MalformedError", "read", "write"]

# 3.2.5, tables of service codes: requests, answers, announcements, refusals
SERVICES = [
    0x60, 0x61, 0x62, 0x63, 0x6E,
    0x71, 0x72, 0x73, 0x74, 0x7A, 0x7E,
    0x50, 0x51, 0x52, 0x53, 0x5E,
]  # fmt: skip
SERVICES_WITH_TWO_LISTS = [0x6E, 0x7E, 0x5E]  # 4.2.3.4: write and read in one message


class MalformedError(Exception):
    """The datagram is not what the standard describes."""


class _Bytes:
    def __init__(self, datagram: bytes) -> None:
        self.left = list(datagram)

    def byte(self) -> int:
        if not self.left:
            raise MalformedError("it ends too early")
        return self.left.pop(0)

    def number(self, size: int) -> int:
        value = 0
        for _ in range(size):
            value = value * 256 + self.byte()
        return value

    def some(self, size: int) -> bytes:
        return bytes([self.byte() for _ in range(size)])

    def properties(self) -> tuple[tuple[int, bytes], ...]:
        found = []
        for _ in range(self.byte()):  # 3.2.6: OPC
            epc = self.byte()  # 3.2.7: EPC, its highest bit is 1
            if epc < 128:
                raise MalformedError("no such property code")
            found.append((epc, self.some(self.byte())))  # 3.2.8 and 3.2.9: PDC, EDT
        return tuple(found)


def read(datagram: bytes) -> tuple:
    """``(tid, seoj, deoj, esv, properties, second)``, or ``(tid, bytes)`` for an arbitrary message.

    Raises:
        MalformedError: it is no message.
    """
    rest = _Bytes(datagram)
    if rest.byte() != 0x10:  # 3.2.1.1: EHD1
        raise MalformedError("not ECHONET Lite")
    form = rest.byte()  # 3.2.1.2: EHD2
    if form not in (0x81, 0x82):
        raise MalformedError("neither format 1 nor format 2")
    tid = rest.number(2)  # 3.2.2: TID
    if form == 0x82:
        return (tid, bytes(rest.left))  # 3.2.3: an arbitrary message is the business of its two ends
    seoj = rest.number(3)  # 3.2.4: EOJ
    deoj = rest.number(3)
    esv = rest.byte()  # 3.2.5: ESV
    if esv not in SERVICES:
        raise MalformedError("no such service")
    properties = rest.properties()
    second = rest.properties() if esv in SERVICES_WITH_TWO_LISTS else None
    if rest.left:
        raise MalformedError("it goes on behind its end")
    return (tid, seoj, deoj, esv, properties, second)


def write(
    tid: int, seoj: int, deoj: int, esv: int, properties: list[tuple[int, bytes]], second: list | None = None
) -> bytes:
    """The bytes of a format 1 message."""
    text = f"1081{tid:04x}{seoj:06x}{deoj:06x}{esv:02x}"
    for one in [properties] if second is None else [properties, second]:
        text += f"{len(one):02x}" + "".join(f"{epc:02x}{len(edt):02x}{edt.hex()}" for epc, edt in one)
    return bytes.fromhex(text)
