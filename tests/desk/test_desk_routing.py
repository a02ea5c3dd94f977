"""Rule apply.office: where a form goes, for applying and for ending alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_site import POINT, SETTINGS, Memory, Site, emptied

from koatsu.desk.errors import DeskSettingError
from koatsu.desk.imports import Register
from koatsu.desk.offices import OfficeKind, municipality_key, office_serving
from koatsu.desk.routing import RoutingError, office_for_point
from koatsu.desk.supply_points import Supply

AREA = ("事業所コード", "郵便番号", "市区町村")
TODAY = date(2026, 7, 1)


@pytest.fixture
def site() -> Site:
    return Site(Memory()).furnished()


def office(site: Site, supply: Supply, postal_code: str = "", municipality: str = "") -> str:
    """The code of the office."""
    return site.registers.office_for(supply=supply, postal_code=postal_code, municipality=municipality).code


@pytest.mark.parametrize(
    ("postal_code", "municipality", "code"),
    [
        ("8120011", "北市", "north"),
        ("8150001", "北市", "south"),  # the postal code comes first
        ("8120099", "北市", "south"),  # of two prefixes the longer one
        ("9990000", "北市", "north"),  # no such prefix: by municipality
        ("9990000", "福岡県北市", "north"),  # with or without its prefecture
        ("", "南市", "south"),
        ("", "南市みどり区", "south"),  # a ward of the city
        ("9990000", "南\u3000市", "south"),
        ("8110001", "", None),  # only an office that has closed
        ("", "中郡東村", "north"),  # a village of the district
        ("9990000", "中郡山市", None),
        ("9990000", "南市場町", None),  # another municipality that begins alike
        ("9990000", "南", None),
        ("9990000", "", None),
        ("", "", None),
    ],
)
def test_the_utilitys_own_customers_go_to_the_nearest_distribution_office(
    site: Site, postal_code: str, municipality: str, code: str | None
) -> None:
    """Rule apply.office: nearest is the office whose area has the place."""
    if code is not None:
        assert office(site, Supply.UTILITY, postal_code, municipality) == code
        return
    with pytest.raises(RoutingError) as error:
        office(site, Supply.UTILITY, postal_code, municipality)
    assert error.value.hint_ja


def test_customers_of_other_retailers_go_to_the_network_service_centre(site: Site) -> None:
    """Rule apply.office: the only centre takes the forms of the whole area."""
    for postal_code in ("8120011", "9990000", ""):
        assert office(site, Supply.OTHER, postal_code, "北市") == "centre"


def test_of_several_centres_the_one_of_the_area_takes_it(site: Site) -> None:
    site.take(
        Register.OFFICES,
        ("コード", "種類", "名称", "郵便番号", "住所"),
        ("centre2", "NSC", "第二センター", "8900001", "西市 1"),
    )
    with pytest.raises(RoutingError, match="several network service centres, and none has 812-0011 北市"):
        office(site, Supply.OTHER, "8120011", "北市")
    site.take(Register.AREAS, AREA, ("centre2", "8", ""), ("centre", "", "北市"))
    assert office(site, Supply.OTHER, "8120011", "北市") == "centre2"
    assert office(site, Supply.UTILITY, "8120011", "北市") == "north"  # areas of another kind do not mix
    assert office(site, Supply.OTHER, "9120011", "北市") == "centre"


def test_without_a_centre_there_is_a_sentence_and_no_other_office(site: Site) -> None:
    bare = Site(Memory())
    with pytest.raises(RoutingError) as error:
        office(bare, Supply.OTHER, "8120011", "北市")
    assert error.value.ja == "ネットワークサービスセンターが登録されていません。"


def test_self_supply_goes_where_the_settings_say(site: Site) -> None:
    """Rule apply.office: the public pages name no office for self-supply, so there is no silent default."""
    assert office(site, Supply.SELF, "8120011", "北市") == "self"


@pytest.mark.parametrize(
    ("code", "says"),
    [("", "do not say which office"), ("nowhere", "is not registered"), ("old", "closed on 2026-06-30")],
)
def test_without_that_setting_self_supply_goes_nowhere(code: str, says: str) -> None:
    site = Site(Memory(), replace(SETTINGS, self_supply_office=code)).furnished()
    with pytest.raises(DeskSettingError, match=says) as error:
        office(site, Supply.SELF, "8120011", "北市")
    assert "self_supply_office" in error.value.text("ja")


def test_a_change_of_retailer_changes_the_office(site: Site) -> None:
    """Rule change.retailer: the service goes on, and another office has it."""
    site.points({"小売電気事業者コード": "A0001"})
    point = site.registers.point(POINT)
    with site.database.reading() as connection:
        assert office_for_point(connection, SETTINGS, point, TODAY).code == "north"
        changed = office_for_point(connection, SETTINGS, point, TODAY, supply=Supply.OTHER)
    assert changed.code == "centre"


def test_an_office_takes_forms_until_the_day_before_it_closes(site: Site) -> None:
    with site.database.reading() as connection:
        for day, code in ((date(2026, 6, 29), "old"), (date(2026, 6, 30), None)):
            found = office_serving(connection, OfficeKind.DISTRIBUTION, day, "8110001", "")
            assert (found.code if found else None) == code


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("福岡県北市", "北市"),
        ("北 市", "北市"),
        ("東京都千代田区", "千代田区"),
        ("京都市", "京都市"),
        ("神奈川県", ""),
    ],
)
def test_a_municipality_is_compared_without_its_prefecture(written: str, key: str) -> None:
    assert municipality_key(written) == key


_SCRATCH = Memory()


@given(
    st.dictionaries(st.text("01", min_size=1, max_size=7), st.sampled_from(["north", "south"]), max_size=12),
    st.text("01", min_size=7, max_size=7),
)
def test_the_longest_prefix_wins(areas: dict[str, str], postal_code: str) -> None:
    site = Site(emptied(_SCRATCH))
    site.take(
        Register.OFFICES,
        ("コード", "種類", "名称", "郵便番号", "住所"),
        ("north", "配電事業所", "北", "8120011", "北市 1"),
        ("south", "配電事業所", "南", "8150001", "南市 1"),
    )
    site.take(Register.AREAS, AREA, *((code, prefix, "") for prefix, code in areas.items()))
    fitting = [prefix for prefix in areas if postal_code.startswith(prefix)]
    with site.database.reading() as connection:
        found = office_serving(connection, OfficeKind.DISTRIBUTION, TODAY, postal_code, None)
    assert (found.code if found else None) == (areas[max(fitting, key=len)] if fitting else None)
