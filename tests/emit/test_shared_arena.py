# SPDX-License-Identifier: Apache-2.0
"""Two models in one firmware: with one arena each, and in one arena that both share when they take turns."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from elftools.elf.elffile import ELFFile

from conftest import ROOT
from random_models.batch import host
from runnel.boards import Board, load_board
from runnel.build import BuildOptions, EdgeBuffer, HarnessModel, build_firmware
from runnel.build.firmware import Firmware
from runnel.build.toolchain import WARNINGS
from runnel.cli import execute
from runnel.compiler import Options, load_bytes, plan_model, write_sources
from runnel.emit.shared_arena import ModelArena, emit_shared_arena, read_arena
from runnel.errors import RunnelError
from runnel.plan.plan import Plan
from runnel.reference import selftest_crc
from runnel.resources import resource_root
from runnel.run import run_firmware
from runnel.run.oracle import tflm_oracle
from small_model import small_classifier_bytes

INCLUDE = resource_root() / "zephyr_module" / "include"
MODELS = {"person": (80 * 80 * 3, 2), "small": (8 * 8 * 3, 2)}
"""Bytes of input and output."""

# Both models in turn, twice: the second turn of each must not depend on what the other left in the arena.
ALTERNATE = """
#include <string.h>
#include "person.h"
#include "small.h"
#include "alternate.h"

static int8_t inputs[2][19200], outputs[2][2];

int8_t *alternate_input_0(void) { return inputs[0]; }
int8_t *alternate_input_1(void) { return inputs[1]; }
const int8_t *alternate_output_0(void) { return outputs[0]; }
const int8_t *alternate_output_1(void) { return outputs[1]; }

int alternate_run(void)
{
	for (int turn = 0; turn < 2; turn++) {
		memcpy(person_input(), inputs[0], PERSON_INPUT_BYTES);
		if (person_run() != 0 || (turn == 1 && memcmp(outputs[0], person_output(), 2) != 0)) {
			return -10;
		}
		memcpy(outputs[0], person_output(), 2);
		memcpy(small_input(), inputs[1], SMALL_INPUT_BYTES);
		if (small_run() != 0 || (turn == 1 && memcmp(outputs[1], small_output(), 2) != 0)) {
			return -11;
		}
		memcpy(outputs[1], small_output(), 2);
	}
	return 0;
}

