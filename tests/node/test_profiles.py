"""Link profiles: the four that come along, a site's own, and every way to get one wrong."""

from __future__ import annotations

import dataclasses
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.config import ConfigFileError
from koatsu.errors import ConfigError, UsageError
from koatsu.node.profile_rules import RULES
from koatsu.node.profiles import LinkProfile, load_profile, profile_names

NAMES = ("fast", "hv-assumed", "lv-default", "strict")


def test_the_profiles_that_come_along() -> None:
    assert profile_names() == NAMES
    assert load_profile("fast") is load_profile("fast")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_every_profile_has_a_source_or_is_marked_assumed(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.title_en
    assert profile.title_ja
    assert not profile.title_ja.isascii()
    assert list(profile.origins.keys() ^ RULES.keys()) == []
    for field, origin in profile.origins.items():
        assert bool(origin.source) != origin.assumed, field
        if origin.assumed:
            assert origin.note, f"{field} is assumed: say why"
    assert set(profile.assumed) == {field for field, origin in profile.origins.items() if origin.assumed}


@pytest.mark.parametrize("name", NAMES)
def test_the_files_themselves_state_an_origin_beside_each_value(name: str) -> None:
    text = (files("koatsu.node") / "profile_files" / f"{name}.toml").read_text(encoding="utf-8")
    for field, entry in tomllib.loads(text)["fields"].items():
        assert ("source" in entry) != (entry.get("assumed") is True), field


def test_the_rules_and_the_class_name_the_same_fields_in_the_same_order() -> None:
    other = {"name", "title_en", "title_ja", "origins"}
    assert [f.name for f in dataclasses.fields(LinkProfile) if f.name not in other] == list(RULES)


def test_the_published_low_voltage_rules() -> None:
    lv = load_profile("lv-default")
    # LV AIF 1.01: 2.4.2 timers, 2.4.4 properties, 3.2.1 and 3.3.1 the half hour.
    assert (lv.timer_one_s, lv.timer_many_s, lv.max_properties) == (20, 60, 6)
    assert (lv.notify_expected, lv.notify_within_s, lv.poll_slot_after_s) == (True, 300, 300)
    assert (lv.energy_history_first, lv.demand_history_stamp, lv.history_days_max) == ("00:00", "end", 99)
    published = set(RULES) - set(lv.assumed)
    assert {"timer_one_s", "timer_many_s", "max_properties", "notify_within_s"} <= published


def test_high_voltage_claims_no_published_interface() -> None:
    hv = load_profile("hv-assumed")
    assert set(RULES) - set(hv.assumed) == {"history_days_max"}
    assert (hv.timer_one_s, hv.timer_many_s, hv.max_properties) == (20, 60, 6)
    assert (hv.poll_now_s, hv.poll_slot_after_s, hv.outstanding) == (60, 20, 1)


def test_fast_and_strict_are_what_they_are_called() -> None:
    fast, strict = load_profile("fast"), load_profile("strict")
    assert fast.poll_now_s == 10
    assert fast.timer_one_s < 5
    assert (strict.retries, strict.accept_trailing, strict.match_answer_properties) == (0, False, "exact")


def test_a_profile_can_be_varied_in_code_and_is_checked_again() -> None:
    fast = load_profile("fast")
    assert dataclasses.replace(fast, timer_one_s=0.2, timer_many_s=0.5).timer_one_s == 0.2
    with pytest.raises(UsageError, match="retries must be a whole number from 0 to 10, not 11") as caught:
        dataclasses.replace(fast, retries=11)
    assert "retries は 0 から 10 までの整数" in caught.value.text("ja")
    with pytest.raises(UsageError, match=r"timer_many_s .* must not be below"):
        dataclasses.replace(fast, timer_many_s=0.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fast.retries = 1


# -- a site's own file --------------------------------------------------------------------------------------


def write(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


OWN = """
extends = "hv-assumed"
title_ja = "第二工場のメーター"

[fields]
timer_one_s = { value = 5.5, source = "measured on site" }

[fields.accept_trailing]
value = true
assumed = true
note = "sends a byte too many"

[fields.retries]
value = 4
"""


def test_a_file_of_ones_own_overrides_what_it_extends(tmp_path: Path) -> None:
    path = write(tmp_path, OWN)
    own, base = load_profile(path), load_profile("hv-assumed")
    assert own == load_profile(str(path))
    assert (own.name, own.title_ja, own.title_en) == ("own", "第二工場のメーター", "own")
    changed = {"timer_one_s", "accept_trailing", "retries"}
    assert {key for key in RULES if own.values()[key] != base.values()[key]} == changed
    assert (own.timer_one_s, own.accept_trailing, own.retries) == (5.5, True, 4)
    assert own.origins["timer_one_s"].source == "measured on site"
    assert own.origins["retries"].file == str(path)  # no source: the file itself is it
    assert "retries" not in own.assumed
    assert own.origins["timer_many_s"] == base.origins["timer_many_s"]


def test_files_extend_files_seen_from_their_own_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path, OWN)
    path = write(tmp_path, 'extends = "../own.toml"\n[fields]\nretries.value = 2\n', "deep/deeper.toml")
    profile = load_profile(path)
    assert (profile.timer_one_s, profile.retries) == (5.5, 2)


def problems(path: Path) -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigFileError) as caught:
        load_profile(path)
    assert all(problem.ja and not problem.ja.isascii() for problem in caught.value.problems)
    assert str(path) in caught.value.text("ja")
    for problem in caught.value.problems:
        assert f"{path}:{problem.line}: " in caught.value.text("en") or problem.line is None
    return [(problem.line, problem.en) for problem in caught.value.problems]


def test_every_problem_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """extends = "hv-asumed"
tilte_en = "x"
title_ja = 7

[fields]
retries = { value = 99 }
timer_one = { value = 3 }
spacing_s = { value = "fast", source = "x" }
outstanding = 2
poll_now_s = { value = inf }
history_pause_s = { value = 1, sauce = "x" }
start_wait_s = { value = 1, assumed = true, source = "both" }
energy_history_first = { value = "00:15" }
max_properties = { value = true }
accept_trailing = { value = 1 }
discover_wait_s = { note = "no value" }
timer_many_s = { value = 1, note = "" }

[fields.timer_one_s]
value = 2
""",
    )
    told = dict(problems(path))
    assert set(told) == {1, 2, 3, *range(6, 18)}
    assert "hv-assumed" in told[1]
    assert "near it: title_en" in told[2]
    assert "title_ja must be one line of text in quotation marks, not 7." in told[3]
    assert told[6] == "retries must be a whole number from 0 to 10, not 99."
    assert "fields.timer_one is not known; near it: timer_one_s" in told[7]
    assert told[8] == 'spacing_s must be a number of seconds from 0 to 60, not "fast".'
    assert "outstanding = { value = ... }" in told[9]
    assert "3600, not inf" in told[10]
    assert "near it: source" in told[11]
    assert "only where there is no source" in told[12]
    assert told[13] == 'energy_history_first must be "00:00" or "00:30", not "00:15".'
    assert "not true" in told[14]
    assert told[15] == "accept_trailing must be true or false, not 1."
    assert "discover_wait_s needs a value" in told[16]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("extends = \n", 1, "not TOML"),
        ('extends = "fast"\n[fields]\nretries = { value = 1', 3, "not TOML"),
        ('extends = "fast"\nfields = 3\n', 2, "fields must be a table"),
        ('extends = "fast"\n\n[fields]\ntimer_one_s = { value = 9 }\n', 4, "must not be below timer_one_s"),
        ("[fields]\nretries = { value = 1 }\n", None, "missing: timer_one_s, timer_many_s, max_properties"),
        ('extends = "own.toml"\n', 1, "extends itself"),
        ('extends = "gone.toml"\n', 1, "cannot be read"),
        ("extends = 7\n", 1, "one line of text"),
    ],
)
def test_one_problem(tmp_path: Path, text: str, line: int | None, word: str) -> None:
    told = problems(write(tmp_path, text))
    assert [at for at, _ in told] == [line]
    assert word in told[0][1]


