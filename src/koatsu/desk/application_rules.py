"""What an application must satisfy when it is handed in, and which office takes it."""

from __future__ import annotations

from typing import Final

from koatsu.desk.case_rows import live_at
from koatsu.desk.errors import RuleError
from koatsu.desk.fields import FIELDS, YES
from koatsu.desk.naming_rules import rule
from koatsu.desk.point_numbers import in_area
from koatsu.desk.routing import office_for
from koatsu.desk.standing import Standing
from koatsu.desk.supply_points import Supply, Voltage
from koatsu.desk.terms import terms_in_force
from koatsu.desk.voltages import ELSEWHERE
from koatsu.desk.words import Words
from koatsu.people import Role

__all__ = ["NEEDED", "check_area", "office_of"]

NEEDED: Final = ("supply", "way", "customer_name", "organisation", "ems_installed", "terms_version")
"""What every application must say."""

_REACHED_BY: Final = ("phone", "email", "address")


@rule("apply.complete")
def _complete(one: Standing) -> None:
    lacking = [name for name in NEEDED if not one.value(name)]
    if one.value("way") in ("post", "counter") and not one.value("received_on"):
        lacking.append("received_on")
    if one.value("supply") == Supply.OTHER and not one.value("retailer"):
        lacking.append("retailer")
    missing = [FIELDS[name].words for name in lacking]
    if not any(one.value(name) for name in _REACHED_BY):
        missing.append(Words("連絡先(電話、メール、住所のどれか)", "a way to reach the customer"))
        lacking.append(_REACHED_BY[0])
    if missing:
        raise RuleError(
            "apply.complete",
            Words(
                f"申込書に足りない項目があります:{'、'.join(words.ja for words in missing)}。",
                f"The application lacks: {', '.join(words.en for words in missing)}.",
            ),
            Words("書き足してから提出してください。", "Fill these in and submit again."),
            fields=tuple(lacking),
        )


@rule("apply.terms")
def _terms(one: Standing) -> None:
    if one.value("terms_accepted") != YES:
        raise RuleError(
            "apply.terms",
            Words("利用規約への同意がありません。", "The terms of use have not been accepted."),
            Words("同意の欄を確かめてください。", "See to the line of acceptance."),
            fields=("terms_accepted",),
        )
    present = terms_in_force(one.connection, one.day("received_on") or one.today)
    if present is None or one.value("terms_version") != present.id:
        there = Words("ありません", "none") if present is None else Words(f"「{present.id}」です", present.id)
        raise RuleError(
            "apply.terms",
            Words(
                f"同意された利用規約の版が、申込日に有効な版ではありません(有効な版は{there.ja})。",
                f"The version of the terms that was accepted is not the one in force ({there.en}).",
            ),
            Words(
                "有効な版をお渡しし、同意をいただいてください。",
                "Hand over the version in force and have it accepted.",
            ),
            fields=("terms_version",),
        )


@rule("apply.one")
def _one_application(one: Standing) -> None:
    other = live_at(one.connection, one.case.supply_point)
    if other is not None and other.id != one.case.id:
        raise RuleError(
            "apply.one",
            Words(
                f"この供給地点には、すでに申込があります({other.number})。",
                f"There is an application for this supply point already ({other.number}).",
            ),
            Words(
                "その案件を続けるか、先に取り下げてください。", "Go on with that case, or withdraw it first."
            ),
        )


@rule("apply.high_voltage")
def _high_voltage(one: Standing) -> None:
    check_area(one)
    point = one.point
    if point is None:
        raise RuleError(
            "apply.high_voltage",
            Words(
                "この供給地点特定番号は台帳にありません。", "This supply point number is not in the register."
            ),
            Words(
                "番号を確かめるか、先に供給地点を台帳に取り込んでください。",
                "Check the number, or bring the supply point into the register first.",
            ),
        )
    if point.voltage is not Voltage.HIGH:
        raise RuleError("apply.high_voltage", *ELSEWHERE[point.voltage])


@rule("eligible.area")
def check_area(one: Standing) -> None:
    """The supply point lies in the utility's area, by its number.

    Raises:
        RuleError: it does not.
    """
    prefixes = one.settings.area_prefixes
    if prefixes and not in_area(one.case.supply_point, prefixes):
        raise RuleError(
            "eligible.area",
            Words(
                "この供給地点は当社の供給区域の外にあります。",
                "This supply point lies outside the utility's area.",
            ),
            Words(
                "番号を確かめ、その地域の送配電会社へお申し込みください。",
                "Check the number; the network company of that area takes the application.",
            ),
        )


@rule("apply.online")
def _online(one: Standing) -> None:
    by_customer = one.actor.role is Role.CUSTOMER
    if (by_customer or one.value("way") == "online") and not one.settings.online:
        raise RuleError(
            "apply.online",
            Words("画面からの申込は受け付けていません。", "Applications on this page are not taken."),
            Words(
                "申込書を印刷し、郵送または窓口でお出しください。",
                "Print the form and hand it in by post or at the counter.",
            ),
        )


@rule("apply.office")
def _office(one: Standing) -> None:
    office_of(one)


def office_of(one: Standing) -> str:
    """The code of the office that takes this form: by who supplies, and where.

    Raises:
        DeskError: it cannot be told, and why.
    """
    point = one.point
    return office_for(
        one.connection,
        one.settings,
        supply=Supply(one.value("supply")),
        postal_code=point.postal_code if point else "",
        municipality=point.municipality if point else "",
        day=one.today,
    ).code
