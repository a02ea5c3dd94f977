"""``koatsu healthcheck`` against a page that is well, degraded, unable, gone, or somebody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from program import Here, fresh_port

from koatsu.ems.live import LinkState
from koatsu.ems.vitals import Health, Reason
from koatsu.web.metrics import health_answer

AT = datetime(2026, 7, 15, tzinfo=UTC)


def told(*reasons: Reason) -> tuple[int, bytes]:
    """What the program answers."""
    answer = health_answer(Health(at=AT, reasons=reasons, links={"main": LinkState.LIVE}), whole=False)
    return answer.status_code, bytes(answer.body)


@contextmanager
def page(status: int, body: bytes) -> Iterator[int]:
    """A page that gives this answer at ``/healthz``; its port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.path == "/healthz"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def config(folder: Path, port: int, host: str = "127.0.0.1") -> str:
    path = folder / "koatsu.toml"
    path.write_text(
        f'[site]\nname = "works"\n[web]\nhost = "{host}"\nport = {port}\n'
        '[[meter]]\nid = "main"\naddress = "127.0.0.2"\n'
    )
    return str(path)


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (told(), 0, "ok\n"),
        (told(Reason(code="meter_silent", ours=False, meter_id="main")), 0, "degraded: meter_silent\n"),
        (
            told(Reason(code="store_full", ours=True), Reason(code="disk_low", ours=False)),
            1,
            "degraded: store_full, disk_low\n",
        ),
    ],
    ids=["well", "a silent meter", "a full disk"],
)
def test_the_status_is_that_of_the_program(
    here: Here, tmp_path: Path, answer: tuple[int, bytes], status: int, said: str
) -> None:
    with page(*answer) as port:
        done = here("healthcheck", "-c", config(tmp_path, port))
        assert (done.status, done.out, done.err) == (status, said, "")
        everywhere = here("healthcheck", "-c", config(tmp_path, port, "0.0.0.0"))
        assert (everywhere.status, everywhere.out) == (status, said)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_nobody_and_somebody_else_are_no_answer(here: Here, tmp_path: Path, lang: str) -> None:
    nobody = here("healthcheck", "-c", config(tmp_path, fresh_port()), lang=lang)
    with page(200, b"<html>hello</html>") as port:
        else_ = here("healthcheck", "-c", config(tmp_path, port), lang=lang)
    for done in (nobody, else_):
        assert (done.status, done.out) == (3, "")
        assert ("応答しません" if lang == "ja" else "No Koatsu answers at http://127.0.0.1:") in done.err
        assert done.err.count("\n") == 1


def test_a_wrong_configuration_is_said(here: Here, tmp_path: Path) -> None:
    assert here("healthcheck", "-c", str(tmp_path / "none.toml")).status == 2
