from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_site import OTHER_POINT, OUTSIDE, POINT, SETTINGS, Memory, Site

from koatsu.desk.eligibility import OUTCOME_WORDS, RULES, Asked, Eligibility, Outcome, Verdict, check
from koatsu.desk.faq import faq
from koatsu.desk.imports import Register
from koatsu.desk.supply_points import Supply, Voltage

ENDED, LATER, LOW, EXTRA_HIGH, NEW_METER, OLD_METER = (f"07{at:020}" for at in range(1, 7))


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A utility with points of every kind."""
    made = Site(Memory()).furnished()
    made.points(
        {"計量器の型式": "M-28A"},
        {"供給地点特定番号": OTHER_POINT, "電気の購入先": "自己等"},  # nobody knows its meter
        {"供給地点特定番号": ENDED, "契約終了日": "2026-06-30"},
        {"供給地点特定番号": LATER, "契約開始日": "2026-08-01"},
        {"供給地点特定番号": LOW, "電圧": "低圧"},
        {"供給地点特定番号": EXTRA_HIGH, "電圧": "特別高圧"},
        {"供給地点特定番号": NEW_METER, "計量器の型式": "M-EARLY"},
        {"供給地点特定番号": OLD_METER, "計量器の型式": "m28a"},
    )
    made.take(
        Register.METERS,
        ("供給地点特定番号", "製造番号", "型式", "用途", "取付日", "取外日"),
        (NEW_METER, "1", "M-EARLY", "買電用", "2016-01-01", "2026-06-01"),
        (NEW_METER, "2", "M-28A", "買電用", "2026-06-01", ""),
        (OLD_METER, "3", "M-EARLY", "買電用", "2016-01-01", ""),
        (OLD_METER, "4", "M-28A", "売電用", "2018-01-01", ""),
    )
    made.take(
        Register.CERTIFIED,
        ("認証番号", "メーカー", "型番", "認証日", "有効期限"),
        ("SMA-0001", "試作電機", "EMS-1", "2024-04-01", ""),
        ("SMA-0002", "試作電機", "EMS-2", "2020-04-01", "2026-06-30"),
        ("SMA-0003", "試作電機", "EMS-3", "2026-08-01", ""),
    )
    return made


class Case(NamedTuple):
    """What is asked, and which sentence the rule must say."""

    rule: str
    says: str
    verdict: Verdict
    asked: Asked


OK, REFUSED, UNKNOWN, WARNING = Verdict.OK, Verdict.REFUSED, Verdict.UNKNOWN, Verdict.WARNING

CASES = (
    # eligible.area: in the utility's area, by the first digits of the number
    Case("eligible.area", "inside", OK, Asked(number=POINT)),
    Case("eligible.area", "inside", OK, Asked(number=f"07{9:020}")),  # not registered, but of the area
    Case("eligible.area", "outside", REFUSED, Asked(number=OUTSIDE)),
    Case("eligible.area", "unchecked", UNKNOWN, Asked()),
    # eligible.supplied: by the utility, another retailer or oneself, all alike
    Case("eligible.supplied", "utility", OK, Asked(number=POINT)),
    Case("eligible.supplied", "self", OK, Asked(number=OTHER_POINT)),
    Case(
        "eligible.supplied", "other", OK, Asked(number=POINT, supply=Supply.OTHER)
    ),  # the register lags behind
    Case("eligible.supplied", "other", OK, Asked(supply=Supply.OTHER)),
    Case("eligible.supplied", "ended", REFUSED, Asked(number=ENDED, supply=Supply.OTHER)),
    Case("eligible.supplied", "not_begun", UNKNOWN, Asked(number=LATER)),
    Case("eligible.supplied", "unknown", UNKNOWN, Asked(number=f"07{9:020}")),
    # eligible.high_voltage: the other voltages have services of their own
    Case("eligible.high_voltage", "high", OK, Asked(number=POINT)),
    Case("eligible.high_voltage", "high", OK, Asked(voltage=Voltage.HIGH)),
    Case("eligible.high_voltage", "other", REFUSED, Asked(number=LOW)),
    Case(
        "eligible.high_voltage", "other", REFUSED, Asked(number=LOW, voltage=Voltage.HIGH)
    ),  # the register counts
    Case("eligible.high_voltage", "other", REFUSED, Asked(voltage=Voltage.EXTRA_HIGH)),
    Case("eligible.high_voltage", "unknown", UNKNOWN, Asked()),
    # eligible.installable: what nobody knows is surveyed; another type of meter is replaced, not refused
    Case("eligible.installable", "supported", OK, Asked(number=POINT)),
    Case("eligible.installable", "supported", OK, Asked(number=NEW_METER)),  # the meter that is there counts
    Case("eligible.installable", "replaced", OK, Asked(number=OLD_METER)),
    Case("eligible.installable", "replaced", OK, Asked(meter_type="M-EARLY")),  # supported until last year
    Case("eligible.installable", "replaced", OK, Asked(number=POINT, meter_type="X-1")),
    Case("eligible.installable", "unknown", UNKNOWN, Asked(number=OTHER_POINT)),
    Case("eligible.installable", "unknown", UNKNOWN, Asked()),
    Case("eligible.installable", "surveyed", OK, Asked(number=OTHER_POINT, installable=True)),
    Case("eligible.installable", "impossible", REFUSED, Asked(number=POINT, installable=False)),
    # eligible.ems: there will be one
    Case("eligible.ems", "there", OK, Asked(ems=True)),
    Case("eligible.ems", "none", REFUSED, Asked(ems=False)),
    Case("eligible.ems", "unknown", UNKNOWN, Asked()),
    # warn.sma: a warning with an explanation, never a refusal
    Case("warn.sma", "certified", OK, Asked(certificate="sma\uff0d0001")),
    Case("warn.sma", "without", WARNING, Asked(certificate=" ")),
    Case("warn.sma", "not_listed", WARNING, Asked(certificate="SMA-9999")),
    Case("warn.sma", "expired", WARNING, Asked(certificate="SMA-0002")),
    Case("warn.sma", "expired", WARNING, Asked(certificate="SMA-0003")),  # not certified yet
    Case("warn.sma", "unknown", UNKNOWN, Asked()),
    # warn.replacement: told, and free of charge
    Case("warn.replacement", "stays", OK, Asked(number=POINT)),
    Case("warn.replacement", "needed", WARNING, Asked(number=OLD_METER)),
    Case("warn.replacement", "unknown", UNKNOWN, Asked(number=OTHER_POINT)),
)


def ask(site: Site, asked: Asked) -> Eligibility:
    return site.registers.check(asked)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}-{case.says}")
def test_each_rule_says_what_its_table_has(site: Site, case: Case) -> None:
    finding = ask(site, case.asked).of(case.rule)
    verdict, sentence = RULES[case.rule].says[case.says]
    assert (finding.verdict, verdict) == (case.verdict, case.verdict)
    assert finding.words.ja.startswith(sentence.ja.partition("{")[0])
    assert finding.words.en.startswith(sentence.en.partition("{")[0])
    assert "{" not in finding.words.ja + finding.words.en


def test_every_sentence_of_every_rule_is_said_somewhere() -> None:
    assert {(case.rule, case.says) for case in CASES} == {
        (name, sentence) for name, rule in RULES.items() for sentence in rule.says
    }


def test_each_rule_comes_from_a_question_of_the_help() -> None:
    questions = {question.id for question in faq().questions}
    assert {rule.faq for rule in RULES.values()} <= questions
    assert all(rule.statement.ja and rule.explanation.en for rule in RULES.values())


def test_one_is_eligible_when_all_conditions_hold(site: Site) -> None:
    """Rules eligible.area, .supplied, .high_voltage, .installable, .ems: all of them, and nothing else."""
    found = ask(site, Asked(number=POINT, ems=True, certificate="SMA-0001"))
    assert found.eligible
    assert {finding.verdict for finding in found.findings} == {OK}
    assert OUTCOME_WORDS[found.outcome].ja == "お申込みいただけます。"


def test_an_ems_without_certification_is_warned_about_and_not_refused(site: Site) -> None:
    """Rule warn.sma."""
    for certificate in ("", "SMA-9999", "SMA-0002"):
        found = ask(site, Asked(number=POINT, ems=True, certificate=certificate))
        assert found.eligible
        assert [one.rule for one in found.those(WARNING)] == ["warn.sma"]


def test_a_certificate_that_does_not_exist_is_named_in_the_warning(site: Site) -> None:
    """Rule warn.sma."""
    finding = ask(site, Asked(certificate=" SMA-9999 ")).of("warn.sma")
    assert "「SMA-9999」" in finding.words.ja
    assert "SMA-9999" in finding.words.en


def test_what_is_not_known_is_found_out_and_not_refused(site: Site) -> None:
    found = ask(site, Asked())
    assert found.outcome is Outcome.OPEN
    assert not found.eligible
    assert found.those(REFUSED) == ()
    assert len(found.those(UNKNOWN)) == len(RULES)


def test_one_condition_that_does_not_hold_refuses(site: Site) -> None:
    for asked in (Asked(number=OUTSIDE), Asked(number=POINT, ems=False), Asked(number=ENDED)):
        assert ask(site, asked).outcome is Outcome.REFUSED


@pytest.mark.parametrize(("number", "own"), [(LOW, "低圧には、専用の"), (EXTRA_HIGH, "特別高圧")])
def test_other_voltages_are_told_which_service_is_their_own(site: Site, number: str, own: str) -> None:
    """Rule eligible.high_voltage."""
    finding = ask(site, Asked(number=number)).of("eligible.high_voltage")
    assert finding.hint is not None
    assert own in finding.hint.ja
    assert "voltage" in finding.hint.en


def test_without_area_prefixes_only_a_registered_point_is_known_to_be_inside(site: Site) -> None:
    """Rule eligible.area: the prefix is a setting, and empty it says nothing."""
    settings = replace(SETTINGS, area_prefixes=())
    with site.database.reading() as connection:
        for number, verdict in ((POINT, OK), (OUTSIDE, UNKNOWN)):
            found = check(connection, settings, Asked(number=number), site.registers.today())
            assert found.of("eligible.area").verdict is verdict


def test_with_an_empty_register_of_types_no_meter_is_judged() -> None:
    """Rule eligible.installable."""
    bare = Site(Memory())
    finding = ask(bare, Asked(meter_type="M-28A")).of("eligible.installable")
    assert finding.verdict is UNKNOWN


@given(
    st.builds(
        Asked,
        number=st.sampled_from([None, POINT, OTHER_POINT, OUTSIDE, ENDED, LATER, LOW, NEW_METER, OLD_METER]),
        supply=st.sampled_from([None, *Supply]),
        voltage=st.sampled_from([None, *Voltage]),
        meter_type=st.sampled_from([None, "", "M-28A", "M-EARLY", "{x}"]),
        installable=st.sampled_from([None, True, False]),
        ems=st.sampled_from([None, True, False]),
        certificate=st.one_of(st.none(), st.text(max_size=8), st.just("SMA-0001")),
    )
)
def test_the_outcome_follows_from_the_conditions_and_never_from_a_warning(asked: Asked) -> None:
    found = ask(_EVERYTHING, asked)
    assert [finding.rule for finding in found.findings] == list(RULES)
    needed = {finding.verdict for finding in found.findings if finding.rule.startswith("eligible.")}
    assert found.eligible is (needed == {OK})
    assert (found.outcome is Outcome.REFUSED) is (REFUSED in needed)
    assert WARNING not in needed
    assert REFUSED not in {one.verdict for one in found.findings if one.rule.startswith("warn.")}


_EVERYTHING = Site(Memory()).furnished()
_EVERYTHING.points({"計量器の型式": "M-28A"}, {"供給地点特定番号": LOW, "電圧": "低圧"})
