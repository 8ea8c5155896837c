# SPDX-License-Identifier: Apache-2.0
"""Plans of small networks whose segments stream, for the tests of the verifier and of plan files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from runnel import zoo
from runnel.graph import Graph
from runnel.operators import Target
from runnel.plan.plan import Plan
from runnel.plan.planner import make_plan
from runnel.schedule.rows import SegmentRows, Step, Store
from runnel.schedule.schedule import Schedule, Segment, Streaming


def blocks(kernel: int = 3, size: int = 32) -> Graph:
    """A 3x3 stem of stride 2 to 16 channels, a block down to 8, two inverted residuals 8 -> 24 -> 8, pool, classes."""
    bottleneck = zoo.Block(kernel, 24, 1, 8)
    stem = zoo.Block(3, 16, 1, 8)
    return zoo.network(zoo.Architecture("toy", size, size, 10, 3, 2, 16, (stem, bottleneck, bottleneck), None))


BLOCK = 4
"""Operators of a residual block: 1x1, depthwise, 1x1, ADD."""


def first_block(graph: Graph) -> int:
    """The number of the 1x1 convolution that widens 8 channels to 24 for the first time."""
    return next(i for i, o in enumerate(graph.operators) if graph.tensor(o.outputs[0]).shape[-1] == 24)


def segment(graph: Graph, first: int, end: int, streaming: Streaming | None) -> Segment:
    operators = graph.operators[first:end]
    inside = {id(operator) for operator in operators}
    made = {t for o in operators for t in o.outputs}
    read = dict.fromkeys(t.index for o in operators for t in graph.activations(o) if t.index not in made)
    pulled = streaming is not None and streaming.pulled
    outputs = tuple(
        t
        for o in operators
        for t in o.outputs
        if t in graph.outputs or any(id(c) not in inside for c in graph.consumers(t))
    )
    inputs = tuple(t for t in read if not (pulled and t in graph.inputs))
    return Segment(f"operators_{first}_to_{end - 1}", operators, inputs, outputs, streaming)


def plan_of(graph: Graph, cuts: Sequence[tuple[int, Streaming | None]]) -> Plan:
    """cuts: the end of each segment and how it runs; operators behind the last run one by one on whole tensors."""
    segments: list[Segment] = []
    start = 0
    for end, streaming in cuts:
        segments.append(segment(graph, start, end, streaming))
        start = end
    segments += [segment(graph, n, n + 1, None) for n in range(start, len(graph.operators))]
    return make_plan(Schedule(graph, tuple(segments)), "toy", "host", Target(dsp=True))


def streamed_plan(kernel: int = 3) -> Plan:
    """Pulled stem; the first residual block grows into its input; the second, the pool and the classes in one;
    a reshape follows."""
    graph = blocks(kernel)
    start = first_block(graph)
    source = graph.operators[start].inputs[0]
    cuts = [
        (start, Streaming(pulled=True, group=4)),
        (start + BLOCK, Streaming(group=5, grows_into=source)),
        (len(graph.operators) - 1, Streaming(group=4)),
    ]
    return plan_of(graph, cuts)


def strips_plan(strips: int = 3) -> Plan:
    """The first residual block in strips, its output growing into its input."""
    graph = blocks()
    start = first_block(graph)
    source = graph.operators[start].inputs[0]
    return plan_of(graph, [(start, Streaming()), (start + BLOCK, Streaming(strips=strips, grows_into=source))])


def patches_plan() -> Plan:
    """Everything up to the pool in 2 x 3 patches; the image is stored."""
    graph = blocks()
    return plan_of(graph, [(first_block(graph) + 2 * BLOCK, Streaming(strips=3, bands=2, group=2))])


def edit_rows(plan: Plan, step: int, edit: Callable[[SegmentRows], SegmentRows]) -> Plan:
    planned = plan.segments[step]
    assert planned.rows is not None
    changed = replace(planned, rows=edit(planned.rows))
    return replace(plan, segments=(*plan.segments[:step], changed, *plan.segments[step + 1 :]))


def edit_store(plan: Plan, step: int, name: str, **changes: object) -> Plan:
    """The plan with another store called `name` in that segment."""

    def store(old: Store | None) -> Store | None:
        return replace(old, **changes) if old is not None and old.name == name else old  # type: ignore[arg-type]

    def one(old: Step) -> Step:
        inputs = tuple(s for s in map(store, old.inputs) if s is not None)
        output = store(old.output)
        assert output is not None
        return replace(
            old,
            inputs=inputs,
            output=output,
            columns=store(old.columns),
            sums=store(old.sums),
            halo=store(old.halo),
        )

    def all_of(rows: SegmentRows) -> SegmentRows:
        stores = tuple(s for s in map(store, rows.stores) if s is not None)
        return replace(rows, steps=tuple(map(one, rows.steps)), stores=stores)

    return edit_rows(plan, step, all_of)


def edit_step(plan: Plan, segment: int, number: int, edit: Callable[[Step], Step]) -> Plan:
    def all_of(rows: SegmentRows) -> SegmentRows:
        steps = tuple(edit(step) if place == number else step for place, step in enumerate(rows.steps))
        return replace(rows, steps=steps)

    return edit_rows(plan, segment, all_of)
