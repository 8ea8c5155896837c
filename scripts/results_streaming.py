# SPDX-License-Identifier: Apache-2.0
"""Measures the zoo's networks streamed and layer by layer, for docs/results.md. See scripts/results."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from runnel import zoo
from runnel.boards import load_board
from runnel.cache import cache_root
from runnel.compiler import Options
from runnel.errors import RunnelError
from runnel.figures import run_figures
from runnel.graph import Graph
from runnel.inference import Inference, infer
from runnel.naming import model_name
from runnel.output_folder import write_whole
from runnel.plan.lower_bound import lower_bound
from runnel.plan.plan import Buffer, Plan
from runnel.resources import resource_root
from runnel.run.inputs import random_inputs
from runnel.tflite.writer import write_tflite

BOARD = "qemu-m7"
PASSES = 3
NO_FIGURES = frozenset({"report", "train", "kws", "audio"})
"""Folders of the package that the figures cannot depend on."""
FREE_STACK = 512
"""Bytes of stack that every firmware has anyway; what is above counts."""


@dataclass(frozen=True)
class Case:
    """One way to run one network. limit: the most bytes that it may take, in kB; 0 where there is no bar."""

    network: str
    key: str
    options: Options
    limit: int = 0
    text: str = ""

    @property
    def label(self) -> str:
        return f"{self.network}-{self.key}"


PULLED, STORED, LAYERS = Options(input="pulled"), Options(), Options(layers=True)
MODES = {"pulled": PULLED, "stored": STORED, "layers": LAYERS}

LIMITS = {
    "mcunet-vww0": (17, 19),
    "mcunet-vww1": (18, 24),
    "mcunet-vww2": (46, 72),
    "mcunet-in0": (15, 20),
    "mcunet-in1": (21, 34),
    "mcunet-in2": (62, 88),
    "mcunet-in3": (66, 106),
    "mcunet-in4": (85, 126),
    "mbv2-w0.35": (32, 72),
    "proxyless-w0.3": (54, 106),
    "mbv2-1.0": (140, 215),
}
"""What was asked for: kB with the input pulled in one pass and with it stored, no MACs computed twice."""

TWO, EIGHT = (replace(PULLED, input_passes=n) for n in (2, 8))
BUDGETS = (
    Case("mcunet-vww2", "one-10", replace(PULLED, max_overhead=0.10), 32, "one pass, at most 10 % extra MACs"),
    Case("mcunet-vww1", "two-10", replace(TWO, max_overhead=0.10), 14, "two passes, at most 10 % extra MACs"),
    Case("mbv2-w0.35", "pulled", PULLED, 27, "one pass, no extra MACs"),
    Case("mbv2-w0.35", "eight-20", replace(EIGHT, max_overhead=0.20), 20, "eight passes, at most 20 % extra MACs"),
    Case("mbv2-1.0", "eight-10", replace(EIGHT, max_overhead=0.10), 172, "eight passes, at most 10 % extra MACs"),
)
"""Less SRAM for more work; the last beside what MCUNetV2's patches need for the same."""


def cases() -> list[Case]:
    """Everything that is measured, small networks first so that an interruption costs little."""
    order = sorted(zoo.names(), key=lambda name: zoo.macs(zoo.network(name)))
    plain = [Case(name, key, options) for name in order for key, options in MODES.items()]
    labels = {case.label for case in plain}
    return plain + [case for name in order for case in BUDGETS if case.network == name and case.label not in labels]


