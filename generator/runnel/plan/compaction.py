# SPDX-License-Identifier: Apache-2.0
"""Layouts that always fit the lower bound, because tensors may be moved between steps.

Why the lower bound is always enough. At every step the live buffers form units (plan/lower_bound.py): one buffer, an
in-place clique or a rolling pair. Stacked upon each other they take up just the bytes that the bound counts, in any
order from bottom to top. A unit has at most one buffer from the step before (members meet in one step only), so a new
unit or a new member may join without changing the order of the buffers that stay. Hence there is a sequence of stacks
in which buffers that stay never change their order, and what is left to show is that they can be moved from one stack
to the next in place. Those that go up are moved first, the highest first, then those that go down, the lowest first.
Say a buffer goes up to [d, d + n). Buffers below it lie lower than its old place, so lower than d. A buffer above it
that has been moved is at its own new place, which is apart from this one; one that has not been moved stays or goes
down, so its place now is not below its new one, which is at d + n or above. Downwards it is the same mirrored; those
above that still have to go down lie higher than this one's old end, those below are at their new places. The bytes
that a memmove reads are only its own, so every buffer arrives whole. The arena is as large as the larger of the two
stacks, never more.

Which stacks: a beam search for few moved bytes. Whatever fits into gaps is put there without moving anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runnel.plan.lower_bound import Unit, change_steps, live_units, may_start_together
from runnel.plan.plan import Buffer, Layout, Move, PlacedBuffer
from runnel.plan.sliding import Item, in_gaps, slides

_BEAM = 8


@dataclass(frozen=True)
class _State:
    """A layout of the buffers live at `step` and, through `before`, of all earlier ones. moved: bytes so far."""

    step: int
    places: Mapping[str, int]
    moved: int
    before: _State | None


def compact(buffers: Sequence[Buffer], arena: int) -> Layout:
    """A layout within `arena` bytes, which must be the lower bound or more, with few bytes moved."""
    named = {buffer.name: buffer for buffer in buffers}
    beam = [_State(-2, {}, 0, None)]
    for step in change_steps(buffers):
        units = live_units(buffers, step)
        children = [child for state in beam for child in _children(named, units, step, state, arena)]
        beam = _best(named, children, step)
    return _layout(buffers, beam[0], arena)


def _children(
    named: Mapping[str, Buffer], units: Sequence[Unit], step: int, state: _State, arena: int
) -> Iterator[_State]:
    """The layouts that may follow: without moves where that is possible, else with few."""
    staying = {name: offset for name, offset in state.places.items() if named[name].last >= step}
    items = [_item(unit, step, staying) for unit in units]
    found = in_gaps(items, arena)
    for places in found or slides(items, arena):
        moved = sum(named[name].aligned_bytes for name, offset in staying.items() if places[name] != offset)
        yield _State(step, places, state.moved + moved, state)


def _item(unit: Unit, step: int, staying: Mapping[str, int]) -> Item:
    """A unit with the place of the buffer in it that is there already, if any."""
    here = next((buffer for buffer in unit.buffers if buffer.name in staying), None)
    assert sum(buffer.name in staying for buffer in unit.buffers) <= 1
    starts = {buffer.name: 0 for buffer in unit.buffers}
    if unit.rolling is not None:
        starts[unit.rolling.upper.name] = unit.rolling.distance
    return Item(
        bytes=unit.bytes,
        starts=starts,
        sizes={buffer.name: buffer.aligned_bytes for buffer in unit.buffers},
        lasts=any(buffer.last > step for buffer in unit.buffers),
        staying=here.name if here is not None else None,
        place=staying[here.name] if here is not None else 0,
        lower=unit.rolling.lower.name if unit.rolling is not None else None,
        exact=unit.rolling is not None and unit.rolling.exact,
    )


def _best(named: Mapping[str, Buffer], children: Sequence[_State], step: int) -> list[_State]:
    """The states with the least bytes moved; of equal ones those that leave the largest gap. Each future once."""
    ranked = []
    for number, state in enumerate(children):
        lasting = sorted((offset, name) for name, offset in state.places.items() if named[name].last > step)
        gap = end = 0
        for offset, name in lasting:
            gap, end = max(gap, offset - end), max(end, offset + named[name].aligned_bytes)
        ranked.append((state.moved, end - gap, tuple(lasting), number))
    best: dict[tuple[tuple[int, str], ...], _State] = {}
    for *_, future, number in sorted(ranked):
        best.setdefault(future, children[number])
    return list(best.values())[:_BEAM]


def _layout(buffers: Sequence[Buffer], last: _State, arena: int) -> Layout:
    """Cuts every buffer that has several places into one piece for each, and lists the moves between them."""
    states: list[_State] = []
    state: _State | None = last
    while state is not None:
        states.insert(0, state)
        state = state.before
    pieces: dict[str, list[PlacedBuffer]] = {buffer.name: [] for buffer in buffers}
    named = {buffer.name: buffer for buffer in buffers}
    moves: list[Move] = []
    for state in states:
        climbing: list[tuple[int, Move]] = []
        sinking: list[tuple[int, Move]] = []
        for name, offset in state.places.items():
            before = pieces[name][-1] if pieces[name] else None
            if before is None:
                pieces[name].append(PlacedBuffer(named[name], offset))
            elif before.offset != offset:
                earlier = replace(before.buffer, last=state.step - 1)
                later = replace(before.buffer, name=f"{name}@{state.step}", first=state.step)
                pieces[name][-1:] = [PlacedBuffer(earlier, before.offset), PlacedBuffer(later, offset)]
                way = climbing if offset > before.offset else sinking
                way.append((before.offset, Move(state.step, earlier.name, later.name)))
        moves += [move for _, move in sorted(climbing, key=lambda entry: -entry[0])]
        moves += [move for _, move in sorted(sinking, key=lambda entry: entry[0])]
    placed = tuple(_rename(named, pieces, piece, name) for name, all_of in pieces.items() for piece in all_of)
    return Layout(placed, arena, arena, optimal=True, moves=tuple(moves))


def _rename(
    named: Mapping[str, Buffer], pieces: Mapping[str, Sequence[PlacedBuffer]], piece: PlacedBuffer, name: str
) -> PlacedBuffer:
    """The piece with `shares` and `grows_into` that name the pieces which are there when it is."""
    whole, buffer = named[name], piece.buffer

    def meeting(other: str) -> str | None:
        for candidate in pieces.get(other, ()):
            if candidate.buffer.first <= buffer.last and buffer.first <= candidate.buffer.last:
                return candidate.buffer.name
        return None

    partners = [meeting(other) for other in whole.shares if other in named and may_start_together(whole, named[other])]
    overlap = whole.grows_into
    if overlap is not None:
        over = meeting(overlap.over) if buffer.first == whole.first else None
        overlap = replace(overlap, over=over) if over is not None else None
    shares = tuple(partner for partner in partners if partner is not None)
    return PlacedBuffer(replace(buffer, shares=shares, grows_into=overlap), piece.offset)
