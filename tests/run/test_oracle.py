# SPDX-License-Identifier: Apache-2.0
"""The oracles: exact conversion at the edges, and models that their C++ refuses."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from runnel.errors import RunError
from runnel.graph import Graph, Quantization, Tensor
from runnel.run import oracle
from runnel.run.inputs import load_input
from runnel.run.oracle import compare, from_file, litert_oracle, tflm_oracle, to_file

pytestmark = pytest.mark.usefixtures("tflm")
ALL = np.arange(-128, 128).astype(np.int8)[None]


@pytest.mark.parametrize("exponent", range(-20, 8, 3))
def test_conversion_is_exact_for_every_value(exponent: int, seed: int) -> None:
    generator = np.random.default_rng(seed + exponent + 100)
    for _ in range(20):
        scale = float(np.float32(2.0**exponent * generator.uniform(0.5, 1)))
        edge = Tensor(0, "edge", (1, 256), "int8", Quantization((scale,), (int(generator.integers(-128, 128)),)))
        assert np.array_equal(from_file(to_file(ALL, edge, "float32"), edge), ALL)
        assert np.array_equal(from_file(to_file(ALL, edge, "uint8"), edge), ALL)
        assert to_file(ALL, edge, "uint8")[0, 0] == 0


def test_values_between_steps_are_an_error() -> None:
    edge = Tensor(0, "edge", (1, 1), "int8", Quantization((0.5,), (3,)))
    with pytest.raises(RunError, match="no multiple"):
        from_file(np.array([[0.25]], np.float32), edge)
    with pytest.raises(RunError, match="int8 here and int16"):
        to_file(ALL, edge, "int16")


def test_compare_counts_bytes() -> None:
    ours = [[np.array([1, 2, 3], np.int8)], [np.array([4, 5, 6], np.int8)]]
    theirs = [[np.array([[1, 2, 3]], np.int8)], [np.array([4, 6, 7], np.int8)]]
    assert compare(ours, ours) == 0
    assert compare(ours, theirs) == 2
    with pytest.raises(RunError, match="cannot compare"):
        compare(ours[:1], [[np.array([1, 2], np.int8)]])


@pytest.mark.parametrize("model", [b"", b"\0" * 64, bytes(range(256)) * 10])
def test_a_damaged_model_is_one_message(model: bytes) -> None:
    with pytest.raises(RunError, match="TensorFlow Lite Micro"):
        tflm_oracle(model).run([[ALL]])


def test_a_crash_of_the_interpreter_is_survived(testdata: Path) -> None:
    model = (testdata / "models" / "tflm_hello_world_int8.tflite").read_bytes()
    before = tflm_oracle(model).run([[np.zeros((1, 1), np.int8)]])
    process = oracle._worker().start()
    process.kill()
    with pytest.raises(RunError, match="crashed"):
        tflm_oracle(model).run([[np.zeros((1, 1), np.int8)]])
    assert compare(tflm_oracle(model).run([[np.zeros((1, 1), np.int8)]]), before) == 0


def test_float_edges_of_a_real_model(testdata: Path) -> None:
    """mcunet-vww1 wants float32; asked through int8 edges it answers the same values."""
    model = (testdata / "models" / "mcunet-vww1.tflite").read_bytes()
    start = Tensor(0, "in", (1, 80, 80, 3), "int8", Quantization((0.007843137718737125,), (-1,)))
    end = Tensor(1, "out", (1, 2), "int8", Quantization((0.14687846601009369,), (0,)))
    graph = Graph("vww", {0: start, 1: end}, (), (0,), (1,))
    images = [load_input(path, start) for path in sorted((testdata / "images").glob("coco*"))]
    asked = tflm_oracle(model, graph).run([[image] for image in images])
    plain = tflm_oracle(model).run([[to_file(image, start, "float32")] for image in images])
    assert asked[0][0].dtype == np.int8
    assert plain[0][0].dtype == np.float32
    assert len({arrays[0].tobytes() for arrays in asked}) > 2
    assert compare([[from_file(a, end) for a in arrays] for arrays in plain], asked) == 0


def test_litert_agrees_where_it_should(testdata: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed: pip install 'runnel[oracle]'")
    model = (testdata / "models" / "mlperf_vww_96_int8.tflite").read_bytes()
    image = np.random.default_rng(1).integers(-128, 128, (1, 96, 96, 3)).astype(np.int8)
    assert compare(tflm_oracle(model).run([[image]]), litert_oracle(model).run([[image]])) == 0


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'runnel\[oracle\]'"):
        tflm_oracle(b"")
