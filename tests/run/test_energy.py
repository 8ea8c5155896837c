# SPDX-License-Identifier: Apache-2.0
"""Energy of inferences: logs whose answer is known by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runnel.errors import InputError
from runnel.run.energy import average_inference, energy_per_model, marked_inferences, read_current_log


def write(path: Path, text: str) -> Path:
    file = path / "log.csv"
    file.write_text(text, encoding="utf-8")
    return file


def square_wave(path: Path, on: list[tuple[float, float]], *, active: float = 0.1, idle: float = 0.02) -> Path:
    """10 kHz for 1 s: `active` ampere and the marker from each start for so many seconds, `idle` ampere between."""
    lines = ["time_s,current_a,marker"]
    for k in range(10_000):
        t = k / 10_000
        running = any(start <= t + 1e-9 < start + seconds for start, seconds in on)
        lines.append(f"{t:.4f},{active if running else idle},{int(running)}")
    return write(path, "\n".join(lines) + "\n")


def test_marked_inferences(tmp_path: Path) -> None:
    log = read_current_log(square_wave(tmp_path, [(0.1, 0.02), (0.5, 0.04)]), volts=3.3)
    first, second = marked_inferences(log)
    assert first.millijoules == pytest.approx(3.3 * 0.1 * 20, rel=1e-6)
    assert first.seconds == pytest.approx(0.02)
    assert second.millijoules == pytest.approx(3.3 * 0.1 * 40, rel=1e-6)


def test_stretches_that_the_log_cuts_off_do_not_count(tmp_path: Path) -> None:
    log = read_current_log(square_wave(tmp_path, [(0.0, 0.01), (0.3, 0.01), (0.995, 0.1)]), volts=5.0)
    (only,) = marked_inferences(log)
    assert only.millijoules == pytest.approx(5.0)


def test_a_ramp_with_its_own_voltage(tmp_path: Path) -> None:
    """Uneven samples, each holding until the next: (1 V × 1 A × 1 s) + (2 V × 2 A × 3 s) = 13 J."""
    log = read_current_log(write(tmp_path, "t;i;u\n0;1;1\n1;2;2\n4;9;9\n"))
    whole = average_inference(log, 4.0)
    assert whole.millijoules == pytest.approx(13_000)
    assert average_inference(log, 0.5).millijoules == pytest.approx(13_000 / 8)


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("Timestamp(ms),Current(uA)", (1e3, 1e6)),
        ("time_s,current_ma", (1, 1e3)),
        ("Time [us],Current [mA]", (1e6, 1e3)),
        ("seconds,amps", (1, 1)),
    ],
)
def test_units_of_probes(tmp_path: Path, header: str, scale: tuple[float, float]) -> None:
    rows = "".join(f"{t * scale[0]},{0.25 * scale[1]}\n" for t in (0.0, 0.5, 1.0))
    log = read_current_log(write(tmp_path, f"{header}\n{rows}"), volts=2.0)
    assert np.allclose(log.seconds, [0, 0.5, 1]) and np.allclose(log.watts, 0.5)


def test_models_in_order(tmp_path: Path) -> None:
    log = read_current_log(square_wave(tmp_path, [(0.1, 0.02), (0.3, 0.02), (0.5, 0.05)]), volts=3.3)
    energy = energy_per_model(log, [("person", [0.0201, 0.0199]), ("keywords", [0.05])])
    assert [round(e.millijoules, 2) for e in energy["person"]] == [6.6, 6.6]
    assert [round(e.millijoules, 2) for e in energy["keywords"]] == [16.5]


def test_without_marker_the_mean_power_counts(tmp_path: Path) -> None:
    log = read_current_log(write(tmp_path, "time_s,current_a,voltage_v\n0,0.1,3\n1,0.3,3\n2,0.3,3\n"))
    energy = energy_per_model(log, [("person", [0.01])])
    assert energy["person"][0].millijoules == pytest.approx(3 * 0.2 * 10)


@pytest.mark.parametrize(
    ("ran", "message"),
    [
        ([("person", [0.02])], "marks 2 inferences, but 1 ran"),
        ([("person", [0.02, 0.03])], "marks 20.00 ms, .* 30.00 ms"),
    ],
)
def test_logs_of_another_run(tmp_path: Path, ran: list[tuple[str, list[float]]], message: str) -> None:
    log = read_current_log(square_wave(tmp_path, [(0.1, 0.02), (0.5, 0.02)]), volts=3.3)
    with pytest.raises(InputError, match=message):
        energy_per_model(log, ran)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a CSV file"),
        ("time_s,current_a\n", "not a CSV file"),
        ("time_s,current_a\n1,x\n", "not a CSV file of numbers.*could not convert"),
        ("time_s,current_a\n1,2\n3\n", "not a CSV file"),
        ("time_s,power_w\n1,2\n2,2\n", "no column for the current; found: time_s, power_w"),
        ("time_s,current_a\n2,1\n1,1\n", "the time must rise"),
        ("time_s,current_ka\n1,1\n2,1\n", "column 'current_ka' has a unit that is not known"),
    ],
)
def test_files_that_are_no_log(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_current_log(write(tmp_path, text), volts=3.3)


def test_the_voltage_must_come_from_somewhere(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--volts 3\.3"):
        read_current_log(write(tmp_path, "time_s,current_a\n0,1\n1,1\n"))
    with pytest.raises(InputError, match="cannot read the log"):
        read_current_log(tmp_path / "absent.csv")
