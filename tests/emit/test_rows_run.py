# SPDX-License-Identifier: Apache-2.0
"""Segments that run by rows give the bytes of layer by layer in every mode; models that pull rows of their input."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runnel.boards import load_board
from runnel.build import BuildOptions, build_firmware
from runnel.build.from_plan import harness_model
from runnel.emit.emitter import emit
from runnel.graph import Graph
from runnel.plan.plan import Move, PlacedBuffer, Plan
from runnel.reference import evaluate, selftest_crc, selftest_inputs
from runnel.resources import resource_root
from runnel.run import run_firmware
from runnel.schedule.schedule import Schedule, Streaming

from .streamed import bottlenecks, cut, planned, whole

INCLUDE = resource_root() / "zephyr_module" / "include"
BLOCKS = ((8, 3, 1), (8, 5, 1))
TENSOR_AFTER_STEM, TENSOR_AFTER_BLOCK = 3, 13


def two_blocks(first: Streaming, second: Streaming) -> Schedule:
    """The first convolution layer by layer, then a segment for each of two blocks."""
    return cut(bottlenecks(BLOCKS, pooled=False), (1, None), (5, first), (9, second))


def several_outputs(streaming: Streaming) -> Schedule:
    graph = bottlenecks(BLOCKS, pooled=False)
    inner = (graph.operators[0].outputs[0], graph.operators[2].outputs[0])
    return whole(graph.replace(outputs=(*inner, *graph.outputs)), streaming)


SCHEDULES = {
    "one patch": whole(bottlenecks(), Streaming()),
    "group 2": whole(bottlenecks(), Streaming(group=2)),
    "pulled": whole(bottlenecks(), Streaming(group=4, pulled=True)),
    "shared functions": whole(bottlenecks(), Streaming(group=4, pulled=True), "flash"),
    "strips": whole(bottlenecks(), Streaming(strips=2, group=1)),
    "strips pulled": whole(bottlenecks(pooled=False), Streaming(strips=3, pulled=True)),
    "bands": whole(bottlenecks(pooled=False), Streaming(bands=3)),
    "patches": whole(bottlenecks(pooled=False), Streaming(strips=2, bands=2)),
    "patches pulled": whole(bottlenecks(), Streaming(strips=2, bands=2, group=2, pulled=True)),
    "smaller than the window": whole(bottlenecks(((8, 7, 1), (8, 3, 2)), size=(3, 4)), Streaming(pulled=True)),
    "several outputs": several_outputs(Streaming(group=3, pulled=True)),
    "classifier after the pool": whole(bottlenecks(classes=5), Streaming(pulled=True)),
    "segments": two_blocks(Streaming(), Streaming(strips=2)),
    "overlap": two_blocks(Streaming(grows_into=TENSOR_AFTER_STEM), Streaming(group=2, grows_into=TENSOR_AFTER_BLOCK)),
    "overlap under strips": two_blocks(
        Streaming(strips=3, grows_into=TENSOR_AFTER_STEM), Streaming(strips=2, grows_into=TENSOR_AFTER_BLOCK)
    ),
}


def write_sources(plan: Plan, folder: Path, crc: int | None) -> Path:
    for name, text in emit(plan, INCLUDE, crc).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def records(graph: Graph) -> list[bytes]:
    random = np.random.default_rng(1)
    shapes = [graph.tensor(index).shape for index in graph.inputs]
    noise = [[random.integers(-128, 128, shape).astype(np.int8) for shape in shapes] for _ in range(2)]
    extremes = [[np.full(shape, value, np.int8) for shape in shapes] for value in (-128, 127)]
    return [b"".join(a.tobytes() for a in arrays) for arrays in (*noise, *extremes)]


def expected(graph: Graph, record: bytes) -> bytes:
    shape = graph.tensor(graph.inputs[0]).shape
    return b"".join(a.tobytes() for a in evaluate(graph, [np.frombuffer(record, np.int8).reshape(shape)]))


def assert_same_bytes(schedule: Schedule, board: str, folder: Path, options: BuildOptions) -> None:
    graph, target = schedule.graph, load_board(board)
    plan = planned(schedule, dsp=target.dsp, board=board)
    write_sources(plan, folder / "sources", selftest_crc(graph, schedule.segments))
    model = harness_model(plan, selftest=True)
    firmware = build_firmware(folder / "sources", model, target, folder / "firmware", options)
    inputs = records(graph)
    result = run_firmware(firmware, inputs)
    assert list(result.outputs) == [expected(graph, record) for record in inputs]
    assert result.selftest_passed
    assert firmware.arena_bytes == plan.arena_bytes
    assert result.guard_intact is (True if options.guard_bytes else None)
    assert result.stack_bytes is None or result.stack_bytes <= 512
    if firmware.footprint is not None:
        assert firmware.footprint.static_sram_bytes == plan.arena_bytes


@pytest.mark.parametrize("name", SCHEDULES)
def test_bytes_are_those_of_layer_by_layer(name: str, tmp_path: Path) -> None:
    assert_same_bytes(SCHEDULES[name], "host", tmp_path, BuildOptions(sanitize=True, guard_bytes=64))


@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m7", "qemu-m55", "qemu-m3"])
def test_bytes_on_emulated_boards_and_no_ram_but_the_arena(board: str, tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    assert_same_bytes(SCHEDULES["pulled"], board, tmp_path, BuildOptions())


def with_move(plan: Plan, tensor: int, step: int, up: int) -> Plan:
    """The tensor lies `up` bytes further up from `step` on, everything else below it."""
    place = next(p for p in plan.layout.buffers if tensor in p.buffer.tensors)
    top = plan.arena_bytes
    before = PlacedBuffer(replace(place.buffer, last=step - 1), top)
    after = PlacedBuffer(replace(place.buffer, name="moved", first=step, shares=()), top + up)
    others = [p for p in plan.layout.buffers if p is not place]
    layout = replace(
        plan.layout,
        buffers=(*others, before, after),
        arena_bytes=top + up + place.buffer.aligned_bytes,
        moves=(Move(step, place.buffer.name, "moved"),),
    )
    return replace(plan, layout=layout)


@pytest.mark.parametrize("up", [4, 4096])
def test_a_tensor_is_moved_before_a_segment(up: int, tmp_path: Path) -> None:
    """It may lie over its old place."""
    schedule = cut(bottlenecks(BLOCKS, pooled=False), (1, None), (5, Streaming()), (9, Streaming()))
    plan = with_move(planned(schedule), TENSOR_AFTER_BLOCK, 2, up)
    write_sources(plan, tmp_path / "sources", None)
    assert "\tmemmove(SCRATCH(" in (tmp_path / "sources" / "net.c").read_text()
    options = BuildOptions(sanitize=True, guard_bytes=64)
    firmware = build_firmware(tmp_path / "sources", harness_model(plan), load_board("host"), tmp_path / "b", options)
    inputs = records(schedule.graph)
    assert list(run_firmware(firmware, inputs).outputs) == [expected(schedule.graph, record) for record in inputs]


RUN_ROWS = """
#include <stdio.h>
#include <string.h>
#include "net.h"

