# SPDX-License-Identifier: Apache-2.0
"""An echoing model behind the UART of emulated boards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runnel.boards import Board, Memory, Runner, Uart, load_board
from runnel.build import BuildOptions, EdgeBuffer, Firmware, HarnessModel, build_firmware
from runnel.run.qemu import EMULATOR
from runnel.run.serial_emulator import emulated_port

ECHO_BYTES = 3000
ECHO = HarnessModel(
    name="echo",
    inputs=(EdgeBuffer("echo_input", "uint8_t", ECHO_BYTES),),
    outputs=(EdgeBuffer("echo_output", "uint8_t", ECHO_BYTES),),
)
# QEMU's only machines with an STM32 have its F2 and F4 UART and nothing of its clocks.
NETDUINO = replace(
    load_board("stm32f412"),
    name="stm32f405",
    memories=(
        Memory("flash", "flash", 0x08000000, 1 << 20, cached=False, dma=True),
        Memory("sram", "sram", 0x20000000, 128 << 10, cached=False, dma=True),
    ),
    runner=Runner(kind="qemu", machine="netduinoplus2", uart=Uart("stm32", 115200)),
)

BuildEcho = Callable[..., Firmware]


@pytest.fixture(scope="session")
def build_echo(tmp_path_factory: pytest.TempPathFactory) -> BuildEcho:
    """Builds the echoing model for an emulated board that speaks over its UART."""
    for tool in ("arm-none-eabi-gcc", EMULATOR):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    sources = Path(__file__).parent / "echo_model"
    built: dict[tuple[str, tuple[str, ...]], Firmware] = {}

    def build(board: Board, *defines: str) -> Firmware:
        key = (board.name, defines)
        if key not in built:
            folder = tmp_path_factory.mktemp(f"echo-{board.name}")
            built[key] = build_firmware(sources, ECHO, board, folder, BuildOptions(serial=True, defines=defines))
        return built[key]

    return build


@pytest.fixture(scope="module")
def echo(build_echo: BuildEcho) -> Firmware:
    return build_echo(load_board("qemu-m7"))


@pytest.fixture(scope="module")
def echo_port(echo: Firmware) -> Iterator[str]:
    """A board that stays powered: QEMU runs on from test to test, as a real one would."""
    with emulated_port(echo.board, echo.path) as port:
        yield port
