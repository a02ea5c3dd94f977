"""The two lines a site wants to stay under, as its settings state them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["NO_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Target demand and contract power of one meter, kW; ``None`` where the site has not set one.

    Raises:
        ValueError: a limit is not above zero.
    """

    target_kw: Decimal | None = None
    contract_kw: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("target_kw", "contract_kw"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0 kW, not {value}")

    def values(self) -> tuple[float, ...]:
        """The limits that are set, for the scale of a chart."""
        return tuple(float(value) for value in (self.target_kw, self.contract_kw) if value is not None)


NO_LIMITS = Limits()
