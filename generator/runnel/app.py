# SPDX-License-Identifier: Apache-2.0
"""The command behind scripts/app: builds one of the apps for bare metal and runs it in the emulator."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import click

from runnel.boards import Board, load_board
from runnel.build.app import App, DataSource, app_model, default_data_source, find_app, own_frames, own_sound
from runnel.build.app_firmware import AppOptions, BuiltApp, build_app
from runnel.build.frames import PICTURE_SUFFIXES, is_jpeg, open_picture, shrink
from runnel.build.sound import copy_sound
from runnel.cli_print import console, progress
from runnel.compiler import Options, load_model, plan_model, write_sources
from runnel.errors import InputError, RunError
from runnel.output_folder import staged_folder
from runnel.reference import selftest_crc
from runnel.resources import resource_root
from runnel.run.firmware import check_runnable
from runnel.run.process import run_program
from runnel.run.qemu import qemu_command

DEFAULT_TIMEOUT_S = 600.0


def compile_app_model(app: App, model: Path, board: Board, folder: Path) -> Path:
    """Generate the C of `model` under the app's name for it; its folder. Raises ModelError or BudgetError."""
    plan = plan_model(load_model(model), board, Options(input=app.input), app.model_name)
    with staged_folder(folder) as stage:
        write_sources(plan, stage, selftest_crc(plan.schedule.graph, plan.schedule.segments))
    return folder


