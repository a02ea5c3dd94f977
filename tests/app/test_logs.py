"""The log: nothing to be hidden comes out of it; one line is one line; repeats are counted."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from koatsu.app.log_lines import HumanLine, JsonLine, Repeats
from koatsu.app.logs import faults_logged, for_people, overruled, start_logs, stop_logs
from koatsu.app.masking import HIDDEN, Mask
from koatsu.config import LogConfig
from koatsu.errors import KoatsuError, UsageError

NUMBER = "0300111122223333444455"
SECRET = "p4ssw0rd"


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, logging.getLogger("koatsu").level
    yield
    stop_logs()
    root.setLevel(before[0])
    logging.getLogger("koatsu").setLevel(before[1])


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def logged(form: str = "json", lang: str = "en", **variables: str) -> io.StringIO:
    """A log that writes into the text that comes back."""
    out = io.StringIO()
    start_logs(LogConfig(format=form), lang=lang, stream=out, variables=variables)
    return out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


# --- masking --------------------------------------------------------------------------------------------

separators = st.sampled_from(["", " ", "-", "  ", " - ", "‐", "−", "\u3000", "\n", "ー", "."])
digits = st.lists(st.sampled_from("0123456789０１２３４５６７８９"), min_size=22, max_size=22)
numbers = st.builds(
    lambda ones, between: "".join(one + sign for one, sign in zip(ones, [*between, ""], strict=True)),
    digits,
    st.lists(separators, min_size=21, max_size=21),
)


def run_of_digits(text: str) -> int:
    """The longest run of digits in a text, whatever of the separators stands between."""
    longest = run = 0
    for sign in text:
        if sign.isdigit():
            run += 1
            longest = max(longest, run)
        elif sign not in " -‐−\u3000\nー.":
            run = 0
    return longest


@given(st.text(), numbers, st.text())
def test_no_supply_point_number_comes_out_of_any_text(before: str, number: str, after: str) -> None:
    shown = Mask().text(before + number + after)
    assert number not in shown
    assert HIDDEN in shown
    assert run_of_digits(shown) < 22 or run_of_digits(shown) < run_of_digits(before + number + after)


@given(numbers, st.sampled_from(["human", "json"]))
def test_no_supply_point_number_comes_out_of_any_field(number: str, form: str) -> None:
    line = HumanLine(lang="en", debug=True, mask=Mask()) if form == "human" else JsonLine(mask=Mask())
    plain = "".join(sign for sign in number if sign.isdigit())
    fields: dict[str, Any] = {
        "message": f"meter {number}",
        "level": "info",
        "deep": {"list": [number, {"x": f"<{number}>"}], number: 1},
        "count": int(plain),
        "raw": number.encode(),
        "exc_info": ValueError(f"no {number}"),
    }
    text = line(None, "info", fields)
    for written in (number, plain, json.dumps(number)[1:-1], str(int(plain))):
        if sum(sign.isdigit() for sign in written) >= 22:
            assert written not in text


TEXTS_WITH_SECRETS = [
    f"connect postgresql+psycopg://ems:{SECRET}@db.example/koatsu failed",
    f"postgresql://ems:a/b@{SECRET}@db.example/koatsu",
    f"password={SECRET}",
    f"KOATSU_DB_PASSWORD={SECRET}; next",
    f'{{"password": "{SECRET} with spaces {SECRET}"}}',
    f"{{'new_password': '{SECRET}'}}",
    f"passphrase: {SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"got bearer {SECRET}, refused",
    f"Set-Cookie: koatsu={SECRET}; HttpOnly; other={SECRET}",
    f"Cookie: a=b; session={SECRET}",
    f"csrf_token={SECRET}&next=/",
    f"api-key: {SECRET}",
    f"パスワード: {SECRET}",
]


@pytest.mark.parametrize("text", TEXTS_WITH_SECRETS)
@given(before=st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=20))
def test_a_secret_is_hidden_by_what_stands_before_it(text: str, before: str) -> None:
    assert SECRET not in Mask().text(f"{before} {text}")


@given(st.binary(min_size=32, max_size=32))
def test_a_random_secret_is_hidden_by_its_shape(raw: bytes) -> None:
    import base64

    secret = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if any(c.islower() for c in secret) and any(c.isupper() for c in secret):
        assert secret not in Mask().text(f"session {secret} ended")


@given(st.text(min_size=4), st.text(), st.text())
def test_a_known_secret_never_comes_out(secret: str, before: str, after: str) -> None:
    shown = Mask([secret]).text(before + secret + after)
    assert secret not in shown or secret in HIDDEN


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "token", "csrf", "Cookie", "session_id", "Authorization", "supply_point"],
)
def test_a_field_with_a_secret_name_is_hidden_whatever_it_holds(name: str) -> None:
    assert Mask().fields({name: SECRET, "x": 1}) == {name: HIDDEN, "x": 1}


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-15T13:10:00+09:00 main: the meter does not answer",
        "page http://127.0.0.1:8028/day/main/2026-07-15",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "store /var/lib/koatsu/koatsu.db, serial KH26-004711, count 84129076",
        "backup-of-the-store-of-the-works-in-kurume-before-the-upgrade.db",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Mask().text(text) == text


# --- lines ----------------------------------------------------------------------------------------------


def test_json_has_the_fields_and_the_cause() -> None:
    out = logged()
    try:
        raise RuntimeError(f"row {NUMBER} is odd")
    except RuntimeError:
        logging.getLogger("koatsu.ems").exception("day %s failed", "2026-07-15", extra={"meter": "main"})
    [line] = lines(out)
    assert list(line)[:4] == ["time", "level", "logger", "message"]
    assert line["time"].endswith("+09:00")
    assert (line["level"], line["logger"], line["meter"]) == ("error", "koatsu.ems", "main")
    assert line["message"] == "day 2026-07-15 failed"
    assert line["error"]["type"] == "RuntimeError"
    assert "Traceback" in line["error"]["traceback"]
    assert NUMBER not in out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_terminal_sees_one_sentence_and_no_traceback(lang: str) -> None:
    out = logged("human", lang)
    try:
        raise KoatsuError("The disk is full.", ja="空きがありません。")
    except KoatsuError:
        logging.getLogger("koatsu.ems").exception("main")
    assert out.getvalue().count("\n") == 1
    assert "Traceback" not in out.getvalue()
    assert ("空きがありません。" if lang == "ja" else "The disk is full.") in out.getvalue()
    assert " ERROR " in out.getvalue()


def test_who_asks_for_it_sees_the_traceback() -> None:
    out = logged("human", KOATSU_DEBUG="1")
    try:
        raise RuntimeError("odd")
    except RuntimeError:
        logging.getLogger("koatsu").exception("failed")
    assert "Traceback" in out.getvalue()


@given(st.text())
def test_a_message_cannot_forge_a_second_line(text: str) -> None:
    shown = HumanLine(lang="en", debug=False, mask=Mask())(None, "info", {"message": text, "level": "info"})
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown
    raw = JsonLine(mask=Mask())(None, "info", {"message": text, "level": "info"})
    assert len(raw.splitlines()) == 1


def test_structlog_and_the_standard_library_come_out_alike() -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # as a quiet server of this process leaves it
    out = logged()
    structlog.get_logger("koatsu.web").warning("odd visitor", password=SECRET, tries=3)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    first, second = lines(out)
    assert (first["level"], first["message"], first["tries"]) == ("warning", "odd visitor", 3)
    assert first["password"] == HIDDEN
    assert second["logger"] == "uvicorn.error"


def test_others_are_heard_from_warning_on_and_ours_as_chosen() -> None:
    out = logged("json", KOATSU_LOG="json,debug")
    logging.getLogger("alembic.runtime").info("context impl")
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("koatsu.node").debug("a datagram")
    assert [line["message"] for line in lines(out)] == ["a datagram"]


def test_what_auto_means_depends_on_who_reads() -> None:
    assert not for_people(LogConfig(), io.StringIO())
    assert for_people(LogConfig(), _Terminal())
    assert for_people(overruled(LogConfig(), "human"), io.StringIO())
    assert not for_people(LogConfig(format="json"), _Terminal())
    assert overruled(LogConfig(format="json"), "debug") == LogConfig(format="json", level="debug")
    for wrong in ("xml", "json,loud"):
        with pytest.raises(UsageError, match="cannot be"):
            overruled(LogConfig(), wrong)


def test_a_line_whose_arguments_do_not_fit_disturbs_nobody() -> None:
    out = logged()
    [handler] = [one for one in logging.getLogger().handlers if getattr(one, "stream", None) is out]
    handler.handle(logging.LogRecord("koatsu.x", logging.WARNING, "x.py", 7, "%d of %d", ("one",), None))
    handler.handle(record("next"))
    assert "line of koatsu.x, line 7, could not be written" in out.getvalue()
    assert "next" in out.getvalue()
    out.close()
    handler.handle(record("to nobody"))


def test_starting_twice_writes_once() -> None:
    logged()
    out = logged()
    logging.getLogger("koatsu").warning("once")
    assert len(lines(out)) == 1


@pytest.mark.parametrize(("form", "told"), [("json", True), ("human", False)])
def test_a_fault_leaves_its_traceback_in_the_log_for_programs_alone(form: str, told: bool) -> None:
    out = logged(form)
    with pytest.raises(ZeroDivisionError), faults_logged():
        raise ZeroDivisionError(f"row {NUMBER}")
    assert ("Traceback" in out.getvalue()) is told
    assert NUMBER not in out.getvalue()
    with pytest.raises(KoatsuError), faults_logged():
        raise KoatsuError("The disk is full.")
    assert "disk" not in out.getvalue()


# --- repetition -----------------------------------------------------------------------------------------


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("koatsu", logging.WARNING, "x.py", 1, text, (), None)


def test_a_repeated_line_is_counted_and_told_once_it_stops() -> None:
    time, told = [0.0], []
    repeats = Repeats(every_s=60, now=lambda: time[0], say=told.append)
    assert repeats.filter(record("a"))
    assert not any(repeats.filter(record("a")) for _ in range(9))
    assert repeats.filter(record("b"))
    time[0] = 61
    assert repeats.filter(record("c"))
    assert [(one.getMessage(), one.repeated) for one in told] == [("a", 9)]
    assert repeats.filter(record("a"))


def test_what_was_held_back_is_told_at_the_end() -> None:
    out = logged()
    for _ in range(5):
        logging.getLogger("koatsu").warning("silent")
    assert len(lines(out)) == 1
    stop_logs()
    assert lines(out)[-1]["repeated"] == 4


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_no_line_is_lost_without_being_counted(texts: list[str]) -> None:
    told: list[logging.LogRecord] = []
    repeats = Repeats(every_s=1, limit=2, now=iter(range(10_000)).__next__, say=told.append)
    written = [text for text in texts if repeats.filter(record(text))]
    repeats.finish()
    assert len(written) + sum(one.repeated for one in told) == len(texts)
