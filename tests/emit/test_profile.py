# SPDX-License-Identifier: Apache-2.0
"""The profile of a generated model: nothing without RUNNEL_PROFILE, each segment once and by its name with it."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runnel.boards import load_board
from runnel.build.toolchain import WARNINGS
from runnel.compiler import Options, load_bytes, plan_model, write_sources
from runnel.emit.emitter import emit
from runnel.graph import Graph
from runnel.resources import resource_root
from runnel.schedule.schedule import Streaming
from runnel.tflite.writer import write_tflite
from small_graphs import activation, constant, graph, operator
from small_model import small_classifier, small_classifier_bytes

from .streamed import bottlenecks, cut, planned

INCLUDE = resource_root() / "zephyr_module" / "include"
CPUS = {"gcc": [], "clang": [], "arm-none-eabi-gcc": ["-mcpu=cortex-m7", "-mthumb"]}

PRODUCT = """
#include <stdio.h>
#include "net.h"
#include "runnel/profile.h"

static uint32_t now = UINT32_MAX - 2; /* wraps around in the first segments */

uint32_t runnel_profile_cycles(void)
{
	now += 7;
	return now;
}

void runnel_profile_segment(const char *model, int32_t segment, const char *name, uint32_t cycles)
{
	printf("%s|%d|%s|%u\\n", model, (int)segment, name, (unsigned)cycles);
}

void runnel_profile_end(const char *model)
{
	printf("%s|end\\n", model);
}

int main(void)
{
	return net_run();
}
"""


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


def renamed(graph: Graph, name: str) -> Graph:
    """The graph with every tensor called `name` and its number."""
    return replace(graph, tensors={i: replace(t, name=f"{name}{i}") for i, t in graph.tensors.items()})


def write_model(folder: Path, graph: Graph | None = None, options: Options | None = None) -> Path:
    """Layer by layer, unless there are other options."""
    data = write_tflite(graph) if graph is not None else small_classifier_bytes()
    board = load_board("host")
    plan = plan_model(load_bytes(data, "net"), board, options or Options(layers=True), "net")
    write_sources(plan, folder, 0)
    return folder


def compile_c(compiler: str, folder: Path, *arguments: str) -> None:
    command = [compiler, *WARNINGS, *CPUS.get(compiler, []), f"-I{folder}", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("compiler", CPUS)
def test_nothing_is_left_without_the_define(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    folder = write_model(tmp_path)
    compile_c(compiler, folder, "-O2", "-c", "net.c", "-o", "with.o")
    source = (folder / "net.c").read_text()
    plain, hooks = re.subn(r"\tRUNNEL_(SEGMENT_BEGIN|SEGMENT_END|PROFILE_END)\(.*\);\n", "\n", source)
    assert hooks == 9, "four segments and the end"
    (folder / "net.c").write_text(plain)
    compile_c(compiler, folder, "-O2", "-c", "net.c", "-o", "without.o")
    assert (folder / "with.o").read_bytes() == (folder / "without.o").read_bytes()


@pytest.mark.parametrize("compiler", CPUS)
def test_compiles_with_the_define(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    compile_c(compiler, write_model(tmp_path), "-O2", "-DRUNNEL_PROFILE", "-c", "net.c")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("define", [[], ["-DRUNNEL_PROFILE"]])
def test_header_is_cpp17(compiler: str, define: list[str], tmp_path: Path) -> None:
    need(compiler)
    (tmp_path / "user.cpp").write_text(
        '#include "runnel/profile.h"\nint run();\n'
        'int run() { RUNNEL_SEGMENT_BEGIN(net); RUNNEL_SEGMENT_END(net, 0, "x"); RUNNEL_PROFILE_END(net); return 0; }\n'
    )
    command = [compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wconversion", f"-I{INCLUDE}", *define]
    done = subprocess.run([*command, "-c", "user.cpp"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_each_segment_is_reported_once_in_order(tmp_path: Path) -> None:
    need("gcc")
    folder = write_model(tmp_path)
    (folder / "main.c").write_text(PRODUCT)
    compile_c("gcc", folder, "-O1", "-DRUNNEL_PROFILE", "main.c", "net.c", "net_arena.c", "-lm", "-o", "net")
    lines = subprocess.run([str(folder / "net")], capture_output=True, text=True, check=True).stdout.splitlines()
    names = ["CONV_2D features", "MEAN pooled", "FULLY_CONNECTED logits", "SOFTMAX probabilities"]
    assert lines == [f"net|{i}|{name}|7" for i, name in enumerate(names)] + ["net|end"]
    comment = (folder / "net.c").read_text().split("*/")[0]
    for number, name in enumerate(names):
        kind, tensor = name.split()
        assert re.search(rf"{number}: operator \d+ {kind}.*  {tensor}\n", comment)


ROWS_PRODUCT = PRODUCT.replace(
    "int main(void)\n{\n\treturn net_run();",
    """static int row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	(void)context, (void)y, (void)x, (void)columns, (void)destination;
	return y == *(int32_t *)context ? -5 : 0;
}

int main(void)
{
	for (int32_t failing = 8; failing >= 7; failing--) {
		printf("%d\\n", net_run_rows(row, &failing));
	}
	return 0;""",
)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_segment_that_pulls_rows_is_one_of_the_profile(compiler: str, tmp_path: Path) -> None:
    need(compiler)
    schedule = cut(bottlenecks(((8, 3, 1),), size=(8, 8)), (5, Streaming(pulled=True)), (6, None))
    for name, text in emit(planned(schedule), INCLUDE, 0).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(ROWS_PRODUCT)
    compile_c(compiler, tmp_path, "-O1", "-DRUNNEL_PROFILE", "main.c", "net.c", "net_arena.c", "-o", "net")
    lines = subprocess.run([str(tmp_path / "net")], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines == ["net|0|CONV_2D..ADD t13|7", "net|1|MEAN t15|7", "net|end", "0", "net|0|CONV_2D..ADD t13|7", "-5"]


def test_hostile_names_stay_strings(tmp_path: Path) -> None:
    need("gcc")
    folder = write_model(tmp_path, renamed(small_classifier(), 'a"), abort(), puts("/* \\ ??/ %s '))
    (folder / "main.c").write_text(PRODUCT)
    compile_c("gcc", folder, "-O1", "-DRUNNEL_PROFILE", "main.c", "net.c", "net_arena.c", "-lm", "-o", "net")
    lines = subprocess.run([str(folder / "net")], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split("|")[1] for line in lines] == ["0", "1", "2", "3", "end"]
    assert all('"), abort(), puts("' in line for line in lines[:-1])


def test_segments_that_do_nothing_are_not_reported(tmp_path: Path) -> None:
    """An alias (RESHAPE) keeps its number in the schedule and has no hooks."""
    reshape = operator(0, "RESHAPE", (0, 1), (2,), {"new_shape": [1, 4]})
    relu = operator(1, "RELU", (2,), (3,))
    tensors = [activation(0, (1, 2, 2, 1)), constant(1, [1, 4]), activation(2, (1, 4)), activation(3, (1, 4))]
    folder = write_model(tmp_path, graph(tensors, [reshape, relu], [0], [3]))
    source = (folder / "net.c").read_text()
    assert "same bytes, nothing to do" in source
    assert re.findall(r"RUNNEL_SEGMENT_END\(net, (\d+),", source) == ["1"]
