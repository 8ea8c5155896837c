# SPDX-License-Identifier: Apache-2.0
"""Compiles parts of apps/kws for this machine, as a library for ctypes."""

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


def library(sources: Iterable[Path], folder: Path) -> ctypes.CDLL:
    """A shared library of `sources`, with checks for undefined behaviour."""
    output = folder / "tested.so"
    command = [str(find_compiler(load_board("host"))), *WARNINGS, "-O2", "-shared", "-fPIC", *SANITIZE]
    command += [f"-I{include}" for include in INCLUDES]
    done = subprocess.run([*command, *map(str, sources), "-o", str(output)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(output))
