# SPDX-License-Identifier: Apache-2.0
"""Build generated C and the harness into an ELF for one board."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from runnel.boards import Board
from runnel.build.elf import Footprint, read_footprint, symbol_bytes
from runnel.build.harness import HarnessModel, harness_model_source
from runnel.build.linker import explain_link_error, write_linker_script
from runnel.build.platform import platform_flags, platform_sources, speaks_serial
from runnel.build.toolchain import (
    CompileJob,
    compile_all,
    compile_flags,
    find_compiler,
    link_flags,
    run_tool,
)
from runnel.errors import BuildError
from runnel.resources import resource_root

_GUARD_ALIGNMENT = 16

# No library calls in harness and start-up: they would be counted as the model's code.
_HARNESS_FLAGS = ("-Os", "-ffreestanding", "-fno-tree-loop-distribute-patterns")


@dataclass(frozen=True)
class BuildOptions:
    """How to build. `guard_bytes` (a multiple of 16) on each side of the arena are checked after every run.

    `stack_bytes` is what the bare-metal firmware reserves; the run measures what it uses.
    `defines` are NAME or NAME=VALUE, `compiler` a name or path, `sanitize` is for the host only.
    `serial` lets an emulated board speak over its UART, as real boards do.
    """

    optimize: str = "-O3"
    sanitize: bool = False
    guard_bytes: int = 0
    stack_bytes: int = 8192
    defines: tuple[str, ...] = ()
    compiler: str | None = None
    serial: bool = False


@dataclass(frozen=True)
class Firmware:
    """A linked ELF for `board` that runs `model`. `footprint` is None on the host, where sizes say nothing.

    `arena_bytes` is the size of the linked symbol; clang's address sanitizer adds its red zone to it.
    `serial`: it speaks over the UART, and says `build_id`, which no other firmware has.
    """

    path: Path
    board: Board
    model: HarnessModel
    options: BuildOptions
    arena_bytes: int
    footprint: Footprint | None
    serial: bool = False
    build_id: int = 0


_DEFAULT_OPTIONS = BuildOptions()


def build_firmware(
    source_dir: Path, model: HarnessModel, board: Board, build_dir: Path, options: BuildOptions = _DEFAULT_OPTIONS
) -> Firmware:
    """Compile every *.c in `source_dir` with the harness and link them into `build_dir`.

    A build whose sources, flags and compiler are those of the last one in `build_dir` is not repeated.
    Raises BuildError when a compiler is missing, the code is rejected, or the firmware does not fit the board.
    """
    _check_options(options, board)
    sources = sorted(source_dir.resolve().glob("*.c"))
    if not sources:
        raise BuildError(f"{source_dir}: there are no C files to build")
    compiler = find_compiler(board, options.compiler)
    build_dir = build_dir.resolve()
    try:
        _prepare(build_dir, model, options)
        path = build_dir / f"{model.name}.elf"
        stamp = build_dir / "build.stamp"
        key = _key(source_dir.resolve(), compiler, board, build_dir, options)
        if not (path.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == key):
            stamp.unlink(missing_ok=True)
            _build(sources, compiler, board, path, options, _build_id(key), model)
            stamp.write_text(key, encoding="utf-8")
    except OSError as error:
        raise BuildError(f"{build_dir}: cannot be written: {error.strerror}") from error
    return _describe(path, board, model, options, _build_id(key))


def _build_id(key: str) -> int:
    return int(key[:8], 16)


def _check_options(options: BuildOptions, board: Board) -> None:
    if options.sanitize and not board.is_host:
        raise BuildError(f"sanitizers run on the host only, not on {board.name}")
    if options.guard_bytes < 0 or options.guard_bytes % _GUARD_ALIGNMENT:
        raise BuildError(f"guard_bytes must be a multiple of {_GUARD_ALIGNMENT}, not {options.guard_bytes}")


def _prepare(build_dir: Path, model: HarnessModel, options: BuildOptions) -> None:
    for name in ("startup_objects", "harness_objects", "model_objects"):
        (build_dir / name).mkdir(parents=True, exist_ok=True)
    source = harness_model_source(model, options.guard_bytes)
    (build_dir / "harness_model.c").write_text(source, encoding="utf-8")


def _harness_sources(board: Board, serial: bool) -> dict[str, tuple[Path, ...]]:
    """C files of ours by the directory their objects go to; the linker script knows these names."""
    boards = resource_root() / "boards"
    harness = tuple(boards / "harness" / name for name in ("harness.c", "measure.c"))
    return {
        "startup_objects": () if board.is_host else (boards / "startup" / "startup.c",),
        "harness_objects": (*harness, *platform_sources(board, serial=serial)),
    }


def _jobs(
    sources: Iterable[Path], board: Board, build_dir: Path, options: BuildOptions, build_id: int
) -> list[CompileJob]:
    serial = speaks_serial(board, options.serial)
    # Paths of objects are relative to the build directory: the linker script matches them by directory.
    jobs = [CompileJob(s, Path("model_objects") / f"{s.stem}.o", ()) for s in sources]
    size_flags = () if board.is_host else _HARNESS_FLAGS
    harness_flags = (*size_flags, *platform_flags(board, serial=serial, build_id=build_id))
    for directory, files in _harness_sources(board, serial).items():
        jobs += [CompileJob(f, Path(directory) / f"{f.stem}.o", harness_flags) for f in files]
    jobs.append(CompileJob(Path("harness_model.c"), Path("harness_objects/harness_model.o"), harness_flags))
    # The largest first: they decide how long the whole takes.
    return sorted(jobs, key=lambda job: -(build_dir / job.source).stat().st_size)


def _build(
    sources: list[Path],
    compiler: Path,
    board: Board,
    path: Path,
    options: BuildOptions,
    build_id: int,
    model: HarnessModel,
) -> None:
    build_dir = path.parent
    guard = (f"-DRUNNEL_ARENA_GUARD_BYTES={options.guard_bytes}",) if options.guard_bytes else ()
    flags = (
        *compile_flags(board, optimize=options.optimize, sanitize=options.sanitize),
        f"-I{sources[0].parent}",
        *guard,
        *(f"-D{define}" for define in options.defines),
    )
    jobs = _jobs(sources, board, build_dir, options, build_id)
    compile_all(compiler, flags, jobs, build_dir)
    script = None if board.is_host else write_linker_script(board, options.stack_bytes, build_dir)
    command = (
        str(compiler),
        *sorted(str(job.object) for job in jobs),
        *link_flags(board, script=script, sanitize=options.sanitize),
        *("-o", path.name),
    )
    try:
        run_tool(command, "linking", build_dir)
    except BuildError as error:
        raise explain_link_error(error, board, model.rows.bytes if model.rows is not None else 0) from error


def _key(source_dir: Path, compiler: Path, board: Board, build_dir: Path, options: BuildOptions) -> str:
    """A digest of all that decides what the ELF is."""
    digest = hashlib.sha256()
    boards = resource_root() / "boards"
    roots = (source_dir, boards / "startup", boards / "harness", boards / "drivers")
    files = [f for root in roots for f in sorted(root.rglob("*")) if f.suffix in (".c", ".h", ".j2", ".inc")]
    for file in (*files, build_dir / "harness_model.c"):
        digest.update(f"{file}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    resolved = compiler.resolve()
    settings = [asdict(options), asdict(board), str(resolved), resolved.stat().st_mtime_ns]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


def _describe(path: Path, board: Board, model: HarnessModel, options: BuildOptions, build_id: int) -> Firmware:
    footprint = None if board.is_host else read_footprint(path, model.name)
    arena = f"{model.name}_arena"
    if options.guard_bytes:
        arena_bytes = (symbol_bytes(path, f"{arena}_guarded") or 0) - 2 * options.guard_bytes
    else:
        arena_bytes = symbol_bytes(path, arena) or 0
    serial = speaks_serial(board, options.serial)
    return Firmware(path, board, model, options, max(arena_bytes, 0), footprint, serial, build_id)
