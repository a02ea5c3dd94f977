"""A whole configuration: sites, meters, store, page and node, fitted together."""

from __future__ import annotations

from dataclasses import dataclass, field

from koatsu.config.model import (
    LogConfig,
    MeterConfig,
    NodeConfig,
    PulseConfig,
    SiteConfig,
    StoreConfig,
    WebConfig,
)
from koatsu.config.relations import misfits
from koatsu.config.rules import RuleError

__all__ = ["Config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole configuration: 1 to 100 sites, each with at least one meter; ids are unique.

    Raises:
        RuleError: its parts do not fit together, see :mod:`koatsu.config.relations`.
    """

    sites: tuple[SiteConfig, ...]
    meters: tuple[MeterConfig, ...]
    store: StoreConfig = field(default_factory=StoreConfig)
    web: WebConfig = field(default_factory=WebConfig)
    node: NodeConfig = field(default_factory=NodeConfig)
    log: LogConfig = field(default_factory=LogConfig)
    pulses: tuple[PulseConfig, ...] = ()

    def __post_init__(self) -> None:
        for wrong in misfits(self.sites, self.meters, self.web, self.pulses):
            raise RuleError(wrong.en, wrong.ja)

    def site(self, site_id: str) -> SiteConfig:
        """The site of that id.

        Raises:
            KeyError: there is none.
        """
        return {site.id: site for site in self.sites}[site_id]

    def meter(self, meter_id: str) -> MeterConfig:
        """The meter of that id.

        Raises:
            KeyError: there is none.
        """
        return {meter.id: meter for meter in self.meters}[meter_id]
