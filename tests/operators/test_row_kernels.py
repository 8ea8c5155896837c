# SPDX-License-Identifier: Apache-2.0
"""Row kernels against the references of their operators, and what operators say of themselves without lowering."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from operators.row_cases import FILL, make_job, row_cases
from operators.row_host import Case, check_cases, run_cases
from random_models.operators import KINDS, operator_model
from random_models.source import SeededSource
from runnel.graph import Graph
from runnel.operators import operator_type
from runnel.operators.base import Footprint, RowLayout, Target
from runnel.operators.spread import spread_call

ROW_KINDS = tuple(kind for kind in KINDS if kind not in ("FULLY_CONNECTED", "SOFTMAX", "PAD", "PADV2", "CONCATENATION"))
KERNELS = {
    "portable": {
        "conv_2d_pixels",
        "conv_2d_columns",
        "conv_2d_window",
        "depthwise_conv_2d_planes",
        "pool_2d_window",
        "add_pixels",
        "mul_pixels",
        "lookup_pixels",
        "resize_nearest_neighbor_window",
        "sums_add",
        "mean_sums_finish",
        "pool_2d_sums_finish",
    },
    "dsp": {"conv_2d_pixels", "conv_2d_columns", "conv_2d_window", "depthwise_conv_2d_planes"},
}


def padded_anyhow(graph: Graph, random: np.random.Generator) -> Graph:
    """The same graph with explicit paddings, of which some windows may see nothing else."""
    (operator,) = graph.operators
    if operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D") or random.random() < 0.6:
        return graph
    pads = {f"pad_{side}": int(random.integers(0, 5)) for side in ("top", "bottom", "left", "right")}
    changed = operator.replace(attributes={**operator.attributes, "padding": "EXPLICIT", **pads})
    (shape,) = operator_type(operator.kind).output_shapes(graph, changed)
    if min(shape) < 1:
        return graph
    output = graph.tensor(operator.outputs[0])
    tensors = {**graph.tensors, output.index: replace(output, shape=shape)}
    return graph.replace(operators=(changed,), tensors=tensors)


def make_cases(seed: int, operators: int, target: Target) -> list[Case]:
    cases: list[Case] = []
    for number in range(operators):
        random = np.random.default_rng((seed, number))
        graph = operator_model(SeededSource(seed, number), ROW_KINDS[number % len(ROW_KINDS)])
        if len(graph.operators) != 1:
            continue
        graph = padded_anyhow(graph, random)
        (operator,) = graph.operators
        kind = operator_type(operator.kind)
        if any(constraint(graph, operator) for constraint in kind.constraints):
            continue
        job = make_job(graph, operator, target, random)
        if job is not None:
            cases += row_cases(job, 6)
    return cases


@pytest.mark.parametrize("dsp", [False, True], ids=["portable", "dsp"])
def test_row_kernels_equal_the_references(dsp: bool, full: bool, seed: int, tmp_path: Path) -> None:
    """Random operators, rows, strips and groups, paddings, rings with rotation; pixels, planes and columns."""
    cases = make_cases(seed, 4000 if full else 500, Target(dsp=dsp))
    seen = Counter(case.call.kernel for case in cases)
    assert set(seen) == KERNELS["portable"]
    if dsp:
        assert {case.call.kernel for case in cases if case.call.variant == "dsp"} == KERNELS["dsp"]
    assert min(seen.values()) >= 8, seen
    check_cases(cases, tmp_path)


@pytest.mark.parametrize("optimize", ["-O3", "-Os", "-O0"])
def test_dsp_row_kernels_as_instructions(optimize: str, full: bool, seed: int, tmp_path: Path) -> None:
    """The same on an emulated Cortex-M7: assembly, or intrinsics where nothing is optimized."""
    cases = make_cases(seed + 1, 2000 if full else 200, Target(dsp=True))
    check_cases([case for case in cases if case.call.variant == "dsp"], tmp_path, optimize)


def test_a_wrong_input_is_seen(tmp_path: Path) -> None:
    case = next(c for c in make_cases(0, 60, Target()) if c.call.kernel == "depthwise_conv_2d_planes")
    inputs = (np.bitwise_xor(case.inputs[0], np.int8(0x55)),)
    (result,) = run_cases([replace(case, inputs=inputs)], tmp_path)
    assert not np.array_equal(result, case.after)


def test_spreading_pixels(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    cases = []
    for channels in range(1, 18):
        pixels, start, gap = (int(v) for v in random.integers(1, 18, 3))
        values = random.integers(-128, 128, (pixels, channels)).astype(np.int8)
        before = np.full((channels, start + pixels + gap), FILL, np.int8)
        after = before.copy()
        after[:, start : start + pixels] = values.T
        call = spread_call(channels, RowLayout(1, start + pixels + gap))
        cases.append(Case(call, (values,), (pixels, start), before.reshape(-1), after.reshape(-1), f"{channels}"))
    check_cases(cases, tmp_path)


@pytest.mark.parametrize("dsp", [False, True], ids=["portable", "dsp"])
def test_the_footprint_is_what_lower_gives(dsp: bool, full: bool, seed: int) -> None:
    target = Target(dsp=dsp)
    seen: Counter[str] = Counter()
    for number in range(2000 if full else 300):
        graph = operator_model(SeededSource(seed, number), KINDS[number % len(KINDS)])
        for operator in graph.operators:
            kind = operator_type(operator.kind)
            if any(constraint(graph, operator) for constraint in kind.constraints):
                continue
            calls = kind.lower(graph, operator, target)
            expected = Footprint(
                scratch_bytes=max((call.scratch_bytes for call in calls), default=0),
                in_place=calls[0].in_place if len(calls) == 1 else (),
                calls=len(calls),
            )
            assert kind.footprint(graph, operator, target) == expected, operator
            seen[operator.kind] += 1
    assert set(KINDS) <= set(seen)


def test_shapes_are_enough_for_rows(seed: int) -> None:
    """Weights of a network that is only imagined are one zero, repeated."""
    for number in range(60):
        graph = operator_model(SeededSource(seed, number), ("CONV_2D", "DEPTHWISE_CONV_2D")[number % 2])
        (operator,) = graph.operators
        dummies = {
            index: replace(t, data=np.broadcast_to(np.zeros(1, t.data.dtype), t.shape)) if t.data is not None else t
            for index, t in graph.tensors.items()
        }
        imagined = graph.replace(tensors=dummies)
        kind = operator_type(operator.kind)
        for target in (Target(), Target(dsp=True)):
            assert kind.row_form(imagined, operator) == kind.row_form(graph, operator)
            assert kind.footprint(imagined, operator, target) == kind.footprint(graph, operator, target)
            scratch = kind.row_scratch_bytes(graph, operator, target)
            assert kind.row_scratch_bytes(imagined, operator, target) == scratch
