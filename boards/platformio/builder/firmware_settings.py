# SPDX-License-Identifier: Apache-2.0
"""Prints, as JSON, how firmware for one board is compiled, linked and run: the generator's own answers.

Run with the generator's Python (see runnel_platformio/python.py), so that memory maps, flags and file lists have one
home: boards/*.yaml and generator/runnel/build/. Usage: firmware_settings.py BOARD APP FOLDER DATA-SOURCE JPEG [FILE…]
with "" for the app's own source of data, and for no JPEG.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from runnel.boards import Board, load_board
from runnel.build.app import (
    STACK_BYTES,
    App,
    DataSource,
    app_defines,
    app_sources,
    default_data_source,
    find_app,
    include_folders,
    own_sound,
    write_app_data,
)
from runnel.build.linker import write_linker_script
from runnel.build.toolchain import compile_flags, link_flags
from runnel.errors import BuildError, RunError, RunnelError
from runnel.resources import resource_root
from runnel.run.qemu import qemu_command

_OURS = ("harness_objects", "port_objects")
"""Of app_sources; PlatformIO finds the app's own sources and its libraries by itself."""


def settings(
    board: Board, app: App, folder: Path, data: str | None, files: Sequence[Path], *, jpeg: bool
) -> dict[str, object]:
    """What builder/main.py needs. Writes the linker script, and data that goes into flash, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    script = write_linker_script(board, STACK_BYTES, folder)
    source = data_source(data) if data else default_data_source(app, board)
    groups = app_sources(app, board, source)
    sources = [path for name in _OURS for path in groups[name]]
    command, advice = emulation(board)
    return {
        "compile_flags": compile_flags(board, optimize="-O2", sanitize=False),
        "link_flags": link_flags(board, script=script, sanitize=False),
        "startup": texts(groups["startup_objects"]),
        "sources": texts([*sources, *write_app_data(app, source, folder, files, jpeg=jpeg)]),
        "include": texts(include_folders(app)),
        "defines": app_defines(board, jpeg=jpeg),
        "jpeg": jpeg,
        "qemu_command": command,
        "qemu_advice": advice,
        "qemu_folder": str(resource_root() / "apps" / "vww" / "frames") if app.name == "vww" else None,
        "qemu_argument": str(own_sound()) if app.name == "kws" else None,
        "app": app.name,
        "python": sys.executable,
    }


def data_source(name: str) -> DataSource:
    """The source of data of that name (custom_app_data). Raises BuildError."""
    for known in get_args(DataSource):
        if known == name:
            return cast("DataSource", known)
    raise BuildError(f"custom_app_data = {name}: there are {', '.join(get_args(DataSource))}")


def is_yes(name: str, value: str) -> bool:
    """Of an option that is yes or no; no where it is empty. Raises BuildError."""
    if value.lower() not in ("", "yes", "no"):
        raise BuildError(f"{name} = {value}: there are yes and no")
    return value.lower() == "yes"


def texts(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths]


def emulation(board: Board) -> tuple[list[str] | None, str]:
    """QEMU's command line with the word ELF for the firmware, or None and what to install."""
    if not board.is_emulated:
        return None, ""
    try:
        return list(qemu_command(board, Path("ELF"), count_instructions=True)), ""
    except RunError as error:
        return None, str(error)


def main() -> int:
    board, app, folder, data, jpeg, *names = sys.argv[1:]
    files = [Path(name) for name in names]
    try:
        keep = is_yes("custom_app_jpeg", jpeg)
        found = settings(load_board(board), find_app(app), Path(folder), data or None, files, jpeg=keep)
        sys.stdout.write(json.dumps(found))
    except RunnelError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
