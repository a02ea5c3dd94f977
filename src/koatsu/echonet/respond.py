"""The answering side, pure: one request frame and the object it asks, the answer frame out.

A request that can be served in part is answered by the refusal service with what could be served, as
ECHONET Lite specification 1.14, part 2, 4.2.3 wants: a refused Get carries no data, a refused Set its own.
"""

from __future__ import annotations

from typing import Final, Protocol

from koatsu.echonet.eoj import Eoj
from koatsu.echonet.esv import REFUSALS, SUCCESS, Esv
from koatsu.echonet.frame import Frame, Property

__all__ = ["Served", "confirm", "refuse_all", "respond"]

_READS: Final = frozenset({Esv.GET, Esv.INF_REQ})


class Served(Protocol):
    """What an object must offer to be asked over the wire."""

    @property
    def eoj(self) -> Eoj:
        """The object's own identifier, never with instance 0."""
        ...

    def get(self, epc: int) -> bytes | None:
        """The data of a property, 1 to 255 bytes; ``None`` when there is none or reading is refused."""
        ...

    def set(self, epc: int, edt: bytes) -> bool:
        """Take the data of a property; ``False`` when there is none or the value is refused."""
        ...


def respond(request: Frame, served: Served) -> Frame | None:
    """Serve ``request`` and give the answer.

    Returns:
        The answer, or ``None`` where the standard wants none: a SetI that was accepted whole, a message that
        is no request, a request without any property.
    """
    if not request.properties and not request.second:
        return None
    if request.esv in _READS:
        got, complete = _get(request.properties, served)
        return _answer(request, served.eoj, complete, got)
    if request.esv in (Esv.SETI, Esv.SETC):
        taken, complete = _set(request.properties, served)
        if complete and request.esv is Esv.SETI:
            return None
        return _answer(request, served.eoj, complete, taken)
    if request.esv is Esv.SETGET and request.second is not None:
        taken, all_set = _set(request.properties, served)
        got, all_got = _get(request.second, served)
        return _answer(request, served.eoj, all_set and all_got, taken, got)
    return None


def refuse_all(request: Frame, seoj: Eoj) -> Frame | None:
    """The refusal of every property of ``request``; ``None`` when it is no request."""
    service = REFUSALS.get(request.esv)
    if service is None:
        return None
    second = None if request.second is None else [(epc, b"") for epc, _ in request.second]
    return Frame(request.tid, seoj, request.seoj, service, request.properties, second)


def confirm(announcement: Frame, seoj: Eoj) -> Frame | None:
    """The receipt (INFC_Res) of an INFC; ``None`` for an announcement that wants none."""
    if announcement.esv is not Esv.INFC:
        return None
    taken = [(epc, b"") for epc, _ in announcement.properties]
    return Frame(announcement.tid, seoj, announcement.seoj, Esv.INFC_RES, taken)


def _get(asked: tuple[Property, ...], served: Served) -> tuple[list[Property], bool]:
    answers: list[Property] = []
    complete = True
    get = served.get
    for epc, _ in asked:
        edt = get(epc)
        if not edt:  # without data it is a refusal on the wire, whatever was meant
            edt, complete = b"", False
        answers.append((epc, edt))
    return answers, complete


def _set(asked: tuple[Property, ...], served: Served) -> tuple[list[Property], bool]:
    answers: list[Property] = []
    complete = True
    for epc, edt in asked:
        taken = served.set(epc, edt)
        complete = complete and taken
        answers.append((epc, b"" if taken else edt))
    return answers, complete


def _answer(
    request: Frame, seoj: Eoj, complete: bool, first: list[Property], second: list[Property] | None = None
) -> Frame:
    service = (SUCCESS if complete else REFUSALS)[request.esv]
    return Frame(request.tid, seoj, request.seoj, service, first, second)
