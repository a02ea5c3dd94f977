"""``koatsu desk`` as a program that runs, is logged in to, and is stopped; and the demo as a whole."""

from __future__ import annotations

import re
import signal
import socket
import sqlite3
import ssl
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from desk_walk import WALK, application
from program import PATIENCE_S, Running, fresh_port, koatsu, running

from koatsu.app.desk_demo import PASSWORD
from koatsu.clock import JST, SystemClock
from koatsu.desk import STATE_WORDS, Desk, Event
from koatsu.desk.sample import sample_people, sample_settings

CONFIG = '[utility]\nname = "架空電力送配電"\n'
OWNER_PASSWORD = "gravel teapot orbit"


def config_in(folder: Path, more: str = "") -> Path:
    path = folder / "desk.toml"
    path.write_text(CONFIG + more, encoding="utf-8")
    return path


@contextmanager
def desk_in(folder: Path, *words: str, more: str = "") -> Iterator[tuple[Running, str]]:
    """A running desk, and the address of its page."""
    config = config_in(folder, more)
    with running("desk", "-c", str(config), *words) as program:
        line = program.until("Page: ")
        yield program, line.split()[1].rstrip("/")


class Browser:
    """Keeps cookies, sends the secret of a form with it, tells its origin."""

    def __init__(self, base: str, **more: object) -> None:
        self.http = httpx.Client(base_url=base, timeout=PATIENCE_S, trust_env=False, **more)  # type: ignore[arg-type]
        self.base = base

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Fill in the form of a page."""
        return self.send_from(path, path, **fields)

    def send_from(self, page: str, path: str, **fields: str) -> httpx.Response:
        """Send a form that stands on ``page`` to ``path``."""
        [secret] = set(re.findall(r'name="csrf" value="([^"]+)"', self.http.get(page).text))
        return self.http.post(path, data={"csrf": secret, **fields}, headers={"Origin": self.base})


# --- the program ----------------------------------------------------------------------------------------


def test_a_desk_starts_from_nothing_gets_an_owner_and_ends_well(tmp_path: Path) -> None:
    with desk_in(tmp_path, "--port", str(fresh_port())) as (program, page):
        browser = Browser(page)
        with closing(browser.http):
            health = browser.http.get("/healthz")
            assert (health.status_code, health.json()["status"]) == (200, "ok")
            made = browser.send("/setup", name="田中", password=OWNER_PASSWORD, again=OWNER_PASSWORD)
            assert made.status_code == 303
            assert "田中" in browser.http.get("/account").text
        with closing(httpx.Client(base_url=page, trust_env=False)) as stranger:
            assert stranger.get("/account").status_code in (303, 401)
        assert program.ended(signal.SIGTERM).status == 0
    for name in ("desk.db", "desk.key", "desk.people.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*-wal")), "closed in order"
    assert koatsu("desk", "verify", cwd=tmp_path).status == 0


def test_ctrl_c_ends_it_as_well(tmp_path: Path) -> None:
    with desk_in(tmp_path, "--port", str(fresh_port())) as (program, page):
        assert httpx.get(f"{page}/healthz", timeout=PATIENCE_S, trust_env=False).status_code == 200
        assert program.ended(signal.SIGINT).status == 0


def test_one_program_serves_a_store(tmp_path: Path) -> None:
    with desk_in(tmp_path, "--port", str(fresh_port())) as (program, _):
        second = koatsu("desk", "--port", str(fresh_port()), cwd=tmp_path)
        assert second.status == 2
        assert f"in use by another koatsu (process {program.process.pid})" in second.err
        assert koatsu("desk", "verify", cwd=tmp_path).status == 0, "looking is no harm"


def test_a_taken_port_and_a_store_that_cannot_be_are_told(tmp_path: Path) -> None:
    config_in(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = koatsu("desk", "--port", str(port), cwd=tmp_path)
        assert done.status == 3
        assert f"127.0.0.1 port {port}" in done.err
    done = koatsu("desk", "--store", "desk.toml/desk.db", cwd=tmp_path)
    assert done.status == 2
    assert "is not a folder" in done.err


def test_a_page_for_others_wants_cover_and_an_owner(tmp_path: Path) -> None:
    config_in(tmp_path, '[web]\nhost = "0.0.0.0"\n')
    done = koatsu("desk", cwd=tmp_path, KOATSU_LANG="ja")
    assert done.status == 2
    assert "パスワードが暗号化されずに流れてしまう" in done.err
    config_in(tmp_path, '[web]\nbehind_proxy = true\nnames = ["desk.example.jp"]\n')
    done = koatsu("desk", cwd=tmp_path)
    assert done.status == 2
    assert "koatsu desk people add NAME --role owner" in done.err


def test_the_page_speaks_https(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    more = f'[web]\nport = {fresh_port()}\ntls_cert = "cert.pem"\ntls_key = "key.pem"\n'
    with desk_in(tmp_path, more=more) as (program, page):
        assert page.startswith("https://")
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        url = page.replace("127.0.0.1", "localhost")
        with closing(Browser(url, verify=context).http) as http:
            assert http.get("/healthz").json()["status"] == "ok"
        assert program.ended(signal.SIGTERM).status == 0


def test_a_damaged_store_is_told_by_healthz(tmp_path: Path) -> None:
    with desk_in(tmp_path, "--port", str(fresh_port())) as (program, page):
        with closing(httpx.Client(base_url=page, timeout=PATIENCE_S, trust_env=False)) as http:
            assert http.get("/healthz").status_code == 200
            store = tmp_path / "desk.db"
            with store.open("r+b") as file:
                file.write(b"this is no database any more" * 400)
            answer = http.get("/healthz")
            assert answer.status_code == 503
            assert answer.json() == {"status": "failed", "reasons": [{"code": "desk_store"}]}
        program.process.send_signal(signal.SIGTERM)
        program.process.wait(PATIENCE_S)


def test_the_log_is_json_where_nobody_watches_and_chores_are_done_at_the_start(tmp_path: Path) -> None:
    with desk_in(tmp_path, "--port", str(fresh_port())) as (program, _):
        line = program.until("chores: services ended with their contract: 0, reminders: 0")
        assert line.startswith('{"time": ')


# --- the demo -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    """A small demo."""
    folder, port = tmp_path_factory.mktemp("demo"), fresh_port()
    words = ("desk", "--demo", "--cases", "40", "--port", str(port), "--store", str(folder / "kept.db"))
    with running(*words, XDG_CACHE_HOME=str(folder / "cache")) as program:
        yield program, program.until("Page: ").split()[1].rstrip("/")
        assert program.ended(signal.SIGTERM).status == 0
    assert koatsu_verify(folder / "kept.db") is None


def koatsu_verify(store: Path) -> object:
    """The first fault of the chain of events."""
    with Desk.open(store, settings=sample_settings(), clock=SystemClock()) as desk:
        return desk.cases.verify()


def test_the_demo_says_what_a_person_needs(demo: tuple[Running, str]) -> None:
    program, page = demo
    assert re.search(r"A utility that does not exist, with 4\d cases\.", program.text)
    assert f"Everybody's password is {PASSWORD}" in program.text
    assert re.search(r"A supply point number to apply with: 99\d{20}\n", program.text)
    assert re.search(
        r"Meters that the connection check can ask: 127\.0\.0\.\d+, 127\.0\.0\.\d+\n", program.text
    )
    assert page.startswith("http://127.0.0.1:")


def test_one_person_for_each_role_can_log_in_at_the_demo(demo: tuple[Running, str]) -> None:
    _, page = demo
    with closing(httpx.Client(base_url=page, timeout=PATIENCE_S, trust_env=False)) as http:
        shown = http.get("/login").text
    for one in sample_people():
        assert (one.name in shown) == one.shown
        if not one.shown:
            continue
        browser = Browser(page)
        with closing(browser.http):
            assert browser.send("/login", name=one.name, password=PASSWORD).status_code == 303
            assert one.name in browser.http.get("/account").text


def test_people_of_the_demo_who_are_not_shown_cannot_log_in(demo: tuple[Running, str]) -> None:
    _, page = demo
    hidden = next(one for one in sample_people() if not one.shown)
    browser = Browser(page)
    with closing(browser.http):
        assert browser.send("/login", name=hidden.name, password=PASSWORD).status_code == 403


def test_the_walk_of_the_document_over_the_pages(demo: tuple[Running, str]) -> None:
    """The same walk as in test_desk_demo.py, by the buttons of the pages; the terminal is really asked."""
    program, page = demo
    point = re.findall(r"number to apply with: (\d{22})", program.text)[0]
    today = SystemClock().now().astimezone(JST).date()
    supervisor = next(one for one in sample_people() if one.key == "supervisor")
    browser = Browser(page)
    with closing(browser.http):
        browser.send("/login", name=supervisor.name, password=PASSWORD)
        [terms] = re.findall(r"/terms/(\d{4}-\d\d-\d\d)", browser.http.get("/terms").text)[:1]
        form = application(point, terms, today)
        handed_in = browser.send("/intake", **form, do="submit")
        assert handed_in.status_code == 303, handed_in.text
        where = handed_in.headers["Location"].partition("?")[0]
        for what, given, leads_to in WALK[1:]:
            shown, values = browser.http.get(where).text, dict(given(today))
            [seen] = set(re.findall(r'name="seen" value="(\d+)"', shown))
            if what is Event.RECORD_CHECK:
                found = browser.send_from(where, f"{where}/probe").text
                assert "kWh" in found
                values |= {"check_terminal": "yes", "check_meter": "yes", "check_way": "probe"}
                values["evidence"] = re.findall(r"<textarea[^>]*>([^<]+)</textarea>", found)[0]
                assert "端末と計器が応答しました" in values["evidence"]
            done = browser.send(where, event=what.value, seen=seen, **values)
            assert done.status_code == 303, (what, done.text)
            assert STATE_WORDS[leads_to].ja in browser.http.get(where).text


def test_the_demo_never_fills_a_store_that_is_not_its_own(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "desk.db")) as real:
        real.execute("CREATE TABLE customers (name TEXT)")
    before = (tmp_path / "desk.db").read_bytes()
    done = koatsu("desk", "--demo", "--store", "desk.db", cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert done.status == 2
    assert "is not a store of the demo and is left as it is" in done.err
    assert (tmp_path / "desk.db").read_bytes() == before
    assert not (tmp_path / "desk.people.db").exists()
