"""What must hold for works, for the connection check and for the start: nothing passes unseen."""

from __future__ import annotations

from typing import Final

from koatsu.desk.equipment import DeviceKind, supported
from koatsu.desk.errors import RuleError
from koatsu.desk.fields import FIELDS, NO, YES
from koatsu.desk.naming_rules import rule
from koatsu.desk.standing import Standing
from koatsu.desk.words import Words

__all__: list[str] = []

# --- works ----------------------------------------------------------------------------------------------


@rule("works.surveyed")
def _surveyed(one: Standing) -> None:
    if not one.value("surveyed_on"):
        raise RuleError(
            "works.surveyed",
            Words("現地調査の結果がまだ記録されていません。", "The survey has not been recorded yet."),
            Words("先に調査の結果を記録してください。", "Record it first."),
        )
    if one.value("installable") == NO:
        raise RuleError(
            "eligible.installable",
            Words("調査では取り付けられないとされています。", "The survey says that it cannot be installed."),
            Words("審査に戻してください。", "Send the case back to the check."),
        )


@rule("works.outage_agreed")
def _outage_agreed(one: Standing) -> None:
    if one.value("outage_needed") == YES and not (
        one.given.get("outage_agreed_on") and one.given.get("outage_window")
    ):
        raise RuleError(
            "works.outage_agreed",
            Words(
                "停電が必要な工事です。日時の合意が記録されていません。",
                "These works need an outage, and no agreement on its time is recorded.",
            ),
            Words(
                "お客さまと停電の日時を決め、合意した日と時間帯を書いてください。",
                "Agree on it with the customer; give the day of the agreement and the time of the outage.",
            ),
            fields=("outage_agreed_on", "outage_window"),
        )


@rule("works.meter_replaced")
def _meter_replaced(one: Standing) -> None:
    if one.value("meter_supported") == NO and not (
        one.given.get("meter_serial") and one.given.get("meter_type")
    ):
        raise RuleError(
            "works.meter_replaced",
            Words(
                "いまの計量器は対応型ではないため、取替が必要です。",
                "The meter is not of a supported type and has to be replaced.",
            ),
            Words(
                "新しい計量器の製造番号と型式を書いてください。",
                "Give the serial number and the type of the new one.",
            ),
            fields=("meter_serial", "meter_type"),
        )


@rule("works.supported")
def _supported(one: Standing) -> None:
    for field, kind in (("terminal_type", DeviceKind.TERMINAL), ("meter_type", DeviceKind.METER)):
        name = one.given.get(field, "")
        if name and not supported(one.connection, kind, name, one.day("worked_on") or one.today):
            raise RuleError(
                "works.supported",
                Words(
                    f"「{name}」は対応型の台帳にありません。",
                    f"{name!r} is not in the register of supported types.",
                ),
                Words(
                    "型式を確かめるか、台帳に取り込んでください。",
                    "Check the type, or bring it into the register.",
                ),
                fields=(field,),
            )


# --- the connection check and the start -----------------------------------------------------------------

_CHECKS: Final = ("check_terminal", "check_meter", "check_values")


@rule("check.evidence")
def _evidence(one: Standing) -> None:
    if not one.given.get("evidence"):
        raise RuleError(
            "check.evidence",
            Words(
                "確かめた内容が書かれていません。見ていないことを済みにはできません。",
                "What was seen is not written down; nothing passes unseen.",
            ),
            Words("いつ、だれが、何を見たかを書いてください。", "Write when, by whom and what was seen."),
            fields=("evidence",),
        )


@rule("start.checked")
def _checked(one: Standing) -> None:
    left = [FIELDS[name].words for name in _CHECKS if one.value(name) != YES]
    if left:
        raise RuleError(
            "start.checked",
            Words(
                f"まだ確かめられていません:{'、'.join(words.ja for words in left)}。",
                f"Not confirmed yet: {', '.join(words.en for words in left)}.",
            ),
            Words("接続確認の結果を記録してください。", "Record the result of the connection check."),
        )
