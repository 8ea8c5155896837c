# SPDX-License-Identifier: Apache-2.0
"""Boards: what a model can be compiled for. One YAML file each, in `boards/` or the user's own."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runnel.board_files import did_you_mean, read_board_file
from runnel.errors import BoardError
from runnel.resources import resource_root

MemoryKind = Literal["sram", "flash"]
FlashTool = Literal["openocd", "pio", "west"]
RunnerKind = Literal["qemu", "host", "renode", "serial"]
Fpu = Literal["none", "single", "double"]

_UNIT_BYTES = {"K": 1024, "M": 1024 * 1024}


@dataclass(frozen=True)
class Memory:
    """A memory region. `cached`: behind the core's data cache; `dma`: the DMA that feeds peripherals reaches it."""

    name: str
    kind: MemoryKind
    address: int
    bytes: int
    cached: bool
    dma: bool

    @property
    def end(self) -> int:
        """The first address behind the region."""
        return self.address + self.bytes


@dataclass(frozen=True)
class Timer:
    """A free-running timer counting at `hz`: of an emulated board, or the cycle counter (dwt) of a real one."""

    kind: Literal["cmsdk", "sse", "dwt"]
    address: int
    hz: int


@dataclass(frozen=True)
class Uart:
    """The serial line to the host: which driver, how fast; address and clock where the driver does not know them."""

    kind: Literal["cmsdk", "stm32"]
    baud: int
    address: int | None = None
    hz: int | None = None


@dataclass(frozen=True)
class Runner:
    """How firmware is executed: QEMU or Renode with a machine, natively, or on hardware over a serial line.

    boot     the memory that holds the vector table, where that is not the first flash
    flash    tools that can write firmware to a real board, in the order in which they are tried
    openocd  configuration files of OpenOCD for the board
    """

    kind: RunnerKind
    machine: str | None = None
    boot: str | None = None
    timer: Timer | None = None
    uart: Uart | None = None
    flash: tuple[FlashTool, ...] = ()
    openocd: tuple[str, ...] = ()


@dataclass(frozen=True)
class Board:
    """A board: core, clock in Hz, and its memories in order of address within each kind.

    zephyr, platformio: names of boards with the same core and the same memories; Zephyr's in old and new spelling.
    """

    name: str
    description: str
    core: str
    fpu: Fpu
    dsp: bool
    mve: bool
    clock_hz: int
    memories: tuple[Memory, ...]
    zephyr: tuple[str, ...] = ()
    platformio: tuple[str, ...] = ()
    runner: Runner | None = None
    try_instead: str | None = None

    @property
    def is_host(self) -> bool:
        return self.core == "host"

    @property
    def is_emulated(self) -> bool:
        return self.runner is not None and self.runner.kind in ("qemu", "renode")

    @property
    def sram(self) -> Memory:
        """The largest contiguous SRAM: what one arena can use. Adjacent regions are merged, flags and all."""
        return max(_merged(self.memories, "sram"), key=lambda m: m.bytes)

    @property
    def flash(self) -> Memory:
        """The largest contiguous flash, where code and constants go."""
        return max(_merged(self.memories, "flash"), key=lambda m: m.bytes)

    @property
    def sram_bytes(self) -> int:
        return self.sram.bytes

    @property
    def flash_bytes(self) -> int:
        return self.flash.bytes

    def memory(self, name: str) -> Memory:
        """The region called `name`. Raises BoardError when the board has none."""
        for memory in self.memories:
            if memory.name == name:
                return memory
        known = [m.name for m in self.memories]
        raise BoardError(f"{self.name} has no memory {name!r}; it has {', '.join(known)}{did_you_mean(name, known)}")


def _merged(memories: Iterable[Memory], kind: MemoryKind) -> list[Memory]:
    """The regions of `kind`, adjacent ones made one: cached if any part is, open to DMA if all parts are."""
    merged: list[Memory] = []
    for memory in sorted((m for m in memories if m.kind == kind), key=lambda m: m.address):
        if merged and merged[-1].end == memory.address:
            last = merged.pop()
            memory = Memory(
                name=f"{last.name}+{memory.name}",
                kind=kind,
                address=last.address,
                bytes=last.bytes + memory.bytes,
                cached=last.cached or memory.cached,
                dma=last.dma and memory.dma,
            )
        merged.append(memory)
    return merged


