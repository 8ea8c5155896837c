# SPDX-License-Identifier: Apache-2.0
"""The projects under examples/, as far as they can be built without PlatformIO's registry.

`platform = ststm32` is replaced by a stand-in with its name and its compiler flags. STM32Cube's HAL and Zephyr come
from a Zephyr workspace where there is one.
"""

from __future__ import annotations

import configparser
import shutil
from pathlib import Path

import pytest

from platformio_builds import ROOT, STAND_IN, pio, run_pio
from runnel.build.elf import symbol_bytes
from zephyr.workspaces import build, each_workspace, find_workspaces, run

EXAMPLES = ROOT / "examples"
HAL_SOURCES = ("cortex", "gpio", "rcc", "rcc_ex", "uart", "uart_ex", "dma", "pwr", "pwr_ex", "flash", "flash_ex")


def copy_example(name: str, target: Path, **changes: str) -> Path:
    """The example with the stand-in for its platform. Its paths into this repository are made absolute."""
    shutil.copytree(EXAMPLES / name, target, ignore=shutil.ignore_patterns(".pio"))
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(target / "platformio.ini")
    section = parser["env:nucleo_f746zg"]
    assert section["platform"] == "ststm32"
    section["platform"] = f"symlink://{STAND_IN}"
    section.pop("platform_packages", None)
    for key, value in section.items():
        section[key] = value.replace("../..", str(ROOT))
    section.update(changes)
    parser["platformio"] = {"platforms_dir": ".pio/platforms"}
    with (target / "platformio.ini").open("w") as file:
        parser.write(file)
    return target


def hal_folder() -> Path:
    for workspace in find_workspaces():
        folder = workspace.base.parent / "modules" / "hal" / "stm32" / "stm32cube" / "stm32f7xx"
        if folder.is_dir():
            return folder
    pytest.skip("STM32Cube's headers are not here: no Zephyr workspace with hal_stm32")


def elf(project: Path) -> Path:
    return project / ".pio" / "build" / "nucleo_f746zg" / "firmware.elf"


@pytest.mark.parametrize("name", ["platformio-stm32cube", "platformio-zephyr"])
def test_the_hook_compiles_the_models_of_the_example(name: str, tmp_path: Path) -> None:
    """Only the C library's main: the framework is not here."""
    pio()
    project = copy_example(name, tmp_path / "project", build_src_filter="+<stand_in.c>")
    code = '#include "person.h"\nint main(void) { return person_selftest(); }\n'
    (project / "src" / "stand_in.c").write_text(code)
    ran = run_pio(project, "run")
    assert ran.exit_code == 0, ran.output
    assert ran.lines("Runnel: person for stm32f746")
    assert symbol_bytes(elf(project), "person_arena") > 12_000  # type: ignore[operator]


def test_the_stm32cube_example_links_with_the_hal(tmp_path: Path) -> None:
    """STM32CubeF7's real headers and sources, from a Zephyr workspace."""
    pio()
    hal = hal_folder()
    cmsis = next(p for p in hal.parents[2].glob("cmsis*/CMSIS/Core/Include") if (p / "core_cm7.h").is_file())
    sources = tmp_path / "hal"
    sources.mkdir()
    for name in ("hal", *(f"hal_{part}" for part in HAL_SOURCES)):
        shutil.copy(hal / "drivers" / "src" / f"stm32f7xx_{name}.c", sources)
    shutil.copy(hal / "soc" / "system_stm32f7xx.c", sources)
    folders = (cmsis, hal / "soc", hal / "drivers" / "include", hal / "drivers" / "include" / "Legacy")
    project = copy_example(
        "platformio-stm32cube",
        tmp_path / "project",
        custom_test_cube=" ".join(map(str, folders)),
        custom_test_cube_sources=str(sources),
    )
    ran = run_pio(project, "run")
    assert ran.exit_code == 0, ran.output
    assert "src/main.c" not in "".join(line for line in ran.output.splitlines() if "warning" in line), ran.output
    for symbol in ("person_arena", "HAL_UART_Transmit"):
        assert symbol_bytes(elf(project), symbol), symbol


ZEPHYR_CMAKE = """
cmake_minimum_required(VERSION 3.20.0)
find_package(Zephyr REQUIRED HINTS $ENV{{ZEPHYR_BASE}})
project(person)
target_sources(app PRIVATE {project}/src/main.c {model}/person.c {model}/person_arena.c)
target_include_directories(app PRIVATE {model})
"""


@each_workspace
def test_the_zephyr_example_runs_on_zephyr(workspace: object, tmp_path: Path, full: bool) -> None:
    """Its main.c and prj.conf with what the hook generates, built by west: PlatformIO's Zephyr is not here."""
    if not full:
        pytest.skip("takes a minute; RUNNEL_FULL=1 runs it")
    pio()
    project = copy_example("platformio-zephyr", tmp_path / "project", build_src_filter="+<stand_in.c>",
                           custom_runnel_board="qemu-m3")  # fmt: skip
    (project / "src" / "stand_in.c").write_text("int main(void) { return 0; }\n")
    ran = run_pio(project, "run")
    assert ran.exit_code == 0, ran.output
    model = elf(project).parent / "runnel" / "person"
    (project / "zephyr" / "CMakeLists.txt").write_text(ZEPHYR_CMAKE.format(project=project, model=model))
    built = build(workspace, project / "zephyr", "mps2_an385", tmp_path / "build")  # type: ignore[arg-type]
    lines = run(built, until=r"^person: \d+ %$").lines
    assert "selftest: ok" in lines


def test_what_products_are_told_to_write_is_what_is_there() -> None:
    """The paths in the comments of the examples and of the page."""
    inside = "boards/platformio/runnel.py"
    assert (ROOT / inside).is_file()
    for file in (*EXAMPLES.glob("platformio-*/platformio.ini"), ROOT / "docs" / "platformio.md"):
        text = file.read_text(encoding="utf-8")
        assert f"pre:.pio/libdeps/$PIOENV/Runnel/{inside}" in text, file
        assert "custom_runnel_models" in text
