# SPDX-License-Identifier: Apache-2.0
"""Build one of the apps for bare metal, without Zephyr or PlatformIO."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from runnel.boards import Board
from runnel.build.app import STACK_BYTES, App, DataSource, app_defines, app_sources, include_folders, write_app_data
from runnel.build.elf import Footprint, read_footprint
from runnel.build.linker import explain_link_error, write_linker_script
from runnel.build.toolchain import CompileJob, compile_all, compile_flags, find_compiler, link_flags, run_tool
from runnel.errors import BuildError
from runnel.resources import resource_root

# Start-up runs before memory is ready, so the compiler may not make library calls of its loops.
_FREESTANDING = ("-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns")
_FLAGS = {"startup_objects": _FREESTANDING, "model_objects": ("-O3",)}


@dataclass(frozen=True)
class AppOptions:
    """How to build an app. `data`: where its frames or sound come from; `data_files`: what goes into flash, the app's
    own when empty. `defines` are NAME or NAME=VALUE; `sanitize` is for the host only. With `jpeg` vww decodes JPEG
    files.
    """

    data: DataSource = "host"
    data_files: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    sanitize: bool = False
    jpeg: bool = False


@dataclass(frozen=True)
class BuiltApp:
    """A linked ELF. `footprint` counts the app as the model's; None on the host, where sizes say nothing."""

    path: Path
    app: App
    board: Board
    footprint: Footprint | None


def build_app(app: App, board: Board, generated: Path, build_dir: Path, options: AppOptions | None = None) -> BuiltApp:
    """Compile `app` with the model in `generated` (what `runnel compile` wrote) and link them into `build_dir`.

    A build whose sources and flags are those of the last one is not repeated. Raises BuildError when a compiler is
    missing, the code is rejected, or the firmware does not fit the board.
    """
    options = options or AppOptions()
    models = sorted(generated.resolve().glob("*.c"))
    if not models:
        raise BuildError(f"{generated}: there is no generated model in this folder")
    build_dir = build_dir.resolve()
    path = build_dir / f"{app.name}.elf"
    data = write_app_data(app, options.data, build_dir / "data", options.data_files, jpeg=options.jpeg)
    folders = {**app_sources(app, board, options.data), "data_objects": data, "model_objects": tuple(models)}
    try:
        for folder in folders:
            (build_dir / folder).mkdir(parents=True, exist_ok=True)
        _build_when_changed(folders, generated.resolve(), app, board, path, options)
    except OSError as error:
        raise BuildError(f"{build_dir}: cannot be written: {error.strerror}") from error
    return BuiltApp(path, app, board, None if board.is_host else read_footprint(path, app.model_name))


def _build_when_changed(
    folders: dict[str, tuple[Path, ...]], generated: Path, app: App, board: Board, path: Path, options: AppOptions
) -> None:
    compiler = find_compiler(board)
    flags = (
        *compile_flags(board, optimize="-O2", sanitize=options.sanitize),
        *(f"-I{folder}" for folder in (*include_folders(app), generated)),
        *(f"-D{define}" for define in (*app_defines(board, jpeg=options.jpeg), *options.defines)),
    )
    script = None if board.is_host else write_linker_script(board, STACK_BYTES, path.parent)
    stamp = path.parent / "build.stamp"
    files = [file for group in folders.values() for file in group]
    key = _key([*files, *([script] if script else [])], (*include_folders(app), generated), flags, compiler)
    if path.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return
    stamp.unlink(missing_ok=True)
    jobs = [_job(file, folder) for folder, group in folders.items() for file in group]
    compile_all(compiler, flags, sorted(jobs, key=lambda job: -job.source.stat().st_size), path.parent)
    command = (
        str(compiler),
        *sorted(str(job.object) for job in jobs),
        *link_flags(board, script=script, sanitize=options.sanitize),
        *("-o", path.name),
    )
    try:
        run_tool(command, "linking", path.parent)
    except BuildError as error:
        raise explain_link_error(error, board) from error
    stamp.write_text(key, encoding="utf-8")


def _job(file: Path, folder: str) -> CompileJob:
    # Relative paths of objects: the linker script matches them by folder.
    return CompileJob(file, Path(folder) / f"{file.stem}.o", _FLAGS.get(folder, ()))


def _key(files: Sequence[Path], includes: Sequence[Path], flags: tuple[str, ...], compiler: Path) -> str:
    """A digest of all that decides what the ELF is."""
    zephyr_module = resource_root() / "zephyr_module"
    headers = {h for folder in includes for h in folder.rglob("*.h")}
    headers |= {h for h in zephyr_module.rglob("*") if h.suffix in (".h", ".inc")}
    digest = hashlib.sha256(repr((flags, str(compiler.resolve()), compiler.stat().st_mtime_ns)).encode())
    for file in (*files, *sorted(headers)):
        digest.update(f"{file}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
