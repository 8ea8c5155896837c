# SPDX-License-Identifier: Apache-2.0
"""Small plans made by hand, without the planner: graphs of byte tensors with made-up kernel calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from runnel.graph import Graph, Operator, Tensor
from runnel.operators.base import KernelCall
from runnel.plan.arena import place
from runnel.plan.plan import Buffer, Layout, PlacedBuffer, Plan, PlannedSegment
from runnel.schedule.schedule import Schedule, Segment


@dataclass(frozen=True)
class Step:
    """One operator: tensors it reads and writes, bytes of scratch, positions it may work in place on."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scratch: int = 0
    in_place: tuple[int, ...] = ()


def make_graph(
    sizes: Mapping[int, int], steps: Sequence[Step], inputs: Sequence[int], outputs: Sequence[int], *, name: str = "toy"
) -> Graph:
    """sizes: bytes of each tensor. Tensor 9999 is a constant."""
    tensors = {n: Tensor(n, f"t{n}", (1, 1, 1, size), "int8") for n, size in sizes.items()}
    tensors[9999] = Tensor(9999, "weights", (4,), "int8", data=np.zeros(4, np.int8))
    operators = tuple(Operator(i, s.kind, s.inputs, s.outputs) for i, s in enumerate(steps))
    return Graph(name, tensors, operators, tuple(inputs), tuple(outputs))


def make_calls(step: Step) -> tuple[KernelCall, ...]:
    """RESHAPE has no calls; CONCATENATION one per input; others one per output."""
    if step.kind == "RESHAPE":
        return ()
    if step.kind == "CONCATENATION":
        return tuple(KernelCall("copy", {}, {}, (), (n,), step.outputs[0], step.scratch) for n in step.inputs)
    kernel = step.kind.lower()
    return tuple(
        KernelCall(kernel, {"size": 1}, {}, (), step.inputs, output, step.scratch, step.in_place)
        for output in step.outputs
    )


def make_buffers(graph: Graph, steps: Sequence[Step]) -> list[Buffer]:
    """Lifetimes as a right planner derives them; reshapes share one buffer."""
    home = {n: n for n, t in graph.tensors.items() if not t.is_constant}
    for step in steps:
        if step.kind == "RESHAPE":
            home[step.outputs[0]] = home[step.inputs[0]]
    first = dict.fromkeys(graph.inputs, -1)
    last = dict.fromkeys(graph.inputs, -1)
    for time, step in enumerate(steps):
        for n in (*step.outputs, *step.inputs):
            if n in home:
                first.setdefault(home[n], time)
                last[home[n]] = time
    for n in graph.outputs:
        last[home[n]] = len(steps)
    buffers = []
    for root in sorted(first):
        tensors = tuple(n for n in sorted(home) if home[n] == root)
        buffers.append(
            Buffer(f"t{root}", graph.tensor(root).bytes, first[root], last[root], "tensor", tensors, shares=())
        )
    by_root = {buffer.tensors[0]: buffer for buffer in buffers}
    for time, step in enumerate(steps):
        for position in step.in_place:
            source, target = by_root[home[step.inputs[position]]], by_root[home[step.outputs[0]]]
            if source.last == time == target.first and len(step.outputs) == 1:
                by_root[target.tensors[0]] = replace(target, shares=(*target.shares, source.name))
        if step.scratch:
            by_root[-1 - time] = Buffer(f"scratch{time}", step.scratch, time, time, "scratch")
    return list(by_root.values())


def make_plan(graph: Graph, steps: Sequence[Step], layout: Layout | None = None, *, name: str = "toy") -> Plan:
    layout = layout or place(make_buffers(graph, steps))
    segments = tuple(
        Segment(f"segment {i}", (operator,), tuple(n for n in step.inputs if n != 9999), step.outputs)
        for i, (operator, step) in enumerate(zip(graph.operators, steps, strict=True))
    )
    planned = tuple(
        PlannedSegment(segment, make_calls(step), f"scratch{i}" if step.scratch else None, 100 * (i + 1))
        for i, (segment, step) in enumerate(zip(segments, steps, strict=True))
    )
    return Plan(name, "qemu-m7", Schedule(graph, segments), planned, layout, 1234, sum(p.macs for p in planned))


def move(plan: Plan, name: str, offset: int) -> Plan:
    """The plan with one buffer somewhere else."""
    return change(plan, lambda placed: replace(placed, offset=offset) if placed.buffer.name == name else placed)


def change(plan: Plan, edit: object) -> Plan:
    assert callable(edit)
    buffers: tuple[PlacedBuffer, ...] = tuple(edit(placed) for placed in plan.layout.buffers)
    return replace(plan, layout=replace(plan.layout, buffers=buffers))


BLOCK_SIZES = {0: 80, 1: 40, 2: 240, 3: 240, 4: 40, 5: 40, 6: 10, 7: 10, 8: 20, 9: 20}
BLOCK_STEPS = (
    Step("CONV_2D", (0, 9999), (1,), scratch=16),
    Step("CONV_2D", (1, 9999), (2,), scratch=8),
    Step("DEPTHWISE_CONV_2D", (2, 9999), (3,), scratch=36, in_place=(0,)),
    Step("CONV_2D", (3, 9999), (4,)),
    Step("ADD", (1, 4), (5,), in_place=(0, 1)),
    Step("MEAN", (5,), (6,), scratch=40),
    Step("RESHAPE", (6,), (7,)),
    Step("CONCATENATION", (7, 6), (8,)),
    Step("SOFTMAX", (8,), (9,), in_place=(0,)),
)


def block_plan() -> Plan:
    """An inverted bottleneck with a residual, a reshape and a concatenation. Arena: 40 + 240 + 36 bytes."""
    return make_plan(make_graph(BLOCK_SIZES, BLOCK_STEPS, (0,), (9, 5)), BLOCK_STEPS)
