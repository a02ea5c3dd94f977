"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from household import CHEAP, HERE, PASSWORD
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import ManualClock
from koatsu.people import HASHING, SHORTEST, Hashing, PasswordRefusedError, People, WrongPasswordError
from koatsu.people.passwords import Passwords
from koatsu.people.weak import LONGEST, normalised, refuse_weak

GOOD = [
    "correct horse battery staple",
    "gravel teapot orbit",
    "xK7#pQ2!vM9z",
    "kofukuna-neko-42-hiki",
    "さかなとピアノと月曜の坂",
    "Tr0ub4dor&3xyzzy",
    "tanaka likes green tea",
    "denki-wo-taisetsu-ni",
]
BAD = [
    "",
    "short",
    "elevenchars",
    "ｓｈｏｒｔ",
    "aaaaaaaaaaaaaaaa",
    "abababababababab",
    "abcabcabcabcabc",
    "12345678901234",
    "abcdefghijklmnop",
    "ponmlkjihgfedcba",
    "qwertyuiopasdfghjkl",
    "QWERTYUIOP123456",
    "1qaz2wsx3edc4rfv",
    "password1234",
    "Password123!",
    "P@ssw0rd2026",
    "administrator",
    "passwordadmin1",
    "koatsudemand26",
    "パスワード1234567",
    "あいうえおかきくけこさしすせそ",
    "031234567890",
    "2026-07-01 12:00",
    "tanaka-tanaka",
    "TANAKA123456",
    "akanat123456",
    "a\x00gravel teapot",
    "gravel\nteapot orbit",
    "gravel \ud800 teapot orbit",
    "long" * 100,
]


@pytest.mark.parametrize("password", GOOD)
def test_good_passwords_are_taken(password: str) -> None:
    assert refuse_weak(password, "Tanaka") == normalised(password)


@pytest.mark.parametrize("password", BAD)
def test_bad_passwords_are_refused_with_a_sentence(password: str) -> None:
    with pytest.raises(PasswordRefusedError) as refused:
        refuse_weak(password, "Tanaka")
    assert refused.value.text("en").endswith(".")
    assert refused.value.text("ja").endswith("。")
    assert refused.value.exit_status == 2
    if len(password) > 4:
        assert password not in refused.value.text("en")


@given(st.text(max_size=300), st.text(max_size=64))
def test_any_text_is_taken_or_refused(password: str, name: str) -> None:
    try:
        kept = refuse_weak(password, name)
    except PasswordRefusedError:
        return
    assert SHORTEST <= len(kept) <= LONGEST
    assert normalised(kept) == kept


@given(st.text(), st.text())
def test_any_text_may_be_typed(name: str, password: str) -> None:
    assert not Passwords(CHEAP).matches(None, password)


def test_the_cost_is_that_of_the_rfc(store: Path, clock: ManualClock) -> None:
    """RFC 9106, section 4, second recommended option."""
    assert Hashing(passes=3, memory_kib=65536, lanes=4) == HASHING
    with People.open(store, clock=clock) as people:
        people.create_owner("田中", PASSWORD)
        kept = stored(people)
    assert re.fullmatch(r"\$argon2id\$v=19\$m=65536,t=3,p=4\$[\w+/]{22}\$[\w+/]{43}", kept)


def stored(people: People) -> str:
    with closing(sqlite3.connect(people.where)) as connection:
        return str(connection.execute("SELECT password FROM people_person").fetchone()[0])


def test_a_hash_of_another_cost_is_made_anew_at_login(store: Path, clock: ManualClock) -> None:
    with People.open(store, clock=clock, hashing=CHEAP) as people:
        people.create_owner("田中", PASSWORD)
        before = stored(people)
        set_at = people.people()[0].password_at
    dearer = Hashing(passes=2, memory_kib=16, lanes=1)
    with People.open(store, clock=clock, hashing=dearer) as people:
        with pytest.raises(WrongPasswordError):
            people.log_in("田中", PASSWORD + ".", origin=HERE)
        assert stored(people) == before
        people.log_in("田中", PASSWORD, origin=HERE)
        after = stored(people)
        assert "m=16,t=2" in after
        assert people.people()[0].password_at == set_at
        people.log_in("田中", PASSWORD, origin=HERE)
        assert stored(people) == after


def test_a_spoilt_hash_lets_nobody_in(people: People) -> None:
    people.create_owner("田中", PASSWORD)
    with closing(sqlite3.connect(people.where)) as connection, connection:
        connection.execute("UPDATE people_person SET password = 'nonsense'")
    with pytest.raises(WrongPasswordError):
        people.log_in("田中", PASSWORD, origin=HERE)


def test_two_hashes_of_one_password_differ() -> None:
    passwords = Passwords(CHEAP)
    one, other = passwords.hash(PASSWORD), passwords.hash(PASSWORD)
    assert one != other
    assert passwords.matches(one, PASSWORD)
    assert passwords.matches(other, PASSWORD)
