"""``koatsu desk …`` at the terminal: imports, verification, people, the diagram, and every wrong use."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from program import Done, Here

from koatsu.app.desk_diagram import life_cycle
from koatsu.clock import SystemClock
from koatsu.desk import STATE_WORDS, STEPS, SYSTEM, Desk, DeskSettings, Event, State
from koatsu.desk.imports import Register
from koatsu.desk.lifecycle import BACK, STAY
from koatsu.people import People, Role

PASSWORD = "gravel teapot orbit"
CONFIG = '[utility]\nname = "架空電力送配電"\narea_prefixes = ["07"]\n'
POINT = f"07{1:020}"
POINTS = (
    "供給地点特定番号,郵便番号,市区町村,電圧,電気の購入先\n"
    f"{POINT},000-0001,ひばり市,高圧,当社\n"
    f"03{2:020},000-0001,ひばり市,高圧,当社\n"
    "12,000-0001,ひばり市,高圧,当社\n"
)
OFFICES = (
    "事業所コード,種類,事業所名,郵便番号,住所\n"
    "chuo,配電事業所,中央,000-0001,ひばり市 1-1\n"
    "kita,配電事業所,北,000-0002,ひばり市 2-2\n"
)
Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, with a configuration and nothing else."""
    (tmp_path / "desk.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(here: Here, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``koatsu desk``, with a password on standard input if one is given."""

    def call(*words: str, piped: str | None = None, lang: str = "en") -> Done:
        if piped is None:
            return here("desk", *words, lang=lang)
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{piped}\n"))
        return here("desk", *words, "--password-stdin", lang=lang)

    return call


def opened(folder: Path) -> Desk:
    return Desk.open(folder / "desk.db", settings=DeskSettings(area_prefixes=("07",)), clock=SystemClock())


# --- import ---------------------------------------------------------------------------------------------


def test_a_file_is_brought_into_a_register_and_every_refused_row_is_told(run: Run, folder: Path) -> None:
    (folder / "points.csv").write_text(POINTS, encoding="cp932")
    done = run("import", "supply-points", "points.csv", "--refused", "refused.csv")
    assert done.status == 1, "rows were refused"
    assert "3 rows: 1 new, 0 changed, 0 the same, 2 refused." in done.out
    assert "Row 3" in done.out
    assert "Row 4" in done.out
    assert POINT not in done.out + done.err
    refused = (folder / "refused.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(refused) == 3
    with opened(folder) as desk:
        assert desk.registers.point(POINT).municipality == "ひばり市"
        [file] = desk.registers.imported_files()
        assert (file.register, file.author, file.refused) == (Register.SUPPLY_POINTS, "console", 2)


def test_a_dry_run_changes_nothing(run: Run, folder: Path) -> None:
    (folder / "offices.csv").write_text(OFFICES, encoding="utf-8")
    done = run("import", "offices", "offices.csv", "--dry-run", lang="ja")
    assert done.status == 0
    assert "新規 2" in done.out
    assert "まだ取り込んでいません。" in done.out
    with opened(folder) as desk:
        assert desk.registers.offices() == ()
        assert desk.registers.imported_files() == ()


def test_a_report_for_programs_has_every_refusal(run: Run, folder: Path) -> None:
    (folder / "points.csv").write_text(POINTS, encoding="utf-8")
    report = run("import", "supply_points", "points.csv", "--json").json
    assert (report["rows"], report["new"], report["refused"], report["dry_run"]) == (3, 1, 2, False)
    assert [one["row"] for one in report["refusals"]] == [3, 4]
    assert all(one["en"] and one["ja"] for one in report["refusals"])
    assert "0" * 19 not in json.dumps(report)


@pytest.mark.parametrize(
    ("words", "en", "ja"),
    [
        (("import", "pionts", "x.csv"), "There is no register pionts", "台帳 pionts はありません"),
        (("import", "offices", "none.csv"), "none.csv cannot be read", "none.csv を読めません"),
        (("import", "offices", "wrong.csv"), "Nothing was imported", "何も取り込んでいません"),
        (
            ("import", "offices", "offices.csv", "--refused", "no/where.csv"),
            "no/where.csv cannot be written",
            "書き込めません",
        ),
        (("import", "offices", "offices.csv", "-c", "none.toml"), "no configuration file", "設定ファイル"),
        (("-c", "x.toml", "verify"), "--config stands before the command verify", "の前では意味がありません"),
        (("--demo", "people", "list"), "--demo stands before the command people", "の前では意味がありません"),
        (("--cases", "30"), "--cases is for the demo", "デモ用です"),
        (("--demo", "-c", "desk.toml"), "a configuration of its own", "設定ファイルを使いません"),
        (("-c", "none.toml"), "no configuration file none.toml", "設定ファイル none.toml がありません"),
        (("-c", "broken.toml"), 'has no key "pert"; did you mean port?', "port のことですか"),
        (("verify",), "There is no store", "がまだありません"),
        (("diagram", "--lang", "fr"), "There is no language fr", "言語 fr はありません"),
        (("people", "add", "森", "--role", "viewer"), "There is no role viewer", "権限 viewer はありません"),
        (("people", "add", "森", "--office", "chuo"), "nobody to type a password", "端末がありません"),
        (
            ("people", "add", "森", "--role", "customer", "--office", "chuo"),
            "A customer belongs to a case",
            "案件に属します",
        ),
        (("people", "add", "森", "--case", "HB-1"), "Only a customer belongs to a case", "お客さま"),
        (("people", "place", "森"), "Say where the person belongs", "所属を指定"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(
    words: tuple[str, ...], en: str, ja: str, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    (folder / "offices.csv").write_text(OFFICES, encoding="utf-8")
    (folder / "wrong.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "broken.toml").write_text(f"{CONFIG}[web]\npert = 8029\n", encoding="utf-8")
    for lang, said in (("en", en), ("ja", ja)):
        done = run(*words, lang=lang)
        assert done.status == 2, done
        assert said in done.err
        assert done.err.startswith("koatsu: ")


def test_a_store_that_is_another_program_s_is_left_as_it_is(run: Run, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "desk.db")) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    before = (folder / "desk.db").read_bytes()
    done = run("verify")
    assert done.status == 1
    assert "is no store of Koatsu's service desk" in done.err
    assert (folder / "desk.db").read_bytes() == before


def test_a_key_that_is_another_one_s_is_told(run: Run, folder: Path) -> None:
    opened(folder).close()
    (folder / "desk.key").write_text("00" * 32, encoding="ascii")
    done = run("verify", lang="ja")
    assert done.status == 2
    assert "鍵がこの保存先のものではありません" in done.err


# --- verify ---------------------------------------------------------------------------------------------


@pytest.fixture
def drafts(folder: Path) -> list[int]:
    """Two drafts, so that there are events."""
    with opened(folder) as desk:
        return [desk.cases.open(SYSTEM, {"supply_point": f"07{number:020}"}).id for number in (1, 2)]


def test_what_is_as_it_was_written_is_sound(run: Run, drafts: list[int]) -> None:
    done = run("verify")
    assert done.status == 0
    assert re.search(r"events of cases +2 +[0-9a-f]{64} +sound", done.out)
    [events, registers, audit] = run("verify", "--json").json
    assert (events["chain"], events["entries"], events["sound"], events["finding"]) == (
        "events",
        2,
        True,
        None,
    )
    assert (registers["chain"], registers["entries"], registers["sound"]) == ("registers", 0, True)
    assert (audit["chain"], audit["entries"], audit["sound"]) == ("audit", 0, True)
    assert run("verify", "--expect", events["head"]).status == 0
    missing = run("verify", "--expect", "0" * 63 + "1", lang="ja")
    assert missing.status == 1
    assert "控えたハッシュの記録が" in missing.out


def test_an_event_that_was_changed_behind_our_back_is_found(
    run: Run, folder: Path, drafts: list[int]
) -> None:
    with closing(sqlite3.connect(folder / "desk.db")) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE desk_event SET author = 'person:9' WHERE seq = 1")
        store.commit()
    done = run("verify")
    assert done.status == 1
    assert "Entry 1 of the audit log was changed." in done.out
    [events, registers, audit] = run("verify", "--json").json
    assert events["finding"] == {"kind": "changed", "entry": 1}
    assert registers["sound"]
    assert audit["sound"]


# --- people ---------------------------------------------------------------------------------------------


@pytest.fixture
def owned(run: Run, folder: Path) -> Run:
    """The same, with an owner and two offices."""
    assert run("people", "add", "田中", "--role", "owner", piped=PASSWORD).status == 0
    (folder / "offices.csv").write_text(OFFICES, encoding="utf-8")
    assert run("import", "offices", "offices.csv").status == 0
    return run


def listed(run: Run) -> dict[str, tuple[str, str | None]]:
    return {one["name"]: (one["role"], one["office"]) for one in run("people", "list", "--json").json}


def test_staff_are_added_with_their_office_and_log_in_at_the_desk(owned: Run, folder: Path) -> None:
    assert owned("people", "add", "森", "--office", "CHUO", piped=PASSWORD).status == 0
    done = owned("people", "add", "原", "--role", "works", "--office", "all", piped=PASSWORD, lang="ja")
    assert "原 を登録しました(works)" in done.err
    assert owned("people", "add", "空", "--role", "supervisor", piped=PASSWORD).status == 0
    assert listed(owned) == {
        "田中": ("owner", None), "森": ("counter", "chuo"),
        "原": ("works", "all"), "空": ("supervisor", None),
    }  # fmt: skip
    assert re.search(r"2 +森 +counter +chuo ", owned("people", "list").out)
    with People.open(folder / "desk.db", clock=SystemClock()) as people, opened(folder) as desk:
        _, login = people.log_in("森", PASSWORD, origin="127.0.0.1")
        assert (login.role, desk.staff.actor(login).office) == (Role.COUNTER, "chuo")
        _, works = people.log_in("原", PASSWORD, origin="127.0.0.1")
        assert desk.staff.actor(works).office is None
    assert (folder / "desk.people.db").exists()


def test_people_are_moved_and_the_audit_log_knows_of_it(owned: Run) -> None:
    owned("people", "add", "森", "--office", "chuo", piped=PASSWORD)
    assert owned("people", "place", "森", "--office", "kita").status == 0
    assert listed(owned)["森"] == ("counter", "kita")
    entries = owned("people", "audit", "--json").json
    placed = [(one["subject"], one["detail"]) for one in entries if one["action"] == "person_placed"]
    assert placed == [("person:2", {"office": "chuo"}), ("person:2", {"office": "kita"})]
    assert owned("people", "audit", "--verify").status == 0


def test_a_customer_is_tied_to_the_cases_of_one_customer(owned: Run, folder: Path) -> None:
    with opened(folder) as desk:
        case = desk.cases.open(SYSTEM, {"supply_point": POINT})
    done = owned("people", "add", "小林", "--role", "customer", "--case", case.number, piped=PASSWORD)
    assert done.status == 0
    with People.open(folder / "desk.db", clock=SystemClock()) as people, opened(folder) as desk:
        _, login = people.log_in("小林", PASSWORD, origin="127.0.0.1")
        assert [one.id for one in desk.lists.own(desk.staff.actor(login))] == [case.id]


@pytest.mark.parametrize(
    ("words", "en"),
    [
        (("place", "森", "--office", "nishi"), "There is no office nishi. Offices are: chuo, kita, all."),
        (("place", "森", "--case", "HB-2026-00001"), "Only a customer belongs to a case."),
        (("place", "田中", "--office", "chuo"), "The owner sees every office already."),
        (("place", "谷", "--office", "chuo"), "谷"),
        (("role", "森", "viewer"), "There is no role viewer."),
    ],
)
def test_a_place_that_cannot_be_is_refused(words: tuple[str, ...], en: str, owned: Run) -> None:
    owned("people", "add", "森", "--office", "chuo", piped=PASSWORD)
    before = listed(owned)
    done = owned("people", *words)
    assert done.status == 2
    assert en in done.err
    assert listed(owned) == before


def test_what_is_done_at_the_terminal_is_in_the_audit_log(owned: Run, folder: Path) -> None:
    (folder / "points.csv").write_text(POINTS, encoding="utf-8")
    owned("import", "supply_points", "points.csv", "--dry-run")
    owned("import", "supply_points", "points.csv")
    owned("backup", "kept")
    entries = owned("people", "audit", "--json").json
    assert [(one["author"], one["action"], one["subject"], one["detail"]) for one in entries[1:]] == [
        ("console", "file_imported", "register:offices", {"new": "2", "changed": "0", "refused": "0"}),
        ("console", "file_imported", "register:supply_points", {"new": "1", "changed": "0", "refused": "2"}),
        ("console", "backup_made", "store", {"files": "2"}),
    ]


# --- the diagram ----------------------------------------------------------------------------------------


def test_the_diagram_is_that_of_the_table(run: Run) -> None:
    done = run("diagram")
    assert done.status == 0
    assert done.out == life_cycle("en")
    assert run("diagram", lang="ja").out == life_cycle("ja") == run("diagram", "--lang", "ja").out


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_state_and_every_step_that_leads_on_stands_in_the_diagram(lang: str) -> None:
    text = life_cycle(lang)
    assert text.startswith("stateDiagram-v2\n")
    for state in State:
        assert f'state "{STATE_WORDS[state].text(lang)}" as {state.value}\n' in text
    lines = set(re.findall(r"^    (\w+) --> (\w+): (.+)$", text, re.MULTILINE))
    for step in STEPS:
        button = step.button.text(lang).replace(": ", " – ")
        if step.after == STAY:
            assert f": {button}\n" not in text, "what leaves a case where it is does not stand there"
        elif step.after == BACK or len(step.before) > 3:
            assert f"        {button}: " in text
        else:
            for before in step.before - {State(step.after)}:
                assert (before.value, step.after, button) in lines
    assert all(before in set(State) and after in set(State) for before, after, _ in lines)
    assert len(Event) > len(lines) > 15


# --- backup ---------------------------------------------------------------------------------------------


def test_a_backup_holds_both_stores_and_not_the_key(owned: Run, folder: Path) -> None:
    with opened(folder) as desk:  # open, so that something stands in the log beside the store
        made = desk.cases.open(SYSTEM, {"supply_point": POINT})
        done = owned("backup", "kept", lang="ja")
    assert done.status == 0
    assert "鍵のファイルは含まれていません" in done.err
    kept = folder / "kept"
    assert sorted(path.name for path in kept.iterdir()) == ["desk.db", "desk.people.db"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}
    (folder / "desk.db").unlink()
    (kept / "desk.db").rename(folder / "desk.db")
    with opened(folder) as desk:
        assert desk.cases.get(SYSTEM, made.id).supply_point == POINT
        assert desk.cases.verify() is None
    with People.open(kept / "desk.db", clock=SystemClock()) as people:
        assert people.log_in("田中", PASSWORD, origin="127.0.0.1")


def test_a_backup_writes_over_another_only_when_told_to(owned: Run, folder: Path) -> None:
    opened(folder).close()
    assert owned("backup", "kept").status == 0
    before = (folder / "kept/desk.db").read_bytes()
    with opened(folder) as desk:
        desk.cases.open(SYSTEM, {"supply_point": POINT})
    done = owned("backup", "kept")
    assert (done.status, "is there already" in done.err) == (2, True)
    assert (folder / "kept/desk.db").read_bytes() == before
    assert owned("backup", "kept", "--replace").status == 0
    assert (folder / "kept/desk.db").read_bytes() != before


@pytest.mark.parametrize(
    ("store", "target", "status", "en"),
    [
        ("desk.db", "kept", 2, "There is no store"),
        ("postgresql://db/desk", "kept", 2, "Use pg_dump."),
        ("there.db", "desk.toml", 1, "cannot be written"),
    ],
)
def test_a_backup_that_cannot_be_is_one_sentence(
    store: str, target: str, status: int, en: str, run: Run, folder: Path
) -> None:
    Desk.open(folder / "there.db", settings=DeskSettings(), clock=SystemClock()).close()
    (folder / "desk.toml").write_text(f'{CONFIG}[store]\npath = "{store}"\nkey = "desk.key"\n', "utf-8")
    done = run("backup", target)
    assert done.status == status
    assert en in done.err
    assert not (folder / "kept").exists()
