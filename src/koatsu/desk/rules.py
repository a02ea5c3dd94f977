"""The named rules that a step of the life cycle must satisfy; each refuses with one sentence and what to do.

Here they come together: those of the application, of acceptance and of works from their modules, and those of
suspensions, changes and the end below.
"""

from __future__ import annotations

from datetime import timedelta

from koatsu.clock import JST
from koatsu.desk import acceptance_rules, works_rules  # noqa: F401 - their rules are named by being read
from koatsu.desk.application_rules import NEEDED, check_area, office_of
from koatsu.desk.errors import RuleError
from koatsu.desk.fields import FIELDS
from koatsu.desk.naming_rules import RULES, rule
from koatsu.desk.standing import Standing
from koatsu.desk.states import State
from koatsu.desk.supply_points import Supply
from koatsu.desk.words import Words

__all__ = ["NEEDED", "RULES", "check_area", "check_rules", "office_of"]


def check_rules(one: Standing) -> None:
    """Ask every rule of the step.

    Raises:
        RuleError: of the first that does not hold.
    """
    for name in one.step.rules:
        RULES[name](one)


# --- suspension, changes, the end -----------------------------------------------------------------------


@rule("suspend.meter")
def _for_meter(one: Standing) -> None:
    if one.value("suspend_reason") != "meter_replacement":
        raise RuleError(
            "suspend.meter",
            Words("計量器の取替のための停止ではありません。", "It is not suspended for a new meter."),
            Words("「再開する」を使ってください。", "Use “Resume”."),
        )


@rule("suspend.other")
def _for_other(one: Standing) -> None:
    if one.value("suspend_reason") == "meter_replacement":
        raise RuleError(
            "suspend.other",
            Words(
                "計量器の取替のための停止です。取替の完了を記録すると、自動で再開します。",
                "It is suspended for a new meter and resumes by itself when that is recorded.",
            ),
            Words("取替の完了を記録してください。", "Record the new meter."),
        )


@rule("change.retailer")
def _retailer_named(one: Standing) -> None:
    if one.value("supply") == Supply.OTHER and not one.given.get("retailer"):
        raise RuleError(
            "change.retailer",
            Words("新しい小売電気事業者が書かれていません。", "The new retailer is not named."),
            Words("名前を書いてください。", "Name it."),
            fields=("retailer",),
        )


@rule("correct.recorded")
def _recorded(one: Standing) -> None:
    corrected = set(one.given) - {"reason"}
    never = {name for name in corrected if not one.case.facts.get(name) and not FIELDS[name].personal}
    if not corrected or never:
        raise RuleError(
            "correct.recorded",
            Words(
                "訂正できるのは、記録されている値だけです。", "Only what has been recorded can be corrected."
            ),
            Words("訂正する項目を選んでください。", "Choose a recorded value."),
        )


@rule("reopen.kept")
def _kept(one: Standing) -> None:
    if one.case.erased:
        raise RuleError(
            "reopen.kept",
            Words(
                "個人の情報を消去した案件は再開できません。",
                "A case whose personal data is erased cannot go on.",
            ),
            Words("新しい申込として受け付けてください。", "Take in a new application."),
        )


@rule("erase.kept_long_enough")
def _long_enough(one: Standing) -> None:
    if one.case.erased:
        raise RuleError(
            "erase.kept_long_enough",
            Words("個人の情報はすでに消去されています。", "The personal data has been erased already."),
        )
    until = one.case.changed_at + timedelta(days=one.settings.retention_days)
    if one.now < until and one.case.state is not State.DRAFT:
        raise RuleError(
            "erase.kept_long_enough",
            Words(
                f"保存期間が終わっていません。{until.astimezone(JST):%Y-%m-%d} から消去できます。",
                f"It has to be kept until {until.astimezone(JST):%Y-%m-%d}.",
            ),
        )
