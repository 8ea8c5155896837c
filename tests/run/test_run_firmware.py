# SPDX-License-Identifier: Apache-2.0
"""run_firmware: what goes in comes out on every board, and every way to fail is told in one message."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest

from runnel.boards import Runner
from runnel.build import BuildOptions
from runnel.errors import RunError
from runnel.run import run_firmware

EMULATED = ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
GUARDED = BuildOptions(guard_bytes=64)

RETURN_ERROR, WRITE_BELOW, WRITE_ABOVE, FAULT, HANG, OVERFLOW_STACK, USE_STACK, LOOP = range(101, 109)


@pytest.mark.parametrize("board", ("host", *EMULATED))
def test_outputs_of_every_record(board: str, build_fake: Any, record: Any) -> None:
    firmware = build_fake(board, GUARDED)
    values = [3.0, 250.0, 17.0]
    done: list[tuple[int, int]] = []
    records = [record(command=i, value=v) for i, v in enumerate(values)]
    result = run_firmware(firmware, records, timeout_s=60, progress=lambda *args: done.append(args))
    assert len(result.outputs) == len(values)
    for i, (given, output) in enumerate(zip(records, result.outputs, strict=True)):
        first, second = firmware.model.split_outputs(output)
        assert first == bytes(b + 1 for b in given[:64])
        assert second == bytes([int(values[i])])
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert result.guard_intact
    assert result.selftest_passed
    assert (result.instructions is None) == (board == "host")


@pytest.mark.parametrize("board", EMULATED)
def test_stack_is_that_of_the_run(board: str, build_fake: Any, record: Any) -> None:
    firmware = build_fake(board)
    small = run_firmware(firmware, [record()], timeout_s=60)
    large = run_firmware(firmware, [record(), record(USE_STACK), record()], timeout_s=60)
    assert small.stack_bytes is not None and large.stack_bytes is not None
    assert small.stack_bytes < 128
    assert 2048 <= large.stack_bytes < 2048 + 128


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (RETURN_ERROR, r"fake_run\(\) returned -7"),
        (WRITE_BELOW, "wrote below its arena"),
        (WRITE_ABOVE, "wrote above its arena"),
        (FAULT, "the processor faulted: at instruction 0x"),
        (OVERFLOW_STACK, "the stack overflowed"),
    ],
)
@pytest.mark.parametrize("board", EMULATED)
def test_failures_of_the_model(board: str, command: int, message: str, build_fake: Any, record: Any) -> None:
    with pytest.raises(RunError, match=message):
        run_firmware(build_fake(board, GUARDED), [record(), record(command)], timeout_s=60)


@pytest.mark.parametrize("command", [RETURN_ERROR, WRITE_BELOW, WRITE_ABOVE])
def test_failures_of_the_model_on_the_host(command: int, build_fake: Any, record: Any) -> None:
    with pytest.raises(RunError, match=r"returned -7|its arena"):
        run_firmware(build_fake("host", GUARDED), [record(command)], timeout_s=60)


@pytest.mark.parametrize("board", ["host", "qemu-m7"])
def test_a_hanging_model_is_stopped(board: str, build_fake: Any, record: Any) -> None:
    with pytest.raises(RunError, match=r"still running after 0\.5 s"):
        run_firmware(build_fake(board), [record(HANG)], timeout_s=0.5)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_sanitizers_report_a_write_outside_the_arena(compiler: str, build_fake: Any, record: Any) -> None:
    firmware = build_fake("host", BuildOptions(sanitize=True, optimize="-O1", compiler=compiler))
    assert run_firmware(firmware, [record()], timeout_s=60).selftest_passed
    with pytest.raises(RunError, match="AddressSanitizer: global-buffer-overflow"):
        run_firmware(firmware, [record(WRITE_ABOVE)], timeout_s=60)


def test_without_counting_there_are_no_instructions(build_fake: Any, record: Any) -> None:
    firmware = build_fake("qemu-m7")
    counted = run_firmware(firmware, [record()], timeout_s=60)
    uncounted = run_firmware(firmware, [record()], timeout_s=60, count_instructions=False)
    assert uncounted.instructions is None
    assert uncounted.outputs == counted.outputs
    assert uncounted.stack_bytes == counted.stack_bytes


def test_a_record_of_the_wrong_length(build_fake: Any, record: Any) -> None:
    with pytest.raises(RunError, match="record 1 for fake has 67 bytes; its inputs take 68"):
        run_firmware(build_fake("host"), [record(), record()[:-1]], timeout_s=60)


def test_real_boards_name_an_emulated_one(build_fake: Any, record: Any) -> None:
    firmware = build_fake("stm32f746")
    with pytest.raises(RunError, match=r"stm32f746 is real hardware: .*--port /dev/ttyACM0; try --board qemu-m7"):
        run_firmware(firmware, [record()], timeout_s=60)
    renode = replace(firmware, board=replace(firmware.board, runner=Runner(kind="renode", machine="x")))
    with pytest.raises(RunError, match="run by renode, which this version of Runnel does not drive yet"):
        run_firmware(renode, [record()], timeout_s=60)


def test_missing_emulator_names_the_package(build_fake: Any, record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    firmware = build_fake("qemu-m7")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RunError, match="apt-get install qemu-system-arm"):
        run_firmware(firmware, [record()], timeout_s=60)
