# SPDX-License-Identifier: Apache-2.0
"""Plan: a schedule with a place in the arena for every buffer and a kernel call for every operator.

Steps: segment s of n runs at step s; step -1 is before the first segment (the caller fills the inputs there),
step n is after the last (the caller reads the outputs there). A buffer is live from `first` to `last`, inclusive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runnel.operators.base import KernelCall
from runnel.schedule.schedule import Schedule, Segment

ALIGNMENT = 4
"""Bytes. Every buffer starts on a multiple of this; sizes are rounded up to it."""


@dataclass(frozen=True)
class Buffer:
    """Something the arena holds. `layout` says how rows lie in it ("rows of pixels" is NHWC).

    shares: names of buffers that may overlap this one because a kernel works in place: both must then start at
    the same byte. Aliases (RESHAPE) are one buffer that holds several tensors.
    """

    name: str
    bytes: int
    first: int
    last: int
    purpose: Literal["tensor", "scratch"]
    tensors: tuple[int, ...] = ()
    layout: str = "rows of pixels"
    element_bits: int = 8
    shares: tuple[str, ...] = ()

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
class Layout:
    """Result of the arena search: offsets, the arena's size and how good it is proved to be (bytes)."""

    buffers: tuple[PlacedBuffer, ...]
    arena_bytes: int
    lower_bound_bytes: int
    optimal: bool


@dataclass(frozen=True, eq=False)
class PlannedSegment:
    """A segment with its kernel calls in order; `scratch` names the buffer that its calls share, if any."""

    segment: Segment
    calls: tuple[KernelCall, ...]
    scratch: str | None
    macs: int


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
    macs_overhead: float = 0.0

    @property
    def arena_bytes(self) -> int:
        return self.layout.arena_bytes

    @property
    def arena_lower_bound_bytes(self) -> int:
        return self.layout.lower_bound_bytes

    def placed(self, tensor: int) -> PlacedBuffer:
        """Where the tensor with this number lies. Raises KeyError for constants."""
        for placed in self.layout.buffers:
            if tensor in placed.buffer.tensors:
                return placed
        raise KeyError(tensor)
