"""The examples as a reader of the documents runs them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from program import PATIENCE_S, EmulatedMeter, Here, environment, fresh_address

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_every_example_is_tried_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"read_meter.py", "host_device.py"}


def test_read_meter_prints_values_with_units(meter: EmulatedMeter) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "read_meter.py"), meter.address],
        env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    lines = dict(line.split(" = ") for line in done.stdout.splitlines())
    at = lines["energy_slot.at"]  # the meter's clock goes on while tests run
    assert at >= "2026-07-15T13:00:00+09:00"
    count = meter.registers()[at]
    assert lines["energy_slot.normal"] == f"{count * 600 / 1000:.3f} kWh"
    assert lines["energy_now.normal"].endswith(" kWh")
    assert lines["demand_slot.normal"].endswith(" kW")


def test_host_device_is_a_meter_for_our_controller(here: Here) -> None:
    address = fresh_address()
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / "host_device.py"), address],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as host:  # fmt: skip
        assert host.stdout is not None
        assert host.stderr is not None
        try:
            assert host.stdout.readline() == f"a meter answers on {address}\n"
            words = ("--link-profile", "fast", "--from", fresh_address())
            told = here("read", address, "--json", *words)
            found = here("discover", "--also", address, "--wait", "0.3", "--json", *words[2:])
        finally:
            host.send_signal(signal.SIGKILL)
    values = {value["name"]: value["value"] for value in told.json["values"]}
    assert (told.status, told.err) == (0, "")
    assert (values["coefficient"], values["energy_digits"], values["fixed_day"]) == ("1200", "8", "1")
    assert "0xE1" in values["set_map"]
    assert [row["eoj"] for row in found.json if row["address"] == address] == ["0x028A01"]
