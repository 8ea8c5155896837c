# SPDX-License-Identifier: Apache-2.0
"""The whole way for one model on one board: plan, write C, build, run on inputs, compare with the oracle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from runnel.boards import Board
from runnel.build import BuildOptions, Firmware, build_firmware
from runnel.build.from_plan import harness_model
from runnel.cache import build_folder
from runnel.compiler import Options, load_model, plan_model, write_sources
from runnel.graph import Graph, Tensor
from runnel.plan.plan import Plan
from runnel.run import RunResult, run_firmware
from runnel.run.firmware import check_runnable
from runnel.run.oracle import Oracle, compare, litert_oracle, tflm_oracle

Array = npt.NDArray[Any]
OracleName = Literal["tflm", "litert", "none"]
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Inference:
    """What came out. outputs[n] and expected[n] hold one array per model output for input n.

    `expected`, `oracle` and `mismatches` (bytes that differ, over all inputs) are None when nothing was compared.
    """

    plan: Plan
    firmware: Firmware
    result: RunResult
    outputs: tuple[tuple[Array, ...], ...]
    expected: tuple[tuple[Array, ...], ...] | None
    oracle: str | None
    mismatches: int | None


def infer(
    model: Path,
    board: Board,
    options: Options,
    name: str,
    make_inputs: Callable[[Graph], Sequence[Sequence[Array]]],
    oracle: OracleName = "tflm",
    report: Report = lambda doing: None,
    port: str | None = None,
    may_flash: bool = True,
) -> Inference:
    """Runs the model on every input that `make_inputs` makes for its graph; `report` is told what is being done.

    `port` and `may_flash` are those of run_firmware, for real boards.
    Raises RunnelError for whatever the user can mend, before the long steps where that can be known.
    """
    check_runnable(board, port)
    report(f"planning {name} for {board.name}")
    plan = plan_model(load_model(model, options), board, options, name)
    graph = plan.schedule.graph
    reference = _oracle(oracle, model, graph)
    inputs = make_inputs(graph)
    with tempfile.TemporaryDirectory(prefix="runnel-") as temporary:
        sources = Path(temporary) / "sources"
        sources.mkdir()
        write_sources(plan, sources)
        with build_folder(sources, f"{name}-{board.name}") as folder:
            report(f"building firmware for {board.name}")
            build = BuildOptions(serial=port is not None)
            firmware = build_firmware(folder / "sources", harness_model(plan), board, folder / "firmware", build)
            report(f"running {_count(inputs)} on {board.name}")
            result = run_firmware(
                firmware,
                [b"".join(array.tobytes() for array in arrays) for arrays in inputs],
                progress=lambda done, total: report(f"running on {board.name}: {done} of {total} inputs done"),
                port=port,
                may_flash=may_flash,
            )
    outputs = tuple(_outputs(graph, firmware, record) for record in result.outputs)
    if reference is None:
        return Inference(plan, firmware, result, outputs, None, None, None)
    report(f"running {_count(inputs)} in {reference.name}")
    expected = tuple(tuple(arrays) for arrays in reference.run(inputs))
    return Inference(plan, firmware, result, outputs, expected, reference.name, compare(outputs, expected))


def _oracle(name: OracleName, model: Path, graph: Graph) -> Oracle | None:
    if name == "none":
        return None
    make = tflm_oracle if name == "tflm" else litert_oracle
    return make(model.read_bytes(), graph)


def _outputs(graph: Graph, firmware: Firmware, record: bytes) -> tuple[Array, ...]:
    parts = zip(graph.outputs, firmware.model.split_outputs(record), strict=True)
    return tuple(_array(part, graph.tensor(index)) for index, part in parts)


def _array(data: bytes, edge: Tensor) -> Array:
    return np.frombuffer(data, dtype=np.dtype(edge.type).newbyteorder("<")).astype(edge.type).reshape(edge.shape)


def _count(inputs: Sequence[Any]) -> str:
    return "1 input" if len(inputs) == 1 else f"{len(inputs)} inputs"
