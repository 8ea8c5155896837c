# SPDX-License-Identifier: Apache-2.0
"""What a keyword model says at every stride of a stream, computed on this machine with the device's own code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runnel.audio.files import Samples
from runnel.audio.front_end import HOP, FrontEnd, Rows
from runnel.audio.tables import SAMPLE_RATE
from runnel.boards import load_board
from runnel.compiler import Options
from runnel.graph import Graph
from runnel.inference import infer
from runnel.kws.detector import Scores


def padded(samples: Samples) -> Samples:
    """As the app treats a file: the last row filled up with zeros, then a second of silence."""
    rest = -len(samples) % HOP
    return np.pad(samples, (0, rest + SAMPLE_RATE))


def rows_of(samples: Samples, model_rows: int) -> Rows:
    """Features of a stream behind `model_rows` rows of silence."""
    silence = np.zeros(model_rows * HOP, np.int16)
    return FrontEnd().rows(np.concatenate([silence, padded(samples)]))


def windows(rows: Rows, model_rows: int, stride_rows: int) -> list[Rows]:
    """The model's inputs, one every `stride_rows` rows of the stream."""
    ends = range(model_rows + stride_rows, len(rows) + 1, stride_rows)
    return [rows[end - model_rows : end] for end in ends]


def model_outputs(model: Path, samples: Samples, stride_rows: int) -> Scores:
    """One row of scores for each stride, the first at the end of the first stride. Raises RunnelError."""

    def inputs(graph: Graph) -> list[tuple[Rows]]:
        shape = graph.tensors[graph.inputs[0]].shape
        rows = rows_of(samples, shape[1])
        return [(window.reshape(shape),) for window in windows(rows, shape[1], stride_rows)]

    result = infer(model, load_board("host"), Options(), "keywords", inputs, oracle="none")
    return np.stack([outputs[0].reshape(-1) for outputs in result.outputs])