def measure_all(wanted: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """label -> record. What an earlier call measured with the same sources is not measured again."""
    folder = cache_root() / "results"
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    records: dict[str, dict[str, Any]] = {}
    with Progress(*columns, console=Console(stderr=True)) as bar:
        for _ in range(PASSES):  # the sources may change while they are measured
            task = bar.add_task("", total=len(wanted))
            for case in wanted:
                bar.update(task, description=case.label)
                records[case.label] = kept_or_measured(case, folder / f"{case.label}.json", sources_stamp())
                bar.advance(task)
            if len({record["stamp"] for record in records.values()}) <= 1:
                return records
    raise RunnelError("the sources changed while they were measured; start again")


def kept_or_measured(case: Case, path: Path, stamp: str) -> dict[str, Any]:
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.get("stamp") == stamp:
            return dict(kept)
    record = {"stamp": stamp, **measure(case, path.parent)}
    write_whole(path, json.dumps(record, indent=1))
    return record


def sources_stamp() -> str:
    """Changes when anything changes that the figures could depend on."""
    root, digest = resource_root(), hashlib.sha256()
    files = [
        path
        for folder in ("generator/runnel", "zephyr_module/include", "boards")
        for path in (root / folder).rglob("*")
        if path.suffix in (".py", ".j2", ".h", ".c", ".S", ".yaml")
        and NO_FIGURES.isdisjoint(path.relative_to(root).parts)
        and path.is_file()
    ]
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """Builds, runs one random input and compares with TensorFlow Lite Micro."""
    model = folder / f"{case.network}.tflite"
    write_whole(model, write_tflite(zoo.build(case.network)))

    def inputs(graph: Graph) -> list[list[Any]]:
        return random_inputs([graph.tensor(i) for i in graph.inputs], 1, seed=0)

    done = infer(model, load_board(BOARD), case.options, model_name(model), inputs)
    figures = run_figures(done)
    del figures["outputs"]
    return {**figures, "counted_bytes": counted_bytes(figures), "linked_bytes": linked_bytes(done),
            "msf_bytes": msf_bytes(done.plan), "segment_count": len(done.plan.segments)}  # fmt: skip


def counted_bytes(figures: dict[str, Any]) -> int:
    """Arena, other static RAM of the model and the stack above FREE_STACK, from the linked ELF and the run."""
    return int(figures["sram_bytes"]) - min(int(figures["stack_bytes"]), FREE_STACK)


def linked_bytes(done: Inference) -> int:
    return done.firmware.arena_bytes


def msf_bytes(plan: Plan) -> int:
    """The arena as msf-CNN counts: without the network's input and output, residuals and scratch.

    Rows that a ring keeps only for a residual ADD are left out; so are whole tensors that wait for one.
    """
    graph = plan.schedule.graph
    edges = {*graph.inputs, *graph.outputs}
    counted = []
    for placed in plan.layout.buffers:
        buffer = placed.buffer
        if buffer.purpose == "scratch" or edges & set(buffer.tensors) or waits_for_residual(plan, buffer):
            continue
        counted.append(replace(buffer, bytes=without_residual_rows(plan, buffer)))
    return lower_bound(counted)


def waits_for_residual(plan: Plan, buffer: Buffer) -> bool:
    """Whether a whole tensor outlives the segment after its own only because an ADD reads it then."""
    if buffer.purpose != "tensor" or not buffer.first + 1 < buffer.last < len(plan.segments):
        return False
    readers = [o for o in plan.segments[buffer.last].segment.operators if set(o.inputs) & set(buffer.tensors)]
    return all(operator.kind == "ADD" for operator in readers)


def without_residual_rows(plan: Plan, buffer: Buffer) -> int:
    """Bytes of a ring with the rows that its readers other than ADD need; other buffers as they are."""
    if buffer.purpose != "ring" or not 0 <= buffer.first < len(plan.segments):
        return buffer.bytes
    rows = plan.segments[buffer.first].rows
    store = next((s for s in rows.stores if s.name == buffer.name), None) if rows is not None else None
    if rows is None or store is None or store.layout != "rows of pixels":
        return buffer.bytes
    readers = [step for step in rows.steps if any(s.name == store.name for s in step.inputs)]
    others = [step for step in readers if not any(o.kind == "ADD" for o in step.operators)]
    need = max(((s.window.kernel_h - 1) * s.window.dilation_h + 1 for s in others), default=1)
    return min(store.rows, need) * store.row_bytes if len(others) < len(readers) else buffer.bytes


def main(names: Sequence[str]) -> int:
    """Measures the networks named, all where none is; prints the records. For trying things out."""
    wanted = [case for case in cases() if not names or case.network in names]
    for label, record in measure_all(wanted).items():
        print(label, json.dumps(record))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
