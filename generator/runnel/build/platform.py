# SPDX-License-Identifier: Apache-2.0
"""The C files and definitions with which the harness reaches the outside: semihosting, a serial line or the host."""

from __future__ import annotations

from pathlib import Path

from runnel.boards import Board, Timer, Uart
from runnel.errors import BuildError
from runnel.resources import resource_root

_SERIAL = ("harness/platform_serial.c", "harness/serial_link.c")
_DRIVERS = {
    "stm32": ("drivers/clock_stm32.c", "drivers/led_stm32.c", "drivers/uart_stm32.c"),
    "cmsdk": ("drivers/clock_fixed.c", "drivers/led_none.c", "drivers/uart_cmsdk.c"),
}


def speaks_serial(board: Board, wanted: bool = False) -> bool:
    """True when firmware for `board` talks over its UART: always on real boards, on others where it is `wanted`.

    Raises BuildError when it is wanted of a board whose file names no UART.
    """
    runner = board.runner
    if runner is not None and runner.kind == "serial":
        return True
    if wanted and (runner is None or runner.uart is None):
        raise BuildError(f"{board.name} has no serial line: its board file needs the key runner.uart")
    return wanted


def platform_sources(board: Board, *, serial: bool) -> tuple[Path, ...]:
    """C files that implement boards/harness/platform.h on `board`."""
    boards = resource_root() / "boards"
    if serial:
        return tuple(boards / name for name in (*_SERIAL, *_DRIVERS[_uart(board).kind]))
    return (boards / "harness" / ("platform_host.c" if board.is_host else "platform_semihosting.c"),)


def platform_flags(board: Board, *, serial: bool, build_id: int) -> tuple[str, ...]:
    """Compiler flags of the harness: include folders, the timer, the serial line and what it calls itself there."""
    boards = resource_root() / "boards"
    flags = (f"-I{boards / 'harness'}", f"-I{boards / 'drivers'}")
    timer = board.runner.timer if board.runner is not None else None
    defines = _timer_defines(timer)
    if serial:
        defines += (*_uart_defines(board, _uart(board)), f"HARNESS_BUILD_ID=0x{build_id:08x}u")
    return (*flags, *(f"-D{define}" for define in defines))


def _uart(board: Board) -> Uart:
    assert board.runner is not None and board.runner.uart is not None
    return board.runner.uart


def _timer_defines(timer: Timer | None) -> tuple[str, ...]:
    if timer is None:
        return ()
    return (f"HARNESS_TIMER_{timer.kind.upper()}", f"HARNESS_TIMER_ADDRESS=0x{timer.address:08x}u")


def _uart_defines(board: Board, uart: Uart) -> tuple[str, ...]:
    baud = f"HARNESS_BAUD={uart.baud}u"
    if uart.kind == "stm32":
        return (baud, f"RUNNEL_BOARD_{board.name.upper().replace('-', '_')}")
    return (baud, f"UART_ADDRESS=0x{uart.address:08x}u", f"UART_CLOCK_HZ={uart.hz}u", f"CLOCK_HZ={board.clock_hz}u")
