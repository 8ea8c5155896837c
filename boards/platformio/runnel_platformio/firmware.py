# SPDX-License-Identifier: Apache-2.0
"""How Runnel's own firmware is built: asked of the generator, then told to SCons."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .errors import HookError
from .python import ROOT, environment, find_python

_SCRIPT = Path(__file__).resolve().parents[1] / "builder" / "firmware_settings.py"
_PREFIX = "arm-none-eabi-"
_TIMEOUT_S = 120

# The compiler may not make library calls of the loops in start-up code.
_BEFORE_MEMORY_IS_READY = ["-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns"]

# In the output of `size -A -d`: what is stored in flash, and what takes SRAM (the stack is a section of its own).
_FLASH_SECTIONS = r"^(?:\.startup|\.harness|\.text|\.rodata|\.ARM\.\w+|\.data|\.harness_data)\s+(\d+)"
_SRAM_SECTIONS = r"^(?:\.stack|\.data|\.harness_data|\.harness_bss|\.bss|\.noinit)\s+(\d+)"


def firmware_settings(env: Any, board: str) -> dict[str, Any]:
    """What builder/firmware_settings.py prints for `board` and the app of the environment. Raises HookError."""
    project = Path(env.subst("$PROJECT_DIR"))
    app = env.GetProjectOption("custom_app", "")
    if not app:
        raise HookError(
            "platformio.ini: custom_app says which app of Runnel's (vww or kws) the environment builds. This platform "
            "is for these apps only; a product names its own platform and takes Runnel as a library "
            "(docs/platformio.md)"
        )
    folder = Path(env.subst("$BUILD_DIR")).resolve() / "firmware"
    python = find_python(project, env.GetProjectOption("custom_runnel_python", "") or None)
    data = env.GetProjectOption("custom_app_data", "")
    jpeg = env.GetProjectOption("custom_app_jpeg", "")
    files = [str(project / line.strip()) for line in env.GetProjectOption("custom_app_files", "").splitlines() if line]
    done = subprocess.run(
        [python, str(_SCRIPT), board, app, str(folder), data, jpeg, *files],
        env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, encoding="utf-8",
        timeout=_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"{_SCRIPT.name} ended with code {done.returncode}"]
        raise HookError("\n".join(lines) if done.returncode == 2 else lines[-1])
    # For test/test_custom_runner.py, which runs the firmware outside SCons.
    (folder / "settings.json").write_text(done.stdout, encoding="utf-8")
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


def use_settings(env: Any, settings: dict[str, Any]) -> None:
    """Tools, flags and the sources that every firmware has (start-up, port, drivers)."""
    env.Replace(
        AR=f"{_PREFIX}ar", AS=f"{_PREFIX}gcc", CC=f"{_PREFIX}gcc", CXX=f"{_PREFIX}g++", LINK=f"{_PREFIX}gcc",
        RANLIB=f"{_PREFIX}ranlib", GDB=_debugger(), SIZETOOL=f"{_PREFIX}size",
        ARFLAGS=["rcs"], PROGNAME="firmware", PROGSUFFIX=".elf",
        SIZECHECKCMD="$SIZETOOL -A -d $SOURCES", SIZEPROGREGEXP=_FLASH_SECTIONS, SIZEDATAREGEXP=_SRAM_SECTIONS,
    )  # fmt: skip
    compile_flags = list(settings["compile_flags"])
    standard = [flag for flag in compile_flags if flag.startswith("-std=")]
    # Warnings of another compiler than ours must not end a user's build.
    common = [flag for flag in compile_flags if flag not in (*standard, "-Werror")]
    libraries = [flag[2:] for flag in settings["link_flags"] if flag.startswith("-l")]
    env.Append(
        ASFLAGS=[flag for flag in common if flag.startswith("-m")],
        CFLAGS=standard,
        CCFLAGS=[*common, "-g"],
        LINKFLAGS=[flag for flag in settings["link_flags"] if not flag.startswith("-l")],
        LIBS=libraries,
        CPPPATH=settings["include"],
        CPPDEFINES=[tuple(define.split("=", 1)) if "=" in define else define for define in settings["defines"]],
    )
    startup = env.Clone()
    startup.Append(CCFLAGS=_BEFORE_MEMORY_IS_READY)
    _build(startup, settings["startup"])
    _build(env, settings["sources"])


def _build(env: Any, sources: list[str]) -> None:
    build = Path(env.subst("$BUILD_DIR")).resolve()
    for folder, names in _by_folder(sources).items():
        # SCons allows no objects above their sources.
        place = "data" if folder.is_relative_to(build) else os.path.relpath(folder, ROOT)
        env.BuildSources(f"$BUILD_DIR/{place}", str(folder), ["-<*>", *(f"+<{name}>" for name in names)])


def _debugger() -> str:
    """Debian has one gdb for all processors instead of arm-none-eabi-gdb."""
    own = f"{_PREFIX}gdb"
    return "gdb-multiarch" if shutil.which(own) is None and shutil.which("gdb-multiarch") else own


def _by_folder(sources: list[str]) -> dict[Path, list[str]]:
    folders: dict[Path, list[str]] = {}
    for source in map(Path, sources):
        folders.setdefault(source.parent, []).append(source.name)
    return folders
