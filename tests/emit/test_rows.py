# SPDX-License-Identifier: Apache-2.0
"""Generated C of segments that run by rows: it reads like the idea, and compilers have nothing to say about it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from runnel.build.toolchain import WARNINGS
from runnel.emit.describe import word
from runnel.emit.emitter import emit
from runnel.reference import selftest_crc
from runnel.resources import resource_root
from runnel.schedule.schedule import Objective, Schedule, Streaming

from .streamed import bottlenecks, cut, planned, whole

INCLUDE = resource_root() / "zephyr_module" / "include"
CPUS = {"gcc": [], "clang": [], "arm-none-eabi-gcc": ["-mcpu=cortex-m7", "-mthumb"]}

ONE_BLOCK = """\
static RUNNEL_NOINLINE void segment_1(void)
{
	int8_t *const tensor_3 = TENSOR(int8_t, #);
	int8_t *const planes_6_9 = TENSOR(int8_t, #);
	int16_t *const columns_9 = TENSOR(int16_t, #);
	int8_t *const tensor_13 = TENSOR(int8_t, #);

	int32_t row_1 = 0;
	int32_t row_3 = 0;
	int32_t row_4 = 0;

	memset(planes_6_9, -20, 177);
	while (row_4 < 7) {
		if (row_3 > row_4) {
			/* operator 4 ADD */
			add_pixels_1(&op04_layer, tensor_3 + row_4 * 24, tensor_13 + row_4 * 24, 6,
					tensor_13 + row_4 * 24, NULL);
			row_4++;
		} else if (row_3 < 7 && row_1 >= runnel_rows_needed(row_3, 1, 2, 7)) {
			/* operator 2 DEPTHWISE_CONV_2D 3x3 stride 1 and operator 3 CONV_2D 1x1 stride 1, 4 pixels at a time */
			if (row_3 >= 6) {
				runnel_planes_fill_row(runnel_ring_row(planes_6_9, row_3 + 2, 3, 7), 8, 21, 7, -20);
			}
			for (int32_t x = 0; x < 6; x += 4) {
				const int32_t pixels = 6 - x < 4 ? 6 - x : 4;
				depthwise_conv_2d_planes_1(&op02_layer, planes_6_9 + x, row_3 % 3, pixels, columns_9);
				conv_2d_columns_1(&op03_layer, columns_9, pixels, tensor_13 + row_3 * 24 + x * 4, NULL);
			}
			row_3++;
		} else {
			/* operator 1 CONV_2D 1x1 stride 1 */
			conv_2d_pixels_1(&op01_layer, tensor_3 + row_1 * 24, 6,
					runnel_ring_row(planes_6_9 + 1, row_1 + 1, 3, 7), NULL);
			row_1++;
		}
	}
}
"""


def source(schedule: Schedule, crc: int | None = None) -> str:
    return emit(planned(schedule), INCLUDE, crc)["net.c"]


def long_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line.expandtabs()) > 120]


@pytest.mark.parametrize("objective", ["sram", "flash"])
def test_signatures_and_the_schedule_are_broken_into_lines(objective: Objective) -> None:
    graph = bottlenecks(((8, 3, 1),) * 6, pooled=False)
    every = cut(graph, *((operator.index + 1, None) for operator in graph.operators))
    text = source(replace(every, objective=objective))
    plan = planned(every)
    signatures = re.findall(r"^static RUNNEL_NOINLINE .*?\)\n{", text, re.MULTILINE | re.DOTALL)
    assert signatures
    assert any("\n" in found[:-2] for found in signatures)
    literal = re.search(r"\.schedule =(.*?),\n", text, re.DOTALL)
    assert literal is not None
    words = "".join(re.findall(r'"([^"]*)"', literal[1]))
    assert words.split(" ") == [word(segment.segment) for segment in plan.segments]
    assert literal[1].count("\n") > 1
    assert not long_lines("".join(signatures) + literal[0])


def test_strips_need_no_sum_that_cancels_out() -> None:
    text = source(whole(bottlenecks(), Streaming(strips=2, group=1)))
    assert re.search(r"\+ x\b", text)
    assert not re.search(r"\((strip->\w+) \+ x - \1\)", text)


def one_block(streaming: Streaming) -> Schedule:
    return cut(bottlenecks(((8, 3, 1),), pooled=False), (1, None), (5, streaming))


def function(text: str, name: str) -> str:
    """The definition of a function, places in the arena as #."""
    found = re.search(rf"^static RUNNEL_NOINLINE \w+ {name}\(.*?^}}\n", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.sub(r"(TENSOR\(\w+, )\d+", r"\1#", found[0])


def test_a_block_is_a_loop_over_rows_with_the_deepest_step_first() -> None:
    assert function(source(one_block(Streaming(group=4))), "segment_1") == ONE_BLOCK


def test_comments_say_what_runs_and_where_rows_are_kept() -> None:
    plan = planned(one_block(Streaming(group=4)))
    text = emit(plan, INCLUDE)["net.c"]
    head = text[: text.index("*/")]
    assert "1: operators 1 to 4 by rows: 7x6x4 -> 7x6x4  t13" in head
    assert "operator 2 DEPTHWISE_CONV_2D 3x3 stride 1\n" in head
    planes = plan.store("planes_6_9")
    assert f"{planes.offset:8} {planes.offset + 177:8}      177       1..1  planes_6_9 (channel planes)" in head
    comment = text[text.index("/* Segment 1:") :]
    comment = comment[: comment.index("*/")]
    assert f"planes_6_9:      3 rows, channel planes, of 7x6x8, 177 bytes at {planes.offset}" in comment
    assert "columns_9:       4 int16 columns of 7x6x8, 64 bytes at" in comment
    assert "rows_12:         a row of 7x6x4, in the place of tensor_13" in comment
    assert "row_3:       operator 2 DEPTHWISE_CONV_2D 3x3 stride 1 and operator 3 CONV_2D" in comment


def test_patches_are_lines_of_two_tables() -> None:
    text = source(whole(bottlenecks(pooled=False), Streaming(strips=2, bands=3)))
    assert "for (int32_t band_number = 0; band_number < 3; band_number++) {" in text
    assert "const struct segment_0_strip *const strip = &segment_0_strips[strip_number];" in text
    bands = re.search(r"segment_0_bands\[3\] = {\n(.*?)};", text, re.DOTALL)
    assert bands is not None
    assert len({line.count(",") for line in bands[1].strip().splitlines()}) == 1
    assert "int32_t row_3 = band->first_3;" in text


def test_in_place_strips_read_the_halo_and_save_the_next() -> None:
    text = source(one_block(Streaming(strips=2, grows_into=3)))
    assert "halo_3:          7 rows of 1 column for the next strip of 7x6x4, 28 bytes at" in text
    assert "tensor_13 grows into rows of tensor_3 that are consumed" in text
    assert re.search(r"memcpy\(halo_3 \+ row_1 \* 4, tensor_3 \+ row_1 \* 24 \+ strip->keep_from_1 \* 4,", text)


def test_a_pulled_model_asks_for_rows_and_has_no_input() -> None:
    files = emit(planned(whole(bottlenecks(), Streaming(pulled=True))), INCLUDE)
    header, text = files["net.h"], files["net.c"]
    assert "int net_run_rows(runnel_read_row read_row, void *context);" in header
    assert "#define NET_INPUT_PASSES 1\n" in header
    assert "NET_INPUT_BYTES 429\n" in header
    for absent in ("net_run(void)", "net_input(void)"):
        assert absent not in header + text
    assert "status = read_row(context, row_input, 0, 11, runnel_ring_row(rows_0, row_input, 3, 33));" in text


@pytest.mark.parametrize("name", ["segment_0", "segment_0_strips", "strip", "row_1", "status", "tensor_0", "context"])
def test_a_model_may_be_called_like_what_is_in_its_code(name: str, tmp_path: Path) -> None:
    plan = replace(planned(whole(bottlenecks(), Streaming(strips=2, pulled=True))), name=name)
    folder = write(emit(plan, INCLUDE, 1), tmp_path)
    compile_c("gcc", folder, *WARNINGS, "-fsyntax-only", f"{name}.c")


def test_a_stored_model_has_both_ways_to_run() -> None:
    header = emit(planned(one_block(Streaming())), INCLUDE)["net.h"]
    for present in ("int net_run(void);", "int net_run_rows(", "int8_t *net_input(void);", "NET_INPUT_PASSES 0\n"):
        assert present in header


def test_input_passes_are_the_strips_of_a_pulled_segment() -> None:
    header = emit(planned(whole(bottlenecks(), Streaming(strips=2, pulled=True))), INCLUDE)["net.h"]
    assert "#define NET_INPUT_PASSES 2\n" in header
    assert "each at most once" not in header
    assert "in 2 passes. Rows arrive in parts: x and columns\n * vary." in header
    assert "the next one restarts at the top." in header


def test_rows_of_a_further_band_do_not_restart_at_the_top() -> None:
    patches = whole(bottlenecks(pooled=False), Streaming(bands=2, strips=2, pulled=True))
    header = emit(planned(patches), INCLUDE)["net.h"]
    assert "in 4 passes." in header
    assert "the next one goes back up." in header


def test_rows_of_one_pass_come_once_and_in_order() -> None:
    header = emit(planned(whole(bottlenecks(), Streaming(pulled=True))), INCLUDE)["net.h"]
    assert "meanwhile, from top to bottom, each at most once." in header


def write(files: Mapping[str, str], folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def compile_c(compiler: str, folder: Path, *arguments: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no compiler '{compiler}' on PATH")
    done = subprocess.run([compiler, f"-I{folder}", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("objective", ["sram", "flash"])
@pytest.mark.parametrize(
    "streaming",
    [Streaming(group=2), Streaming(strips=2, bands=2, group=4, pulled=True), Streaming(strips=3, pulled=True)],
    ids=["one", "patches", "strips"],
)
@pytest.mark.parametrize("compiler", CPUS)
def test_compiles_without_warnings(tmp_path: Path, compiler: str, streaming: Streaming, objective: Objective) -> None:
    schedule = whole(bottlenecks(), streaming, objective)
    crc = selftest_crc(schedule.graph, schedule.segments)
    folder = write(emit(planned(schedule, dsp=compiler.startswith("arm")), INCLUDE, crc), tmp_path)
    for defines in ([], ["-DRUNNEL_PROFILE"]):
        compile_c(compiler, folder, *WARNINGS, *CPUS[compiler], *defines, "-O2", "-c", "net.c")


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_header_is_cpp17(tmp_path: Path, compiler: str) -> None:
    folder = write(emit(planned(whole(bottlenecks(), Streaming(pulled=True))), INCLUDE), tmp_path)
    user = (
        '#include "net.h"\n#include "runnel/selftest.h"\n'
        "static int row(void *, int32_t, int32_t, int32_t, void *) { return 0; }\n"
        "int main() { return net_run_rows(row, nullptr) + net.input_passes; }\n"
    )
    (folder / "user.cpp").write_text(user)
    compile_c(compiler, folder, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-c", "user.cpp")
