# SPDX-License-Identifier: Apache-2.0
"""The linker script of a bare-metal board, from its memories."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

from runnel.boards import Board
from runnel.errors import BuildError
from runnel.resources import resource_root

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")

_REGION_NAMES = {"FLASH": "flash", "BOOT": "boot memory", "RAM": "SRAM"}


def linker_script(board: Board, stack_bytes: int) -> str:
    """The linker script for `board`: code in its largest flash, data and `stack_bytes` of stack in its largest SRAM."""
    template = resource_root() / "boards" / "startup" / "firmware.ld.j2"
    boot = board.runner.boot if board.runner is not None else None
    text: str = jinja2.Template(
        template.read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    ).render(
        board=board,
        flash=board.flash,
        boot=board.flash if boot is None else board.memory(boot),
        ram=board.sram,
        stack_bytes=stack_bytes,
    )
    return text


def write_linker_script(board: Board, stack_bytes: int, directory: Path) -> Path:
    script = directory / "firmware.ld"
    script.write_text(linker_script(board, stack_bytes), encoding="utf-8")
    return script


def explain_link_error(error: BuildError, board: Board, record_bytes: int = 0) -> BuildError:
    """`error` said in terms of the board when the linker found that something does not fit.

    record_bytes: SRAM that the harness takes for an input that the model asks for row by row.
    """
    overflows = dict(_OVERFLOW.findall(str(error)))
    if not overflows:
        return error
    parts = [f"{int(n):,} bytes too large for its {_REGION_NAMES.get(r, r)}" for r, n in sorted(overflows.items())]
    return BuildError(
        f"the firmware does not fit {board.name} ({board.flash_bytes:,} bytes of flash, "
        f"{board.sram_bytes:,} of contiguous SRAM): {' and '.join(parts)}"
        + (f"; {record_bytes:,} bytes of its SRAM are the harness's copy of the input" if record_bytes else "")
    )
