# SPDX-License-Identifier: Apache-2.0
"""The arrays that a plan puts into flash. Equal arrays are stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.operators.spread import NO_TENSOR


@dataclass(frozen=True, eq=False)
class ConstantTable:
    """Unique arrays in order of first use, and which array each user reads.

    arrays: (key, array) pairs; a key is the digest of type, shape and content.
    """

    arrays: Mapping[str, npt.NDArray[Any]]

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())


def constant_key(array: npt.NDArray[Any]) -> str:
    """Digest of an array's type and content; equal arrays have equal keys."""
    data = np.ascontiguousarray(array)
    return hashlib.sha256(data.dtype.str.encode() + data.tobytes()).hexdigest()


def constant_table(graph: Graph, calls: Iterable[KernelCall]) -> ConstantTable:
    """Everything that `calls` read from flash: their constants and the constant tensors among their inputs."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for call in calls:
        for constant in call.constants:
            arrays.setdefault(constant_key(constant.data), constant.data)
        for index in call.inputs:
            data = None if index == NO_TENSOR else graph.tensor(index).data
            if data is not None:
                arrays.setdefault(constant_key(data), data)
    return ConstantTable(arrays)
