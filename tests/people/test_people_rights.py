"""Who may do what: every role against every right, and against everything that manages people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from household import HERE, OTHER, PASSWORD, START

from koatsu.clock import ManualClock
from koatsu.people import (
    CONSOLE,
    DESK_ROLES,
    SITE_ROLES,
    LastOwnerError,
    Login,
    LoginKind,
    NameRefusedError,
    NotAllowedError,
    OwnerExistsError,
    PasswordRefusedError,
    People,
    Right,
    Role,
    TokenRefusedError,
    UnknownPersonError,
    UnknownTokenError,
)

ALLOWED = {
    Role.VIEWER: {Right.ACCOUNT, Right.VIEW},
    Role.OPERATOR: {Right.ACCOUNT, Right.VIEW, Right.CORRECT, Right.IMPORT, Right.CONTROL},
    Role.COUNTER: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_HANDLE},
    Role.WORKS: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_WORK},
    Role.SUPERVISOR: {
        Right.ACCOUNT,
        Right.DESK_READ,
        Right.DESK_HANDLE,
        Right.DESK_WORK,
        Right.DESK_DECIDE,
    },
    Role.AUDITOR: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_REVIEW},
    Role.CUSTOMER: {Right.ACCOUNT, Right.DESK_OWN},
    Role.OWNER: set(Right) - {Right.DESK_OWN},
}
MANAGING: dict[str, Callable[[People, Login], object]] = {
    "add": lambda people, by: people.add(by, "佐藤", Role.OWNER, OTHER),
    "set_role": lambda people, by: people.set_role(by, 2, Role.OWNER),
    "set_password": lambda people, by: people.set_password(by, 2, OTHER),
    "remove": lambda people, by: people.remove(by, 2),
    "make_token": lambda people, by: people.make_token(by, "x", Role.VIEWER, 1),
    "revoke": lambda people, by: people.revoke(by, 1),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", Right)
def test_roles_and_rights(role: Role, right: Right) -> None:
    assert role.may(right) is (right in ALLOWED[role])


@pytest.mark.parametrize("one", Role)
@pytest.mark.parametrize("other", Role)
def test_the_lesser_of_two_roles(one: Role, other: Role) -> None:
    lesser = one.within(other)
    common = ALLOWED[one] & ALLOWED[other]
    if common in (ALLOWED[one], ALLOWED[other]):
        assert lesser is not None
        assert ALLOWED[lesser] == common
    else:
        assert lesser is None, "neither is the lesser: nothing is left"


def test_each_program_offers_roles_of_its_own() -> None:
    """Between the programs only an owner is known to both; no role of one may anything of the other."""
    assert {*SITE_ROLES, *DESK_ROLES} == set(Role)
    assert set(SITE_ROLES) & set(DESK_ROLES) == {Role.OWNER}
    of_site = {Right.VIEW, Right.CORRECT, Right.IMPORT, Right.CONTROL}
    of_desk = {right for right in Right if right.startswith("desk_")}
    assert of_site | of_desk | {Right.ACCOUNT, Right.MANAGE} == set(Right)
    for role in set(Role) - {Role.OWNER}:
        assert not ALLOWED[role] & (of_site if role in DESK_ROLES else of_desk)
        assert Right.MANAGE not in ALLOWED[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", MANAGING)
def test_only_owners_manage(people: People, owner: Login, role: Role, name: str) -> None:
    people.add(owner, "鈴木", role, OTHER)
    people.make_token(owner, "grafana", Role.VIEWER, 3)
    before = [entry.seq for entry in people.audit.entries()]
    if role is Role.OWNER:
        MANAGING[name](people, owner)
        assert people.audit.head()[0] == len(before) + 1 + (name == "remove") * 0
        return
    login = replace(owner, role=role)
    with pytest.raises(NotAllowedError):
        MANAGING[name](people, login)
    assert [entry.seq for entry in people.audit.entries()] == before


def test_the_first_owner_is_made_once(people: People) -> None:
    assert not people.has_owner()
    assert people.create_owner("田中", PASSWORD).role is Role.OWNER
    assert people.has_owner()
    with pytest.raises(OwnerExistsError):
        people.create_owner("鈴木", OTHER)


def test_a_refused_owner_is_none(people: People) -> None:
    with pytest.raises(PasswordRefusedError):
        people.create_owner("田中", "short")
    with pytest.raises(NameRefusedError):
        people.create_owner("   ", PASSWORD)
    assert not people.has_owner()
    assert people.people() == []


def test_there_is_always_an_owner(people: People, owner: Login) -> None:
    """Without one the pages would be open again."""
    with pytest.raises(LastOwnerError):
        people.remove(owner, 1)
    with pytest.raises(LastOwnerError):
        people.set_role(CONSOLE, 1, Role.OPERATOR)
    people.set_role(owner, 1, Role.OWNER)
    second = people.add(owner, "鈴木", Role.OWNER, OTHER)
    people.set_role(owner, 1, Role.VIEWER)
    with pytest.raises(LastOwnerError):
        people.remove(CONSOLE, second.id)
    people.remove(CONSOLE, 1)
    assert people.has_owner()


def test_a_new_role_holds_for_the_next_request(people: People, owner: Login) -> None:
    person = people.add(owner, "鈴木", Role.OPERATOR, OTHER)
    secret, login = people.log_in("鈴木", OTHER, origin=HERE)
    assert login.may(Right.CONTROL)
    people.set_role(owner, person.id, Role.VIEWER)
    after = people.session(secret)
    assert after is not None
    assert not after.may(Right.CONTROL)
    people.remove(owner, person.id)
    assert people.session(secret) is None


@pytest.mark.parametrize("name", ["鈴木", "ＴＡＮＡＫＡ", "tanaka", " Tanaka  Jiro"])
def test_a_name_belongs_to_one(people: People, owner: Login, name: str) -> None:
    people.add(owner, name, Role.VIEWER, OTHER)
    with pytest.raises(NameRefusedError):
        people.add(owner, name.swapcase(), Role.VIEWER, OTHER)
    assert people.find(name.casefold()).id == 2


@pytest.mark.parametrize("name", ["", "\u3000", "x" * 65, "a\x00b", "a\u202eb", "\ud800", "a\u200bb"])
def test_a_name_can_be_seen(people: People, owner: Login, name: str) -> None:
    with pytest.raises(NameRefusedError):
        people.add(owner, name, Role.VIEWER, OTHER)
    with pytest.raises(UnknownPersonError):
        people.find(name)


@pytest.mark.parametrize("number", [0, -1, 2, 2**31, 10**30])
def test_nobody_has_that_number(people: People, owner: Login, number: int) -> None:
    for call in (
        lambda: people.set_role(owner, number, Role.VIEWER),
        lambda: people.set_password(owner, number, OTHER),
        lambda: people.remove(owner, number),
    ):
        with pytest.raises(UnknownPersonError):
            call()
    with pytest.raises(UnknownTokenError):
        people.revoke(owner, number)


# --- tokens ---------------------------------------------------------------------------------------------


def test_a_token_opens_until_it_ends(people: People, owner: Login, clock: ManualClock) -> None:
    secret, token = people.make_token(owner, "  grafana ", Role.OPERATOR, 30)
    assert secret.startswith("koatsu_")
    assert len(secret) >= 50
    login = people.token(secret)
    assert login is not None
    assert (login.kind, login.role, login.reference) == (LoginKind.TOKEN, Role.OPERATOR, "token:1")
    assert login.csrf == ""
    assert login.name == token.label == "grafana"
    assert people.tokens()[0].used_at == START
    clock.advance(timedelta(days=30) - timedelta(seconds=1))
    assert people.token(secret)
    clock.advance(timedelta(seconds=1))
    assert people.token(secret) is None
    assert people.session(secret) is None


def test_a_revoked_token_is_shut_at_once(people: People, owner: Login) -> None:
    secret, token = people.make_token(owner, "grafana", Role.VIEWER, 30)
    people.revoke(owner, token.id)
    people.revoke(owner, token.id)
    assert people.token(secret) is None
    assert [entry.action for entry in people.audit.entries()].count("token_revoked") == 1


def test_a_token_does_not_outrank_nor_outlive_its_maker(people: People, owner: Login) -> None:
    person = people.add(owner, "鈴木", Role.OWNER, OTHER)
    _, login = people.log_in("鈴木", OTHER, origin=HERE)
    secret, _ = people.make_token(login, "grafana", Role.OPERATOR, 30)
    people.set_role(owner, person.id, Role.VIEWER)
    made = people.token(secret)
    assert made is not None
    assert made.role is Role.VIEWER
    people.remove(owner, person.id)
    assert people.token(secret) is None


def test_a_token_whose_maker_has_another_trade_opens_nothing(people: People, owner: Login) -> None:
    person = people.add(owner, "鈴木", Role.OWNER, OTHER)
    _, login = people.log_in("鈴木", OTHER, origin=HERE)
    secret, _ = people.make_token(login, "worklist", Role.COUNTER, 30)
    assert people.token(secret)
    people.set_role(owner, person.id, Role.WORKS)
    assert people.token(secret) is None, "neither the rights of the counter nor those of the works"
    people.set_role(owner, person.id, Role.SUPERVISOR)
    again = people.token(secret)
    assert again is not None
    assert again.role is Role.COUNTER


def test_a_token_is_no_customer(people: People, owner: Login) -> None:
    for by in (owner, CONSOLE):
        with pytest.raises(TokenRefusedError) as refused:
            people.make_token(by, "x", Role.CUSTOMER, 30)
        assert "本人" in refused.value.text("ja")
    assert people.tokens() == []


def test_a_token_makes_no_tokens(people: People, owner: Login) -> None:
    secret, _ = people.make_token(owner, "all", Role.OWNER, 30)
    login = people.token(secret)
    assert login is not None
    with pytest.raises(NotAllowedError):
        people.make_token(login, "more", Role.OWNER, 700)


@pytest.mark.parametrize(
    ("label", "days"), [("", 1), ("x" * 65, 1), ("a\x00", 1), ("x", 0), ("x", 731), ("x", 10**9)]
)
def test_a_token_has_a_label_and_an_end(people: People, owner: Login, label: str, days: int) -> None:
    with pytest.raises(TokenRefusedError) as refused:
        people.make_token(owner, label, Role.VIEWER, days)
    assert refused.value.text("ja").endswith("。")
    assert people.tokens() == []


@pytest.mark.parametrize("secret", ["", "koatsu_", "koatsu_" + "x" * 43, "\ud800", "koatsu_\ud800", "田中"])
def test_strangers_are_nobody(people: People, owner: Login, secret: str) -> None:
    people.make_token(owner, "grafana", Role.VIEWER, 30)
    assert people.token(secret) is None
    assert people.session(secret) is None
    people.log_out(secret)


def test_the_console_may_everything_of_others_and_is_nobody() -> None:
    assert {right for right in Right if not CONSOLE.may(right)} == {Right.DESK_OWN}
    assert (CONSOLE.reference, CONSOLE.name, CONSOLE.person) == ("console", "console", None)