int alternate_selftest(void)
{
	return person_selftest() != 0 || small_selftest() != 0 || person_selftest() != 0 ? -1 : 0;
}
"""
HEADER = """
#include <stdint.h>
int8_t *alternate_input_0(void);
int8_t *alternate_input_1(void);
const int8_t *alternate_output_0(void);
const int8_t *alternate_output_1(void);
int alternate_run(void);
int alternate_selftest(void);
"""


@dataclass(frozen=True)
class Symbol:
    """Where the linker put something, in bytes."""

    address: int
    bytes: int


def symbol(path: Path, name: str) -> Symbol:
    with ELFFile.load_from_path(str(path)) as elf:
        (found,) = elf.get_section_by_name(".symtab").get_symbol_by_name(name)
        return Symbol(found["st_value"], found["st_size"])


def model_bytes(name: str) -> bytes:
    if name == "small":
        return small_classifier_bytes()
    return (ROOT / "models" / "person" / "person.tflite").read_bytes()


def need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def write_models(board: Board, folder: Path) -> dict[str, Plan]:
    plans = {}
    for name in MODELS:
        plan = plan_model(load_bytes(model_bytes(name), name), board, Options(), name)
        write_sources(plan, folder, selftest_crc(plan.schedule.graph, plan.schedule.segments))
        (folder / "plan.json").rename(folder / f"{name}.json")
        plans[name] = plan
    (folder / "alternate.h").write_text(HEADER)
    (folder / "alternate.c").write_text(ALTERNATE)
    return plans


def build(board: Board, options: BuildOptions, shared: bool, folder: Path) -> tuple[Firmware, dict[str, Plan]]:
    sources = folder / "sources"
    plans = write_models(board, sources)
    if shared:
        plan_files = [str(sources / f"{name}.json") for name in MODELS]
        code = execute(["arena", *plan_files, "--name", "common", "-o", str(sources / "common.c"), "--quiet"])
        assert code == 0
        for name in MODELS:
            (sources / f"{name}_arena.c").unlink()
    model = HarnessModel(
        "alternate",
        tuple(EdgeBuffer(f"alternate_input_{i}", "int8_t", n) for i, (n, _) in enumerate(MODELS.values())),
        tuple(EdgeBuffer(f"alternate_output_{i}", "int8_t", n) for i, (_, n) in enumerate(MODELS.values())),
        selftest=True,
    )
    return build_firmware(sources, model, board, folder / "firmware", options), plans


def random_records(count: int) -> list[list[npt.NDArray[Any]]]:
    random = np.random.default_rng(3)
    return [[random.integers(-128, 128, n).astype(np.int8) for n, _ in MODELS.values()] for _ in range(count)]


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "separate"])
@pytest.mark.parametrize("board_name", ["host gcc", "host clang", "qemu-m4", "qemu-m7"])
def test_two_models_in_turn_equal_tflm(board_name: str, shared: bool, tmp_path: Path) -> None:
    if board_name.startswith("host"):
        compiler = board_name.split()[1]
        need(compiler)
        board, options = host(dsp=False), BuildOptions(optimize="-O1", sanitize=True, compiler=compiler)
    else:
        need("arm-none-eabi-gcc", "qemu-system-arm")
        board, options = load_board(board_name), BuildOptions(optimize="-O2")
    firmware, plans = build(board, options, shared, tmp_path)

    sizes = {name: plan.arena_bytes for name, plan in plans.items()}
    places = {name: symbol(firmware.path, f"{name}_arena") for name in MODELS}
    if "clang" not in board_name or shared:  # clang's address sanitizer adds its red zone to an array of one model
        assert {name: place.bytes for name, place in places.items()} == sizes
    assert (len({place.address for place in places.values()}) == 1) is shared
    if shared:
        common = symbol(firmware.path, "common_arena")
        assert common.address == places["person"].address
        assert common.bytes == max(sizes.values()) or "clang" in board_name
        assert common.address % 16 == 0

    records = random_records(3)
    result = run_firmware(firmware, [b"".join(a.tobytes() for a in record) for record in records])
    graphs = {name: plan.schedule.graph for name, plan in plans.items()}
    for number, name in enumerate(MODELS):
        shape = graphs[name].tensor(graphs[name].inputs[0]).shape
        expected = tflm_oracle(model_bytes(name), graphs[name]).run([[r[number].reshape(shape)] for r in records])
        got = [firmware.model.split_outputs(output)[number] for output in result.outputs]
        assert got == [arrays[0].tobytes() for arrays in expected], name
    assert len(set(result.outputs)) > 1, "all inputs give the same answer: nothing was tested"


@pytest.mark.usefixtures("tflm")
def test_a_shared_arena_takes_no_more_sram_than_the_larger_model(tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    sram = {}
    for shared in (True, False):
        folder = tmp_path / str(shared)
        firmware, plans = build(load_board("qemu-m4"), BuildOptions(optimize="-Os"), shared, folder)
        assert firmware.footprint is not None
        sram[shared] = firmware.footprint.static_sram_bytes
    saved = min(plan.arena_bytes for plan in plans.values())
    assert saved <= sram[False] - sram[True] <= saved + 16


ARENAS = [ModelArena("a", 100, Path("a.json")), ModelArena("b", 1000, Path("b.json"))]


@pytest.mark.parametrize("section", [None, ".dtcm_noinit"])
@pytest.mark.parametrize(
    "compiler",
    [
        ("gcc",),
        ("gcc", "-fsanitize=address,undefined"),
        ("clang",),
        ("clang", "--target=thumbv7em-none-eabi", "-ffreestanding"),
        ("arm-none-eabi-gcc", "-mcpu=cortex-m7", "-mthumb"),
    ],
    ids=" ".join,
)
def test_every_compiler_gives_names_of_their_own_size(
    compiler: tuple[str, ...], section: str | None, tmp_path: Path
) -> None:
    need(compiler[0])
    (tmp_path / "common.c").write_text(emit_shared_arena("common", ARENAS, section))
    command = [*compiler, *WARNINGS, f"-I{INCLUDE}", "-c", "common.c"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "common.o"
    assert [symbol(path, f"{n}_arena").bytes for n in ("a", "b", "common")] == [100, 1000, 1000]
    with ELFFile.load_from_path(str(path)) as elf:
        named = [s for s in elf.iter_sections() if s.name == ".dtcm_noinit"]
        assert (len(named) == 1 and named[0]["sh_size"] >= 1000) if section else not named


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_link_time_optimisation_knows_that_they_are_one(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    (tmp_path / "common.c").write_text(emit_shared_arena("common", ARENAS))
    for name, size in (("a", 100), ("b", 1000)):
        (tmp_path / f"{name}.c").write_text(
            f"#include <stdint.h>\nextern uint8_t {name}_arena[{size}];\nvoid {name}_set(uint8_t value);\n"
            f"uint8_t {name}_get(void);\nvoid {name}_set(uint8_t value) {{ {name}_arena[0] = value; }}\n"
            f"uint8_t {name}_get(void) {{ return {name}_arena[0]; }}\n"
        )
    (tmp_path / "main.c").write_text(
        "#include <stdint.h>\nvoid a_set(uint8_t);\nvoid b_set(uint8_t);\nuint8_t b_get(void);\n"
        "int main(int count, char **words)\n{\n\t(void)words;\n\tb_set((uint8_t)count);\n"
        "\ta_set((uint8_t)(count + 1));\n\treturn b_get() - 2;\n}\n"
    )
    cpu = ["-mcpu=cortex-m7", "-mthumb", "--specs=nosys.specs"] if compiler.startswith("arm") else []
    command = [compiler, "-O2", "-flto", *cpu, f"-I{INCLUDE}", "common.c", "a.c", "b.c", "main.c", "-o", "program"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if compiler != "arm-none-eabi-gcc":
        assert subprocess.run([str(tmp_path / "program")]).returncode == 0


def test_a_section_for_the_arena_of_one_model(tmp_path: Path) -> None:
    need("arm-none-eabi-gcc")
    model = tmp_path / "net.tflite"
    model.write_bytes(small_classifier_bytes())
    arguments = ["compile", str(model), "--board", "stm32f746", "-o", str(tmp_path / "net"), "--quiet"]
    for section in (".dtcm_noinit", None):
        assert execute([*arguments, *(["--arena-section", section] if section else [])]) == 0
        command = ["arm-none-eabi-gcc", "-mcpu=cortex-m7", "-mthumb", *WARNINGS, "-I.", "-c", "net_arena.c"]
        subprocess.run([*command, "-fdata-sections"], cwd=tmp_path / "net", check=True)
        with ELFFile.load_from_path(str(tmp_path / "net" / "net_arena.o")) as elf:
            (arena,) = elf.get_section_by_name(".symtab").get_symbol_by_name("net_arena")
            assert elf.get_section(arena["st_shndx"]).name == (section or ".bss.net_arena")


@pytest.mark.parametrize("section", ['x"))) int y; //', "", "a b", ".a,b", "x" * 81, "1st", "a\n"])
def test_no_code_in_the_name_of_a_section(section: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text('{"format": "runnel-plan-2", "name": "a", "arena_bytes": 16}')
    target = tmp_path / "common.c"
    arguments = ["arena", str(tmp_path / "a.json"), "--name", "common", "-o", str(target), "--section", section]
    assert execute(arguments) == 2
    assert "is no name of a linker section" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not a plan", "is not JSON"),
        ("[]", "is not of this version's format"),
        ('{"format": "runnel-plan-2", "arena_bytes": 16}', "no valid 'name'"),
        ('{"format": "runnel-plan-2", "name": "a", "arena_bytes": true}', "no valid 'arena_bytes'"),
        ('{"format": "runnel-plan-2", "name": "a", "arena_bytes": -4}', "an arena of -4 bytes"),
        ('{"format": "runnel-plan-2", "name": "a;", "arena_bytes": 4}', "is not a C identifier"),
    ],
)
def test_files_that_are_no_plans(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(RunnelError, match=message) as raised:
        read_arena(path)
    assert str(path) in str(raised.value)
    assert "give the plan.json that `runnel compile` wrote" in str(raised.value)
    with pytest.raises(RunnelError, match="cannot be read: No such file"):
        read_arena(tmp_path / "absent.json")


def test_two_models_with_one_name() -> None:
    twins = [ModelArena("a", 16, Path("one/plan.json")), ModelArena("a", 32, Path("two/plan.json"))]
    with pytest.raises(RunnelError, match=r"one/plan.json and two/plan.json are both of a model called 'a'"):
        emit_shared_arena("common", twins)
    with pytest.raises(RunnelError, match=r"cannot be called 'b' like the model in b.json"):
        emit_shared_arena("b", ARENAS)
    for models in (("x", "common_arena"), ("x", "x_arena")):
        arenas = [ModelArena(model, 16, Path(f"{model}.json")) for model in models]
        with pytest.raises(RunnelError, match=rf"the model in {models[1]}.json is called '{models[1]}', like an array"):
            emit_shared_arena("common", arenas)


def test_a_plan_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-o b/plan.json: the C file's name was forgotten."""
    plans = [tmp_path / "a.json", tmp_path / "b.json"]
    for plan in plans:
        plan.write_text(f'{{"format": "runnel-plan-2", "name": "{plan.stem}", "arena_bytes": 16}}')
    assert execute(["arena", *map(str, plans), "--name", "common", "-o", str(plans[1])]) == 2
    assert "is one of the plans that are read; give the C file to write" in capsys.readouterr().err
    assert '"b"' in plans[1].read_text()
