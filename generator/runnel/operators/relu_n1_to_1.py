# SPDX-License-Identifier: Apache-2.0
"""RELU_N1_TO_1 on int8. TensorFlow Lite Micro lacks it; source: Relu1 in TFLite's kernels/activations.cc."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph, Operator
from runnel.operators.base import register
from runnel.operators.lookup import LookupOperator
from runnel.operators.relu import rescaling_clamp


@register
class ReluN1To1(LookupOperator):
    kind = "RELU_N1_TO_1"
    summary = "Clamp to -1..1, element by element, with a change of scale; a table of 256 bytes."

    def table(self, graph: Graph, operator: Operator) -> npt.NDArray[np.uint8 | np.int8]:
        return rescaling_clamp(graph, operator, -1.0, 1.0)
