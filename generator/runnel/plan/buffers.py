# SPDX-License-Identifier: Apache-2.0
"""Which buffers a schedule needs, how long each lives, and which may start at the same byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runnel.errors import ModelError
from runnel.graph import Graph
from runnel.operators.base import KernelCall
from runnel.plan.plan import Buffer
from runnel.schedule.schedule import Schedule


@dataclass
class _Life:
    """One buffer in the making: the tensors it holds (aliases of each other) and its first and last step."""

    bytes: int
    first: int
    last: int
    tensors: list[int]
    shares: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"tensor_{self.tensors[0]}"


def make_buffers(schedule: Schedule, calls: Sequence[Sequence[KernelCall]]) -> tuple[Buffer, ...]:
    """Tensor buffers in order of first use, then scratch buffers, with `shares` where a kernel may work in place."""
    graph = schedule.graph
    lives = _tensor_lives(schedule, calls)
    _allow_in_place(graph, lives, calls)
    unique = list({id(life): life for life in lives.values()}.values())
    tensors = [
        Buffer(
            name=life.name,
            bytes=life.bytes,
            first=life.first,
            last=life.last,
            purpose="tensor",
            tensors=tuple(life.tensors),
            shares=tuple(life.shares),
        )
        for life in unique
    ]
    return (*tensors, *_scratch_buffers(calls))


def scratch_name(step: int) -> str:
    return f"scratch_{step}"


def _scratch_buffers(calls: Sequence[Sequence[KernelCall]]) -> list[Buffer]:
    needs = ((step, max((c.scratch_bytes for c in group), default=0)) for step, group in enumerate(calls))
    return [
        Buffer(name=scratch_name(step), bytes=need, first=step, last=step, purpose="scratch", layout="scratch")
        for step, need in needs
        if need > 0
    ]


def _tensor_lives(schedule: Schedule, calls: Sequence[Sequence[KernelCall]]) -> Mapping[int, _Life]:
    """Tensor number -> its buffer. A segment without calls makes its output an alias of its input."""
    graph = schedule.graph
    lives: dict[int, _Life] = {}
    for index in dict.fromkeys(graph.inputs):
        lives[index] = _Life(graph.tensor(index).bytes, -1, -1, [index])
    for step, segment in enumerate(schedule.segments):
        for index in segment.inputs:
            lives[index].last = max(lives[index].last, step)
        for index in segment.outputs:
            if calls[step]:
                lives[index] = _Life(graph.tensor(index).bytes, step, step, [index])
            else:
                lives[index] = lives[segment.inputs[0]]
                lives[index].tensors.append(index)
    for index in graph.outputs:
        if index not in lives:
            raise ModelError(f"output '{graph.tensor(index).name}' is a constant; remove it from the model's outputs")
        lives[index].last = len(schedule.segments)
    return lives


def _allow_in_place(graph: Graph, lives: Mapping[int, _Life], calls: Sequence[Sequence[KernelCall]]) -> None:
    """Lets an output start where a dying input starts, where the kernel says that this is safe."""
    for step, group in enumerate(calls):
        if len(group) != 1:
            continue  # several calls write parts of one output: an earlier one would destroy a later one's input
        call = group[0]
        output = lives[call.output]
        for position in call.in_place:
            index = call.inputs[position]
            if graph.tensor(index).is_constant:
                continue
            source = lives[index]
            others = (
                lives.get(other)
                for place, other in enumerate(call.inputs)
                if place != position and place not in call.in_place
            )
            if source.last == step and source is not output and all(other is not source for other in others):
                output.shares.append(source.name)
