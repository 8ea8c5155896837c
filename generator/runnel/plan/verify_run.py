# SPDX-License-Identifier: Apache-2.0
"""A run of the plan on the verifier's arena: where whole tensors lie at each step, and the moves between steps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from runnel.graph import Graph, Tensor
from runnel.plan.plan import PlacedBuffer, Plan
from runnel.plan.verify_arena import Arena, Extent, Numbers, PlanError, run_of


class Run:
    """value: the first owner number of each tensor that was written; a reshape's output has its input's."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph: Graph = plan.schedule.graph
        self.arena = Arena(plan.arena_bytes)
        self.value: dict[int, int] = {}
        self.step = -1
        self.stores = {placed.buffer.name: placed for placed in plan.layout.buffers}
        self._blocks: dict[int, int] = {}
        self._places: dict[int, list[PlacedBuffer]] = {}
        for placed in plan.layout.buffers:
            for number in placed.buffer.tensors:
                self._places.setdefault(number, []).append(placed)

    # --- whole tensors ----------------------------------------------------------------------------------------------

    def block(self, tensor: int) -> int:
        """The owner number of the tensor's first byte."""
        if tensor not in self._blocks:
            size = -(-self.graph.tensor(tensor).bytes // 4) * 4
            self._blocks[tensor] = self.arena.block(f"tensor {tensor}", size)
        return self._blocks[tensor]

    def fill_inputs(self) -> None:
        """The caller fills all stored inputs, in any order, before the run starts: so all must be there at once."""
        pulled = self.pulled_inputs()
        inputs = [t for t in activations(self.graph, self.graph.inputs) if t.index not in pulled]
        for tensor in inputs:
            self.write(tensor)
        for tensor in inputs:
            self.read(tensor, "the caller, before the run,")

    def pulled_inputs(self) -> set[int]:
        streaming = [planned.segment.streaming for planned in self.plan.segments]
        return {self.graph.inputs[0]} if any(s is not None and s.pulled for s in streaming) else set()

    def write(self, tensor: Tensor) -> None:
        """Takes the whole aligned buffer: kernels may store whole words at the end of a row."""
        placed = self.place(tensor, "a write")
        self.check_lifetime(placed, f"tensor {tensor.index}")
        self.value[tensor.index] = self.block(tensor.index)
        size = -(-tensor.bytes // 4) * 4
        self.arena.write(run_of(placed.offset, size), self._numbers(tensor, size), extent(placed), "a write")

    def read(self, tensor: Tensor, reader: str) -> None:
        placed = self.place(tensor, reader)
        self.check_lifetime(placed, reader)
        if tensor.index not in self.value:
            raise PlanError(f"{reader} reads tensor {tensor.index} before it is written")
        where = run_of(placed.offset, tensor.bytes)
        self.arena.read(where, self._numbers(tensor, tensor.bytes), extent(placed), reader)

    def _numbers(self, tensor: Tensor, size: int) -> Numbers:
        first = self.value[tensor.index]
        return np.arange(first, first + size, dtype=np.int32)

    def place(self, tensor: Tensor, reader: str) -> PlacedBuffer:
        """Where the tensor lies at this step; where it lies at some other when it does not live now."""
        places = self._places.get(tensor.index)
        if not places:
            raise PlanError(f"tensor {tensor.index} of {reader} has no place in the arena")
        now = [placed for placed in places if placed.buffer.first <= self.step <= placed.buffer.last]
        return (now or places)[0]

    def check_lifetime(self, placed: PlacedBuffer, reader: str) -> None:
        buffer = placed.buffer
        if not buffer.first <= self.step <= buffer.last:
            raise PlanError(
                f"buffer {buffer.name} is used at step {self.step} by {reader}, outside its lifetime "
                f"{buffer.first} to {buffer.last}"
            )

    # --- other buffers ----------------------------------------------------------------------------------------------

    def inner(self, name: str, size: int, user: str) -> Extent:
        """The place of a ring or of scratch that needs `size` bytes."""
        placed = self.stores.get(name)
        if placed is None:
            raise PlanError(f"{user} names a buffer that is not there: {name}")
        if placed.buffer.bytes < size:
            raise PlanError(f"{user} needs {size} bytes of {name} and has not got them")
        self.check_lifetime(placed, user)
        return Extent(name, placed.offset, placed.offset + size)

    # --- moves ------------------------------------------------------------------------------------------------------

    def make_moves(self) -> None:
        """Those before this step, in the plan's order."""
        for move in self.plan.layout.moves:
            if move.step != self.step:
                continue
            source, destination = self.stores.get(move.source), self.stores.get(move.destination)
            if source is None or destination is None:
                raise PlanError(f"a move before step {self.step} names a buffer that is not there")
            one, other = source.buffer, destination.buffer
            if (one.bytes, one.tensors, one.last + 1) != (other.bytes, other.tensors, other.first):
                raise PlanError(f"{one.name} cannot be moved to {other.name} before step {self.step}")
            self.arena.copy(source.offset, destination.offset, one.bytes)


def check_moves(plan: Plan) -> None:
    """Every place of a tensor but the first is reached by a move in the step in which it begins, and by one only."""
    steps = [move.step for move in plan.layout.moves]
    if steps != sorted(steps) or any(not 0 <= step < len(plan.segments) for step in steps):
        raise PlanError("the moves are not in the order of the steps that they are made before")
    arrivals = [(move.destination, move.step) for move in plan.layout.moves]
    for tensor, pieces in pieces_of(plan).items():
        for before, after in pairwise(pieces):
            if after.buffer.first != before.buffer.last + 1:
                raise PlanError(
                    f"tensor {tensor} is in two buffers that do not follow each other: {before.buffer.name} and "
                    f"{after.buffer.name}"
                )
            if arrivals.count((after.buffer.name, after.buffer.first)) != 1:
                raise PlanError(f"tensor {tensor} is not moved to {after.buffer.name} before it is used there")


def pieces_of(plan: Plan) -> Mapping[int, list[PlacedBuffer]]:
    """Tensor -> its places in the order of time."""
    pieces: dict[int, list[PlacedBuffer]] = {}
    for placed in sorted(plan.layout.buffers, key=lambda placed: placed.buffer.first):
        for number in placed.buffer.tensors:
            pieces.setdefault(number, []).append(placed)
    return pieces


def activations(graph: Graph, numbers: tuple[int | None, ...]) -> list[Tensor]:
    tensors = [graph.tensor(number) for number in numbers if number is not None]
    return [tensor for tensor in tensors if not tensor.is_constant]


def extent(placed: PlacedBuffer) -> Extent:
    return Extent(placed.buffer.name, placed.offset, placed.end)
