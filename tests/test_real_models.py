# SPDX-License-Identifier: Apache-2.0
"""Real models on real and random inputs: 0 bytes differ from TensorFlow Lite Micro, on every board that runs here.

By default a few inputs on three boards; with RUNNEL_FULL=1 20 random inputs and all images or sounds on all boards.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from conftest import MODELS
from random_models.batch import Case, host, run_cases
from runnel.boards import Board, load_board
from runnel.build import BuildOptions
from runnel.compiler import Options, load_model
from runnel.graph import Graph, Tensor
from runnel.inference import infer
from runnel.run.inputs import load_input, random_inputs
from sound_features import sound_input

pytestmark = pytest.mark.usefixtures("tflm")

Array = npt.NDArray[Any]

FULL = os.environ.get("RUNNEL_FULL") == "1"
BOARDS = ("host", "host with DSP kernels", "qemu-m7")
ALL_BOARDS = (*BOARDS, "qemu-m3", "qemu-m4", "qemu-m33", "qemu-m55", "qemu-m7 -Os", "qemu-m4 -O2")
RANDOM_INPUTS, FEW_RANDOM_INPUTS = 20, 2
FEW_REAL_INPUTS = 2


def board_named(name: str) -> tuple[Board, BuildOptions]:
    """A board and how to build for it: with sanitizers where they exist."""
    if name.startswith("host"):
        return host(dsp="DSP" in name), BuildOptions(optimize="-O1", sanitize=True)
    for tool in ("qemu-system-arm", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: emulated boards are not tested")
    board, _, optimize = name.partition(" ")
    return load_board(board), BuildOptions(optimize=optimize) if optimize else BuildOptions()


def real_inputs(testdata: Path, model: str, edge: Tensor, metadata: Any) -> list[Array]:
    """Images for models that see, features of sounds for models that listen, a sweep for the sine model."""
    if edge.elements == 1:
        return [np.full(edge.shape, value, np.int8) for value in range(-128, 128, 16)]
    if len(edge.shape) == 4 and edge.shape[3] in (1, 3) and edge.shape[1] == edge.shape[2]:
        images = sorted((testdata / "images").iterdir())
        return [_image(path, model, edge, metadata) for path in images]
    sounds = [sound_input(path, edge) for path in sorted((testdata / "wav").iterdir())]
    return [array for array in sounds if array is not None]


def _image(path: Path, model: str, edge: Tensor, metadata: Any) -> Array:
    if model == "tflm_person_detect" and path.suffix == ".bmp":
        # These two files hold the int8 values themselves, so what looks like a pixel is the value's byte.
        return load_input(path, Tensor(0, edge.name, edge.shape, "uint8"), metadata).view(np.int8)
    return load_input(path, edge, metadata)


def inputs_for(testdata: Path, model: str, graph: Graph, seed: int, full: bool) -> list[list[Array]]:
    edges = [graph.tensor(i) for i in graph.inputs]
    real = [[array] for array in real_inputs(testdata, model, edges[0], graph.metadata)]
    assert len(real) >= 8, f"{model}: only {len(real)} real inputs fit"
    if not full:
        real = real[:: len(real) // FEW_REAL_INPUTS][:FEW_REAL_INPUTS]
    return real + random_inputs(edges, RANDOM_INPUTS if full else FEW_RANDOM_INPUTS, seed)


@pytest.mark.parametrize("board_name", ALL_BOARDS if FULL else BOARDS)
@pytest.mark.parametrize("model", MODELS)
def test_equals_tflm(model: str, board_name: str, testdata: Path, seed: int, tmp_path: Path) -> None:
    board, build = board_named(board_name)
    data = (testdata / "models" / f"{model}.tflite").read_bytes()
    case = Case(model, data, Options(), lambda graph: inputs_for(testdata, model, graph, seed, FULL))
    (outcome,) = run_cases([case], board, tmp_path, build)
    assert outcome.problem is None
    answers = {b"".join(a.tobytes() for a in arrays) for arrays in outcome.expected}
    assert len(answers) > 1, "all inputs give the same answer: nothing was tested"


@pytest.mark.parametrize("model", ["mcunet-vww1", "wv_cezar"])
def test_equals_tflm_with_the_edges_of_the_file(model: str, testdata: Path, seed: int, tmp_path: Path) -> None:
    board, build = board_named("host")
    data = (testdata / "models" / f"{model}.tflite").read_bytes()
    case = Case(model, data, Options(edges="original"), lambda graph: inputs_for(testdata, model, graph, seed, False))
    (outcome,) = run_cases([case], board, tmp_path, build)
    assert outcome.problem is None
    assert outcome.expected[0][0].dtype in (np.float32, np.uint8)


def test_the_way_of_the_command_line(testdata: Path, seed: int) -> None:
    board, _ = board_named("qemu-m7")
    path = testdata / "models" / "tflm_person_detect.tflite"
    inference = infer(
        path, board, Options(), "person", lambda g: inputs_for(testdata, "tflm_person_detect", g, seed, False)
    )
    assert inference.mismatches == 0
    assert inference.result.instructions is not None


def test_person_detector_tells_its_two_photos_apart(testdata: Path) -> None:
    """The answers themselves: a person and none, from the files that come with the model."""
    from runnel.run.oracle import tflm_oracle

    path = testdata / "models" / "tflm_person_detect.tflite"
    graph = load_model(path)
    edge = graph.tensor(graph.inputs[0])
    images = [testdata / "images" / f"tflm_{name}.bmp" for name in ("person", "no_person")]
    arrays = [[_image(image, "tflm_person_detect", edge, {})] for image in images]
    person, nobody = (outputs[0].reshape(-1) for outputs in tflm_oracle(path.read_bytes(), graph).run(arrays))
    assert person[1] > person[0]
    assert nobody[0] > nobody[1]