enum { HEIGHT = 13, WIDTH = 11, PIXEL = 3 };

struct asked {
	int32_t calls;
	int32_t fail_at; /* the call that fails, from 1 */
	int32_t next_row;
	int32_t out_of_order;
};

static int read_row(void *context, int32_t y, int32_t x, int32_t columns, void *destination)
{
	struct asked *asked = (struct asked *)context;

	asked->calls++;
	if (asked->calls == asked->fail_at) {
		return -77;
	}
	asked->out_of_order += y != asked->next_row || x != 0 || columns != WIDTH;
	asked->next_row = y + 1;
	memset(destination, 5, (size_t)(columns * PIXEL));
	return 1; /* not negative: no error */
}

int main(void)
{
	for (int32_t fail_at = 0; fail_at <= HEIGHT + 1; fail_at++) {
		struct asked asked = {0, fail_at, 0, 0};
		const int status = net_run_rows(read_row, &asked);

		printf("%d %d %d %d\\n", (int)fail_at, status, (int)asked.calls, (int)asked.out_of_order);
	}
	printf("%d\\n", net_run_rows(NULL, NULL) == RUNNEL_EINVAL);
	return 0;
}
"""


def run_c(folder: Path, program: str) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    (folder / "main.c").write_text(program)
    command = ["gcc", "-std=c11", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I."]
    done = subprocess.run([*command, "main.c", "net.c", "net_arena.c", "-o", "main"], cwd=folder, capture_output=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("pulled", [True, False])
def test_what_read_row_returns_ends_the_run(pulled: bool, tmp_path: Path) -> None:
    write_sources(planned(whole(bottlenecks(), Streaming(pulled=pulled))), tmp_path, None)
    *lines, refused = [tuple(map(int, line.split())) for line in run_c(tmp_path, RUN_ROWS).splitlines()]
    assert refused == (1,), "without a function"
    rows = 13
    for fail_at, status, calls, out_of_order in lines:
        failed = 1 <= fail_at <= rows
        assert (status, calls) == ((-77, fail_at) if failed else (0, rows)), fail_at
        assert out_of_order == 0
    assert len(lines) == rows + 2


SELF_TEST = '#include <stdio.h>\n#include "net.h"\nint main(void) { printf("%d", net_selftest()); return 0; }\n'


@pytest.mark.parametrize("name", ["pulled", "patches pulled"])
def test_selftest_notices_a_changed_weight(name: str, tmp_path: Path) -> None:
    schedule = SCHEDULES[name]
    write_sources(planned(schedule), tmp_path, selftest_crc(schedule.graph, schedule.segments))
    assert run_c(tmp_path, SELF_TEST) == "0"
    constants = (tmp_path / "net_constants.h").read_text()
    first = re.search(r"op00_weights\[\d+\] = \{\n\t\s*(-?\d+),", constants)
    assert first is not None
    changed = constants[: first.start(1)] + str(-int(first.group(1)) or 9) + constants[first.end(1) :]
    (tmp_path / "net_constants.h").write_text(changed)
    assert run_c(tmp_path, SELF_TEST) == "-1"


def test_selftest_rows_are_the_stored_input(tmp_path: Path) -> None:
    """Rows of strips, asked for twice and with a part of the columns, are cut out of one sequence."""
    graph = bottlenecks()
    image = selftest_inputs(graph)[0][0]
    program = """