def test_a_problem_in_the_extended_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path, 'extends = "fast"\n[fields]\nretries = { value = -1 }\n', "base.toml")
    with pytest.raises(ConfigFileError, match=r"base\.toml:3: retries"):
        load_profile(write(tmp_path, 'extends = "base.toml"\n'))


def test_a_circle_of_files_is_told(tmp_path: Path) -> None:
    write(tmp_path, 'extends = "own.toml"\n', "base.toml")
    with pytest.raises(ConfigFileError, match="extends itself"):
        load_profile(write(tmp_path, 'extends = "base.toml"\n'))


def test_unknown_names_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no link profile 'hv_asumed'") as caught:
        load_profile("hv_asumed")
    assert "hv-assumed" in caught.value.text("en")
    assert "hv-assumed" in caught.value.text("ja")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile("gone/away")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_profile(tmp_path / "bytes.toml")


VALUES = st.one_of(
    st.booleans(), st.integers(-5, 4000), st.floats(), st.text(max_size=5), st.just("exact"), st.none()
)


@given(st.dictionaries(st.sampled_from(list(RULES)), VALUES, max_size=3))
def test_any_values_give_a_profile_or_a_usage_error(values: dict[str, object]) -> None:
    base = load_profile("fast")
    try:
        profile = dataclasses.replace(base, **values)
    except UsageError as error:
        assert error.ja  # noqa: PT017 - both ways out are right, and each is checked
    else:
        assert all(rule.accepts(getattr(profile, key)) for key, rule in RULES.items())


TEXTS = st.lists(
    st.sampled_from(
        ['extends = "fast"', "[fields]", "retries", " = ", "{ value = ", "3", " }", "\n", '"', "é", "fields."]
    ),
    max_size=12,
).map("".join)


@given(st.one_of(TEXTS, st.text(max_size=60)))
def test_any_text_gives_a_profile_or_the_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_profile(path)
    except ConfigError as error:
        assert str(path) in error.text("ja")  # noqa: PT017 - both ways out are right
