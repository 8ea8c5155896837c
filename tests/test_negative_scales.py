# SPDX-License-Identifier: Apache-2.0
"""Weight scales below zero (mcunet-in3 has some) where results are often exact ties: rounding goes by the product."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from random_models.batch import host, make_case, run_cases
from runnel.build import BuildOptions
from runnel.graph import Graph, Operator, Quantization, Tensor

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def tied(kind: str, seed: int) -> Graph:
    """A 3x3 layer whose multipliers are +-1/2, +-1/4, ...: every second or fourth accumulator lies on a tie."""
    random = np.random.default_rng(seed)
    depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, 3, 3, 8) if depthwise else (8, 3, 3, 8)
    scales = tuple(float(s) for s in random.choice([-0.5, 0.5, -0.25, 0.25, -0.125], 8))
    weights = random.integers(-3, 4, shape).astype(np.int8)
    bias = random.integers(-40, 40, 8).astype(np.int32)
    tensors = (
        Tensor(0, "x", (1, 6, 6, 8), "int8", Quantization((1.0,), (int(random.integers(-20, 20)),))),
        Tensor(1, "w", shape, "int8", Quantization(scales, (0,) * 8, 3 if depthwise else 0), weights),
        Tensor(2, "b", (8,), "int32", Quantization(scales, (0,) * 8), bias),
        Tensor(3, "y", (1, 6, 6, 8), "int8", Quantization((8.0,), (int(random.integers(-20, 20)),))),
    )
    options = {"stride_h": 1, "stride_w": 1, "dilation_h_factor": 1, "dilation_w_factor": 1, "padding": "SAME"}
    attributes = {**options, "fused_activation_function": "NONE", **({"depth_multiplier": 1} if depthwise else {})}
    operator = Operator(0, kind, (0, 1, 2), (3,), attributes)
    return Graph("tied", {t.index: t for t in tensors}, (operator,), (0,), (3,))


@pytest.mark.usefixtures("tflm")
@pytest.mark.parametrize("dsp", [False, True])
def test_negative_scales_round_as_tflm_does(tmp_path: Path, dsp: bool) -> None:
    cases = [make_case(f"{kind} {seed}", tied(kind, seed), False, False) for kind in KINDS for seed in range(8)]
    outcomes = run_cases(cases, host(dsp=dsp), tmp_path, BuildOptions(optimize="-O1"))
    assert [f"{o.case.label}: {o.problem}" for o in outcomes if o.problem] == []
