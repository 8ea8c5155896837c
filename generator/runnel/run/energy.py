# SPDX-License-Identifier: Apache-2.0
"""Millijoules of inferences, from what a current probe logged."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from runnel.errors import InputError

Floats = npt.NDArray[np.float64]

# Column names of probes: a word, then a unit in brackets or behind an underscore. A bare word means SI.
_COLUMN = re.compile(r"\s*([a-z]+[0-9]*)\s*[_(\[]?\s*([a-zµμ]*)\s*[\])]?\s*", re.IGNORECASE)
_KINDS = {
    "time": ("time", "timestamp", "seconds", "t"),
    "current": ("current", "ampere", "amperes", "amps", "i"),
    "voltage": ("voltage", "volts", "volt", "u", "v"),
    "marker": ("marker", "trigger", "led", "d0"),
}
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9}


@dataclass(frozen=True, eq=False)
class CurrentLog:
    """Samples of a probe: seconds, watts, and whether the marker was on (the board's LED), None without a marker."""

    seconds: Floats
    watts: Floats
    marker: npt.NDArray[np.bool_] | None


@dataclass(frozen=True)
class Energy:
    """One inference: millijoules and the seconds that they were drawn in."""

    millijoules: float
    seconds: float


def read_current_log(path: Path, volts: float | None = None) -> CurrentLog:
    """A CSV file with a header: time and current, voltage where it is not `volts`, a marker where there is one.

    Units are in the names: time_s, Timestamp(ms), current_a, Current(uA), voltage_v. Raises InputError otherwise.
    """
    header, rows = _read_rows(path)
    kinds = [_kind(name, path) for name in header]
    columns = {kind: (index, factor) for index, (kind, factor) in reversed(list(enumerate(kinds))) if kind}
    for needed in ("time", "current"):
        if needed not in columns:
            raise InputError(f"{path}: no column for the {needed}; found: {', '.join(header)}")
    if "voltage" not in columns and volts is None:
        raise InputError(f"{path}: no column for the voltage; say how many volts it was (--volts 3.3)")
    values = {kind: rows[:, index] * factor for kind, (index, factor) in columns.items()}
    seconds = values["time"]
    if len(seconds) < 2 or not np.all(np.diff(seconds) > 0):
        raise InputError(f"{path}: the time must rise from row to row, and there must be two rows at least")
    voltage = values["voltage"] if "voltage" in values else np.full_like(seconds, volts or 0.0)
    marker = values["marker"] > 0.5 if "marker" in values else None
    return CurrentLog(seconds, values["current"] * voltage, marker)


def _read_rows(path: Path) -> tuple[list[str], Floats]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            sample = file.read(4096)
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=sample.count))
            header = next(reader, [])
            rows = np.array([[float(cell) for cell in row[: len(header)]] for row in reader if row], dtype=np.float64)
    except OSError as error:
        raise InputError(f"{path}: cannot read the log: {error.strerror}") from error
    except (ValueError, csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a CSV file of numbers below one line of names: {error}") from error
    if rows.ndim != 2 or rows.shape[1] != len(header):
        raise InputError(f"{path}: not a CSV file of numbers below one line of names")
    return header, rows


def _kind(name: str, path: Path) -> tuple[str | None, float]:
    """What a column is, and what to multiply it by to get SI units; None for a column that nobody needs."""
    match = _COLUMN.fullmatch(name)
    if match is None:
        return None, 1.0
    kind = next((k for k, words in _KINDS.items() if match[1].lower() in words), None)
    prefix = match[2][:-1] if match[2] else ""
    if kind is not None and kind != "marker" and prefix not in _PREFIXES:
        raise InputError(f"{path}: column {name!r} has a unit that is not known; supported: s, A, V with m, u, n")
    return kind, _PREFIXES.get(prefix, 1.0)


def marked_inferences(log: CurrentLog) -> tuple[Energy, ...]:
    """One for each stretch of the log with the marker on; a stretch that the log cuts off does not count."""
    if log.marker is None:
        return ()
    edges = np.diff(log.marker.astype(np.int8))
    starts = np.flatnonzero(edges == 1) + 1
    ends = np.flatnonzero(edges == -1) + 1
    if log.marker[0]:
        ends = ends[1:]
    return tuple(_between(log, int(a), int(b)) for a, b in zip(starts, ends, strict=False))


def _between(log: CurrentLog, start: int, end: int) -> Energy:
    """From sample `start` to sample `end`, each one holding until the next."""
    steps = np.diff(log.seconds[start : end + 1])
    return Energy(1000 * float(np.sum(log.watts[start:end] * steps)), float(np.sum(steps)))


def average_inference(log: CurrentLog, seconds: float) -> Energy:
    """An inference of `seconds` at the mean power of the whole log: an estimate for a log without marker, which is
    fair because the core runs at full speed between inferences too.
    """
    whole = _between(log, 0, len(log.seconds) - 1)
    return Energy(whole.millijoules / whole.seconds * seconds, seconds)


def energy_per_model(
    log: CurrentLog, inferences: Sequence[tuple[str, Sequence[float]]]
) -> dict[str, tuple[Energy, ...]]:
    """The energy of each inference by model. `inferences`: models in the order they ran, with the seconds of each.

    Raises InputError when the log marks another number of inferences, or much longer or shorter ones.
    """
    if log.marker is None:
        return {name: tuple(average_inference(log, s) for s in seconds) for name, seconds in inferences}
    marked = list(marked_inferences(log))
    expected = [(name, s) for name, seconds in inferences for s in seconds]
    if len(marked) != len(expected):
        raise InputError(
            f"the log marks {len(marked)} inferences, but {len(expected)} ran: log from before the run to its end"
        )
    sample = float(np.max(np.diff(log.seconds)))
    found: dict[str, tuple[Energy, ...]] = {name: () for name, _ in inferences}
    for (name, seconds), energy in zip(expected, marked, strict=True):
        if abs(energy.seconds - seconds) > 0.05 * seconds + 2 * sample:
            raise InputError(
                f"{name}: the log marks {1000 * energy.seconds:.2f} ms, the cycle counter says "
                f"{1000 * seconds:.2f} ms: is the log of this run, and its time in the unit that its header says?"
            )
        found[name] += (energy,)
    return found
