# SPDX-License-Identifier: Apache-2.0
"""build_firmware: sizes are what the linker says, mistakes are told in one message, nothing is built twice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from runnel.boards import Board, known_boards, load_board
from runnel.build import BuildOptions, EdgeBuffer, HarnessModel, build_firmware, find_compiler, symbol_bytes
from runnel.build import toolchain as toolchain_module
from runnel.build.harness import InputRows, harness_model_source
from runnel.build.linker import linker_script
from runnel.build.platform import platform_flags, platform_sources
from runnel.build.toolchain import machine_flags
from runnel.errors import BuildError
from runnel.resources import resource_root

CONSTANTS_BYTES = 1000
ARENA_BYTES = 528

MODEL = HarnessModel("tiny", (EdgeBuffer("tiny_input", "int8_t", 512),), (EdgeBuffer("tiny_output", "int8_t", 4),))

HEADER = f"""
#include <stdint.h>
#include "runnel/arena.h"
#ifdef __cplusplus
extern "C" {{
#endif
#define TINY_ARENA_BYTES {ARENA_BYTES}
int8_t *tiny_input(void);
int tiny_run(void);
const int8_t *tiny_output(void);
#ifdef __cplusplus
}}
#endif
"""

SOURCE = f"""
#include "tiny.h"
extern uint8_t tiny_arena[TINY_ARENA_BYTES];
static const int8_t weights[{CONSTANTS_BYTES}] = {{1, 2, 3}};
int8_t *tiny_input(void) {{ return (int8_t *)tiny_arena; }}
const int8_t *tiny_output(void) {{ return (const int8_t *)(tiny_arena + 512); }}
int tiny_run(void)
{{
	int sum = 0;
	for (uint32_t i = 0; i < 1000; ++i) {{
		sum += weights[i] * tiny_arena[i & 511u];
	}}
	tiny_arena[512] = (uint8_t)sum;
	return 0;
}}
"""

ARENA = '#include "tiny.h"\nRUNNEL_ARENA(tiny_arena, TINY_ARENA_BYTES)\n'


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    directory = tmp_path / "with space" / "sources"
    (directory / "runnel").mkdir(parents=True)
    (directory / "tiny.h").write_text(HEADER)
    (directory / "tiny.c").write_text(SOURCE)
    (directory / "tiny_arena.c").write_text(ARENA)
    shutil.copy(resource_root() / "zephyr_module" / "include" / "runnel" / "arena.h", directory / "runnel")
    return directory


def need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


@pytest.mark.parametrize("board", [b for b in known_boards() if not b.is_host], ids=lambda b: b.name)
def test_footprint(board: Board, sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    firmware = build_firmware(sources, MODEL, board, tmp_path / "build")
    footprint = firmware.footprint
    assert footprint is not None
    assert firmware.arena_bytes == footprint.arena_bytes == footprint.static_sram_bytes == ARENA_BYTES
    assert 0 < footprint.code_bytes(CONSTANTS_BYTES) < 400
    assert 0 < footprint.harness_sram_bytes < (512 if firmware.serial else 64)
    assert 0 < footprint.startup_flash_bytes < 600
    assert 0 < footprint.harness_flash_bytes < (4000 if firmware.serial else 2000)
    assert footprint.sram_bytes(100) == ARENA_BYTES + 100


@pytest.mark.parametrize("section", [".noinit", ".dtcm_noinit", ".noinit.arena"])
def test_an_arena_in_a_section_of_its_own_is_counted(section: str, sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    board = load_board("stm32f746")
    usual = build_firmware(sources, MODEL, board, tmp_path / "usual")
    attribute = f'#define RUNNEL_ARENA_ATTRIBUTES __attribute__((section("{section}")))\n'
    (sources / "tiny_arena.c").write_text(attribute + ARENA)
    moved = build_firmware(sources, MODEL, board, tmp_path / "moved")
    assert usual.footprint == moved.footprint
    with ELFFile.load_from_path(str(usual.path)) as elf:
        assert elf.get_section_by_name(".noinit") is None
    with ELFFile.load_from_path(str(moved.path)) as elf:
        noinit = elf.get_section_by_name(".noinit")
        assert (noinit["sh_type"], noinit["sh_size"]) == ("SHT_NOBITS", ARENA_BYTES)
        assert 0 <= noinit["sh_addr"] - board.sram.address <= board.sram.bytes - ARENA_BYTES
    for firmware, size in ((usual, 0), (moved, ARENA_BYTES)):
        assert symbol_value(firmware.path, "firmware_noinit_bytes") == size


def symbol_value(path: Path, name: str) -> int:
    with ELFFile.load_from_path(str(path)) as elf:
        return int(elf.get_section_by_name(".symtab").get_symbol_by_name(name)[0]["st_value"])


def test_harness_takes_nothing_from_libraries(sources: Path, tmp_path: Path) -> None:
    """Library code counts as the model's, so ours must not pull any in: a model that computes nothing has no code."""
    need("arm-none-eabi-gcc")
    (sources / "tiny.c").write_text(
        '#include "tiny.h"\nextern uint8_t tiny_arena[TINY_ARENA_BYTES];\n'
        "int8_t *tiny_input(void) { return (int8_t *)tiny_arena; }\n"
        "const int8_t *tiny_output(void) { return (const int8_t *)tiny_arena; }\n"
        "int tiny_run(void) { return 0; }\n"
    )
    for name in ("qemu-m3", "qemu-m55", "stm32f412", "stm32h743"):
        firmware = build_firmware(sources, MODEL, load_board(name), tmp_path / name)
        assert firmware.footprint is not None
        assert firmware.footprint.flash_bytes < 40


