# SPDX-License-Identifier: Apache-2.0
"""The arena as the verifier sees it: for every byte a number that says which byte of which value it holds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int32]

NOBODY = -1
SCRATCH = -2


class PlanError(RuntimeError):
    """The plan is wrong: a bug in the planner (or a replayed plan that was changed), not a fault of the model."""


@dataclass(frozen=True)
class Extent:
    """Some bytes of the arena that belong to a buffer or store called `name`: offset <= byte < end."""

    name: str
    offset: int
    end: int


@dataclass(frozen=True)
class Bytes:
    """A regular pattern of bytes: `counts` of them along each axis, `steps` bytes apart. At most two axes."""

    first: int
    counts: tuple[int, ...]
    steps: tuple[int, ...]

    @property
    def end(self) -> int:
        """After the last byte."""
        return self.first + sum((count - 1) * step for count, step in zip(self.counts, self.steps, strict=True)) + 1

    def meets(self, other: Bytes) -> bool:
        """Whether the stretches from first to last byte overlap."""
        return self.first < other.end and other.first < self.end


class Arena:
    """Owner numbers. A value (a tensor, sums) has a block of them, one for each of its bytes."""

    def __init__(self, size: int) -> None:
        self.owner: Numbers = np.full(size, NOBODY, dtype=np.int32)
        self._begins: list[int] = []
        self._names: list[str] = []
        self._next = 0

    def block(self, name: str, size: int) -> int:
        """The first number of a new block."""
        self._begins.append(self._next)
        self._names.append(name)
        self._next += size
        return self._begins[-1]

    def name(self, number: int) -> str:
        """Whose byte has this number."""
        if number < 0:
            return {NOBODY: "nobody", SCRATCH: "scratch"}[number]
        return self._names[bisect_right(self._begins, number) - 1]

    def write(self, where: Bytes, numbers: Numbers | int, extent: Extent, writer: str) -> None:
        self._inside(where, extent, writer)
        self._view(where)[...] = numbers

    def read(self, where: Bytes, numbers: Numbers | int, extent: Extent, reader: str) -> None:
        """Raises PlanError where a byte is not the one that belongs there."""
        self._inside(where, extent, reader)
        held = self._view(where)
        wrong = held != numbers
        if wrong.any():
            place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            byte = where.first + sum(index * step for index, step in zip(place, where.steps, strict=True))
            culprit, wanted = int(held[place]), int(np.broadcast_to(numbers, where.counts)[place])
            same = self.name(culprit) == self.name(wanted)
            by = f"another byte of {self.name(culprit)}" if same else self.name(culprit)
            raise PlanError(
                f"{reader} reads {self.name(wanted)} ({extent.name}), but byte {byte} of the arena was overwritten "
                f"by {by}"
            )

    def copy(self, source: int, destination: int, size: int) -> None:
        """memmove."""
        self.owner[destination : destination + size] = self.owner[source : source + size].copy()

    def _inside(self, where: Bytes, extent: Extent, who: str) -> None:
        if where.first < extent.offset or where.end > extent.end:
            raise PlanError(
                f"{who} touches bytes {where.first} to {where.end} of the arena, outside {extent.name} "
                f"({extent.offset} to {extent.end})"
            )

    def _view(self, where: Bytes) -> Numbers:
        if where.steps == (1,):
            return self.owner[where.first : where.first + where.counts[0]]
        size = self.owner.itemsize
        return np.lib.stride_tricks.as_strided(
            self.owner[where.first :], where.counts, [step * size for step in where.steps]
        )


def run_of(first: int, count: int) -> Bytes:
    """Neighbouring bytes."""
    return Bytes(first, (count,), (1,))


def check_apart(reads: Sequence[tuple[Bytes, bool]], writes: Sequence[Bytes], who: str) -> None:
    """What a kernel writes must be apart from what it reads (except in place, where marked) and from itself."""
    for place, written in enumerate(writes):
        for read, in_place in reads:
            if written.meets(read) and not in_place:
                raise PlanError(f"{who} writes bytes {written.first} to {written.end} over what it reads")
        if any(written.meets(other) for other in writes[:place]):
            raise PlanError(f"{who} uses bytes {written.first} to {written.end} for two things at once")