def prepare_frames(pictures: tuple[Path, ...], folder: Path, *, jpeg: bool = False) -> None:
    """Write `pictures`, shrunk to what firmware has a buffer for, and frames.txt, which lists them, into `folder`.

    With `jpeg` JPEG files are copied as they are.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = []
    for picture in pictures:
        if jpeg and is_jpeg(picture):
            shutil.copyfile(picture, folder / picture.name)
            names.append(picture.name)
            continue
        small = shrink(open_picture(picture))
        name = f"{picture.stem}.{'pgm' if small.mode == 'L' else 'ppm'}"
        small.save(folder / name)
        names.append(name)
    (folder / "frames.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures in a folder, by name. Raises InputError when there are none, or two of one name."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
    if not found:
        raise InputError(f"{folder} has no pictures ({', '.join(PICTURE_SUFFIXES)})")
    names = [p.stem for p in found]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{folder} has two pictures called {name!r}: rename one")
    return tuple(found)


def run_app(
    built: BuiltApp,
    directory: Path,
    *,
    count_instructions: bool = True,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    on_line: Callable[[str], None] | None = None,
) -> tuple[int, tuple[str, ...]]:
    """Run the app in `directory`, where its data is: its exit code and what it printed.

    With `count_instructions` each instruction takes a virtual nanosecond, so that times are the same in every run;
    without it QEMU is faster and times are those of this machine. Raises RunError when it cannot be started or does
    not end.
    """
    check_runnable(built.board)
    host = built.board.is_host
    command = (
        (str(built.path),) if host else qemu_command(built.board, built.path, count_instructions=count_instructions)
    )
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    finished = run_program(command, directory, timeout_s=timeout_s, environment=environment, on_line=on_line)
    return finished.exit_code, finished.lines


def _check_options(app: App, board: Board, run_it: bool, frames: Path | None, wav: Path | None, jpeg: bool) -> None:
    """Raises InputError for data that the app does not take, RunError for a board that nothing here can run."""
    if app.name == "vww" and wav is not None:
        raise InputError("vww takes no --wav; it looks at the pictures in a folder: --frames DIR")
    if app.name == "kws" and frames is not None:
        raise InputError("kws takes no --frames; it listens to a sound: --wav FILE")
    if app.name == "kws" and jpeg:
        raise InputError("kws takes no --jpeg; it listens to a sound")
    if not run_it:
        return
    if board.runner is None or board.runner.kind != "serial":
        check_runnable(board)
        return
    environment = board.name if app.name == "vww" else f"{app.name}-{board.name}"
    project = (resource_root() / "platformio.ini").read_text(encoding="utf-8")
    upload = f", or `pio run -e {environment} -t upload`" if f"[env:{environment}]" in project else ""
    emulated = f"; or run it on --board {board.try_instead}, the same core, emulated" if board.try_instead else ""
    raise RunError(f"{board.name} is real hardware: build {app.name} without --run and flash the ELF{upload}{emulated}")


def _prepare_run(app: App, folder: Path, frames: Path | None, wav: Path | None, jpeg: bool) -> None:
    if app.name == "vww":
        prepare_frames(pictures_in(frames) if frames else own_frames(), folder, jpeg=jpeg)
        return
    copy_sound(wav or own_sound(), folder)


def _print_sizes(built: BuiltApp) -> None:
    console.print(f"built {built.path}", highlight=False, soft_wrap=True)
    if built.footprint is not None:
        flash = built.footprint.flash_bytes + built.footprint.startup_flash_bytes + built.footprint.harness_flash_bytes
        static = built.footprint.static_sram_bytes + built.footprint.harness_sram_bytes
        console.print(
            f"flash {flash:,} bytes, static SRAM {static:,} bytes (arena {built.footprint.arena_bytes:,}) + stack",
            highlight=False,
        )


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--board", "board_name", default="qemu-m7", show_default=True, help="A qemu or stm32 board, or host.")
@click.option("--run", "run_it", is_flag=True, help="Run it in the emulator; the exit code is the app's.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="[default: build/app/NAME-BOARD]")
@click.option(
    "--model", type=click.Path(path_type=Path), metavar="FILE", help="Another model of the same kind (.tflite)."
)
@click.option("--frames", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
              help="vww: a folder of pictures to look at.")  # fmt: skip
@click.option("--jpeg", is_flag=True, help="vww: the firmware decodes JPEG files itself, row by row.")
@click.option(
    "--wav",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="kws: the sound to listen to, 16-bit mono at 16 kHz.  [default: apps/kws/sounds/cat.wav]",
)
@click.option("--data", type=click.Choice(get_args(DataSource)), default=None,
              help="Where frames or sound come from.  [default: files of the host; flash for stm32]")  # fmt: skip
@click.option("--define", "-D", "defines", multiple=True, metavar="NAME=VALUE", help="A setting of the app's sources.")
@click.option("--fast", is_flag=True, help="Do not count instructions: quicker, and times are those of this machine.")
def command(
    name: str,
    board_name: str,
    run_it: bool,
    output: Path | None,
    model: Path | None,
    frames: Path | None,
    jpeg: bool,
    wav: Path | None,
    data: DataSource | None,
    defines: tuple[str, ...],
    fast: bool,
) -> int:
    """Builds the app NAME (vww or kws) without an operating system.

    \b
    Examples:
      scripts/app vww --run
      scripts/app vww --run --board qemu-m4 --frames ~/photos
      scripts/app vww --run --frames ~/photos --jpeg
      scripts/app kws --run
      scripts/app kws --run --wav sound.wav
    """
    app = find_app(name)
    board = load_board(board_name)
    _check_options(app, board, run_it, frames, wav, jpeg)
    source = data or default_data_source(app, board)
    folder = (output or resource_root() / "build" / "app" / f"{name}-{board.name}").resolve()
    files = pictures_in(frames) if frames else ((wav,) if wav else ())
    with progress() as report:
        report(f"compiling the model of {name} for {board.name}")
        generated = compile_app_model(app, model or app_model(app), board, folder / "generated")
        report(f"building {name} for {board.name}")
        built = build_app(app, board, generated, folder, AppOptions(source, files, defines, jpeg=jpeg))
    if not run_it:
        _print_sizes(built)
        return 0
    if source == "host":
        _prepare_run(app, folder / "run", frames, wav, jpeg)
    directory = folder / "run" if source == "host" else folder
    return run_app(built, directory, count_instructions=not fast, on_line=click.echo)[0]


if __name__ == "__main__":
    from runnel.cli import execute, use_any_terminal

    use_any_terminal()
    sys.exit(execute(sys.argv[1:], command, "scripts/app"))
