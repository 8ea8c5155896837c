# SPDX-License-Identifier: Apache-2.0
"""SOFTMAX against TensorFlow Lite Micro."""

from __future__ import annotations

import numpy as np
import pytest

from operators.kernel_host import check_against_oracle, random_values, refusals, run_operator, single_operator, tensor
from runnel.graph import Graph

pytestmark = pytest.mark.usefixtures("tflm")


def _softmax(shape: tuple[int, ...], scale: float, beta: float = 1.0, zero_point: int = 0) -> Graph:
    source, output = tensor(0, shape, scale, zero_point), tensor(1, shape, 1 / 256, -128)
    return single_operator("SOFTMAX", [source], output, {"beta": float(np.float32(beta))})


@pytest.mark.parametrize("shape", [(1, 2), (1, 10), (5, 7), (1, 3, 4, 5), (1, 500), (40, 1), (3,)], ids=str)
def test_softmax_equals_the_oracle(shape: tuple[int, ...], full: bool, seed: int) -> None:
    for number in range(100 if full else 15):
        random = np.random.default_rng((seed, number))
        graph = _softmax(shape, float(2.0 ** random.uniform(-10, 2)), float(random.choice([0.1, 1.0, 3.0])))
        check_against_oracle(graph, random_values(graph, number))


@pytest.mark.parametrize("scale", [2.0**-26 * 1.01, 2.0**-20, 1 / 16, 0.25, 1.0, 31.0, 32.0, 100.0, 1e9])
def test_all_differences_at_extreme_scales(scale: float) -> None:
    for beta in (1.0, 0.37):
        if scale * beta <= 2.0**-26:
            continue
        pairs = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
        check_against_oracle(_softmax((256, 2), scale, beta), {0: pairs})
        row = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
        check_against_oracle(_softmax((1, 256), scale, beta), {0: row})


def test_a_thousand_equal_classes_give_zeros() -> None:
    """TensorFlow Lite Micro aborts where the sum of exponentials reaches 512; the true quotients round to 0."""
    for classes in (512, 1000, 4095):
        graph = _softmax((1, classes), 0.001)
        values = np.zeros((1, classes), np.int8)
        assert refusals(graph) == []
        assert set(run_operator(graph, {0: values}).tolist()) == {-128}


def test_what_is_refused() -> None:
    assert refusals(_softmax((1, 4096), 0.1)) == ["shape (1, 4096)"]
    assert len(refusals(_softmax((1, 4), 1e-9))) == 1
    other = single_operator("SOFTMAX", [tensor(0, (1, 4), 0.1)], tensor(1, (1, 4), 1 / 256, 0), {"beta": 1.0})
    assert refusals(other) == ["scale 0.00390625, zero point 0"]
