"""Which names reach the pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from koatsu.web.hosts import is_loopback


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.none() | st.integers(0, 65535))
def test_all_of_127_is_this_machine(b: int, c: int, d: int, port: int | None) -> None:
    assert is_loopback(f"127.{b}.{c}.{d}" + ("" if port is None else f":{port}"))


@given(st.text(max_size=40))
def test_any_text_is_answered_and_nothing_foreign_passes(host: str) -> None:
    passed = is_loopback(host)
    bare = host.strip().lower()
    if passed:
        assert bare.startswith(("localhost", "127.", "[")) or bare == "::1"


@given(st.from_regex(r"[a-z0-9.-]{0,20}(localhost|127\.0\.0\.1|\[::1\])[a-z0-9.-]{1,20}", fullmatch=True))
def test_names_around_a_loopback_name_are_foreign(host: str) -> None:
    assert not is_loopback(host) or host in ("localhost.",) or host.startswith("127.")


def test_ipv6_needs_its_brackets() -> None:
    assert is_loopback("[::1]")
    assert is_loopback("[::1]:8028")
    assert not is_loopback("[::1")
    assert not is_loopback("[::1]8028")
    assert not is_loopback("[fe80::1]")
    assert not is_loopback("::1")
