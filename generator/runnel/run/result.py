# SPDX-License-Identifier: Apache-2.0
"""What a run of the harness tells: its console's `key: value` lines and outputs.bin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from runnel.build.firmware import Firmware
from runnel.errors import RunError
from runnel.run.process import Finished

NANOSECONDS = 1_000_000_000

_SHOWN_LINES = 15

# A report of a sanitizer says what happened in its first lines, anything else in its last.
_SANITIZER_REPORT = re.compile(r"runtime error:|ERROR: \w+Sanitizer")


@dataclass(frozen=True)
class RunResult:
    """Outputs and figures of one run of the firmware.

    outputs       one per record: the bytes of the model's outputs in order (HarnessModel.split_outputs cuts them)
    instructions  one per record: executed by <name>_run() or _run_rows(), within one tick of the timer (31 to 50
                  instructions); None where the machine does not count
    cycles        one per record: of the core's cycle counter, on real boards; None elsewhere
    clock_hz      of the core, as the firmware says; None where it does not
    stack_bytes   the most that <name>_run() or _run_rows() used in any record, from the stack pointer at its
                  call, callees included; None where it is not measured (host)
    guard_intact  True when guard bytes were there and are untouched; None when the build has none (a damaged guard
                  is a RunError)
    selftest_passed  True when the firmware was built to call <name>_selftest() and it returned 0
    """

    outputs: tuple[bytes, ...]
    instructions: tuple[int, ...] | None
    stack_bytes: int | None
    guard_intact: bool | None
    selftest_passed: bool | None
    cycles: tuple[int, ...] | None = None
    clock_hz: int | None = None


def instructions_from_ticks(ticks: int, timer_hz: int) -> int:
    """Executed instructions in `ticks` of a timer when each instruction takes one virtual nanosecond."""
    return round(Fraction(ticks * NANOSECONDS, timer_hz))


def _pairs(lines: tuple[str, ...]) -> list[tuple[str, str]]:
    split = [line.split(": ", 1) for line in lines]
    return [(pair[0], pair[1]) for pair in split if len(pair) == 2]


def _number(value: str) -> int:
    try:
        return int(value, 16)
    except ValueError as error:
        raise RunError(f"the firmware printed {value!r} where a hexadecimal number was expected") from error


def _signed(value: str) -> int:
    number = _number(value)
    return number - (1 << 32) if number >= 1 << 31 else number


def _explain_failure(firmware: Firmware, finished: Finished) -> str:
    pairs = _pairs(finished.lines)
    name = firmware.model.name
    run = f"{name}_run" if firmware.model.rows is None else f"{name}_run_rows"
    for key, value in pairs:
        if key == "fault":
            return f"{name} on {firmware.board.name}: the processor faulted: {value}"
        if key == "status":
            return f"{name} on {firmware.board.name}: {run}() returned {_signed(value)}"
        if key == "selftest" and value != "0x0":
            return f"{name} on {firmware.board.name}: {name}_selftest() returned {_signed(value)}"
        if key == "error":
            return f"{name} on {firmware.board.name}: {value}"
    code = finished.exit_code
    how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    start = next((i for i, line in enumerate(finished.lines) if _SANITIZER_REPORT.search(line)), -_SHOWN_LINES)
    printed = "\n".join(finished.lines[start:][:_SHOWN_LINES])
    return f"{name} on {firmware.board.name}: the firmware {how}" + (f":\n{printed}" if printed else "")


def _split(data: bytes, record_bytes: int) -> tuple[bytes, ...]:
    return tuple(data[i : i + record_bytes] for i in range(0, len(data), record_bytes))


def read_result(
    firmware: Firmware, finished: Finished, outputs: bytes, records: int, *, counts: bool, clock_hz: int | None = None
) -> RunResult:
    """The result of a run that was given `records` records and wrote `outputs`; `counts`: it counted instructions.

    Raises RunError when the firmware faulted, the model failed or wrote outside its arena, or outputs are missing.
    """
    pairs = _pairs(finished.lines)
    values = dict(pairs)
    if finished.exit_code != 0 or "done" not in values:
        raise RunError(_explain_failure(firmware, finished))
    expected = records * firmware.model.output_bytes
    if len(outputs) != expected:
        raise RunError(f"{firmware.model.name}: outputs.bin has {len(outputs)} bytes, expected {expected}")
    timer = firmware.board.runner.timer if firmware.board.runner is not None else None
    ticks = tuple(_number(value) for key, value in pairs if key == "ticks")
    return RunResult(
        outputs=_split(outputs, firmware.model.output_bytes),
        instructions=tuple(instructions_from_ticks(t, timer.hz) for t in ticks) if counts and timer else None,
        stack_bytes=_number(values["stack_bytes"]) if "stack_bytes" in values else None,
        guard_intact=True if values.get("guard") == "intact" else None,
        selftest_passed=True if "selftest" in values else None,
        cycles=ticks if timer is not None and timer.kind == "dwt" else None,
        clock_hz=clock_hz,
    )
