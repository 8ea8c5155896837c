# SPDX-License-Identifier: Apache-2.0
"""Plan: a schedule with a place in the arena for every buffer and a kernel call for every operator.

Steps: segment s of n runs at step s; step -1 is before the first segment (the caller fills the inputs there),
step n is after the last (the caller reads the outputs there). A buffer is live from `first` to `last`, inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runnel.operators.base import KernelCall
from runnel.schedule.rows import ALIGNMENT, SegmentRows
from runnel.schedule.schedule import Schedule, Segment


@dataclass(frozen=True)
class Overlap:
    """Rolling overlap: a buffer may lie over the one called `over` if it starts at least `distance` bytes below it.

    exact: or exactly so many below it, because columns must lie over their own columns (in-place strips).
    """

    over: str
    distance: int
    exact: bool = False


@dataclass(frozen=True)
class Buffer:
    """Something the arena holds. `layout` says how rows lie in it ("rows of pixels" is NHWC).

    purpose: "tensor" is whole; "ring" keeps some rows of one while its segment runs; "scratch" is a kernel's.
    shares: names of buffers that may overlap this one because a kernel works in place: both must then start at
    the same byte. Aliases (RESHAPE) are one buffer that holds several tensors.
    grows_into: the buffer whose consumed rows this one takes over in the step where this one is first live.
    A tensor that is moved (`Move`) is one buffer for each place that it has, with lifetimes one after the other.
    """

    name: str
    bytes: int
    first: int
    last: int
    purpose: Literal["tensor", "ring", "scratch"]
    tensors: tuple[int, ...] = ()
    layout: str = "rows of pixels"
    element_bits: int = 8
    shares: tuple[str, ...] = ()
    grows_into: Overlap | None = None

    @property
    def aligned_bytes(self) -> int:
        return -(-self.bytes // ALIGNMENT) * ALIGNMENT


@dataclass(frozen=True)
class PlacedBuffer:
    """A buffer and its first byte in the arena."""

    buffer: Buffer
    offset: int

    @property
    def end(self) -> int:
        return self.offset + self.buffer.aligned_bytes


@dataclass(frozen=True)
class Move:
    """Before segment `step` runs, buffer `source` is copied to buffer `destination` (memmove: they may overlap)."""

    step: int
    source: str
    destination: str


@dataclass(frozen=True)
class Layout:
    """Result of the arena search: offsets, the arena's size and how good it is proved to be (bytes).

    moves: in the order in which they are made.
    """

    buffers: tuple[PlacedBuffer, ...]
    arena_bytes: int
    lower_bound_bytes: int
    optimal: bool
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, eq=False)
class PlannedSegment:
    """A segment with its kernel calls in order; `scratch` names the buffer that its calls share, if any.

    rows: the steps of a segment that streams, None where one operator runs on whole tensors. step_calls: the calls of
    each step: none for "pull", one for "spread" and most forms, depthwise and 1x1 where there are columns, adding
    and finishing for "sums". `calls` are then all of them. macs: what is really computed, halos included.
    """

    segment: Segment
    calls: tuple[KernelCall, ...]
    scratch: str | None
    macs: int
    rows: SegmentRows | None = None
    step_calls: tuple[tuple[KernelCall, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """All that the emitter needs. Bytes are arena bytes unless the name says constants (flash)."""

    name: str
    board: str
    schedule: Schedule
    segments: tuple[PlannedSegment, ...]
    layout: Layout
    constants_bytes: int
    macs: int
    nominal_macs: int = 0

    @property
    def macs_overhead(self) -> float:
        """What halos add, as a part of the model's own multiply-accumulates."""
        return self.macs / self.nominal_macs - 1.0 if self.nominal_macs else 0.0

    @property
    def arena_bytes(self) -> int:
        return self.layout.arena_bytes

    @property
    def arena_lower_bound_bytes(self) -> int:
        return self.layout.lower_bound_bytes

    def placed(self, tensor: int, step: int | None = None) -> PlacedBuffer:
        """Where the tensor with this number lies at `step` (anywhere in its life where None).

        Raises KeyError for constants and for tensors that are never whole.
        """
        for placed in self.layout.buffers:
            buffer = placed.buffer
            if tensor in buffer.tensors and (step is None or buffer.first <= step <= buffer.last):
                return placed
        raise KeyError(tensor)

    def store(self, name: str) -> PlacedBuffer:
        """Where a ring or scratch buffer lies. Raises KeyError."""
        for placed in self.layout.buffers:
            if placed.buffer.name == name:
                return placed
        raise KeyError(name)
