# SPDX-License-Identifier: Apache-2.0
"""Compiles C of apps/kws for this machine: as a library for ctypes, or the whole app with a port for the host."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from pathlib import Path

from runnel.boards import load_board
from runnel.build.toolchain import WARNINGS, find_compiler

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "apps" / "kws" / "src"
COMMON = ROOT / "apps" / "port" / "common"
AUDIO = ROOT / "zephyr_module" / "audio"
INCLUDES = (ROOT / "apps" / "port", COMMON, SOURCES, ROOT / "zephyr_module" / "include")
SANITIZE = ("-fsanitize=undefined", "-fno-sanitize-recover=all")


def _compile(sources: Iterable[Path], output: Path, flags: Iterable[str], includes: Iterable[Path]) -> Path:
    command = [str(find_compiler(load_board("host"))), *WARNINGS, "-O2", *flags]
    command += [f"-I{folder}" for folder in (*includes, *INCLUDES)]
    done = subprocess.run([*command, *map(str, sources), "-lm", "-o", str(output)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return output


def library(sources: Iterable[Path], folder: Path) -> ctypes.CDLL:
    """A shared library of `sources`, with checks for undefined behaviour."""
    return ctypes.CDLL(str(_compile(sources, folder / "tested.so", ("-shared", "-fPIC", *SANITIZE), ())))


def app(model: Path, folder: Path, defines: Iterable[str] = (), sound: str = "sound_file") -> Path:
    """The app for this machine with the generated sources in `model`; it reads sound.wav in its working directory."""
    sources = [
        *sorted(SOURCES.glob("*.c")),
        *sorted(AUDIO.glob("*.c")),
        *sorted(model.glob("*.c")),
        *(COMMON / f"{name}.c" for name in dict.fromkeys((sound, "wav"))),
        Path(__file__).parent / "host" / "port_host.c",
    ]
    return _compile(sources, folder / "kws", [f"-D{define}" for define in defines], (model,))
