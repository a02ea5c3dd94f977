"""Where those go whose voltage has a service of its own.

That low voltage has its own service is public. For extra-high voltage no public text was found, so the
sentence names nothing beyond the contract's own window.
"""

from __future__ import annotations

from typing import Final

from koatsu.desk.supply_points import Voltage
from koatsu.desk.words import Words

__all__ = ["ELSEWHERE"]

ELSEWHERE: Final[dict[Voltage, tuple[Words, Words]]] = {
    Voltage.LOW: (
        Words(
            "低圧のご契約です。低圧には、専用の電力メーター情報発信サービス(低圧)があります。",
            "This is a low-voltage contract, which has a B-route service of its own.",
        ),
        Words(
            "低圧のサービスの窓口へお申し込みください。つなぎ方や必要な機器も、このサービスとは異なります。",
            "Apply for the low-voltage service; it connects in another way and needs other equipment.",
        ),
    ),
    Voltage.EXTRA_HIGH: (
        Words(
            "特別高圧のご契約です。この高圧のサービスの対象ではなく、特別高圧としてのご案内になります。",
            "This is an extra-high-voltage contract, which this high-voltage service does not cover.",
        ),
        Words(
            "特別高圧のご契約の担当窓口へ、計量値のご提供についておたずねください。",
            "Ask the office in charge of extra-high-voltage contracts how it provides metered values.",
        ),
    ),
}
"""What is told, and where to go, for each voltage that is not high voltage."""
