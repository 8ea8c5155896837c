# SPDX-License-Identifier: Apache-2.0
"""Plans that stream, with cuts made by hand: nothing of the scheduler is in them."""

from __future__ import annotations

from collections.abc import Sequence

from runnel import zoo
from runnel.graph import Graph, Operator
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.schedule.schedule import Schedule, Segment, Streaming


def cut_plan(graph: Graph, cuts: Sequence[int], modes: Sequence[Streaming]) -> Plan:
    """The operators up to the last cut run in segments with these modes, all others layer by layer."""
    segments = [
        make_segment(graph, number, graph.operators[first:end], mode)
        for number, (first, end, mode) in enumerate(zip((0, *cuts), cuts, modes, strict=False))
    ]
    for operator in graph.operators[cuts[-1] :]:
        segments.append(make_segment(graph, len(segments), (operator,), None))
    return make_plan(Schedule(graph, tuple(segments)), "vww0", "qemu-m7", Target(dsp=True))


def make_segment(graph: Graph, number: int, run: tuple[Operator, ...], mode: Streaming | None) -> Segment:
    made = {tensor for operator in run for tensor in operator.outputs}
    read = dict.fromkeys(t.index for operator in run for t in graph.activations(operator))
    pulled = set(graph.inputs) if mode is not None and mode.pulled else set()
    inputs = tuple(tensor for tensor in read if tensor not in made | pulled)
    outputs = tuple(
        tensor
        for operator in run
        for tensor in operator.outputs
        if tensor in graph.outputs or any(reader not in run for reader in graph.consumers(tensor))
    )
    return Segment(f"segment_{number}", run, inputs, outputs, mode)


def streamed_plan() -> Plan:
    """mcunet-vww0: a pulled segment with columns of 8 pixels, one in two strips, one by rows, then layers."""
    graph = zoo.network("mcunet-vww0")
    return cut_plan(graph, (6, 10, 17), (Streaming(group=8, pulled=True), Streaming(strips=2), Streaming()))


def growing_plan() -> Plan:
    """The second segment grows into the first one's output."""
    graph = zoo.network("mcunet-vww0")
    output = graph.operators[5].outputs[0]
    return cut_plan(graph, (6, 10, 17), (Streaming(pulled=True), Streaming(grows_into=output), Streaming()))
