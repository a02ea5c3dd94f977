"""Service codes (ESV) and what answers what.

Source: ECHONET Lite specification 1.14, part 2, 3.2.5 (tables of service codes).
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ANNOUNCEMENTS", "ANSWERS", "REFUSALS", "REQUESTS", "SUCCESS", "Esv"]


class Esv(IntEnum):
    """ECHONET Lite service."""

    SETI = 0x60
    SETC = 0x61
    GET = 0x62
    INF_REQ = 0x63
    SETGET = 0x6E
    SET_RES = 0x71
    GET_RES = 0x72
    INF = 0x73
    INFC = 0x74
    INFC_RES = 0x7A
    SETGET_RES = 0x7E
    SETI_SNA = 0x50
    SETC_SNA = 0x51
    GET_SNA = 0x52
    INF_SNA = 0x53
    SETGET_SNA = 0x5E

    __hash__ = int.__hash__  # Enum's own hashes the name, in Python: too slow for a look-up per datagram

    def __str__(self) -> str:
        return f"{self.name} 0x{self.value:02X}"


REQUESTS = frozenset({Esv.SETI, Esv.SETC, Esv.GET, Esv.INF_REQ, Esv.SETGET})
ANNOUNCEMENTS = frozenset({Esv.INF, Esv.INFC})

#: Service asked for -> service of a full answer; SETI asks for none.
SUCCESS: dict[Esv, Esv] = {
    Esv.SETC: Esv.SET_RES,
    Esv.GET: Esv.GET_RES,
    Esv.INF_REQ: Esv.INF,
    Esv.SETGET: Esv.SETGET_RES,
    Esv.INFC: Esv.INFC_RES,
}

#: Service asked for -> service of a refusal, which may still carry some values.
REFUSALS: dict[Esv, Esv] = {
    Esv.SETI: Esv.SETI_SNA,
    Esv.SETC: Esv.SETC_SNA,
    Esv.GET: Esv.GET_SNA,
    Esv.INF_REQ: Esv.INF_SNA,
    Esv.SETGET: Esv.SETGET_SNA,
}

#: Service asked for -> every service that ends the exchange.
ANSWERS: dict[Esv, frozenset[Esv]] = {
    asked: frozenset(table[asked] for table in (SUCCESS, REFUSALS) if asked in table)
    for asked in (*REQUESTS, Esv.INFC)
}
