"""Which office a form goes to, for applying and for ending alike: by who supplies the electricity, and where.

The utility's own retail: the nearest distribution office, which is the one whose area has the place. Another
retailer: the network service centre. Self-supply: the office that the settings name, and none otherwise, for
the utility's public pages name none.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Connection

from koatsu.desk.errors import DeskError, DeskSettingError
from koatsu.desk.offices import Office, OfficeKind, all_offices, find_office, office_serving
from koatsu.desk.plain_text import shown_postal
from koatsu.desk.settings import DeskSettings
from koatsu.desk.supply_points import Supply, SupplyPoint
from koatsu.desk.words import Words

__all__ = ["RoutingError", "office_for", "office_for_point"]

_ADD_AREA: Final = Words(
    "事業所の担当区域に、この郵便番号か市区町村を加えてください。",
    "Add this postal code or municipality to the area of an office.",
)


class RoutingError(DeskError):
    """The registers name no office for a place."""


def office_for(
    connection: Connection,
    settings: DeskSettings,
    *,
    supply: Supply,
    postal_code: str,
    municipality: str,
    day: date,
) -> Office:
    """The office that takes a form about a place.

    Args:
        connection: in a transaction of the caller.
        settings: which name the office of those who supply themselves.
        supply: who supplies the electricity.
        postal_code: of the supply point, 7 digits; empty where it is not known.
        municipality: of the supply point; empty where it is not known.
        day: on which the office has to be open, in Japan.

    Raises:
        RoutingError: no office has the place in its area.
        DeskSettingError: self-supply, and the settings name no office that is open.
    """
    if supply is Supply.SELF:
        return _self_supply_office(connection, settings, day)
    kind = OfficeKind.DISTRIBUTION if supply is Supply.UTILITY else OfficeKind.NETWORK_SERVICE_CENTRE
    found = office_serving(connection, kind, day, postal_code, municipality)
    if found is not None:
        return found
    if kind is OfficeKind.DISTRIBUTION:
        raise RoutingError(_nobody(postal_code, municipality), _ADD_AREA)
    centres = all_offices(connection, kind=kind, day=day)
    if len(centres) == 1:  # one for the whole area need not have it written down
        return centres[0]
    raise _no_centre(postal_code, municipality, several=bool(centres))


def office_for_point(
    connection: Connection,
    settings: DeskSettings,
    point: SupplyPoint,
    day: date,
    *,
    supply: Supply | None = None,
) -> Office:
    """The office that takes a form about a registered supply point; ``supply``: where it is another by now.

    Raises:
        RoutingError: no office has the place in its area.
        DeskSettingError: self-supply, and the settings name no office that is open.
    """
    return office_for(
        connection,
        settings,
        supply=supply or point.supply,
        postal_code=point.postal_code,
        municipality=point.municipality,
        day=day,
    )


def _self_supply_office(connection: Connection, settings: DeskSettings, day: date) -> Office:
    code = settings.self_supply_office
    found = find_office(connection, code) if code else None
    if found is not None and found.open_on(day):
        return found
    if not code:
        words = Words(
            "自己等から供給を受けるお客さまの申込先が、設定されていません。",
            "The settings do not say which office takes forms of customers who supply themselves.",
        )
    elif found is None:
        words = Words(
            f"自己等から供給を受けるお客さまの申込先「{code}」は、事業所の台帳にありません。",
            f"The office {code}, set for customers who supply themselves, is not registered.",
        )
    else:
        words = Words(
            f"自己等から供給を受けるお客さまの申込先「{found.name}」は、{found.closed_on} に閉所しています。",
            f"The office {code}, set for customers who supply themselves, closed on {found.closed_on}.",
        )
    raise DeskSettingError(
        words,
        Words(
            "設定の self_supply_office に、事業所コードを書いてください。",
            "Set self_supply_office to the code of an office.",
        ),
    )


def _nobody(postal_code: str, municipality: str) -> Words:
    if not postal_code and not municipality:
        return Words(
            "郵便番号も市区町村もわからないため、最寄りの配電事業所を決められません。",
            "Neither postal code nor municipality is known, so the nearest distribution office is not.",
        )
    place = " ".join(part for part in (shown_postal(postal_code), municipality) if part)
    return Words(
        f"{place} を担当する配電事業所が登録されていません。",
        f"No distribution office has {place} in its area.",
    )


def _no_centre(postal_code: str, municipality: str, *, several: bool) -> RoutingError:
    if not several:
        return RoutingError(
            Words(
                "ネットワークサービスセンターが登録されていません。",
                "No network service centre is registered.",
            ),
            Words("事業所の台帳に登録してください。", "Add one to the register of offices."),
        )
    place = " ".join(part for part in (shown_postal(postal_code), municipality) if part) or "?"
    return RoutingError(
        Words(
            f"ネットワークサービスセンターが複数あり、{place} の担当が決まっていません。",
            f"There are several network service centres, and none has {place} in its area.",
        ),
        _ADD_AREA,
    )