def known_boards() -> tuple[Board, ...]:
    """Every board that comes with Runnel, by name."""
    return tuple(_load_file(path) for path in sorted((resource_root() / "boards").glob("*.yaml")))


def load_board(name_or_path: str) -> Board:
    """The board that `board_file` finds. Raises BoardError, also for a typo or memories that contradict each other."""
    return _load_file(board_file(name_or_path))


def board_file(name_or_path: str) -> Path:
    """The YAML file of a Runnel, Zephyr or PlatformIO board, or the user's own.

    Zephyr's names may have a revision and qualifiers. Raises BoardError for a name that nobody has.
    """
    builtin = {path.stem: path for path in (resource_root() / "boards").glob("*.yaml")}
    if name_or_path in builtin:
        return builtin[name_or_path]
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    others = {name: board.name for board in known_boards() for name in (*board.platformio, *board.zephyr)}
    name = name_or_path if name_or_path in others else _zephyr_target(name_or_path, others)
    if name is not None:
        return builtin[others[name]]
    known = sorted(builtin)
    raise BoardError(
        f"unknown board {name_or_path!r}; Runnel's boards: {', '.join(known)} (`runnel boards` shows which boards of "
        "Zephyr and PlatformIO they stand for). For any other give the path of a board file ending in .yaml: "
        f"docs/adding-a-board.md shows how to write one{did_you_mean(name_or_path, [*known, *others])}"
    )


def _zephyr_target(name: str, targets: Iterable[str]) -> str | None:
    """The longest of `targets` that `name` is or begins with, up to a slash: mps2/an521 for mps2/an521/cpu0."""
    plain = re.sub("@[^/]*", "", name, count=1)
    return max((t for t in targets if plain == t or plain.startswith(f"{t}/")), key=len, default=None)


def _load_file(path: Path) -> Board:
    board = _to_board(read_board_file(path))
    _check(board, path)
    return board


def _to_bytes(value: int | str) -> int:
    return value if isinstance(value, int) else int(value[:-1]) * _UNIT_BYTES[value[-1]]


def _to_board(data: Mapping[str, Any]) -> Board:
    fields = dict(data)
    fields["memories"] = tuple(Memory(**{**m, "bytes": _to_bytes(m["bytes"])}) for m in data["memories"])
    for names in ("zephyr", "platformio"):
        fields[names] = tuple(data.get(names, ()))
    runner = data.get("runner")
    if runner is not None:
        fields["runner"] = _to_runner(runner)
    return Board(**fields)


def _to_runner(data: Mapping[str, Any]) -> Runner:
    fields = dict(data)
    if "timer" in data:
        fields["timer"] = Timer(**data["timer"])
    if "uart" in data:
        fields["uart"] = Uart(**data["uart"])
    for name in ("flash", "openocd"):
        fields[name] = tuple(data.get(name, ()))
    return Runner(**fields)


def _check(board: Board, path: Path) -> None:
    """What a schema cannot say: both kinds of memory, no overlaps, a boot memory and a machine that exist."""
    for kind in ("sram", "flash"):
        if not any(m.kind == kind for m in board.memories):
            raise BoardError(f"{path}: memories: the board has no {kind}")
    ordered = sorted(board.memories, key=lambda m: m.address)
    for below, above in itertools.pairwise(ordered):
        if below.end > above.address:
            raise BoardError(f"{path}: memories: {below.name} and {above.name} overlap at 0x{above.address:08x}")
    if ordered[-1].end > 1 << 32:
        raise BoardError(f"{path}: memories: {ordered[-1].name} ends beyond 32-bit addresses")
    if board.runner is None:
        return
    if board.runner.boot is not None:
        board.memory(board.runner.boot)
    if board.runner.kind in ("qemu", "renode") and board.runner.machine is None:
        raise BoardError(f"{path}: runner: kind {board.runner.kind} needs the key 'machine'")
    if board.runner.kind == "serial" and board.runner.uart is None:
        raise BoardError(f"{path}: runner: kind serial needs the key 'uart'")
    uart = board.runner.uart
    if uart is not None and uart.kind == "cmsdk" and (uart.address is None or uart.hz is None):
        raise BoardError(f"{path}: runner.uart: kind cmsdk needs the keys 'address' and 'hz'")
