"""Hypothesis strategies of the wire: any valid frame, and what it is made of."""

from __future__ import annotations

from hypothesis import strategies as st

from koatsu.echonet import Eoj, Esv, Frame

__all__ = ["TWO_LISTS", "eojs", "epcs", "esvs", "frames", "objects", "properties"]

TWO_LISTS = (Esv.SETGET, Esv.SETGET_RES, Esv.SETGET_SNA)

epcs = st.integers(0x80, 0xFF)
esvs = st.sampled_from(Esv)
eojs = st.one_of(
    st.sampled_from([Eoj(0x028A01), Eoj(0x05FF01), Eoj(0x0EF001), Eoj(0)]), st.integers(0, 0xFFFFFF).map(Eoj)
)
#: objects that can be asked: never instance 0
objects = st.builds(Eoj.of, st.integers(0, 0xFFFF), st.integers(1, 0x7F))
properties = st.lists(st.tuples(epcs, st.binary(max_size=20) | st.binary(max_size=255)), max_size=12)


@st.composite
def frames(draw: st.DrawFn, services: st.SearchStrategy[Esv] = esvs) -> Frame:
    """Any frame that the constructor takes."""
    esv = draw(services)
    second = draw(properties) if esv in TWO_LISTS else None
    return Frame(draw(st.integers(0, 0xFFFF)), draw(eojs), draw(eojs), esv, draw(properties), second)