def test_guard_bytes_are_not_part_of_the_arena(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc", "cc")
    for name in ("qemu-m4", "host"):
        options = BuildOptions(guard_bytes=32)
        firmware = build_firmware(sources, MODEL, load_board(name), tmp_path / name, options)
        assert firmware.arena_bytes == ARENA_BYTES
        assert symbol_bytes(firmware.path, "tiny_arena_guarded") == ARENA_BYTES + 64


@pytest.mark.parametrize("compiler", ["g++", "clang++", "arm-none-eabi-g++"])
@pytest.mark.parametrize("guard", [(), ("-DRUNNEL_ARENA_GUARD_BYTES=64",)])
def test_arena_header_is_cpp17(compiler: str, guard: tuple[str, ...], sources: Path) -> None:
    need(compiler)
    flags = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wconversion", *guard, f"-I{sources}")
    command = (compiler, *flags, "-x", "c++", "-c", "tiny_arena.c", "-o", "/dev/null")
    toolchain_module.run_tool(command, "compiling as C++17", sources)


@pytest.mark.parametrize("name", ["host", "qemu-m7", "stm32f412", "stm32f746", "stm32f765", "stm32h743"])
@pytest.mark.parametrize("serial", [False, True])
def test_start_up_harness_and_drivers_compile_with_clang(name: str, serial: bool, sources: Path) -> None:
    need("clang")
    board = load_board(name)
    if serial and board.is_host:
        pytest.skip("the host has no serial line")
    boards = resource_root() / "boards"
    (sources / "harness_model.c").write_text(harness_model_source(MODEL, 0))
    common = [boards / "startup" / "startup.c", boards / "harness" / "harness.c", boards / "harness" / "measure.c"]
    files = [*common, sources / "harness_model.c", *platform_sources(board, serial=serial)]
    core = () if board.is_host else ("--target=arm-none-eabi", f"-mcpu={board.core}", "-ffreestanding")
    flags = (*toolchain_module.WARNINGS, *platform_flags(board, serial=serial, build_id=1), f"-I{sources}")
    for file in files[1:] if board.is_host else files:
        command = ("clang", *core, *flags, "-c", str(file), "-o", "/dev/null")
        toolchain_module.run_tool(command, file.name, sources)


def test_a_second_build_is_not_repeated(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    board = load_board("qemu-m7")
    first = build_firmware(sources, MODEL, board, tmp_path / "build")
    linked = first.path.stat().st_mtime_ns
    assert build_firmware(sources, MODEL, board, tmp_path / "build") == first
    assert first.path.stat().st_mtime_ns == linked
    (sources / "tiny.c").write_text(SOURCE + "\n")
    build_firmware(sources, MODEL, board, tmp_path / "build")
    assert first.path.stat().st_mtime_ns != linked


def test_rejected_code(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    (sources / "tiny.c").write_text(SOURCE.replace("(uint8_t)sum", "sum"))
    with pytest.raises(BuildError, match=r"(?s)compiling tiny\.c failed:.*Werror=conversion"):
        build_firmware(sources, MODEL, load_board("qemu-m7"), tmp_path / "build")


def test_wrong_edge_type_is_found_by_the_compiler(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    model = replace(MODEL, inputs=(EdgeBuffer("tiny_input", "uint8_t", 512),))
    with pytest.raises(BuildError, match=r"(?s)compiling harness_model\.c failed:.*tiny_input"):
        build_firmware(sources, model, load_board("qemu-m7"), tmp_path / "build")


def test_too_large_for_the_board(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    (sources / "tiny.h").write_text(HEADER.replace(f"ARENA_BYTES {ARENA_BYTES}", "ARENA_BYTES 400000"))
    with pytest.raises(
        BuildError, match=r"does not fit stm32f746 .*327,680 of contiguous SRAM.*too large for its SRAM"
    ):
        build_firmware(sources, MODEL, load_board("stm32f746"), tmp_path / "build")


def test_the_harness_keeps_the_input_of_a_model_that_asks_for_rows(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    board = load_board("stm32f746")
    row = "typedef int (*row)(void *, int32_t, int32_t, int32_t, void *);\n"
    rows = f"{row}int tiny_run_rows(row read_row, void *context);\n"
    (sources / "tiny.h").write_text(HEADER.replace("int tiny_run(void);", rows))
    (sources / "tiny.c").write_text(
        SOURCE.replace("int tiny_run(void)\n{", "int tiny_run_rows(row read_row, void *context)\n{\n").replace(
            "int sum = 0;", "int sum = read_row(context, 0, 0, 128, tiny_arena);"
        )
    )
    firmware = build_firmware(sources, replace(MODEL, inputs=(), rows=InputRows(4, 512, 4)), board, tmp_path / "build")
    assert firmware.footprint is not None
    assert firmware.footprint.static_sram_bytes == ARENA_BYTES
    assert 4 * 512 <= firmware.footprint.harness_sram_bytes < 4 * 512 + 512
    with pytest.raises(BuildError, match=r"too large for its SRAM; 409,600 bytes of its SRAM are the harness's copy"):
        model = replace(MODEL, inputs=(), rows=InputRows(800, 512, 4))
        build_firmware(sources, model, board, tmp_path / "large")


def test_missing_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(BuildError, match="apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi"):
        find_compiler(load_board("qemu-m7"))
    with pytest.raises(BuildError, match="apt-get install gcc"):
        find_compiler(load_board("host"))
    with pytest.raises(BuildError, match="compiler 'mycc' was not found"):
        find_compiler(load_board("host"), "mycc")


def test_misuse(sources: Path, tmp_path: Path) -> None:
    board = load_board("qemu-m7")
    with pytest.raises(BuildError, match="sanitizers run on the host only"):
        build_firmware(sources, MODEL, board, tmp_path, BuildOptions(sanitize=True))
    with pytest.raises(BuildError, match="guard_bytes must be a multiple of 16"):
        build_firmware(sources, MODEL, board, tmp_path, BuildOptions(guard_bytes=7))
    with pytest.raises(BuildError, match="there are no C files"):
        build_firmware(tmp_path / "nothing", MODEL, board, tmp_path)
    with pytest.raises(BuildError, match="is not a C identifier"):
        HarnessModel("a b", MODEL.inputs, MODEL.outputs)
    with pytest.raises(BuildError, match="at least one input and one output"):
        HarnessModel("a", (), MODEL.outputs)
    with pytest.raises(BuildError, match="at least one input and one output"):
        HarnessModel("a", MODEL.inputs, MODEL.outputs, rows=InputRows(2, 4, 2))
    with pytest.raises(BuildError, match="2 rows of 5 bytes"):
        InputRows(2, 5, 2)
    with pytest.raises(BuildError, match="an edge of type 'bool'"):
        EdgeBuffer("tiny_input", "bool", 4)


def test_build_directory_that_cannot_be_written(sources: Path, tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="cannot be written"):
        build_firmware(sources, MODEL, load_board("qemu-m7"), tmp_path / "file" / "build")


def test_machine_flags() -> None:
    assert machine_flags(load_board("qemu-m3")) == ("-mcpu=cortex-m3", "-mthumb", "-mfloat-abi=soft")
    assert "-mfpu=fpv4-sp-d16" in machine_flags(load_board("stm32f412"))
    assert "-mfpu=fpv5-sp-d16" in machine_flags(load_board("stm32f746"))
    assert machine_flags(load_board("stm32h743"))[-1] == "-mfloat-abi=hard"
    assert "-mcpu=cortex-m55+nomve" in machine_flags(replace(load_board("qemu-m55"), mve=False))
    assert "-mcpu=cortex-m33+nodsp" in machine_flags(replace(load_board("qemu-m33"), dsp=False))
    assert machine_flags(load_board("host")) == ()


def test_linker_script_puts_the_vectors_where_the_board_boots() -> None:
    script = linker_script(load_board("qemu-m55"), 4096)
    assert "BOOT (rx) : ORIGIN = 0x10000000" in script
    assert "FLASH (rx) : ORIGIN = 0x38000000" in script
    assert 'REGION_ALIAS("FLASH", BOOT)' in linker_script(load_board("qemu-m7"), 4096)
