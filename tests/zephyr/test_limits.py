# SPDX-License-Identifier: Apache-2.0
"""Limits of a model and the section of its arena: the CMake code alone, without Zephyr."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(limits NONE)
function(dt_chosen out)
  set(${out} /soc/flash PARENT_SCOPE)
endfunction()
function(dt_reg_size out)
  set(${out} 1048576 PARENT_SCOPE)
endfunction()
include(CMAKE_FOLDER/runnel_helpers.cmake)
set(CONFIG_RUNNEL_PRODUCT_FLASH 64)
SETTINGS
_runnel_flash_limit(size from "")
message("limit: '${size}' (${from})")
"""
WHOLE = "'960K' (zephyr,flash 1024K less CONFIG_RUNNEL_PRODUCT_FLASH=64)"


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({"XIP": "y"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0", "FLASH_LOAD_OFFSET": "0"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x0", "FLASH_LOAD_OFFSET": "0x0"}, WHOLE),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x80000", "FLASH_LOAD_OFFSET": "0x20000"}, "'448K' (CONFIG_FLASH_LOAD_SIZE"),
        ({"XIP": "y", "FLASH_LOAD_SIZE": "0x0", "FLASH_LOAD_OFFSET": "0x20000"}, "'832K' (zephyr,flash behind"),
        ({}, "'' (the devicetree does not say)"),
    ],
)
def test_flash(settings: dict[str, str], limit: str, tmp_path: Path) -> None:
    assert f"limit: {limit}" in configure(PROJECT, settings, tmp_path)


def configure(project: str, settings: dict[str, str], folder: Path) -> str:
    """What the configure step of `project` says, its lines as one."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    lines = "\n".join(f"set(CONFIG_{name} {value})" for name, value in settings.items())
    cmake = (ROOT / "zephyr_module/cmake").as_posix()
    text = project.replace("CMAKE_FOLDER", cmake).replace("SETTINGS", lines)
    (folder / "CMakeLists.txt").write_text(text, encoding="utf-8")
    command = ("cmake", "-S", str(folder), "-B", str(folder / "build"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return " ".join((done.stdout + done.stderr).split())


SECTION_PROJECT = """\
cmake_minimum_required(VERSION 3.20)
project(sections LANGUAGES C)
function(dt_chosen out)
  if("${ARGN}" STREQUAL "PROPERTY;zephyr,sram" OR "${ARGN}" STREQUAL "PROPERTY;CHOSEN")
    set(${out} /memory PARENT_SCOPE)
  endif()
endfunction()
function(dt_reg_size out)
  set(${out} 65536 PARENT_SCOPE)
endfunction()
function(dt_comp_path out)
  set(${out} /memory@20000000 PARENT_SCOPE)
endfunction()
function(dt_prop out)
  set(${out} "DTCM" PARENT_SCOPE)
endfunction()
function(zephyr_get out)
  set(${out} ${CMAKE_COMMAND} -E true PARENT_SCOPE)
endfunction()
add_library(zephyr_interface INTERFACE)
add_executable(app main.c)
set(BOARD qemu-m7)
set(CONFIG_RUNNEL y)
set(CONFIG_XIP y)
set(CONFIG_RUNNEL_PRODUCT_SRAM 16)
SETTINGS
include(CMAKE_FOLDER/runnel_model.cmake)
runnel_model(TARGET app NAME one FILE model.tflite MODEL_OPTIONS)
runnel_shared_arena(TARGET app NAME shared MODELS one SHARED_OPTIONS)
"""


def configure_sections(model: str, shared: str, settings: dict[str, str], folder: Path, chosen: str = "") -> str:
    project = SECTION_PROJECT.replace("MODEL_OPTIONS", model).replace("SHARED_OPTIONS", shared)
    if model:  # a model with a section of its own takes no part in a shared arena
        project = "\n".join(line for line in project.splitlines() if not line.startswith("runnel_shared_arena"))
    (folder / "main.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    (folder / "model.tflite").touch()
    return configure(project.replace("CHOSEN", chosen), settings, folder)


@pytest.mark.parametrize("where", ["model", "model with SRAM", "shared arena"])
@pytest.mark.parametrize("section", ["DTMC", "dtcm", ".dtcm_noinit", ".mine"])
def test_a_section_that_no_memory_has_is_warned_of(where: str, section: str, tmp_path: Path) -> None:
    model = {"model": f"ARENA_SECTION {section}", "model with SRAM": f"SRAM 8K ARENA_SECTION {section}"}.get(where, "")
    said = configure_sections(model, f"SECTION {section}", {}, tmp_path)
    name = "shared" if where == "shared arena" else "one"
    assert f"Runnel: {name}: no memory region of the devicetree has the section {section}." in said
    assert "into flash" in said
    assert "Memory regions here: DTCM." in said


@pytest.mark.parametrize(
    ("section", "chosen", "settings"),
    [
        ("", "", {}),
        ("DTCM", "", {}),
        ("DTCM.arena", "", {}),
        (".noinit", "", {}),
        (".bss.arena", "", {}),
        (".dtcm_noinit", "zephyr,dtcm", {}),
        ("anything", "", {"ARCH_POSIX": "y"}),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_a_section_in_ram_is_fine(
    section: str, chosen: str, settings: dict[str, str], shared: bool, tmp_path: Path
) -> None:
    model = f"ARENA_SECTION {section}" if section and not shared else ""
    said = configure_sections(model, f"SECTION {section}" if section and shared else "", settings, tmp_path, chosen)
    assert "CMake Warning" not in said
    if section in (".noinit", ".bss.arena"):
        assert "SRAM 48K (zephyr,sram 64K less CONFIG_RUNNEL_PRODUCT_SRAM=16)" in said
