# SPDX-License-Identifier: Apache-2.0
"""A hand-written model with the generated API (fake_model/), built once for each board that can run here."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from runnel.boards import load_board
from runnel.build import BuildOptions, EdgeBuffer, Firmware, HarnessModel, build_firmware
from runnel.resources import resource_root
from runnel.run.qemu import EMULATOR

FAKE = HarnessModel(
    name="fake",
    inputs=(EdgeBuffer("fake_input_0", "int8_t", 64), EdgeBuffer("fake_input_1", "float", 4)),
    outputs=(EdgeBuffer("fake_output_0", "int8_t", 64), EdgeBuffer("fake_output_1", "uint8_t", 1)),
    selftest=True,
)

BuildFake = Callable[..., Firmware]
MakeRecord = Callable[..., bytes]


@pytest.fixture(scope="session")
def fake_sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as `runnel compile` leaves it: the model's C and the headers it includes."""
    directory = tmp_path_factory.mktemp("fake") / "sources"
    shutil.copytree(Path(__file__).parent / "fake_model", directory)
    headers = resource_root() / "zephyr_module" / "include" / "runnel"
    shutil.copytree(headers, directory / "runnel", ignore=shutil.ignore_patterns("kernels"))
    return directory


@pytest.fixture(scope="session")
def build_fake(fake_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildFake:
    """Builds the fake model for a board; skips where the compiler or emulator is missing."""
    built: dict[tuple[str, BuildOptions], Firmware] = {}

    def build(board_name: str, options: BuildOptions | None = None) -> Firmware:
        options = options or BuildOptions()
        compiler = options.compiler or ("cc" if board_name == "host" else "arm-none-eabi-gcc")
        if shutil.which(compiler) is None:
            pytest.skip(f"{compiler} is not installed")
        if board_name.startswith("qemu-") and shutil.which(EMULATOR) is None:
            pytest.skip(f"{EMULATOR} is not installed")
        key = (board_name, options)
        if key not in built:
            directory = tmp_path_factory.mktemp(f"build-{board_name}")
            built[key] = build_firmware(fake_sources, FAKE, load_board(board_name), directory, options)
        return built[key]

    return build


@pytest.fixture(scope="session")
def record() -> MakeRecord:
    """One input record: the command byte of fake.c, the number of loops, the value of the second input."""

    def make(command: int = 1, loops: int = 0, value: float = 200.0) -> bytes:
        return struct.pack("<B3xI56sf", command, loops, bytes(range(56)), value)

    return make
