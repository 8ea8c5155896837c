# SPDX-License-Identifier: Apache-2.0
"""The front end computes the same bytes wherever and however it is compiled."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from audio.front_end_reference import Samples, made_up_clips, real_clips
from runnel.audio.front_end import FrontEnd
from runnel.boards import load_board
from runnel.build import BuildOptions, EdgeBuffer, HarnessModel, build_firmware
from runnel.resources import resource_root
from runnel.run import run_firmware
from runnel.run.qemu import EMULATOR

ROWS, CHANNELS = 50, 40
MODEL = HarnessModel(
    name="front_end",
    inputs=(EdgeBuffer("front_end_input_0", "int16_t", 32000),),
    outputs=(EdgeBuffer("front_end_output_0", "int8_t", ROWS * CHANNELS),),
)
HOST_BUILDS = {
    f"{compiler} {name}": BuildOptions(optimize=optimize, sanitize=sanitize, compiler=compiler)
    for compiler in ("gcc", "clang")
    for name, optimize, sanitize in (("-O0", "-O0", False), ("-Os", "-Os", False), ("sanitized", "-O1", True))
}
EMULATED = ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
# Measured with gcc 12.2: 47,000 (M3, no DSP instructions) and 37,200 (the others). The margin is for other compilers.
MOST_INSTRUCTIONS_PER_ROW = {"qemu-m3": 52_000}
MOST_INSTRUCTIONS_PER_ROW_WITH_DSP = 41_000
MOST_FLASH_BYTES = 6_000


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `runnel compile` leaves it: C files and the headers they include."""
    folder = tmp_path_factory.mktemp("front_end") / "sources"
    shutil.copytree(Path(__file__).parent / "firmware", folder)
    module = resource_root() / "zephyr_module"
    for file in ("features.c", "features_tables.h"):
        shutil.copy(module / "audio" / file, folder)
    shutil.copytree(module / "include/runnel", folder / "runnel", ignore=shutil.ignore_patterns("kernels"))
    return folder


@pytest.fixture(scope="module")
def clips(full: bool, seed: int) -> list[Samples]:
    """Half made up, half real where there are recordings: 1,000 when the full count is asked for."""
    count = 500 if full else 20
    return made_up_clips(count, seed) + real_clips(count, seed)


@pytest.fixture(scope="module")
def expected(clips: list[Samples]) -> list[bytes]:
    return [FrontEnd().rows(clip).tobytes() for clip in clips]


def check(
    build: Path, sources: Path, board: str, clips: list[Samples], expected: list[bytes], how: BuildOptions
) -> None:
    firmware = build_firmware(sources, MODEL, load_board(board), build, how)
    result = run_firmware(firmware, [clip.tobytes() for clip in clips], timeout_s=500, count_instructions=False)
    differing = [i for i, (rows, wanted) in enumerate(zip(result.outputs, expected, strict=True)) if rows != wanted]
    assert differing == []


@pytest.mark.parametrize("build", HOST_BUILDS)
def test_host_builds(build: str, sources: Path, tmp_path: Path, clips: list[Samples], expected: list[bytes]) -> None:
    how = HOST_BUILDS[build]
    if shutil.which(str(how.compiler)) is None:
        pytest.skip(f"{how.compiler} is not installed")
    check(tmp_path, sources, "host", clips, expected, how)


@pytest.mark.parametrize("board", EMULATED)
def test_emulated_boards(
    board: str, sources: Path, tmp_path: Path, clips: list[Samples], expected: list[bytes]
) -> None:
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which(EMULATOR) is None:
        pytest.skip(f"arm-none-eabi-gcc or {EMULATOR} is not installed")
    check(tmp_path, sources, board, clips, expected, BuildOptions())


@pytest.mark.parametrize("board", EMULATED)
def test_instructions_and_flash(board: str, sources: Path, tmp_path: Path, clips: list[Samples]) -> None:
    if shutil.which("arm-none-eabi-gcc") is None or shutil.which(EMULATOR) is None:
        pytest.skip(f"arm-none-eabi-gcc or {EMULATOR} is not installed")
    firmware = build_firmware(sources, MODEL, load_board(board), tmp_path, BuildOptions())
    result = run_firmware(firmware, [clip.tobytes() for clip in clips[:10]], timeout_s=100)
    assert result.instructions is not None and firmware.footprint is not None
    most = max(result.instructions) / ROWS
    limit = MOST_INSTRUCTIONS_PER_ROW.get(board, MOST_INSTRUCTIONS_PER_ROW_WITH_DSP)
    assert 5_000 < most < limit, f"{most:.0f} instructions per row"
    lines = subprocess.run(
        ["arm-none-eabi-size", "-A", tmp_path / "model_objects/features.o"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    sizes = [line.split() for line in lines if line.startswith((".text", ".rodata"))]
    assert 2_000 < sum(int(size[1]) for size in sizes) < MOST_FLASH_BYTES


def test_made_up_clips_reach_both_limits(expected: list[bytes]) -> None:
    values = np.frombuffer(b"".join(expected), np.int8)
    assert values.min() == -128 and values.max() == 127
