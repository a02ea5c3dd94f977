"""The desk's probe against an emulated meter, silence, terminals without a meter, a meter that is held."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from program import EmulatedMeter, emulated_meter, fresh_address, running

from koatsu.app.desk_probe import WireProbe
from koatsu.app.holding import hold
from koatsu.clock import JST, ManualClock, SystemClock
from koatsu.config import Address, LinkConfig
from koatsu.desk.errors import UnknownError
from koatsu.desk.probe import LinkProbe, ProbeResult
from koatsu.devices import device_class
from koatsu.echonet import NODE_PROFILE, Eoj, Esv, Frame, decode
from koatsu.node import PORT, Peer

POINT = f"07{1:020}"
METER = Eoj.of(0x028A, 1)
NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)


def asked(address: str, **more: object) -> ProbeResult:
    link = LinkConfig(supply_point=POINT, address=Address(address), profile="fast", **more)  # type: ignore[arg-type]
    probe: LinkProbe = WireProbe([link], ManualClock(NOW))
    assert probe.knows(POINT)
    return probe.ask(POINT)


def states(found: ProbeResult) -> tuple[bool, bool | None, bool | None]:
    return found.reached, found.terminal_up, found.meter_answers


def test_a_meter_that_answers_is_told_with_its_values(meter: EmulatedMeter) -> None:
    found = asked(meter.address)
    assert states(found) == (True, True, True)
    assert found.at == NOW
    plate = meter.plate()
    assert found.values["serial_number"] == plate["serial"]
    assert found.values["coefficient"] == str(plate["coefficient"])
    assert found.values["operation_status"] == "on"
    energy, unit = found.values["energy_now"].split(" ")
    assert unit == "kWh"
    factor = Decimal(plate["coefficient"]) * Decimal(str(plate["energy_unit"]))
    assert Decimal(energy) >= min(meter.registers().values()) * factor
    at = datetime.fromisoformat(found.values["energy_now.at"])
    assert at.date() == meter.clock.now().astimezone(JST).date()
    assert int(found.values["get_map"]) >= 16
    assert found.values["energy_now"] in found.reason.ja
    assert found.values["energy_now"] in found.reason.en
    assert f"{at:%H:%M}" in found.reason.en


def test_every_value_has_a_name_for_people_in_both_languages(meter: EmulatedMeter) -> None:
    found = asked(meter.address)
    assert found.labels.keys() == found.values.keys()
    device = device_class(0x028A)
    assert found.labels["energy_now"] == (device.property("energy_now").ja, device.property("energy_now").en)
    assert found.labels["energy_now.at"].ja.startswith("積算有効電力量計測値(")
    assert all(words.ja and words.en for words in found.labels.values())


def test_the_meter_that_the_settings_name_is_asked_and_no_other(meter: EmulatedMeter) -> None:
    assert states(asked(meter.address, class_code="028A", instance=1)) == (True, True, True)
    found = asked(meter.address, class_code="028F")
    assert states(found) == (True, True, False)
    assert "0x028F" in found.reason.ja
    assert "0x028F" in found.reason.en


def test_a_terminal_that_says_nothing_is_down() -> None:
    address = fresh_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((address, PORT))
        found = asked(address)
    assert states(found) == (False, False, None)
    assert address in found.reason.en
    assert "応答しません" in found.reason.ja
    assert found.values == {}


def test_an_address_at_which_no_terminal_can_be_says_nothing_of_the_terminal() -> None:
    address = fresh_address()
    found = asked(address)
    assert states(found) == (False, None, None)
    assert "refuses UDP port 3610" in found.reason.en
    assert "拒否しました" in found.reason.ja


def test_our_own_port_that_is_taken_is_told_with_who_has_it() -> None:
    own, address = fresh_address(), fresh_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((own, PORT))
        found = asked(address, source=Address(own))
    assert states(found) == (False, None, None)
    assert f"UDP {own} port 3610 is taken by" in found.reason.en
    assert "使われています" in found.reason.ja


def test_a_node_without_a_meter_is_a_terminal_that_is_up() -> None:
    address = fresh_address()
    script = str(Path(__file__).with_name("plain_node.py"))
    with running(script, address, program=(sys.executable,)) as program:
        program.until("ready")
        found = asked(address)
    assert states(found) == (True, True, False)
    assert "electricity meter" in found.reason.en
    assert "メータがありません" in found.reason.ja


@contextmanager
def half_a_terminal(answer: Callable[[Frame], list[tuple[int, bytes]] | None]) -> Iterator[str]:
    """A terminal that lists a meter, and sends what ``answer`` gives for it; ``None`` is silence."""
    address, listed = fresh_address(), device_class(NODE_PROFILE.class_code).property("instance_list").epc
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.bind((address, PORT))

        def serve() -> None:
            while True:
                data, whom = here.recvfrom(2048)
                if not data:
                    return
                frame = decode(data)
                assert isinstance(frame, Frame)
                given = [(listed, b"\x01\x02\x8a\x01")] if frame.deoj == NODE_PROFILE else answer(frame)
                if given is not None:
                    sent = Frame(frame.tid, frame.deoj, frame.seoj, Esv.GET_RES, tuple(given))
                    here.sendto(sent.encode(), whom)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield address
        finally:
            here.sendto(b"", (address, PORT))
            thread.join(10)


def test_a_meter_that_is_silent_behind_a_terminal_that_is_up_is_told_apart() -> None:
    with half_a_terminal(lambda frame: None) as address:
        found = asked(address)
    assert states(found) == (True, True, False)
    assert "the meter behind it does not" in found.reason.en
    assert "計器が応答しません" in found.reason.ja


def test_an_answer_that_is_none_is_not_believed() -> None:
    with half_a_terminal(lambda frame: [(frame.epcs[0], b"\xff" * 3)]) as address:
        found = asked(address)
    assert states(found) == (True, True, False)
    assert "not as it should" in found.reason.en
    assert "応答が正しくありません" in found.reason.ja
    assert found.values == {}


def test_a_meter_whose_dates_are_impossible_is_not_believed(tmp_path: Path) -> None:
    with emulated_meter(tmp_path, "--fault", "impossible-date") as meter:
        found = asked(meter.address)
    assert states(found) == (True, True, False)
    assert "応答が正しくありません" in found.reason.ja


def test_a_meter_without_a_coefficient_shows_counts_and_no_kilowatt_hours(tmp_path: Path) -> None:
    with emulated_meter(tmp_path, "--fault", "coefficient-zero") as meter:
        found = asked(meter.address)
    assert states(found) == (True, True, True)
    assert found.values["coefficient"] == "0"
    assert found.values["energy_now"].endswith(" (counts)")
    assert "kWh" not in found.reason.ja + found.reason.en


def test_a_meter_that_refuses_its_values_answers_without_any(tmp_path: Path) -> None:
    with emulated_meter(tmp_path, "--fault", "refuses") as meter:
        found = asked(meter.address)
    assert states(found) == (True, True, True)
    assert "no value of energy yet" in found.reason.en
    assert "energy_now" not in found.values


# --- what is held by koatsu run -------------------------------------------------------------------------


@contextmanager
def page_that_says(**links: str) -> Iterator[str]:
    """The address of a page whose /healthz tells these links."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "ok", "meters": links}).encode()
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("links", "meter", "expected", "said"),
    [
        ({"buy": "live"}, None, (True, True, True), "hears it now"),
        ({"buy": "silent"}, None, (False, False, None), "hears nothing of it"),
        ({"buy": "stale"}, None, (False, None, None), "holds this meter"),
        ({"buy": "live", "sell": "silent"}, None, (False, None, None), "holds this meter"),
        ({"buy": "live", "sell": "silent"}, "sell", (False, False, None), "hears nothing of it"),
        ({"buy": "live"}, "other", (False, None, None), "holds this meter"),
        ({}, None, (False, None, None), "holds this meter"),
    ],
)
def test_a_meter_that_koatsu_run_holds_is_not_asked_but_told_of(
    links: dict[str, str], meter: str | None, expected: tuple[bool, bool | None, bool | None], said: str
) -> None:
    address = fresh_address()
    with page_that_says(**links) as page, hold([Peer(address)], page=page):
        found = asked(address, meter=meter)
    assert states(found) == expected
    assert said in found.reason.en
    assert page in found.reason.en
    assert page in found.reason.ja
    assert "koatsu run(プロセス " in found.reason.ja


def test_a_held_meter_whose_page_does_not_answer_is_said_to_be_held() -> None:
    address = fresh_address()
    with hold([Peer(address)], page="http://127.0.0.1:9/"):
        found = asked(address)
    assert states(found) == (False, None, None)
    assert "holds this meter" in found.reason.en


# --- who is asked ---------------------------------------------------------------------------------------


def test_a_point_without_a_link_is_not_known() -> None:
    probe = WireProbe([], SystemClock())
    assert not probe.knows(POINT)
    with pytest.raises(UnknownError, match="No link to this point"):
        probe.ask(POINT)


def test_two_who_ask_at_once_are_answered_one_after_the_other(meter: EmulatedMeter) -> None:
    link = LinkConfig(supply_point=POINT, address=Address(meter.address), profile="fast")
    probe = WireProbe([link], SystemClock())
    found: list[ProbeResult] = []
    threads = [threading.Thread(target=lambda: found.append(probe.ask(POINT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [states(one) for one in found] == [(True, True, True)] * 4
