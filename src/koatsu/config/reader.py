"""One pass over a parsed ``koatsu.toml``: typed values, and every problem with the line it stands in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from koatsu.config.lines import Lines
from koatsu.config.model import (
    ONLY_SITE,
    TABLES,
    LogConfig,
    MeterConfig,
    NodeConfig,
    PulseConfig,
    SiteConfig,
    StoreConfig,
    WebConfig,
)
from koatsu.config.relations import misfits
from koatsu.config.tables import Problem, TableReader
from koatsu.config.whole import Config

__all__ = ["Problem", "Reader"]


class Reader(TableReader):
    """One pass over a parsed document that gathers problems as it goes.

    Args:
        lines: where things stand in the text.
        profiles: the names of link profiles that exist; ``None`` leaves the question open.
    """

    def __init__(self, lines: Lines, profiles: Collection[str] | None) -> None:
        super().__init__(TABLES, lines)
        self._profiles = profiles

    def read(self, document: Mapping[str, Any]) -> Config | None:
        """The configuration; ``None`` where ``problems`` has something."""
        self.known_tables(document)
        sites = self._sites(document)
        store = self._store(document)
        web = self.table(document, "web")
        node = self.table(document, "node")
        log = self.table(document, "log")
        ids = [site["id"] for site in sites if "id" in site]
        interface = None if node is None else node.get("interface")
        meters = self._meters(document, interface, ids[0] if len(sites) == 1 and ids else None)
        pulses = self._pulses(document)
        if store is None or web is None or node is None or log is None or self.problems:
            return None
        parts = tuple(SiteConfig(**site) for site in sites)
        page = WebConfig(**web)
        for wrong in misfits(parts, meters, page, pulses):
            self.problem(*wrong)
        if self.problems:
            return None
        return Config(
            sites=parts,
            meters=tuple(meters),
            store=StoreConfig(**store),
            web=page,
            node=NodeConfig(**node),
            log=LogConfig(**log),
            pulses=pulses,
        )

    def _sites(self, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The fields of each site: one ``[site]``, or several ``[[site]]`` with an id each."""
        written = document.get("site", {})
        if not isinstance(written, list):
            values = self.values(("site",), "[site]", "site", _without_store(written))
            return [] if values is None else [{"id": ONLY_SITE} | values]
        sites = []
        for index, entry in enumerate(written):
            path = ("site", index)
            if isinstance(entry, dict) and "store" in entry:
                self.problem(
                    (*path, "store"),
                    'all sites are kept in one store; write it once, as [store] path = "…".',
                    'すべての拠点を1か所に保存します。[store] に path = "…" と一度だけ書いてください。',
                )
            values = self.values(path, "[[site]]", "site", _without_store(entry))
            if values is None:
                continue
            if len(written) == 1:
                values.setdefault("id", ONLY_SITE)
            elif isinstance(entry, dict) and "id" not in entry:
                self.lacks(path, "[[site]]", "site", "id")
            sites.append(values)
        return sites

    def _store(self, document: Mapping[str, Any]) -> dict[str, Any] | None:
        """``[store] path``, or as with one site ``[site] store``."""
        site = document.get("site")
        if not isinstance(site, dict) or "store" not in site:
            return self.table(document, "store")
        if "store" in document:
            self.problem(
                ("site", "store"),
                "the store is named twice; allowed: [site] store or [store] path.",
                "保存先が2回書かれています。[site] の store か [store] の path の一方にしてください。",
            )
            return None
        [key] = TABLES["store"]
        value = self.value(("site", "store"), "[site] store", key, site["store"])
        return None if value is None else {key.field: value}

    def _meters(self, document: Mapping[str, Any], interface: Any, only: str | None) -> list[MeterConfig]:
        """The meters; those that name no site are of the ``only`` one."""
        written = document.get("meter")
        if not isinstance(written, list) or not written:
            self.problem(
                ("meter",),
                "there is no meter; write at least one [[meter]] with id and address.",
                "メーターがありません。[[meter]] を1つ以上書き、id と address を入れてください。",
            )
            return []
        meters = []
        for index, entry in enumerate(written):
            before = len(self.problems)
            values = self.values(("meter", index), "[[meter]]", "meter", entry)
            if values is not None and "profile" in values:
                place = ("meter", index, "profile")
                self.named(place, "[[meter]] profile", values["profile"], self._profiles)
            if values is None or len(self.problems) > before:
                continue
            if "site" not in values:
                if only is None and isinstance(document.get("site"), list):
                    self.lacks(("meter", index), "[[meter]]", "meter", "site")
                    continue
                values["site"] = only or ONLY_SITE
            address = values["address"]
            if address.host.startswith("fe80:") and not address.zone:
                if interface is None:
                    self.problem(
                        ("meter", index, "address"),
                        f'[[meter]] address "{address}" is link-local and needs its interface; '
                        f'allowed: "{address.host}%eth0", or interface in [node].',
                        f'[[meter]] の address "{address}" はリンクローカルなのでインターフェイスが要ります。'
                        f'"{address.host}%eth0" のように書くか、[node] に interface を書いてください。',
                    )
                    continue
                values["address"] = address._replace(zone=interface)
            meters.append(MeterConfig(**values))
        return meters

    def _pulses(self, document: Mapping[str, Any]) -> tuple[PulseConfig, ...]:
        """The pulse detectors, if there are any."""
        return tuple(PulseConfig(**values) for _, values in self.several(document, "pulse"))


def _without_store(entry: object) -> object:
    """A table of a site without its ``store``, which is read apart."""
    return {key: one for key, one in entry.items() if key != "store"} if isinstance(entry, dict) else entry
