"""Many sites: the list of them, and pages that stay at the site of their meter."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from web_site import BUY, NOW, SELL, Browser, FixtureSite

from koatsu.ems.live import LinkState
from koatsu.ems.site_models import MeterBrief, SiteBrief, SiteDays, SiteHead
from koatsu.ems.store import Level
from koatsu.ems.view_models import EventView, RecoveryView, SiteView
from koatsu.meter.slots import Slot
from koatsu.web import Limits, create_app
from koatsu.web.screens import SitesScreen
from koatsu.web.standing import standing
from koatsu.web.texts import texts

SLOT = Slot.at(NOW)
WHOLE = SiteDays(closed=30, whole=30, missing_slots=0)
NO_DAYS = SiteDays(closed=0, whole=0, missing_slots=0)
LIMITS = Limits(target_kw=Decimal(300), contract_kw=Decimal(350))


def brief(
    name: str,
    line: int | None = 200,
    *,
    link: LinkState = LinkState.LIVE,
    ago: timedelta = timedelta(seconds=4),
    days: SiteDays | None = WHOLE,
    trouble: EventView | None = None,
) -> SiteBrief:
    """A site with one meter, on course to ``line`` kW."""
    meter = MeterBrief(
        id=f"m-{name}", label="買電", role="buy", link=link, last_received=NOW - ago, slot=SLOT,
        until=NOW - timedelta(seconds=10), resolution_kwh=Decimal("1.2"),
        demand_kw=None if line is None else Decimal(line) / 2,
        straight_line_kw=None if line is None else Decimal(line),
    )  # fmt: skip
    head = SiteHead(id=name, name=f"{name}工場", meter_ids=(meter.id,))
    return SiteBrief(head=head, meters=(meter,), link=link, days=days, trouble=trouble)


class Fleet(FixtureSite):
    """Several sites; each has the meters of the fixture under names of its own."""

    def __init__(self, *briefs: SiteBrief) -> None:
        self.briefs = list(briefs)
        meters = [replace(BUY, id=one.meters[0].id, label=f"{one.head.id} 受電") for one in briefs]
        super().__init__(*meters)

    def sites(self) -> tuple[SiteHead, ...]:
        return tuple(one.head for one in self.briefs)

    def overview(self) -> tuple[SiteBrief, ...]:
        return tuple(self.briefs)

    def site(self, site_id: str | None = None) -> SiteView:
        head = next(one.head for one in self.briefs if site_id in (None, one.head.id))
        whole = super().site()
        meters = tuple(meter for meter in whole.meters if meter.id in head.meter_ids)
        return replace(whole, name=head.name, meters=meters)

    def recovery(self, site_id: str | None = None) -> list[RecoveryView]:
        head = next(one.head for one in self.briefs if site_id in (None, one.head.id))
        return [one for one in self.recoveries if one.meter_id in head.meter_ids]


def limits_of(*briefs: SiteBrief) -> dict[str, Limits]:
    return {one.meters[0].id: LIMITS for one in briefs}


def browser(*briefs: SiteBrief) -> Browser:
    return Browser(create_app(Fleet(*briefs), limits=limits_of(*briefs)))


def rows(html: str) -> list[str]:
    return re.findall(r'<tr id="site-([a-z]+)" class="site (\w+)"', html)


# --- the list -------------------------------------------------------------------------------------------


def test_the_most_urgent_site_comes_first() -> None:
    urgent = [
        (brief("over", 400), "alarm"),
        (brief("silent", 200, link=LinkState.SILENT), "caution"),
        (brief("above", 320), "caution"),
        (brief("stale", 200, link=LinkState.STALE), "caution"),
        (brief("waiting", None, link=LinkState.WAITING), "plain"),
        (brief("near", 290), "ok"),
        (brief("far", 100), "ok"),
    ]
    listed = browser(*(one for one, _ in reversed(urgent))).get("/sites")
    assert rows(listed.text) == [(one.head.id, tone) for one, tone in urgent]


def test_sites_that_are_alike_keep_the_order_of_the_settings() -> None:
    listed = browser(brief("b", 101), brief("a", 102), brief("c", 100)).get("/sites")
    assert [name for name, _ in rows(listed.text)] == ["b", "a", "c"]


def test_a_row_says_what_is_known_and_nothing_else() -> None:
    trouble = EventView(
        id=1, at=NOW - timedelta(hours=1), meter_id="m-a", level=Level.CAUTION, code="silent", params={}
    )
    some = SiteDays(closed=30, whole=28, missing_slots=1234)
    page = browser(
        brief("a", 340, trouble=trouble, days=some),
        brief("b", None, days=None),
        brief("c", link=LinkState.SILENT, ago=timedelta(hours=2), days=NO_DAYS),
    ).get("/sites").text  # fmt: skip
    row = dict(re.findall(r'<tr id="site-(\w)"(.*?)</tr>', page.replace("\u00a0", " "), re.DOTALL))
    assert "340" in row["a"]
    assert "目標 300 kW を 40.0 kW 上回る勢いです" in row["a"]
    assert 'aria-label="ここまで 170 kW、目標 300 kW、契約 350 kW"' in row["a"]
    assert "28 / 30 日" in row["a"]
    assert "1,234 コマ欠け" in row["a"]
    assert "12:17" in row["a"]
    assert "計量器が応答しません" in row["a"]
    assert "数えています" in row["b"]
    assert "kW" not in re.sub(r"<[^>]*>", "", row["b"])
    assert "11:17 から受信が止まっています" in row["c"]
    assert "まだありません" in row["c"]
    assert "<svg" not in row["c"], "a value that is two hours old is not drawn as the present one"


def test_both_languages_and_counts() -> None:
    many = browser(brief("a", 400), brief("b", 320), brief("c", link=LinkState.SILENT))
    english = many.get("/en/sites")
    assert (english.status_code, many.get("/sites").status_code) == (200, 200)
    for words in ("3 sites", "2 receiving", "1 on course past contract power", "2 to mind"):
        assert words in english.text
    assert "契約電力を超える勢い 1" in many.get("/sites").text
    assert 'href="/en/?site=a"' in english.text


@pytest.mark.parametrize(
    ("change", "figure", "gauge"),
    [
        (lambda one: one, "200", True),
        (lambda one: replace(one, straight_line_kw=None), "100", True),
        (lambda one: replace(one, until=SLOT.start + timedelta(seconds=70)), "100", True),
        (lambda one: replace(one, link=LinkState.STALE), "", False),
        (lambda one: replace(one, demand_kw=None, straight_line_kw=None), "", False),
    ],
    ids=["line", "no pace yet", "too early", "stale", "unknown"],
)
def test_the_figure_steps_down_where_it_would_claim_too_much(
    change: Callable[[MeterBrief], MeterBrief], figure: str, gauge: bool
) -> None:
    base = brief("a", 200)
    meter = change(base.meters[0])
    said = standing(replace(base, meters=(meter,)), limits_of(base), texts("ja"))
    assert (said.figure, said.gauge is not None) == (figure, gauge)


def test_the_meter_nearest_to_its_limit_stands_for_the_site() -> None:
    base = brief("a", 100)
    sub = replace(base.meters[0], id="m-sub", role="sub", straight_line_kw=Decimal(9999))
    second = replace(base.meters[0], id="m-second", straight_line_kw=Decimal(310), demand_kw=Decimal(155))
    said = standing(
        replace(base, meters=(sub, *base.meters, second)),
        dict.fromkeys(("m-a", "m-second"), LIMITS),
        texts("en"),
    )
    assert (said.lead.id, said.figure, said.tone) == ("m-second", "310", "caution")


def test_a_burst_of_signals_reads_the_sites_once() -> None:
    fleet = Fleet(brief("a", 100), brief("b", 200))
    screen = SitesScreen(fleet, texts("ja"), limits_of(*fleet.briefs))
    fleet.briefs[0] = brief("a", 400)
    changes = frozenset({("sample", "m-a"), ("tick", None)})
    screen.load(changes)
    assert [row["id"] for row in screen.values(NOW)["rows"]] == ["b", "a"], "it was read a moment ago"
    screen._read_at -= 10
    screen.load(changes)
    assert [row["id"] for row in screen.values(NOW)["rows"]] == ["a", "b"]
    keys = [part.key for part in screen.parts(changes)]
    assert keys == ["clock", "sites-summary", "sites", "site-a", "site-b"], "the order has changed"
    assert "sites" not in [part.key for part in screen.parts(changes)]


# --- pages of one site ----------------------------------------------------------------------------------

TWO = (brief("a", 100), brief("b", 200))


@pytest.mark.parametrize("path", ["/", "/day", "/days", "/en/", "/en/days"])
def test_a_page_of_no_site_in_particular_leads_to_the_list(path: str) -> None:
    answer = browser(*TWO).get(path)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{path[:3] if 'en' in path else ''}/sites",
    )


@pytest.mark.parametrize("path", ["/?site=b", "/days?site=b", "/now/m-b", "/day/m-b/2026-07-15"])
def test_a_page_of_a_meter_stays_at_its_site(path: str) -> None:
    page = browser(*TWO).get(path)
    assert page.status_code == 200
    assert "b工場" in page.text
    assert "m-a" not in page.text
    for entry in ("/?site=b", "/day?site=b", "/days?site=b"):
        assert f'href="{entry}"' in page.text
    assert 'href="/sites"' in page.text


def test_the_day_of_a_site_is_that_of_its_first_meter() -> None:
    answer = browser(*TWO).get("/day?site=b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/day/m-b/2026-07-15")


def test_the_other_language_shows_the_same_site() -> None:
    assert 'href="/en/?site=b"' in browser(*TWO).get("/?site=b").text


@pytest.mark.parametrize("path", ["/?site=nowhere", "/days?site=nowhere", "/day?site=nowhere"])
def test_a_site_that_is_not_there_is_told(path: str) -> None:
    answer = browser(*TWO).get(path)
    assert answer.status_code == 404
    assert "「nowhere」という拠点はありません" in answer.text


def test_one_site_has_no_list_in_its_navigation() -> None:
    alone = Browser(create_app(FixtureSite(BUY, SELL)))
    page = alone.get("/")
    assert page.status_code == 200
    assert "/sites" not in page.text
    assert "?site=" not in page.text
