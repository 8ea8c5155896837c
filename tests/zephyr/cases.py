# SPDX-License-Identifier: Apache-2.0
"""Inputs for the app in exact/, as a C file, and what TensorFlow Lite Micro answers to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from runnel.compiler import load_model
from runnel.run.inputs import load_input, random_inputs
from runnel.run.oracle import tflm_oracle

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A model under the name that it has in the firmware, and its inputs, one array each (int8)."""

    name: str
    model: Path
    inputs: tuple[Array, ...]

    def expected(self) -> dict[tuple[str, int], list[int]]:
        """TFLM's outputs by model and number of the input."""
        oracle = tflm_oracle(self.model.read_bytes(), load_model(self.model))
        outputs = oracle.run([[array] for array in self.inputs])
        return {(self.name, number): answer[0].reshape(-1).tolist() for number, answer in enumerate(outputs)}


def make_case(name: str, model: Path, *, photos: Sequence[Path] = (), noise: int = 4, seed: int = 0) -> Case:
    """`photos` as the model's input, then `noise` random ones of several kinds."""
    graph = load_model(model)
    edge = graph.tensor(graph.inputs[0])
    assert edge.type == "int8"
    shown = [load_input(photo, edge, graph.metadata) for photo in photos]
    drawn = [arrays[0] for arrays in random_inputs([edge], noise, seed)]
    return Case(name, model, (*shown, *drawn))


def cases_source(cases: Sequence[Case], *, pulled: bool = False) -> str:
    """The C file for EXACT_CASES of the app in exact/; `pulled`: models ask for the rows of their inputs."""
    lines = ["#include <stddef.h>", '#include "exact.h"', *(f'#include "{case.name}.h"' for case in cases)]
    for case in cases:
        values = np.concatenate([array.reshape(-1) for array in case.inputs]).tolist()
        lines.append(f"static const int8_t {case.name}_inputs[] = {{")
        lines += [", ".join(map(str, values[i : i + 32])) + "," for i in range(0, len(values), 32)]
        lines.append("};")
    lines.append("const struct exact_model exact_models[] = {")
    for case in cases:
        n = case.name
        stored = "NULL, NULL" if pulled else f"{n}_input, {n}_run"
        functions = f"{stored}, {n}_run_rows, {n}_output, {n}_selftest"
        lines.append(f"\t{{ &{n}, {functions}, {n}_inputs, {len(case.inputs)} }},")
    lines += ["};", f"const int exact_model_count = {len(cases)};", ""]
    return "\n".join(lines)


def printed_outputs(lines: Sequence[str]) -> dict[tuple[str, int], list[int]]:
    """The lines `output: NAME NUMBER: values` of the app."""
    found = (re.fullmatch(r"output: (\w+) (\d+):((?: -?\d+)+)", line) for line in lines)
    return {(m[1], int(m[2])): [int(v) for v in m[3].split()] for m in found if m is not None}
