"""What the desk needs of a site's wire, supplied from outside: is the terminal up, does the meter answer?

Nobody's word is assumed: where a question could not be asked, the answer is ``None``, and without a probe the
staff enter what they have seen, with their evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from koatsu.desk.words import Words

__all__ = ["LinkProbe", "ProbeResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What was found at ``at``. ``None`` stands for what could not be asked."""

    at: datetime
    reached: bool  #: the terminal has answered at all
    terminal_up: bool | None
    meter_answers: bool | None
    values: Mapping[str, str]  #: name -> value with unit, as the meter gave it
    reason: Words  #: one sentence on what was found
    labels: Mapping[str, Words] = field(default_factory=dict)  #: name of a value -> what people call it


class LinkProbe(Protocol):
    """Asks the terminal of a supply point; may take a minute, is called off the event loop."""

    def knows(self, supply_point: str) -> bool:
        """Whether it can ask the terminal of this point at all."""
        ...

    def ask(self, supply_point: str) -> ProbeResult:
        """Ask now. A terminal that does not answer is a result, not an error."""
        ...
