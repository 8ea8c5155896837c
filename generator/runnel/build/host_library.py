# SPDX-License-Identifier: Apache-2.0
"""C code of the device as a shared library for this machine, which Python calls through ctypes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from runnel.boards import load_board
from runnel.build.toolchain import WARNINGS, find_compiler, run_tool
from runnel.resources import resource_root


def build_host_library(
    path: Path, sources: Sequence[str], loop: str, what: str, *, compiler: str | None = None, flags: Sequence[str]
) -> None:
    """Compile `sources`, relative to zephyr_module, together with the C text `loop` into the library `path`.

    what: names the step in messages. Raises BuildError when there is no compiler, or it fails.
    """
    program = find_compiler(load_board("host"), compiler)
    root = resource_root() / "zephyr_module"
    with tempfile.TemporaryDirectory(prefix="runnel-library-") as name:
        folder = Path(name)
        (folder / "loop.c").write_text(loop, "utf-8")
        files = (*(str(root / source) for source in sources), "loop.c")
        command = (str(program), *WARNINGS, *flags, "-shared", "-fPIC", f"-I{root / 'include'}", *files)
        run_tool((*command, "-o", "library"), what, folder)
        data = (folder / "library").read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_bytes(data)
    partial.replace(path)  # another process may be loading or writing it
