"""What an exchange gave, and what an announcement said: values by property code, and what was refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from koatsu.echonet import REFUSALS, Answered, Eoj, Esv, Frame, Property
from koatsu.node.link import Peer

__all__ = ["Answer", "Notification", "answer_of"]

_GET_RES = Esv.GET_RES
_REFUSING = frozenset(REFUSALS.values())


class Answer(NamedTuple):
    """What came back for one request."""

    values: dict[int, bytes]  #: data by property code, only of those that were answered
    refused: tuple[int, ...]  #: codes that the other side refused
    frame: Frame
    peer: Peer
    elapsed_s: float

    @property
    def complete(self) -> bool:
        """Whether nothing was refused."""
        return not self.refused


class Notification(NamedTuple):
    """An announcement that somebody made."""

    peer: Peer
    eoj: Eoj
    values: dict[int, bytes]
    frame: Frame


def answer_of(answered: Answered, peer: Peer) -> Answer:
    """The answer of an exchange, whole or partial."""
    frame = answered.frame
    request = answered.exchange.frame
    if frame.esv is _GET_RES:  # the usual case: all data is there, the engine has seen to that
        values = dict(frame.properties)
        if len(values) == len(request.properties):
            return Answer(values, (), frame, peer, answered.elapsed_s)
    refused: list[int] = []
    values = {}
    if request.esv in (Esv.SETC, Esv.SETGET, Esv.SETI):
        if frame.esv in _REFUSING:  # a Set that was taken comes back empty, a refused one with its data
            refused.extend(epc for (epc, edt) in frame.properties if edt)
    else:
        _split(frame.properties, values, refused)
    if frame.second is not None:
        _split(frame.second, values, refused)
    if request.esv is Esv.INFC:
        values, refused = {}, []
    missing = {epc for epc, _ in (*request.properties, *(request.second or ()))} - {
        epc for epc, _ in (*frame.properties, *(frame.second or ()))
    }
    return Answer(values, (*refused, *sorted(missing)), frame, peer, answered.elapsed_s)


def _split(properties: Iterable[Property], values: dict[int, bytes], refused: list[int]) -> None:
    for epc, edt in properties:
        if edt:
            values[epc] = edt
        else:
            refused.append(epc)
