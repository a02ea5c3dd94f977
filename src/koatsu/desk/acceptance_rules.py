"""What must hold to accept or refuse an application.

What makes somebody eligible is in :mod:`koatsu.desk.eligibility`; here stands when it is asked.
"""

from __future__ import annotations

from koatsu.desk.certified import find_certificate
from koatsu.desk.eligibility import RULES as ELIGIBILITY
from koatsu.desk.errors import RuleError
from koatsu.desk.fields import NO, YES
from koatsu.desk.naming_rules import rule
from koatsu.desk.standing import Standing
from koatsu.desk.words import Words

__all__: list[str] = []


@rule("eligible.supplied")
def _supplied(one: Standing) -> None:
    if one.value("in_area") != YES:
        raise RuleError(
            "eligible.supplied",
            Words(
                "供給区域内で電気の供給を受けていることが確かめられていません。",
                "It has not been confirmed that the point is in the area and supplied.",
            ),
            Words(
                "満たさないときは、お断りの手続きをしてください。", "Where it is not, refuse the application."
            ),
            fields=("in_area",),
        )
    point = one.point
    if point is not None and not point.under_contract(one.today):
        raise RuleError(
            "eligible.supplied",
            Words(
                "この供給地点の電気のご契約は終わっています。", "The supply contract of this point has ended."
            ),
            Words("台帳を確かめてください。", "Check the register."),
        )


@rule("eligible.installable")
def _installable(one: Standing) -> None:
    if one.value("installable") == NO:
        raise RuleError(
            "eligible.installable",
            Words(
                "対応する計量器・端末を取り付けられないと記録されています。",
                "It is recorded that a supported meter and terminal cannot be installed.",
            ),
            Words("お断りの手続きをしてください。", "Refuse the application."),
            fields=("installable",),
        )


@rule("eligible.ems")
def _ems(one: Standing) -> None:
    if one.value("ems_installed") == NO:
        raise RuleError(
            "eligible.ems",
            Words("EMS が設置されません。", "No EMS will be installed."),
            Words("設置の予定をお客さまに確かめてください。", "Ask the customer whether one is planned."),
        )


@rule("warn.sma")
def _sma(one: Standing) -> None:
    """A warning and an explanation, never a refusal: it only has to be told."""
    number = one.value("ems_certificate")
    if number and find_certificate(one.connection, number) is not None:
        return
    if one.value("warning_told") != YES:
        raise RuleError(
            "warn.sma",
            Words(
                f"SMA 認証番号「{number}」は認証機器の台帳にありません。"
                if number
                else "EMS に SMA 認証がありません。申込は受けられますが、説明が必要です。",
                f"The SMA certificate number {number!r} is not in the register of certified equipment."
                if number
                else "The EMS has no SMA certificate. It can be accepted once that was explained.",
            ),
            Words(
                "つながらないときは EMS メーカーの対応になることをお伝えし、説明したことを記録してください。",
                "Explain that the EMS maker is to help if it does not connect, and record it.",
            ),
        )


@rule("refuse.because")
def _because(one: Standing) -> None:
    if one.given["rule"] not in ELIGIBILITY or one.given["rule"].startswith("warn."):
        named = [name for name in ELIGIBILITY if not name.startswith("warn.")]
        raise RuleError(
            "refuse.because",
            Words(
                "お断りできるのは、申込の条件を満たさないときだけです。",
                "An application is refused only for a condition that does not hold.",
            ),
            Words(f"満たさない条件を選んでください:{'、'.join(named)}。", f"Name it: {', '.join(named)}."),
            fields=("rule",),
        )
