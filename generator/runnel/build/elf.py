# SPDX-License-Identifier: Apache-2.0
"""Sizes of linked firmware, read from its ELF file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from runnel.errors import BuildError

# Output sections of boards/startup/firmware.ld.j2 that are not the model's.
_STARTUP_SECTIONS = frozenset({".startup"})
_HARNESS_SECTIONS = frozenset({".harness", ".harness_data", ".harness_bss"})
_STACK_SECTIONS = frozenset({".stack"})


@dataclass(frozen=True)
class Footprint:
    """Bytes of bare-metal firmware. The model's own figures include the library functions it pulls in.

    flash_bytes           the model: code, constants and the initial values of .data
    startup_flash_bytes   vectors and start-up code
    harness_flash_bytes   harness and semihosting
    static_sram_bytes     the model's .data + .bss, the arena among them
    harness_sram_bytes    the same of the harness
    arena_bytes           the symbol <name>_arena, 0 when the build has guard bytes around it
    """

    flash_bytes: int
    startup_flash_bytes: int
    harness_flash_bytes: int
    static_sram_bytes: int
    harness_sram_bytes: int
    arena_bytes: int

    def code_bytes(self, constants_bytes: int) -> int:
        """Flash less `constants_bytes` (what the plan says weights and tables take), start-up and semihosting."""
        return self.flash_bytes - constants_bytes

    def sram_bytes(self, stack_bytes: int) -> int:
        """.data + .bss with the arena, and the stack that a run was seen to use."""
        return self.static_sram_bytes + stack_bytes


def _open(path: Path) -> Any:
    try:
        return ELFFile.load_from_path(str(path))
    except (OSError, ELFError) as error:
        raise BuildError(f"{path}: not a readable ELF file: {error}") from error


def symbol_bytes(path: Path, name: str) -> int | None:
    """Size of the symbol `name` in bytes, None when there is none. Raises BuildError if it is no ELF file."""
    with _open(path) as elf:
        table = elf.get_section_by_name(".symtab")
        symbols = table.get_symbol_by_name(name) if table is not None else None
        return int(symbols[0]["st_size"]) if symbols else None


def read_footprint(path: Path, model_name: str) -> Footprint:
    """The sizes of bare-metal firmware linked with our linker script. Raises BuildError if it is no ELF file."""
    flash = {"startup": 0, "harness": 0, "model": 0}
    sram = {"startup": 0, "harness": 0, "model": 0}
    with _open(path) as elf:
        for section in elf.iter_sections():
            flags = section["sh_flags"]
            if not flags & SH_FLAGS.SHF_ALLOC or section.name in _STACK_SECTIONS:
                continue
            owner = _owner(section.name)
            if flags & SH_FLAGS.SHF_WRITE:
                sram[owner] += section["sh_size"]
            if section["sh_type"] != "SHT_NOBITS":
                flash[owner] += section["sh_size"]
    return Footprint(
        flash_bytes=flash["model"],
        startup_flash_bytes=flash["startup"],
        harness_flash_bytes=flash["harness"],
        static_sram_bytes=sram["model"],
        harness_sram_bytes=sram["harness"],
        arena_bytes=symbol_bytes(path, f"{model_name}_arena") or 0,
    )


def _owner(section: str) -> str:
    if section in _STARTUP_SECTIONS:
        return "startup"
    return "harness" if section in _HARNESS_SECTIONS else "model"
