# SPDX-License-Identifier: Apache-2.0
"""Compilers: which one builds for a board, and with which flags."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from runnel.boards import Board
from runnel.errors import BuildError

CROSS_COMPILER = "arm-none-eabi-gcc"

# In the order in which they are tried.
_HOST_COMPILERS = ("cc", "gcc", "clang")

_SINGLE_PRECISION_FPU = {
    "cortex-m4": "fpv4-sp-d16",
    "cortex-m7": "fpv5-sp-d16",
    "cortex-m33": "fpv5-sp-d16",
}

WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion")

_SECTIONS = ("-ffunction-sections", "-fdata-sections", "-fno-common")

_SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")

# The compiler has minutes, not hours: a generated file that takes longer is a mistake of ours.
_COMPILE_TIMEOUT_S = 600

_MESSAGE_LINES = 12


def find_compiler(board: Board, wanted: str | None = None) -> Path:
    """The compiler for `board`: `wanted` (a name or path), or the usual one.

    Raises BuildError naming the Debian package when there is none.
    """
    if wanted is not None:
        found = shutil.which(wanted)
        if found is None:
            raise BuildError(f"compiler {wanted!r} was not found")
        return Path(found)
    for name in _HOST_COMPILERS if board.is_host else (CROSS_COMPILER,):
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    if board.is_host:
        raise BuildError("no C compiler was found; on Debian or Ubuntu: sudo apt-get install gcc")
    raise BuildError(
        f"{CROSS_COMPILER} was not found, which builds for {board.name}; on Debian or Ubuntu: "
        "sudo apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"
    )


def machine_flags(board: Board) -> tuple[str, ...]:
    """Flags that say which processor the code is for; none for the host."""
    if board.is_host:
        return ()
    cpu = board.core
    if cpu == "cortex-m33" and not board.dsp:
        cpu += "+nodsp"
    if cpu == "cortex-m55" and not board.mve:
        cpu += "+nomve"
    flags = [f"-mcpu={cpu}", "-mthumb"]
    if board.fpu == "none":
        return (*flags, "-mfloat-abi=soft")
    flags.append("-mfloat-abi=hard")
    single = _SINGLE_PRECISION_FPU.get(board.core)
    if board.fpu == "single" and single is not None:
        flags.append(f"-mfpu={single}")
    return tuple(flags)


def compile_flags(board: Board, *, optimize: str, sanitize: bool) -> tuple[str, ...]:
    """Flags for one C file of the model or the harness."""
    return (*machine_flags(board), optimize, *_SECTIONS, *WARNINGS, *(_SANITIZE if sanitize else ()))


def link_flags(board: Board, *, script: Path | None, sanitize: bool) -> tuple[str, ...]:
    """Flags for the link, behind the objects. `script` is the linker script of a bare-metal board."""
    if script is None:
        return ("-Wl,--gc-sections", *(_SANITIZE if sanitize else ()), "-lm")
    # nano and nosys: the model takes memcpy, memset and the like from newlib, and nothing that needs a system.
    return (
        *machine_flags(board),
        "-nostartfiles",
        "--specs=nano.specs",
        "--specs=nosys.specs",
        f"-Wl,-T,{script}",
        "-Wl,--gc-sections",
        "-lm",
    )


@dataclass(frozen=True)
class CompileJob:
    """One C file to compile into one object, with flags of its own behind the common ones."""

    source: Path
    object: Path
    flags: tuple[str, ...]


def run_tool(command: Sequence[str], what: str, directory: Path) -> None:
    """Run a compiler or linker in `directory`.

    Raises BuildError with the first lines it printed when it fails; all of them are in build.log beside the ELF.
    """
    try:
        done = subprocess.run(
            command, cwd=directory, capture_output=True, text=True, errors="replace", timeout=_COMPILE_TIMEOUT_S
        )
    except OSError as error:
        raise BuildError(f"{command[0]} could not be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{what}: the compiler took more than {_COMPILE_TIMEOUT_S} s") from error
    if done.returncode == 0:
        return
    log = directory / "build.log"
    log.write_text(" ".join(command) + "\n" + done.stderr, encoding="utf-8")
    lines = done.stderr.strip().splitlines()
    shown = "\n".join(lines[:_MESSAGE_LINES])
    more = f"\n… {len(lines) - _MESSAGE_LINES} more lines in {log}" if len(lines) > _MESSAGE_LINES else ""
    raise BuildError(f"{what} failed:\n{shown}{more}")


def compile_all(compiler: Path, flags: Sequence[str], jobs: Sequence[CompileJob], directory: Path) -> None:
    """Compile `jobs`, as many at a time as there are processors. Raises BuildError for the first that fails."""

    def compile_one(job: CompileJob) -> None:
        job_flags = (*flags, *job.flags, "-c", str(job.source), "-o", str(job.object))
        run_tool((str(compiler), *job_flags), f"compiling {job.source.name}", directory)

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for _ in pool.map(compile_one, jobs):
            pass
