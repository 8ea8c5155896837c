# SPDX-License-Identifier: Apache-2.0
"""Runs a plan byte by byte in plain Python and says whether it is right. It looks at no lifetime and no `shares`.

Every byte of the arena holds (tensor, position in it). A kernel may read and write in any order, so its output and
its scratch must stay off its inputs, except an output that starts where an input of `in_place` starts.
"""

from __future__ import annotations

from contextlib import suppress

from runnel.operators.base import KernelCall
from runnel.plan.plan import PlacedBuffer, Plan
from runnel.schedule.rows import ALIGNMENT

Cell = tuple[int, int] | None


def runs_right(plan: Plan) -> bool:
    return _Machine(plan).run()


class _Machine:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.graph = plan, plan.schedule.graph
        self.arena: list[Cell] = [None] * plan.arena_bytes
        self.meaning: dict[int, int] = {}
        self.step = -1

    def run(self) -> bool:
        if any(p.offset < 0 or p.offset % ALIGNMENT or p.end > len(self.arena) for p in self.plan.layout.buffers):
            return False
        for n in self.graph.inputs:
            self.store(n)
        if not all(self.holds(n) for n in self.graph.inputs):
            return False
        if not all(self.segment(i) for i in range(len(self.plan.segments))):
            return False
        self.step = len(self.plan.segments)
        return all(self.holds(n) for n in self.graph.outputs)

    def move(self) -> None:
        places = {p.buffer.name: p for p in self.plan.layout.buffers}
        for move in self.plan.layout.moves:
            if move.step == self.step:
                source, target = places[move.source], places[move.destination]
                self.arena[target.offset : target.end] = self.arena[source.offset : source.end]

    def placed(self, n: int) -> PlacedBuffer:
        """Where the tensor is now; with wrong lifetimes, anywhere."""
        with suppress(KeyError):
            return self.plan.placed(n, self.step)
        return self.plan.placed(n)

    def where(self, n: int) -> range:
        start = self.placed(n).offset
        return range(start, start + self.graph.tensor(n).bytes)

    def padded(self, n: int) -> range:
        return range(self.placed(n).offset, self.placed(n).end)

    def store(self, n: int) -> None:
        self.meaning[n] = n
        for position, byte in enumerate(self.padded(n)):
            self.arena[byte] = (n, position)

    def holds(self, n: int) -> bool:
        return n in self.meaning and all(
            self.arena[byte] == (self.meaning[n], position) for position, byte in enumerate(self.where(n))
        )

    def segment(self, number: int) -> bool:
        self.step = number
        self.move()
        planned = self.plan.segments[number]
        scratch = next((p for p in self.plan.layout.buffers if p.buffer.name == planned.scratch), None)
        start = 0 if scratch is None else scratch.offset
        for call in planned.calls:
            if call.scratch_bytes and (scratch is None or scratch.buffer.bytes < call.scratch_bytes):
                return False
            if not self.call(call, range(start, start + call.scratch_bytes)):
                return False
        if not planned.calls:
            source, target = planned.segment.inputs[0], planned.segment.outputs[0]
            self.meaning[target] = self.meaning[source]
            return self.holds(target)
        return all(self.holds(n) for n in planned.segment.outputs)

    def call(self, call: KernelCall, scratch: range) -> bool:
        inputs = [(i, n) for i, n in enumerate(call.inputs) if not self.graph.tensor(n).is_constant]
        written = set(self.padded(call.output))
        for position, n in inputs:
            in_place = position in call.in_place and self.where(n).start == self.where(call.output).start
            if not self.holds(n) or set(scratch) & set(self.where(n)):
                return False
            if written & set(self.where(n)) and not in_place:
                return False
        for byte in scratch:
            self.arena[byte] = None
        self.store(call.output)
        return not set(scratch) & written
