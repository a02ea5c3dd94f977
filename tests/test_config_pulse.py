"""``[[pulse]]`` in the configuration: a detector beside a meter, read, refused and written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from koatsu.config import ConfigFileError, PulseConfig, load_config, parse_config, write_config

BASE = '[site]\nname = "x"\n\n[[meter]]\nid = "buy"\naddress = "127.0.0.2"\n\n'


def pulse(**keys: str) -> str:
    """A detector with these lines, given as TOML."""
    lines = {"meter": '"buy"', "source": '"127.0.0.1:8050"', **keys}
    return "[[pulse]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, PulseConfig(meter="buy", source="127.0.0.1:8050")),
        ({"per_kwh": '"250/3"'}, PulseConfig(meter="buy", source="127.0.0.1:8050", per_kwh="250/3")),
        ({"per_kwh": "833"}, PulseConfig(meter="buy", source="127.0.0.1:8050", per_kwh="833")),
        ({"per_kwh": "83.5"}, PulseConfig(meter="buy", source="127.0.0.1:8050", per_kwh="83.5")),
        ({"slot_pulse": "false"}, PulseConfig(meter="buy", source="127.0.0.1:8050", slot_pulse=False)),
        ({"source": '"/run/pulse"'}, PulseConfig(meter="buy", source="/run/pulse")),
        ({"source": '"[::1]:8050"'}, PulseConfig(meter="buy", source="[::1]:8050")),
    ],
)
def test_detectors_are_read(keys: dict[str, str], expected: PulseConfig) -> None:
    assert parse_config(BASE + pulse(**keys)).pulses == (expected,)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (pulse(meter='"sell"'), 9, '[[pulse]] is of meter = "sell"'),
        (pulse(source='"8050"'), 10, "an address with its port"),
        (pulse(source='"host:0"'), 10, "an address with its port"),
        (pulse(source='"relative/path"'), 10, "an address with its port"),
        (pulse(per_kwh='"0"'), 11, "a number above 0"),
        (pulse(per_kwh='"1/0"'), 11, "a number above 0"),
        (pulse(per_kwh="-3"), 11, "a number above 0"),
        (pulse(per_kwh="true"), 11, "a number above 0"),
        (pulse(per_kwh='"ten"'), 11, "a number above 0"),
        (pulse(slot_pulse='"no"'), 11, "true or false"),
        (pulse(port="3"), 11, 'no key "port"'),
        (pulse() + pulse(), 12, "named twice"),
        ('[[pulse]]\nmeter = "buy"\n', 8, "lacks source"),
    ],
)
def test_a_wrong_detector_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigFileError) as refused:
        parse_config(BASE + text)
    (problem,) = refused.value.problems
    assert problem.line == line
    assert words in problem.en
    assert problem.ja


def test_a_detector_is_written_and_read_back(tmp_path: Path) -> None:
    config = parse_config(BASE + pulse(per_kwh='"250/3"', slot_pulse="false"))
    write_config(tmp_path / "koatsu.toml", replace(config))
    assert load_config(tmp_path / "koatsu.toml").pulses == config.pulses
    write_config(tmp_path / "without.toml", replace(config, pulses=()))
    assert "pulse" not in (tmp_path / "without.toml").read_text()
