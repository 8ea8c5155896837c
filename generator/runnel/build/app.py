# SPDX-License-Identifier: Apache-2.0
"""What a bare-metal build of an app in `apps/` consists of, for scripts/app and for our PlatformIO platform."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from runnel.boards import Board
from runnel.errors import BuildError, InputError, RunnelError
from runnel.resources import resource_root

STACK_BYTES = 8192

DataSource = Literal["host", "flash", "memory", "none"]
"""Where frames or sound come from: files of the host, flash, a fixed address, nowhere (says so and stops)."""

_COMMON = "apps/port/common"


@dataclass(frozen=True)
class App:
    """An app of ours. Paths are relative to the repository, `data_sources` the C files for each source of data.

    `input`: whether the model's input is stored, or pulled row by row while it runs (`runnel compile --input`).
    """

    name: str
    model_name: str
    model: str
    data_sources: dict[DataSource, tuple[str, ...]] = field(hash=False)
    libraries: tuple[str, ...] = ()
    input: Literal["stored", "pulled"] = "stored"


APPS = (
    App(
        name="vww",
        model_name="person",
        model="models/person/person.tflite",
        data_sources={
            "host": (f"{_COMMON}/frames_host.c",),
            "flash": (f"{_COMMON}/frames_flash.c",),
            "memory": (f"{_COMMON}/frames_memory.c",),
        },
        input="pulled",
    ),
    App(
        name="kws",
        model_name="keywords",
        model="models/kws/keywords.tflite",
        data_sources={
            "host": (f"{_COMMON}/sound_file.c", f"{_COMMON}/wav.c"),
            "flash": (f"{_COMMON}/sound_flash.c",),
            "none": (f"{_COMMON}/sound_none.c",),
        },
        libraries=("zephyr_module/audio",),
    ),
)


def find_app(name: str) -> App:
    """The app of that name. Raises RunnelError for another name, and in an installed wheel, which carries none."""
    for app in APPS:
        if app.name == name:
            if not (resource_root() / "apps" / name / "src").is_dir():
                raise RunnelError(f"apps/{name} is not here: the apps come with the repository, not with the package")
            return app
    raise RunnelError(f"there is no app {name!r}; the apps are {', '.join(app.name for app in APPS)}")


def default_data_source(app: App, board: Board) -> DataSource:
    """Files of the host where there is one; flash on a board, or nothing where the app has no data to put there."""
    if not _is_stm32(board):
        return "host"
    return "flash" if app.name == "vww" else "none"


def app_model(app: App) -> Path:
    """The model that the app comes with."""
    return resource_root() / app.model


def app_sources(app: App, board: Board, data: DataSource) -> dict[str, tuple[Path, ...]]:
    """All C files but the generated ones, by the folder that their objects go to.

    The linker script knows startup_objects and harness_objects by their names. Raises BuildError for a board that
    there is no port to, or a source of data that the app has not.
    """
    root = resource_root()
    if data not in app.data_sources:
        raise BuildError(f"{app.name} cannot take its data from {data}; it knows {', '.join(app.data_sources)}")
    startup = () if board.is_host else (root / "boards" / "startup" / "startup.c",)
    port = (*_port_sources(board), f"{_COMMON}/print.c", f"{_COMMON}/stack.c", *app.data_sources[data])
    libraries = [source for folder in app.libraries for source in sorted((root / folder).glob("*.c"))]
    return {
        "startup_objects": startup,
        "harness_objects": tuple(root / file for file in _platform_sources(board)),
        "port_objects": tuple(root / file for file in port),
        "app_objects": (*sorted((root / "apps" / app.name / "src").glob("*.c")), *libraries),
    }


def _is_stm32(board: Board) -> bool:
    return board.name.startswith("stm32")


def _platform_sources(board: Board) -> tuple[str, ...]:
    if board.is_host:
        return ("boards/harness/platform_host.c",)
    return () if _is_stm32(board) else ("boards/harness/platform_semihosting.c",)


def _port_sources(board: Board) -> tuple[str, ...]:
    if _is_stm32(board):
        drivers = ("clock_stm32.c", "led_stm32.c", "uart_stm32.c")
        return ("apps/port/stm32/port.c", *(f"boards/drivers/{name}" for name in drivers))
    if board.is_host or (board.runner is not None and board.runner.kind == "qemu"):
        return ("apps/port/bare/port.c",)
    raise BuildError(
        f"the apps have no bare-metal port to {board.name}: build them with Zephyr (west build), or for one of "
        "Runnel's stm32 and qemu boards"
    )


def include_folders(app: App) -> tuple[Path, ...]:
    """Where the sources find their headers, besides the folder of the compiled model."""
    folders = (f"apps/{app.name}/src", "apps/port", _COMMON, "boards/drivers", "boards/harness")
    return tuple(resource_root() / folder for folder in (*folders, "zephyr_module/include"))


def app_defines(board: Board, *, jpeg: bool = False) -> tuple[str, ...]:
    """NAME or NAME=VALUE definitions that tell the port which board and which timer it has.

    With `jpeg` vww is to decode JPEG files.
    """
    own = ("VWW_JPEG=1",) if jpeg else ()
    if _is_stm32(board):
        return (f"RUNNEL_BOARD_{board.name.upper()}", *own)
    timer = board.runner.timer if board.runner is not None else None
    if timer is None:
        return own
    kind = f"HARNESS_TIMER_{timer.kind.upper()}"
    return (kind, f"HARNESS_TIMER_ADDRESS=0x{timer.address:08x}u", f"PORT_TIMER_HZ={timer.hz}u", *own)


def write_app_data(
    app: App, data: DataSource, folder: Path, files: Sequence[Path] = (), *, jpeg: bool = False
) -> tuple[Path, ...]:
    """Write the data in flash as C into `folder`: pictures or a wav file, the app's own when `files` is empty.

    With `jpeg` JPEG files stay as they are. Returns the C files, none when the data is not in flash. Raises InputError
    for a file that cannot be used.
    """
    if data != "flash":
        return ()
    if app.name == "vww":
        return (_write_frames(files or own_frames(), folder, jpeg),)
    return (_write_sound(files, folder),)


def own_frames() -> tuple[Path, ...]:
    """The photos in apps/vww/frames."""
    return tuple(sorted((resource_root() / "apps" / "vww" / "frames").glob("*.ppm")))


def own_sound() -> Path:
    """The word in apps/kws/sounds."""
    return resource_root() / "apps" / "kws" / "sounds" / "cat.wav"


def _write_frames(files: Sequence[Path], folder: Path, jpeg: bool) -> Path:
    from runnel.build.frames import frames_c, is_jpeg, jpeg_frame, open_picture, to_frame
    from runnel.output_folder import write_whole

    path = folder / "frames_flash_data.c"
    frames = [jpeg_frame(f) if jpeg and is_jpeg(f) else to_frame(open_picture(f), f.name) for f in files]
    write_whole(path, frames_c(frames))
    return path


def _write_sound(files: Sequence[Path], folder: Path) -> Path:
    if len(files) != 1:
        raise InputError(f"{len(files)} sounds were named; exactly one wav file goes into flash")
    path = folder / "sound_data.c"
    folder.mkdir(parents=True, exist_ok=True)
    script = resource_root() / "apps" / "port" / "common" / "sound_data.py"
    done = subprocess.run([sys.executable, script, files[0], path], capture_output=True, text=True)
    if done.returncode != 0:
        raise InputError(done.stderr.strip() or f"{files[0]}: cannot be used as a sound")
    return path
