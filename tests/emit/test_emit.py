# SPDX-License-Identifier: Apache-2.0
"""Generated C: readable, deterministic, warning-free with gcc and clang, harmless whatever the model's names are."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from runnel.emit.emitter import emit
from runnel.graph import Graph, Operator, Quantization, Tensor
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.reference import selftest_crc
from runnel.resources import resource_root
from runnel.schedule.layer_by_layer import layer_by_layer
from runnel.schedule.schedule import Objective

INCLUDE = resource_root() / "zephyr_module" / "include"
HOSTILE = 'evil */ int x; /* "quoted" \\ \n ??/ trigraph €'
WARNINGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wno-unused-command-line-argument"]


def convolution(index: int, source: int, channels: int) -> tuple[dict[int, Tensor], Operator]:
    """A 3x3 convolution of 4 channels to `channels` over 6x6, tensors numbered from `index`."""
    rng = np.random.default_rng(index)
    weights = rng.integers(-127, 128, (channels, 3, 3, 4)).astype(np.int8)
    one = Quantization((0.5,), (3,))
    tensors = {
        index: Tensor(index, "weights", weights.shape, "int8", Quantization((0.01,), (0,)), weights),
        index + 1: Tensor(index + 1, HOSTILE, (1, 6, 6, channels), "int8", one),
    }
    attributes = {
        "padding": "SAME",
        "stride_h": 1,
        "stride_w": 1,
        "dilation_h_factor": 1,
        "dilation_w_factor": 1,
        "fused_activation_function": "NONE",
    }
    return tensors, Operator(index, "CONV_2D", (source, index, None), (index + 1,), attributes)


def two_layers() -> Graph:
    first, one = convolution(1, 0, 4)
    second, two = convolution(3, 2, 4)
    source = Tensor(0, HOSTILE, (1, 6, 6, 4), "int8", Quantization((0.25,), (-7,)))
    metadata = {"labels": [HOSTILE, "no"], "description": HOSTILE, "mean": [1.5], "std": [2.0], "colour_order": "rgb"}
    return Graph("two", {0: source, **first, **second}, (one, two), (0,), (4,), metadata)


def plan(objective: Objective = "sram", *, dsp: bool = True) -> Plan:
    return make_plan(layer_by_layer(two_layers(), objective), "two", "host", Target(dsp=dsp))


def write(files: Mapping[str, str], folder: Path) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def compile_with(compiler: str, folder: Path, *arguments: str) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"no compiler '{compiler}' on PATH")
    done = subprocess.run([compiler, f"-I{folder}", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_same_plan_same_bytes() -> None:
    assert emit(plan(), INCLUDE) == emit(plan(), INCLUDE)


@pytest.mark.parametrize("objective", ["sram", "flash"])
@pytest.mark.parametrize("dsp", [False, True])
@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_compiles_without_warnings(tmp_path: Path, compiler: str, dsp: bool, objective: Objective) -> None:
    folder = write(emit(plan(objective, dsp=dsp), INCLUDE, selftest_crc(two_layers())), tmp_path)
    cpu = ["-mcpu=cortex-m4", "-mthumb"] if compiler.startswith("arm") else []
    for source in ("two.c", "two_arena.c"):
        compile_with(compiler, folder, *WARNINGS, *cpu, "-O2", "-c", source)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_header_is_cpp17(tmp_path: Path, compiler: str) -> None:
    folder = write(emit(plan(), INCLUDE), tmp_path)
    (folder / "user.cpp").write_text('#include "two.h"\nint main() { return two_run() + two.label_count; }\n')
    compile_with(compiler, folder, "-std=c++17", "-Wall", "-Wextra", "-Werror", "-c", "user.cpp")


def test_every_library_header_compiles_alone(tmp_path: Path) -> None:
    headers = sorted((INCLUDE / "runnel").rglob("*.h"))
    assert headers
    for header in headers:
        name = header.relative_to(INCLUDE)
        unit = tmp_path / "unit.c"
        unit.write_text(f'#include "{name}"\ntypedef int not_empty;\n')
        compile_with("gcc", tmp_path, *WARNINGS, f"-I{INCLUDE}", "-fsyntax-only", str(unit))


def test_layers_of_equal_shape_share_one_function() -> None:
    source = emit(plan(), INCLUDE)["two.c"]
    assert len(re.findall(r"^static RUNNEL_NOINLINE void conv_2d_window_\d+\(", source, re.MULTILINE)) == 1
    assert len(re.findall(r"\tconv_2d_window_1\(&", source)) == 2


def test_only_what_the_model_uses() -> None:
    names = set(emit(plan(), INCLUDE))
    assert "runnel/kernels/dsp/conv_2d_window.h" in names
    assert not any("depthwise" in name or "softmax" in name for name in names)


def test_memory_map_and_schedule_are_in_the_header_comment() -> None:
    made = plan()
    source = emit(made, INCLUDE)["two.c"]
    comment = source[: source.index("*/")]
    assert f"Arena: {made.arena_bytes} bytes" in comment
    assert comment.count("CONV_2D 3x3 stride 1: 6x6x4 -> 6x6x4") == 2
    for placed in made.layout.buffers:
        assert re.search(rf"^ \*\s+{placed.offset}\s+{placed.offset + placed.buffer.bytes} ", comment, re.MULTILINE)


def preprocessing(channels: int, **metadata: object) -> tuple[str, ...]:
    """mean, std and colour order in the generated C of a model whose input has these channels."""
    weights = np.ones((4, 1, 1, channels), np.int8)
    quantization = Quantization((0.5,), (3,))
    tensors = {
        0: Tensor(0, "image", (1, 6, 6, channels), "int8", quantization),
        1: Tensor(1, "weights", weights.shape, "int8", Quantization((0.01,), (0,)), weights),
        2: Tensor(2, "result", (1, 6, 6, 4), "int8", quantization),
    }
    operator = Operator(0, "CONV_2D", (0, 1, None), (2,), convolution(1, 0, 4)[1].attributes)
    schedule = layer_by_layer(Graph("net", tensors, (operator,), (0,), (2,), metadata))
    text = emit(make_plan(schedule, "net", "host", Target(dsp=False)), INCLUDE)["net.c"]
    found = re.search(r"\.mean = \{ (.*) \},\n\t\t\.std = \{ (.*) \},\n\t\t\.colour_order = \"(.*)\",", text)
    assert found is not None
    return found.groups()


@pytest.mark.parametrize("value", [127.5, [127.5], (127.5,)])
def test_one_mean_and_std_hold_for_all_channels(value: object) -> None:
    rgb, grey = (preprocessing(channels, mean=value, std=value) for channels in (3, 1))
    assert rgb[:2] == ("127.5f, 127.5f, 127.5f, 0.0f", "127.5f, 127.5f, 127.5f, 1.0f")
    assert grey[:2] == ("127.5f, 0.0f, 0.0f, 0.0f", "127.5f, 1.0f, 1.0f, 1.0f")


def test_means_of_several_channels_stay_as_they_are() -> None:
    assert preprocessing(3, mean=[1, 2, 3], std=[4, 5, 6])[:2] == (
        "1.0f, 2.0f, 3.0f, 0.0f",
        "4.0f, 5.0f, 6.0f, 1.0f",
    )
    assert preprocessing(3)[:2] == ("0.0f, 0.0f, 0.0f, 0.0f", "1.0f, 1.0f, 1.0f, 1.0f")


@pytest.mark.parametrize(
    ("text", "emitted"),
    [("RGB", "rgb"), ("bgr", "bgr"), ("BGR", "bgr"), ("Grey", "grey"), ("", ""), (HOSTILE, "")],
)
def test_the_colour_order_is_one_of_those_that_the_header_lists(text: str, emitted: str) -> None:
    assert preprocessing(3, colour_order=text)[2] == emitted


def test_selftest_passes_and_notices_a_changed_weight(tmp_path: Path) -> None:
    files = dict(emit(plan(dsp=False), INCLUDE, selftest_crc(two_layers())))
    main = '#include "two.h"\nint main(void) { return two_selftest() == RUNNEL_OK ? 0 : 1; }\n'
    write({**files, "main.c": main}, tmp_path)
    compile_with("gcc", tmp_path, "-O1", "-o", "right", "main.c", "two.c", "two_arena.c")
    assert subprocess.run([str(tmp_path / "right")]).returncode == 0
    constants = files["two_constants.h"]
    first = re.search(r"op01_weights\[144\] = \{\n\t\s*(-?\d+),", constants)
    assert first is not None
    changed = constants[: first.start(1)] + str(-int(first.group(1)) or 9) + constants[first.end(1) :]
    write({"two_constants.h": changed}, tmp_path)
    compile_with("gcc", tmp_path, "-O1", "-o", "wrong", "main.c", "two.c", "two_arena.c")
    assert subprocess.run([str(tmp_path / "wrong")]).returncode == 1
