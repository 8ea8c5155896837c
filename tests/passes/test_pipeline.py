# SPDX-License-Identifier: Apache-2.0
"""All passes together, on real models and on random graphs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bad_files import sound_graph
from runnel.check import check_graph
from runnel.passes import PASSES, Edges, optimise
from runnel.tflite.reader import read_tflite
from small_graphs import assert_consistent, assert_same_values, kinds

EXPECTED = {
    "mcunet-vww1": {"CONV_2D": 30, "DEPTHWISE_CONV_2D": 15, "ADD": 8, "MEAN": 2, "FULLY_CONNECTED": 1},
    "mcunet-in3": {"CONV_2D": 37, "DEPTHWISE_CONV_2D": 18, "ADD": 11, "AVERAGE_POOL_2D": 1, "RESHAPE": 1},
    "wv_mcunet-5fps_vww": {"CONV_2D": 31, "DEPTHWISE_CONV_2D": 15, "ADD": 8, "AVERAGE_POOL_2D": 1, "RESHAPE": 1},
    "tflm_person_detect": {"CONV_2D": 15, "DEPTHWISE_CONV_2D": 13, "AVERAGE_POOL_2D": 1, "RESHAPE": 1, "SOFTMAX": 1},
    "tflm_micro_speech_quantized": {"RESHAPE": 1, "CONV_2D": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_left_of_real_models(testdata: Path, name: str) -> None:
    path = testdata / "models" / f"{name}.tflite"
    after = optimise(read_tflite(path.read_bytes(), path.name), "int8")
    assert Counter(kinds(after)) == EXPECTED[name]
    assert_consistent(after)
    assert all(after.tensors[i].type == "int8" for i in (*after.inputs, *after.outputs))
    check_graph(after, path.name)


def test_original_edges_keep_their_types(testdata: Path) -> None:
    path = testdata / "models" / "mcunet-vww1.tflite"
    after = optimise(read_tflite(path.read_bytes(), path.name), "original")
    assert [after.tensors[i].type for i in (*after.inputs, *after.outputs)] == ["float32", "float32"]
    assert kinds(after)[0] == "QUANTIZE" and kinds(after)[-1] == "DEQUANTIZE"


def test_no_pass_changes_an_answer(seed: int, full: bool) -> None:
    """Each pass alone, against the operators' references."""
    fired: Counter[str] = Counter()
    for number in range(200 if full else 40):
        graph = sound_graph(seed, number)
        for name, run in PASSES.items():
            if name == "remove_edge_quantize":
                continue
            after = run(graph)
            if [(o.kind, o.inputs) for o in after.operators] != [(o.kind, o.inputs) for o in graph.operators]:
                fired[name] += 1
                assert_same_values(graph, after)
            graph = after
    assert {"fold_constants", "sink_transpose", "fold_pad", "remove_dead_at_end"} <= set(fired), fired


@pytest.mark.parametrize("edges", ["int8", "original"])
def test_random_graphs(seed: int, edges: Edges) -> None:
    """Sound graphs pass the check after the passes; the passes change nothing when run again."""
    for number in range(40):
        before = sound_graph(seed, number)
        after = optimise(before, edges)
        assert_consistent(after)
        check_graph(after, f"graph {number}")
        again = optimise(after, edges)
        assert [(o.kind, o.outputs) for o in again.operators] == [(o.kind, o.outputs) for o in after.operators]
