"""What the parts of a configuration mean to each other: ids once, meters of known sites, TLS in pairs.

Each misfit names the place in the file that has to change, so that the reader can add the line; a ``Config``
made in code is refused with the same sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from koatsu.config.model import MeterConfig, PulseConfig, SiteConfig, WebConfig

__all__ = ["SITES_MAX", "Misfit", "misfits", "page_misfits"]

SITES_MAX: Final = 100  #: sites of one process


class Misfit(NamedTuple):
    """Two parts that do not go together, and the place that has to change."""

    path: tuple[str | int, ...]
    en: str
    ja: str


def misfits(
    sites: Sequence[SiteConfig],
    meters: Sequence[MeterConfig],
    web: WebConfig,
    pulses: Sequence[PulseConfig] = (),
) -> Iterator[Misfit]:
    """Everything that does not fit, in no particular order."""
    if not sites:
        yield Misfit(("site",), "at least one [site] is needed.", "[site] が1つ以上必要です。")
    if not meters:
        yield Misfit(("meter",), "at least one [[meter]] is needed.", "[[meter]] が1つ以上必要です。")
    yield from _sites(sites, meters)
    yield from _meters(sites, meters)
    yield from page_misfits(web)
    yield from _pulses(meters, pulses)


def _sites(sites: Sequence[SiteConfig], meters: Sequence[MeterConfig]) -> Iterator[Misfit]:
    if len(sites) > SITES_MAX:
        yield Misfit(
            ("site", SITES_MAX),
            f"there are {len(sites)} sites; allowed: 1 to {SITES_MAX} in one program. Start a second one.",
            f"拠点が {len(sites)} あります。1つのプログラムで扱えるのは1〜{SITES_MAX}です。"
            "残りは別の koatsu run で動かしてください。",
        )
    seen: dict[str, str] = {}
    named = {meter.site for meter in meters}
    told = not named <= {site.id for site in sites}  # a mistyped site: then another one lacks its meter
    for index, site in enumerate(sites):
        earlier = seen.get(site.id.lower())
        seen.setdefault(site.id.lower(), site.id)
        if earlier is not None:
            yield Misfit(
                ("site", index, "id"),
                f'[[site]] "{site.id}" repeats "{earlier}"; allowed: each id once.',
                f'[[site]] "{site.id}" は "{earlier}" と重複しています。id は一度だけ書けます。',
            )
        elif site.id not in named and meters and not told:
            yield Misfit(
                ("site", index),
                f'the site "{site.id}" has no meter; write site = "{site.id}" into a [[meter]], or '
                "remove the site.",
                f'拠点 "{site.id}" にメーターがありません。[[meter]] に site = "{site.id}" と書くか、'
                "拠点を消してください。",
            )


def _meters(sites: Sequence[SiteConfig], meters: Sequence[MeterConfig]) -> Iterator[Misfit]:
    known = [site.id for site in sites]
    for index, meter in enumerate(meters):
        if known and meter.site not in known:
            near = difflib.get_close_matches(meter.site, known, n=1, cutoff=0.5)
            shown = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
            yield Misfit(
                ("meter", index, "site"),
                f'[[meter]] "{meter.id}" is of site = "{meter.site}", which is not there; '
                + (f"did you mean {near[0]}? " if near else "")
                + f"Allowed: {shown}.",
                f'[[meter]] "{meter.id}" の site = "{meter.site}" という拠点はありません。'
                + (f"{near[0]} のことですか。" if near else "")
                + f"書けるもの: {shown}。",
            )
    for earlier, at in _duplicates(meters):
        first, second = meters[earlier], meters[at]
        yield Misfit(
            ("meter", at),
            f'[[meter]] "{second.id}" repeats "{first.id}"; allowed: each id once, and each '
            "address, class and instance once.",
            f'[[meter]] "{second.id}" は "{first.id}" と重複しています。'
            "id、およびアドレス・クラス・インスタンスの組は一度だけ書けます。",
        )


def _duplicates(meters: Sequence[MeterConfig]) -> list[tuple[int, int]]:
    """Index pairs of meters that share an id, or that are the same object at the same address."""
    found = []
    seen: dict[object, int] = {}
    for index, meter in enumerate(meters):
        keys = (meter.id.lower(), (meter.address, meter.class_code, meter.instance))
        first = min(seen.setdefault(key, index) for key in keys)
        if first != index:
            found.append((first, index))
    return found


def _pulses(meters: Sequence[MeterConfig], pulses: Sequence[PulseConfig]) -> Iterator[Misfit]:
    known = {meter.id for meter in meters}
    seen: set[str] = set()
    for index, pulse in enumerate(pulses):
        if pulse.meter not in known and known:
            allowed = ", ".join(sorted(known)[:10])
            yield Misfit(
                ("pulse", index, "meter"),
                f'[[pulse]] is of meter = "{pulse.meter}", which is not there. Allowed: {allowed}.',
                f'[[pulse]] の meter = "{pulse.meter}" というメーターはありません。書けるもの: {allowed}。',
            )
        elif pulse.meter in seen:
            yield Misfit(
                ("pulse", index, "meter"),
                f'the pulses of the meter "{pulse.meter}" are named twice; allowed: one [[pulse]] a meter.',
                f'メーター "{pulse.meter}" の [[pulse]] が2つあります。1台に1つだけ書けます。',
            )
        seen.add(pulse.meter)


def page_misfits(web: WebConfig) -> Iterator[Misfit]:
    """What does not fit in ``[web]``."""
    if (web.tls_cert is None) != (web.tls_key is None):
        there, lacking = ("tls_cert", "tls_key") if web.tls_cert else ("tls_key", "tls_cert")
        yield Misfit(
            ("web", there),
            f"[web] {there} needs {lacking} beside it.",
            f"[web] の {there} には {lacking} も必要です。",
        )
    if web.behind_proxy and not web.names:
        yield Misfit(
            ("web", "behind_proxy"),
            "[web] behind_proxy needs names: what others write into the browser to reach the proxy, "
            'such as names = ["ems.example.jp"].',
            "[web] の behind_proxy には names も必要です。プロキシを開くときの名前を "
            'names = ["ems.example.jp"] のように書いてください。',
        )
    if web.proxies and not web.behind_proxy:
        yield Misfit(
            ("web", "proxies"),
            "[web] proxies are believed only with behind_proxy = true.",
            "[web] の proxies は behind_proxy = true のときだけ使えます。",
        )
