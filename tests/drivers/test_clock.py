# SPDX-License-Identifier: Apache-2.0
"""clock_stm32.c, run on this computer against a model of the chip: the clocks that the registers say, in a safe order.

The arithmetic here follows the reference manuals (RM0402 6.3.2, RM0385 5.3.2, RM0433 6.7), not the driver.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "boards" / "drivers"
F_RCC, F_PWR, F_FLASH = 0x40023800, 0x40007000, 0x40023C00
H_RCC, H_PWR, H_FLASH = 0x58024400, 0x58024800, 0x52002000
CCR_CACHES = 0xE000ED14, 3 << 16
DCISW = 0xE000EF60


@dataclass(frozen=True)
class Run:
    """What a run of clock_start() wrote: (address, value) in order, and what it says it reached."""

    writes: tuple[tuple[int, int], ...]
    started: bool
    core_hz: int
    uart_hz: int

    def last(self, address: int) -> int:
        return next(v for a, v in reversed(self.writes) if a == address)

    def first(self, address: int, mask: int, value: int) -> int:
        """When the bits `mask` at `address` first had `value`; fails when never."""
        return next(i for i, (a, v) in enumerate(self.writes) if a == address and v & mask == value)


@pytest.fixture(scope="module")
def run_clock(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    if shutil.which("cc") is None:
        pytest.skip("no C compiler for this computer")
    folder = tmp_path_factory.mktemp("clock")

    def run(board: str, dead: int = 0, ccr: int = 0) -> Run:
        program = folder / board
        if not program.exists():
            command = [
                *("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-DREGISTERS_OF_A_TEST"),
                *(f"-DRUNNEL_BOARD_{board.upper()}", f"-I{DRIVERS}", str(DRIVERS / "clock_stm32.c")),
                *(str(Path(__file__).with_name("clock_model.c")), "-o", str(program)),
            ]
            subprocess.run(command, check=True, timeout=60)
        arguments = (program, f"{dead:x}", f"{ccr:x}")
        lines = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60).stdout
        *writes, last = lines.splitlines()
        _, started, _, core, _, uart = last.split()
        pairs = tuple((int(a, 16), int(v, 16)) for a, v in (line.split() for line in writes))
        return Run(pairs, started == "1", int(core), int(uart))

    return run


def _pll_f(register: int) -> tuple[float, float, float]:
    """Input, VCO and output of the PLL of an F4 or F7, in MHz, from HSI."""
    assert not register & 1 << 22, "the PLL's source must be the internal oscillator"
    reference = 16 / (register & 0x3F)
    vco = reference * (register >> 6 & 0x1FF)
    return reference, vco, vco / (2, 4, 6, 8)[register >> 16 & 3]


def _divider(field: int) -> int:
    """Of PPRE: 0xx is 1, then 2, 4, 8, 16."""
    return 1 if field < 4 else 2 ** (field - 3)


@pytest.mark.parametrize(
    ("board", "core", "apb1", "apb2", "uart", "wait_states"),
    [("stm32f412", 100, 50, 100, 50, 3), ("stm32f746", 216, 54, 108, 108, 7), ("stm32f765", 216, 54, 108, 54, 7)],
)
def test_f4_and_f7(  # type: ignore[no-untyped-def]
    board: str, core: int, apb1: int, apb2: int, uart: int, wait_states: int, run_clock
) -> None:
    run = run_clock(board)
    reference, vco, output = _pll_f(run.last(F_RCC + 4))
    assert 1 <= reference <= 2 and 100 <= vco <= 432
    assert output == core
    assert vco / (run.last(F_RCC + 4) >> 24 & 0xF) <= 48
    assert run.last(F_RCC + 4) >> 28 == 2, "the reserved and R bits must keep their reset values"
    cfgr = run.last(F_RCC + 8)
    assert core / _divider(cfgr >> 10 & 7) == apb1
    assert core / _divider(cfgr >> 13 & 7) == apb2
    assert cfgr >> 4 & 0xF < 8, "HPRE must not divide"
    assert (run.started, run.core_hz, run.uart_hz) == (True, core * 1_000_000, uart * 1_000_000)
    switched = run.first(F_RCC + 8, 3, 2)
    assert run.first(F_FLASH, 0xF, wait_states) < switched
    assert run.first(F_RCC, 1 << 25, 1 << 25) < switched
    assert run.first(F_RCC + 8, 7 << 10, cfgr & 7 << 10) < switched
    assert run.first(F_PWR, 3 << 14, 3 << 14) < run.first(F_RCC, 1 << 24, 1 << 24), "voltage before the PLL"


def test_over_drive_of_the_f7(run_clock) -> None:  # type: ignore[no-untyped-def]
    run = run_clock("stm32f746")
    on, switched = run.first(F_PWR, 1 << 16, 1 << 16), run.first(F_PWR, 1 << 17, 1 << 17)
    assert run.first(F_RCC, 1 << 24, 1 << 24) < on < run.first(F_PWR + 4, 1 << 16, 1 << 16) < switched
    assert run.first(F_PWR + 4, 1 << 17, 1 << 17) < run.first(F_RCC + 8, 3, 2)
    assert run.last(CCR_CACHES[0]) == CCR_CACHES[1]


@pytest.mark.parametrize("board", ["stm32f746", "stm32h743"])
def test_caches(board: str, run_clock) -> None:  # type: ignore[no-untyped-def]
    """The data cache is invalidated line by line before it goes on; never where it is on already."""
    ccr, both = CCR_CACHES
    run = run_clock(board)
    lines = {value for address, value in run.writes if address == DCISW} | {0}  # 0 is what it reads before
    assert lines == {s << 5 | way << 30 for s in range(128) for way in range(4)}
    last = max(i for i, (address, _) in enumerate(run.writes) if address == DCISW)
    assert last < run.first(ccr, 1 << 16, 1 << 16)
    for before in (1 << 16, both):
        run = run_clock(board, ccr=before)
        assert DCISW not in {address for address, _ in run.writes}
        assert run.last(ccr) == both


def test_h7(run_clock) -> None:  # type: ignore[no-untyped-def]
    run = run_clock("stm32h743")
    assert run.last(0x51008108) == 1, "the model's chip is of the first revision, which needs the erratum's way round"
    select, config, dividers = run.last(H_RCC + 0x28), run.last(H_RCC + 0x2C), run.last(H_RCC + 0x30)
    assert select & 3 == 0, "the PLL's source must be the internal oscillator"
    reference = 64 / (select >> 4 & 0x3F)
    vco = reference * ((dividers & 0x1FF) + 1)
    assert 8 <= reference <= 16 and config >> 2 & 3 == 3, "the input range must be the one that the input is in"
    assert config & 3 == 0 and 192 <= vco <= 836, "wide VCO, no fraction"
    assert config & 1 << 16
    core = vco / ((dividers >> 9 & 0x7F) + 1)
    assert core == 400
    d1 = run.last(H_RCC + 0x18)
    assert d1 >> 8 & 0xF < 8, "the core's clock must not be divided"
    assert core / {8: 2, 9: 4}[d1 & 0xF] == 200
    d2, d3 = run.last(H_RCC + 0x1C), run.last(H_RCC + 0x20)
    assert [200 / _divider(f) for f in (d1 >> 4 & 7, d2 >> 4 & 7, d2 >> 8 & 7, d3 >> 4 & 7)] == [100] * 4
    assert (run.started, run.core_hz, run.uart_hz) == (True, 400_000_000, 100_000_000)
    switched = run.first(H_RCC + 0x10, 7, 3)
    assert run.first(H_FLASH, 0x3F, 0x22) < switched
    supplied, scaled = run.first(H_PWR + 0xC, 7, 2), run.first(H_PWR + 0x18, 3 << 14, 3 << 14)
    assert supplied < run.first(H_PWR + 4, 1 << 13, 1 << 13) < scaled < run.first(H_RCC, 1 << 24, 1 << 24)


@pytest.mark.parametrize(
    ("board", "dead", "hz"),
    [
        ("stm32f412", F_RCC, 16_000_000),
        ("stm32f746", F_RCC, 16_000_000),
        ("stm32f746", F_PWR + 4, 16_000_000),
        ("stm32h743", H_RCC, 64_000_000),
        ("stm32h743", H_PWR + 4, 64_000_000),
    ],
)
def test_what_does_not_start_leaves_the_internal_oscillator(board: str, dead: int, hz: int, run_clock) -> None:  # type: ignore[no-untyped-def]
    run = run_clock(board, dead)
    assert (run.started, run.core_hz, run.uart_hz) == (False, hz, hz)
    rcc = H_RCC + 0x10 if board == "stm32h743" else F_RCC + 8
    assert all(value & 3 == 0 for address, value in run.writes if address == rcc), "the core must stay on HSI"