#include <stdio.h>
#include "runnel/selftest.h"

int main(void)
{
	struct runnel_selftest_rows rows = { .row_elements = 33, .pixel_elements = 3 };
	const int32_t asked[][3] = {{0, 0, 11}, {0, 0, 4}, {2, 3, 2}, {2, 10, 1}, {12, 0, 11}, {1, 5, 6}, {0, 10, 1}};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		int8_t pixels[33];

		runnel_selftest_read_row(&rows, asked[i][0], asked[i][1], asked[i][2], pixels);
		printf("%d %d %d", (int)asked[i][0], (int)asked[i][1], (int)asked[i][2]);
		for (int32_t n = 0; n < 3 * asked[i][2]; n++) {
			printf(" %d", pixels[n]);
		}
		printf("\\n");
	}
	return 0;
}
"""
    for line in compiled_alone(program, tmp_path).splitlines():
        y, x, columns, *values = map(int, line.split())
        assert values == image[y, x : x + columns].reshape(-1).tolist()


def compiled_alone(program: str, folder: Path) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    command = ["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", f"-I{INCLUDE}", "-x", "c", "-"]
    done = subprocess.run([*command, "-o", str(folder / "main")], input=program, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return subprocess.run([folder / "main"], capture_output=True, text=True, check=True).stdout
